package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// An answer to a query is walked in two steps. The first lists the keys of all
// images it holds in the order of the answer: eight bytes an image, which is
// what gives an exact total and any page at once. The second fetches what is
// told of them, some hundreds at a time, so that no answer is ever whole in
// memory and no connection waits for a client that reads slowly. The keys are
// kept for a while, so that the pages that follow fit the first.

// hitBatch is how many image ids are fetched at once.
const hitBatch = 400

// ImagesByVuln calls each with every image of an account that a vulnerability
// affects, in the order of their digests, and returns how many image ids there
// are on all pages.
func (s *Store) ImagesByVuln(ctx context.Context, account string, q engine.VulnQuery, each func(engine.ImageHit) error) (int, error) {
	const affected = ` FROM matches m WHERE m.vuln = $2
		   AND ($3 = '' OR m.feed_group = $3 OR m.namespace = $3) AND ($4 = '' OR m.package = $4)
		   AND ($5 = '' OR m.severity = $5) AND NOT ($6 AND m.will_not_fix)`
	const why = `SELECT DISTINCT m.image, m.package, m.version, m.package_type, m.feed_group, m.severity` + affected + `
		   AND m.image = ANY($1) ORDER BY m.package, m.version, m.package_type, m.feed_group, m.severity`

	filter := []any{q.Vuln, q.Namespace, q.Package, q.Severity, q.VendorOnly}
	keys, err := s.hitKeys(ctx, account, filter, q.Page, `SELECT m.image`+affected)
	if err == nil {
		err = s.eachHit(ctx, account, keys, q.Page, why, filter, each)
	}
	if err != nil {
		return 0, fmt.Errorf("images by vulnerability: %w", domain(err))
	}
	return keys.total(), nil
}

// ImagesByPackage calls each with every image of an account that holds a
// package, in the order of their digests, and returns how many image ids there
// are on all pages.
func (s *Store) ImagesByPackage(ctx context.Context, account string, q engine.PackageQuery, each func(engine.ImageHit) error) (int, error) {
	// Two statements joined, not one with OR, so that each finds its index.
	const rest = ` AND ($3 = '' OR p.type = $3) AND ($4 = '' OR p.version = $4)`
	const byName = ` FROM packages p WHERE p.name = $2` + rest
	const byCPE = ` FROM packages p WHERE p.class <> 'os' AND cpe_products(p.cpes) @> ARRAY[lower($2)]` + rest
	const columns = `SELECT p.image, p.name, p.version, p.type, '', ''`
	const why = columns + byName + ` AND p.image = ANY($1) UNION ` + columns + byCPE + ` AND p.image = ANY($1) ORDER BY 2, 3, 4`

	filter := []any{q.Name, q.Type, q.Version}
	keys, err := s.hitKeys(ctx, account, filter, q.Page, `SELECT p.image`+byName, `SELECT p.image`+byCPE)
	if err == nil {
		err = s.eachHit(ctx, account, keys, q.Page, why, filter, each)
	}
	if err != nil {
		return 0, fmt.Errorf("images by package: %w", domain(err))
	}
	return keys.total(), nil
}

// hitKeys lists the active images of an account that any of subs selects.
// A page behind the first is taken from the list that the first was.
func (s *Store) hitKeys(ctx context.Context, account string, filter []any, p engine.QueryPage, subs ...string) (*hitKeys, error) {
	// In the order of bytes: the collation of a language takes five times as long.
	// One part for each sub: of several in one condition the planner has no
	// idea how many images they select.
	var parts []string
	for _, sub := range subs {
		parts = append(parts, `SELECT i.pk, i.image_id, i.digest COLLATE "C" AS digest FROM images i
			WHERE i.account = $1 AND i.status = 'active' AND i.pk IN (`+sub+`)`)
	}
	q := `SELECT pk, image_id FROM (` + strings.Join(parts, ` UNION ALL `) + `) hits ORDER BY digest`

	name := fmt.Sprintf("%q %q %q", subs, account, filter)
	if p.Number > 1 {
		if k := s.answers.find(name, time.Now()); k != nil {
			return k, nil
		}
	}
	rows, err := s.pool.Query(ctx, q, append([]any{account}, filter...)...)
	if err != nil {
		return nil, err
	}
	var g grouping
	var pk int64
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&pk, &id}, func() error { g.add(pk, id); return nil }); err != nil {
		return nil, err
	}
	k := g.keys()
	if p.Limit > 0 && k.total() > p.Limit {
		s.answers.keep(name, k, time.Now())
	}
	return k, nil
}

// eachHit walks one page of an answer. why lists, for the images in $1, what
// the query found in them.
func (s *Store) eachHit(ctx context.Context, account string, keys *hitKeys, p engine.QueryPage, why string, filter []any, each func(engine.ImageHit) error) error {
	from, to := pageOf(p, keys.total())
	for ; from < to; from += hitBatch {
		list, err := s.hits(ctx, account, keys, from, min(from+hitBatch, to), why, filter)
		if err != nil {
			return err
		}
		for _, h := range list {
			if err := each(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageOf are the bounds of a page in a list of so many.
func pageOf(p engine.QueryPage, total int) (from, to int) {
	if p.Limit <= 0 {
		return 0, total
	}
	if p.Number-1 > total/p.Limit { // and no product that overflows
		return total, total
	}
	from = min(max(p.Number-1, 0)*p.Limit, total)
	return from, from + min(p.Limit, total-from)
}

// hits fetches what is told of the image ids from one number to another. One
// that has gone since it was listed is left out.
func (s *Store) hits(ctx context.Context, account string, keys *hitKeys, from, to int, why string, filter []any) ([]engine.ImageHit, error) {
	const images = `SELECT pk, digest, image_id, analyzed_at FROM images WHERE pk = ANY($1) AND account = $2 ORDER BY digest`
	const tags = `
		SELECT t.image, t.registry, t.repository, t.tag, t.detected_at FROM image_tags t
		 WHERE t.image = ANY($1) AND t.account = $2 ORDER BY t.detected_at DESC, t.registry, t.repository, t.tag`

	list := make([]engine.ImageHit, to-from)
	at := make(map[int64]*engine.ImageHit)
	var pks []int64
	for n := from; n < to; n++ {
		for _, pk := range keys.group(n) {
			pks = append(pks, pk)
			at[pk] = &list[n-from]
		}
	}
	var batch pgx.Batch
	batch.Queue(images, pks, account)
	batch.Queue(tags, pks, account)
	batch.Queue(why, append([]any{pks}, filter...)...)
	answer := s.pool.SendBatch(ctx, &batch)
	defer answer.Close() //nolint:errcheck // what was wrong has been said by the rows

	each := func(into []any, f func()) error {
		rows, err := answer.Query()
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, into, func() error { f(); return nil })
		return err
	}
	var (
		pk       int64
		digest   engine.Digest
		id       string
		analyzed *time.Time
		tag      engine.ImageTag
		found    engine.PackageHit
	)
	err := each([]any{&pk, &digest, &id, &analyzed}, func() {
		h := at[pk]
		if h.Digest == "" {
			h.Digest, h.ImageID = digest, id
		}
		if t := zero(analyzed); t.After(h.AnalyzedAt) {
			h.AnalyzedAt = t
		}
	})
	if err != nil {
		return nil, err
	}
	err = each([]any{&pk, &tag.Registry, &tag.Repository, &tag.Tag, &tag.DetectedAt}, func() {
		tag.DetectedAt = tag.DetectedAt.UTC()
		at[pk].Tags = append(at[pk].Tags, tag)
	})
	if err != nil {
		return nil, err
	}
	err = each([]any{&pk, &found.Name, &found.Version, &found.Type, &found.Namespace, &found.Severity}, func() {
		if h := at[pk]; !slices.Contains(h.Packages, found) { // of another image with this id
			h.Packages = append(h.Packages, found)
		}
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(h engine.ImageHit) bool { return h.Digest == "" || len(h.Packages) == 0 }), nil
}
