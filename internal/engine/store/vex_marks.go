package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/vex"
)

// Marks are not kept with the matches. They are made whenever matches are
// read, from the documents that are enabled at that moment: there is nothing
// that could be out of date. Only how many there are is counted beforehand,
// for lists.

// vexDocumentsOf are the documents that count for an image i.
const vexDocumentsOf = ` FROM vex_documents d WHERE d.account = i.account AND d.enabled AND (d.image = '' OR d.image = i.digest OR d.image = i.parent_digest)`

// vexVersion changes with all that decides on the marks of an image i; null:
// nothing does.
const vexVersion = `
	(SELECT md5(string_agg(d.id, ' ' ORDER BY d.id) || (
		SELECT COALESCE(string_agg(t.registry || '/' || t.repository || ':' || t.tag || ' ' || ` + newestTag + `, ' ' ORDER BY t.registry, t.repository, t.tag), '')
		  FROM image_tags t WHERE t.image = i.pk))` + vexDocumentsOf + `)`

// newestTag reports whether no newer image has the tag t.
const newestTag = `
	NOT EXISTS (
		SELECT FROM image_tags o
		 WHERE (o.account, o.registry, o.repository, o.tag) = (t.account, t.registry, t.repository, t.tag) AND o.detected_at > t.detected_at)`

// vexQuery asks for the statements on what an image is affected by. For an
// account without documents it is one look at an index. %s is the image's key.
const vexQuery = `
	WITH i AS MATERIALIZED (SELECT i.pk, i.account, i.digest, i.parent_digest FROM images i WHERE i.pk = %s AND EXISTS (SELECT` + vexDocumentsOf + `))
	SELECT s.place, s.vulns, s.status, s.justification, s.impact, s.said_at, s.products, d.id, d.author, d.uploaded_at, d.image <> ''
	  FROM i
	  JOIN LATERAL (
		SELECT DISTINCT v.document, v.place
		  FROM (SELECT m.vuln FROM matches m WHERE m.image = i.pk UNION SELECT unnest(m.cves) FROM matches m WHERE m.image = i.pk) ids
		  JOIN vex_vulns v ON v.account = i.account AND v.vuln = ids.vuln) hit ON true
	  JOIN vex_documents d ON d.pk = hit.document AND d.enabled AND (d.image = '' OR d.image = i.digest OR d.image = i.parent_digest)
	  JOIN vex_statements s ON s.document = hit.document AND s.place = hit.place`

func scanMarking(r pgx.CollectableRow) (v vex.Statement, err error) {
	v.VEXStatement, err = scanStatementMore(r, &v.Document, &v.Author, &v.UploadedAt, &v.Bound)
	return v, err
}

// reader is what marks are read with: a pool or a transaction.
type reader interface {
	querier
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// mark sets the marks of an image's matches.
func mark(ctx context.Context, db reader, image int64, list []engine.Match) error {
	if len(list) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, fmt.Sprintf(vexQuery, "$1"), image)
	if err != nil {
		return fmt.Errorf("VEX statements: %w", err)
	}
	statements, err := pgx.CollectRows(rows, scanMarking)
	if err != nil {
		return fmt.Errorf("VEX statements: %w", err)
	}
	return markBy(ctx, db, image, statements, list)
}

// markBy sets the marks that statements make.
func markBy(ctx context.Context, db reader, image int64, statements []vex.Statement, list []engine.Match) error {
	if len(statements) == 0 || len(list) == 0 {
		return nil
	}
	img, err := markedImage(ctx, db, image)
	if err != nil {
		return fmt.Errorf("VEX image: %w", err)
	}
	purls, err := matchPURLs(ctx, db, image)
	if err != nil {
		return fmt.Errorf("VEX packages: %w", err)
	}
	vex.Mark(img, statements, list, func(key string) string { return purls[key] })
	return nil
}

// markSeen sets the marks of matches that have a time.
func markSeen(ctx context.Context, db reader, image int64, list []engine.SeenMatch) error {
	plain := make([]engine.Match, len(list))
	for i := range list {
		plain[i] = engine.Match{PackageKey: list[i].PackageKey, Vuln: list[i].Vuln, CVEs: list[i].CVEs}
	}
	if err := mark(ctx, db, image, plain); err != nil {
		return err
	}
	for i := range list {
		list[i].VEX = plain[i].VEX
	}
	return nil
}

// markedImage is an image under the names that statements may use.
func markedImage(ctx context.Context, db reader, image int64) (vex.Image, error) {
	const q = `SELECT digest, parent_digest, image_id, COALESCE(arch, '') FROM images WHERE pk = $1`
	const tags = `SELECT t.registry, t.repository, t.tag, ` + newestTag + ` FROM image_tags t WHERE t.image = $1`

	var img vex.Image
	var digest, parent, id string
	if err := db.QueryRow(ctx, q, image).Scan(&digest, &parent, &id, &img.Arch); err != nil {
		return img, err
	}
	img.Digests = []string{digest, parent, "sha256:" + id}
	rows, err := db.Query(ctx, tags, image)
	if err != nil {
		return img, err
	}
	img.Names, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (n vex.Name, err error) {
		err = r.Scan(&n.Registry, &n.Repository, &n.Tag, &n.Newest)
		return n, err
	})
	return img, err
}

// matchPURLs are the package URLs of the packages that have matches.
func matchPURLs(ctx context.Context, db reader, image int64) (map[string]string, error) {
	const q = `SELECT key, purl FROM packages WHERE image = $1 AND purl <> '' AND key IN (SELECT package_key FROM matches WHERE image = $1)`

	rows, err := db.Query(ctx, q, image)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	var key, purl string
	_, err = pgx.ForEachRow(rows, []any{&key, &purl}, func() error {
		list[key] = purl
		return nil
	})
	return list, err
}

// CountVEX counts the marks of an image's matches anew, and tells when there
// are others than were counted last.
func (s *Store) CountVEX(ctx context.Context, account, digest string) error {
	// Most accounts have no documents.
	const find = `
		SELECT i.pk FROM images i
		 WHERE i.account = $1 AND i.digest = $2
		   AND (EXISTS (SELECT` + vexDocumentsOf + `) OR EXISTS (SELECT FROM vex_marks v WHERE v.image = i.pk))`
	const matches = `SELECT package_key, vuln, cves FROM matches WHERE image = $1`
	const gone = `DELETE FROM vex_marks WHERE image = $1 AND document NOT IN (SELECT pk FROM vex_documents WHERE account = $2 AND id = ANY($3))`
	const put = `
		INSERT INTO vex_marks AS m (document, image, not_affected, fixed, affected, investigating)
		SELECT pk, $2, $3, $4, $5, $6 FROM vex_documents WHERE account = $7 AND id = $1
		ON CONFLICT (document, image) DO UPDATE
		   SET not_affected = excluded.not_affected, fixed = excluded.fixed, affected = excluded.affected, investigating = excluded.investigating
		 WHERE (m.not_affected, m.fixed, m.affected, m.investigating) IS DISTINCT FROM (excluded.not_affected, excluded.fixed, excluded.affected, excluded.investigating)`

	var pk int64
	err := s.pool.QueryRow(ctx, find, account, digest).Scan(&pk)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("count VEX marks: %w", domain(err))
	}
	return s.inTx(ctx, "count VEX marks", func(tx pgx.Tx) error {
		// Shared with nobody: who changes a document deletes counts too.
		if err := lockVEX(ctx, tx, account); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, matches, pk)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (m engine.Match, err error) {
			err = r.Scan(&m.PackageKey, &m.Vuln, &m.CVEs)
			return m, err
		})
		if err != nil {
			return err
		}
		if err := mark(ctx, tx, pk, list); err != nil {
			return err
		}
		counts := marksByDocument(list)
		ids := make([]string, 0, len(counts))
		for id := range counts {
			ids = append(ids, id)
		}
		tag, err := tx.Exec(ctx, gone, pk, account, ids)
		if err != nil {
			return err
		}
		changed := tag.RowsAffected() > 0
		for id, m := range counts {
			tag, err := tx.Exec(ctx, put, id, pk, m.NotAffected, m.Fixed, m.Affected, m.Investigating, account)
			if err != nil {
				return err
			}
			changed = changed || tag.RowsAffected() > 0
		}
		if !changed {
			return nil
		}
		return record(ctx, tx, engine.ChangeImage, account, digest, nil)
	})
}

func marksByDocument(list []engine.Match) map[string]*engine.VEXMarks {
	counts := map[string]*engine.VEXMarks{}
	for _, m := range list {
		if m.VEX == nil {
			continue
		}
		c := counts[m.VEX.Document]
		if c == nil {
			c = new(engine.VEXMarks)
			counts[m.VEX.Document] = c
		}
		switch m.VEX.Status {
		case engine.VEXNotAffected:
			c.NotAffected++
		case engine.VEXFixed:
			c.Fixed++
		case engine.VEXAffected:
			c.Affected++
		case engine.VEXInvestigating:
			c.Investigating++
		}
	}
	return counts
}
