package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// summaryLicenses is how many licences a summary names.
const summaryLicenses = 12

// PackageSummary counts the packages of an image by type and by licence, the
// most frequent first. A package under several licences counts for each.
func (s *Store) PackageSummary(ctx context.Context, account, digest string) (engine.PackageSummary, error) {
	const types = `
		SELECT p.type, count(*), count(*) FILTER (WHERE p.licenses = '{}')
		  FROM packages p JOIN images i ON i.pk = p.image
		 WHERE i.account = $1 AND i.digest = $2 GROUP BY p.type ORDER BY 2 DESC, 1`
	const licenses = `
		SELECT l, count(DISTINCT p.key), count(*) OVER ()
		  FROM packages p JOIN images i ON i.pk = p.image, unnest(p.licenses) l
		 WHERE i.account = $1 AND i.digest = $2 GROUP BY l ORDER BY 2 DESC, 1 LIMIT $3`

	var sum engine.PackageSummary
	rows, err := s.pool.Query(ctx, types, account, digest)
	if err != nil {
		return sum, fmt.Errorf("package summary: %w", domain(err))
	}
	sum.Types, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (c engine.NamedCount, err error) {
		var free int
		err = r.Scan(&c.Name, &c.Count, &free)
		sum.Total, sum.Unlicensed = sum.Total+c.Count, sum.Unlicensed+free
		return c, err
	})
	if err != nil {
		return sum, fmt.Errorf("package summary: %w", domain(err))
	}
	if rows, err = s.pool.Query(ctx, licenses, account, digest, summaryLicenses); err != nil {
		return sum, fmt.Errorf("package summary: %w", domain(err))
	}
	sum.Licenses, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (c engine.NamedCount, err error) {
		err = r.Scan(&c.Name, &c.Count, &sum.LicenseNames)
		return c, err
	})
	if err != nil {
		return sum, fmt.Errorf("package summary: %w", domain(err))
	}
	return sum, nil
}

// MatchPURLs gives the package URLs of those packages of an image that have
// matches, by the packages' keys.
func (s *Store) MatchPURLs(ctx context.Context, account, digest string) (map[string]string, error) {
	const q = `
		SELECT DISTINCT p.key, p.purl
		  FROM images i JOIN matches m ON m.image = i.pk JOIN packages p ON p.image = i.pk AND p.key = m.package_key
		 WHERE i.account = $1 AND i.digest = $2 AND p.purl <> ''`

	rows, err := s.pool.Query(ctx, q, account, digest)
	if err != nil {
		return nil, fmt.Errorf("package urls: %w", domain(err))
	}
	urls := map[string]string{}
	var key, url string
	_, err = pgx.ForEachRow(rows, []any{&key, &url}, func() error {
		urls[key] = url
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("package urls: %w", domain(err))
	}
	return urls, nil
}
