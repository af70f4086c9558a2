package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// matchKey is the identity of a match within its image.
type matchKey struct{ pkg, vuln, namespace string }

// keptMatch is what of an old match decides whether a new one is news: all that
// rules of bundles look at.
type keptMatch struct {
	severity              string
	fixes                 []string
	willNotFix, exploited bool
	epss                  float32
	fixed                 time.Time
	scores                matchScores
	seen                  time.Time
}

// is reports whether a match says the same.
func (k keptMatch) is(m engine.Match) bool {
	return k.severity == m.Severity && slices.Equal(k.fixes, m.Fixes) && k.willNotFix == m.WillNotFix && k.exploited == m.KnownExploited &&
		k.epss == float32(m.EPSS) && k.fixed.Equal(m.FixAt.Truncate(time.Microsecond)) &&
		slices.Equal(k.scores.NVD, m.NVD) && slices.Equal(k.scores.Vendor, m.Vendor)
}

// matchScores is the row format of a match's CVSS data.
type matchScores struct {
	NVD    []engine.CVSSData `json:"nvd,omitempty"`
	Vendor []engine.CVSSData `json:"vendor,omitempty"`
}

var matchColumns = []string{
	"image", "package_key", "package", "version", "package_type", "path", "vuln", "severity", "fixes", "fix_state",
	"url", "feed", "feed_group", "namespace", "description", "cves", "cpe", "cpe23", "will_not_fix", "scores",
	"epss", "known_exploited", "matcher", "version_range", "sample", "first_seen", "fix_at",
}

// replaceMatches makes list the matches of an image, found in the data of that
// id, and keeps the image's counts with them. A match that was there before
// keeps the time at which it was first seen. It reports whether anything is
// different that a person would notice or a rule look at.
func replaceMatches(ctx context.Context, tx pgx.Tx, image int64, data string, list []engine.Match) (bool, error) {
	const counts = `
		UPDATE images
		   SET sev_critical = $2, sev_high = $3, sev_medium = $4, sev_low = $5, sev_negligible = $6, sev_unknown = $7,
		       fixable = $8, known_exploited = $9, matched_with = $10, matched_at = now()
		 WHERE pk = $1`

	old, err := oldMatches(ctx, tx, image)
	if err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM matches WHERE image = $1`, image); err != nil {
		return false, fmt.Errorf("drop matches: %w", err)
	}
	var sev engine.Severities
	var fixable, exploited int
	now := time.Now().UTC()
	rows := make([][]any, 0, len(list))
	done := make(map[matchKey]bool, len(list))
	changed := false
	for _, m := range list {
		k := matchKey{m.PackageKey, m.Vuln, m.Namespace}
		if done[k] {
			continue
		}
		done[k] = true
		seen := now
		was, ok := old[k]
		if ok {
			seen = was.seen
		}
		changed = changed || !ok || !was.is(m)
		scores, err := json.Marshal(matchScores{m.NVD, m.Vendor})
		if err != nil {
			return false, fmt.Errorf("match scores: %w", err)
		}
		rows = append(rows, []any{
			image, m.PackageKey, m.Package, m.Version, m.PackageType, m.Path, m.Vuln, m.Severity, text(m.Fixes), m.FixState,
			m.URL, m.Feed, m.Group, m.Namespace, m.Description, text(m.CVEs), m.CPE, m.CPE23, m.WillNotFix, scores,
			float32(m.EPSS), m.KnownExploited, m.Matcher, m.Constraint, m.Sample, seen, null(m.FixAt),
		})
		sev = sev.Add(m.Severity)
		if len(m.Fixes) > 0 {
			fixable++
		}
		if m.KnownExploited {
			exploited++
		}
	}
	changed = changed || len(done) != len(old)
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"matches"}, matchColumns, pgx.CopyFromRows(rows)); err != nil {
		return false, fmt.Errorf("copy matches: %w", err)
	}
	_, err = tx.Exec(ctx, counts, image, sev.Critical, sev.High, sev.Medium, sev.Low, sev.Negligible, sev.Unknown,
		fixable, exploited, data)
	if err != nil {
		return false, fmt.Errorf("count matches: %w", err)
	}
	return changed, nil
}

func oldMatches(ctx context.Context, tx pgx.Tx, image int64) (map[matchKey]keptMatch, error) {
	const q = `
		SELECT package_key, vuln, namespace, severity, fixes, will_not_fix, known_exploited, epss, fix_at, scores, first_seen
		  FROM matches WHERE image = $1`

	rows, err := tx.Query(ctx, q, image)
	if err != nil {
		return nil, fmt.Errorf("old matches: %w", err)
	}
	defer rows.Close()
	old := map[matchKey]keptMatch{}
	for rows.Next() {
		var k matchKey
		var m keptMatch
		var fixed *time.Time
		var scores []byte
		err := rows.Scan(&k.pkg, &k.vuln, &k.namespace, &m.severity, &m.fixes, &m.willNotFix, &m.exploited, &m.epss, &fixed, &scores, &m.seen)
		if err == nil && len(scores) > 0 {
			err = json.Unmarshal(scores, &m.scores)
		}
		if err != nil {
			return nil, fmt.Errorf("old matches: %w", err)
		}
		m.fixed = zero(fixed)
		old[k] = m
	}
	return old, rows.Err()
}

// text is never nil: the column has no NULL.
func text(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Matches lists what an image of an account is affected by, worst first. The
// second result is the id of the data they were found in; empty: the image was
// never matched.
func (s *Store) Matches(ctx context.Context, account, digest string) ([]engine.Match, string, error) {
	const image = `SELECT pk, matched_with FROM images WHERE account = $1 AND (digest = $2 OR parent_digest = $2) ORDER BY digest = $2 DESC, pk DESC LIMIT 1`
	const q = `
		SELECT package_key, package, version, package_type, path, vuln, severity, fixes, fix_state, url, feed, feed_group,
		       namespace, description, cves, cpe, cpe23, will_not_fix, scores, epss, known_exploited, matcher,
		       version_range, sample
		  FROM matches WHERE image = $1
		 ORDER BY array_position(ARRAY['Critical','High','Medium','Low','Negligible','Unknown'], severity),
		          known_exploited DESC, epss DESC, vuln, package, version, path`

	var pk int64
	var data string
	if err := s.pool.QueryRow(ctx, image, account, digest).Scan(&pk, &data); err != nil {
		return nil, "", fmt.Errorf("matches: %w", domain(err))
	}
	rows, err := s.pool.Query(ctx, q, pk)
	if err != nil {
		return nil, "", fmt.Errorf("matches: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanMatch)
	if err != nil {
		return nil, "", fmt.Errorf("matches: %w", domain(err))
	}
	if err := mark(ctx, s.pool, pk, list); err != nil {
		return nil, "", fmt.Errorf("matches: %w", domain(err))
	}
	return list, data, nil
}

func scanMatch(r pgx.CollectableRow) (m engine.Match, err error) { return scanMatchMore(r) }

// scanMatchMore reads a match, and into more the columns behind.
func scanMatchMore(r pgx.CollectableRow, more ...any) (m engine.Match, err error) {
	var scores []byte
	var epss float32
	err = r.Scan(append([]any{&m.PackageKey, &m.Package, &m.Version, &m.PackageType, &m.Path, &m.Vuln, &m.Severity, &m.Fixes, &m.FixState,
		&m.URL, &m.Feed, &m.Group, &m.Namespace, &m.Description, &m.CVEs, &m.CPE, &m.CPE23, &m.WillNotFix, &scores,
		&epss, &m.KnownExploited, &m.Matcher, &m.Constraint, &m.Sample}, more...)...)
	if err != nil || len(scores) == 0 {
		return m, err
	}
	var sc matchScores
	err = json.Unmarshal(scores, &sc)
	m.EPSS, m.NVD, m.Vendor = decimal(epss), sc.NVD, sc.Vendor
	return m, err
}

// decimal is the number that a column of type real was given: 0.1, and not what
// is nearest to it among the numbers of half the length.
func decimal(f float32) float64 {
	d, _ := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	return d
}
