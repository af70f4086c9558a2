package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// searchSteps is how many names from the text on are looked at: each costs one
// look into an index, however many rows have the name.
const searchSteps = 100

// FindPackages lists the names that begin with a text among the packages of an
// account's images, in order.
func (s *Store) FindPackages(ctx context.Context, account, prefix string, limit int) ([]string, error) {
	// From name to name: an index of forty million packages has few thousand
	// names, and reading those of one letter whole takes seconds. The order of
	// the database may set other names between those that begin alike, so the
	// walk ends after a number of steps and not at the first that differs.
	const q = `
		WITH RECURSIVE n (name, step) AS (
			(SELECT name, 1 FROM packages WHERE name >= $2 ORDER BY name LIMIT 1)
			UNION ALL
			SELECT (SELECT p.name FROM packages p WHERE p.name > n.name ORDER BY p.name LIMIT 1), step + 1
			  FROM n WHERE n.name IS NOT NULL AND step < $4)
		SELECT name FROM n
		 WHERE starts_with(name, $2)
		   AND EXISTS (SELECT FROM packages p JOIN images i ON i.pk = p.image WHERE p.name = n.name AND i.account = $1)
		 ORDER BY step LIMIT $3`

	return s.find(ctx, "find packages", q, account, prefix, limit)
}

// FindVulns lists the ids that begin with a text among the vulnerabilities that
// an account's images are affected by, in order.
func (s *Store) FindVulns(ctx context.Context, account, prefix string, limit int) ([]string, error) {
	const q = `
		WITH RECURSIVE n (vuln, step) AS (
			(SELECT vuln, 1 FROM matches WHERE vuln >= $2 ORDER BY vuln LIMIT 1)
			UNION ALL
			SELECT (SELECT m.vuln FROM matches m WHERE m.vuln > n.vuln ORDER BY m.vuln LIMIT 1), step + 1
			  FROM n WHERE n.vuln IS NOT NULL AND step < $4)
		SELECT vuln FROM n
		 WHERE starts_with(vuln, $2)
		   AND EXISTS (SELECT FROM matches m JOIN images i ON i.pk = m.image WHERE m.vuln = n.vuln AND i.account = $1)
		 ORDER BY step LIMIT $3`

	return s.find(ctx, "find vulnerabilities", q, account, prefix, limit)
}

func (s *Store) find(ctx context.Context, what, q, account, prefix string, limit int) ([]string, error) {
	if prefix == "" || strings.ContainsRune(prefix, 0) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, q, account, prefix, limit, searchSteps)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, domain(err))
	}
	return list, nil
}
