package store

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// secretsMax bounds how many rows of each kind are looked at.
const secretsMax = 10_000

// Secrets lists every secret that the database holds in a form that can be read
// back, so that they can be taken out of what is shown: passwords of registries
// and webhooks, the addresses of webhooks (which often hold a token), and the
// settings that the processes of an engine share.
func (s *Store) Secrets(ctx context.Context) ([]engine.Secret, error) {
	const boxes = `(SELECT password FROM registries LIMIT $1) UNION ALL (SELECT password FROM webhooks LIMIT $1)`
	const plain = `(SELECT url FROM webhooks LIMIT $1) UNION ALL (SELECT value FROM settings LIMIT $1)`

	rows, err := s.pool.Query(ctx, boxes, secretsMax)
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", domain(err))
	}
	sealed, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", domain(err))
	}
	var list []engine.Secret
	for _, box := range sealed {
		if p, ok := s.unseal(box); ok && p != "" {
			list = append(list, p)
		}
	}
	if rows, err = s.pool.Query(ctx, plain, secretsMax); err != nil {
		return nil, fmt.Errorf("secrets: %w", domain(err))
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", domain(err))
	}
	for _, t := range texts {
		list = append(list, engine.Secret(t))
		if u, err := url.Parse(t); err == nil && u.Host != "" {
			// The host may be told, what comes after it may not.
			list = append(list[:len(list)-1], engine.Secret(u.RequestURI()))
		}
	}
	return list, nil
}

// Jobs lists messages of all queues, the oldest first.
func (s *Store) Jobs(ctx context.Context, limit int) ([]engine.Job, error) {
	const q = `SELECT ` + jobColumns + ` FROM jobs ORDER BY id LIMIT $1`

	rows, err := s.pool.Query(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanJob)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", domain(err))
	}
	return list, nil
}

// AppliedMigration is one step of the schema and when it was taken.
type AppliedMigration struct {
	Version int64
	At      string
}

// Migrations lists the steps that the schema has taken.
func (s *Store) Migrations(ctx context.Context) ([]AppliedMigration, error) {
	const q = `SELECT version_id, to_char(tstamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM goose_db_version WHERE is_applied ORDER BY id`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AppliedMigration])
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", domain(err))
	}
	return list, nil
}
