package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const packageColumns = `p.key, p.name, p.version, p.type, p.class, p.path, p.licenses, p.origin, p.source, p.size, p.cpes, p.purl, p.extra`

func scanPackage(r pgx.CollectableRow) (p engine.Package, err error) {
	var extra []byte
	err = r.Scan(&p.Key, &p.Name, &p.Version, &p.Type, &p.Class, &p.Path, &p.Licenses, &p.Origin, &p.Source, &p.Size, &p.CPEs, &p.PURL, &extra)
	if err == nil && extra != nil {
		err = json.Unmarshal(extra, &p.Extra)
	}
	return p, err
}

// Packages lists the packages of an image in the order of their names; of one
// content class, or of all when class is empty.
func (s *Store) Packages(ctx context.Context, account, digest, class string) ([]engine.Package, error) {
	list, _, err := s.PackagePage(ctx, account, digest, engine.PackageFilter{Class: class, All: true})
	return list, err
}

// PackagePage lists one page of an image's packages, and how many the filter
// selects in all.
func (s *Store) PackagePage(ctx context.Context, account, digest string, f engine.PackageFilter) ([]engine.Package, int, error) {
	from := ` FROM packages p JOIN images i ON i.pk = p.image
		WHERE i.account = $1 AND i.digest = $2 AND ($3 = '' OR p.class = $3)
		  AND ($4 = '' OR p.name ILIKE $4 OR p.version ILIKE $4 OR p.path ILIKE $4)
		  AND ($5 = '' OR p.key = $5)`
	var like string
	if t := strings.TrimSpace(f.Text); t != "" {
		like = "%" + escapeLike(t) + "%"
	}
	args := []any{account, digest, f.Class, like, f.Key}

	q := `SELECT ` + packageColumns + from + ` ORDER BY p.name, p.version, p.path, p.key`
	total := -1
	if !f.All {
		if err := s.pool.QueryRow(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
			return nil, 0, fmt.Errorf("packages: %w", domain(err))
		}
		limit := f.Limit
		if limit <= 0 {
			limit = defaultPage
		}
		q += ` LIMIT ` + strconv.Itoa(min(limit, maxPage)) + ` OFFSET ` + strconv.Itoa(max(f.Offset, 0))
	}
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("packages: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanPackage)
	if err != nil {
		return nil, 0, fmt.Errorf("packages: %w", domain(err))
	}
	if total < 0 {
		total = len(list)
	}
	return list, total, nil
}

// PackageClasses counts the packages of an image by content class.
func (s *Store) PackageClasses(ctx context.Context, account, digest string) (map[string]int, error) {
	const q = `
		SELECT p.class, count(*) FROM packages p JOIN images i ON i.pk = p.image
		 WHERE i.account = $1 AND i.digest = $2 GROUP BY p.class`

	rows, err := s.pool.Query(ctx, q, account, digest)
	if err != nil {
		return nil, fmt.Errorf("package classes: %w", domain(err))
	}
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var class string
		var n int
		if err := rows.Scan(&class, &n); err != nil {
			return nil, fmt.Errorf("package classes: %w", domain(err))
		}
		counts[class] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("package classes: %w", domain(err))
	}
	return counts, nil
}
