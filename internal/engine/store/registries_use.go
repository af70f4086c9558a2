package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// NoteRegistryCheck keeps how the newest check of a stored registry ended,
// unless its credential has become another since it was read.
func (s *Store) NoteRegistryCheck(ctx context.Context, r engine.Registry) error {
	const q = `
		UPDATE registries SET checked_at = $3, check_cause = $4, check_text = $5, check_ms = $6
		 WHERE account = $1 AND name = $2 AND updated_at = $7`

	c := r.Check
	return s.inTx(ctx, "note registry check", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, r.Account, r.Name, null(c.At), c.Cause, storableText(c.Text), c.Took.Milliseconds(), r.UpdatedAt)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeRegistry, r.Account, r.Name, nil)
	})
}

// NoteRegistryUse keeps that something was found with a stored registry, to
// the minute.
func (s *Store) NoteRegistryUse(ctx context.Context, account, name, what string) error {
	const q = `
		UPDATE registries SET used_at = now(), used_for = $3
		 WHERE account = $1 AND name = $2 AND (used_at IS NULL OR used_at < now() - interval '1 minute')`

	return s.inTx(ctx, "note registry use", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, account, name, storableText(what))
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeRegistry, account, name, nil)
	})
}

// RepositoryUse is how often an account names a repository.
type RepositoryUse struct {
	Registry, Repository string
	Tags, Subscriptions  int
}

// repositoriesMax bounds the answer of RepositoryUses.
const repositoriesMax = 20_000

// RepositoryUses lists the repositories of an account's images and of those
// subscriptions of it that look into a registry.
func (s *Store) RepositoryUses(ctx context.Context, account string) ([]RepositoryUse, error) {
	// Keys of subscriptions are names in full, so their registry ends at the
	// first slash; a tag stands after the last colon of what follows.
	const q = `
		WITH named AS (
			SELECT registry, repository, n AS tags, 0 AS subscriptions FROM tag_counts WHERE account = $1
			UNION ALL
			SELECT split_part(key, '/', 1), regexp_replace(substr(key, strpos(key, '/') + 1), ':[^:/]*$', ''), 0, 1
			  FROM subscriptions WHERE account = $1 AND active AND type IN ('tag_update', 'repo_update') AND strpos(key, '/') > 0)
		SELECT registry, repository, sum(tags)::bigint, sum(subscriptions)::bigint FROM named
		 GROUP BY 1, 2 HAVING sum(tags) > 0 OR sum(subscriptions) > 0 ORDER BY 1, 2 LIMIT $2`

	rows, err := s.pool.Query(ctx, q, account, repositoriesMax)
	if err != nil {
		return nil, fmt.Errorf("repository uses: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RepositoryUse])
	if err != nil {
		return nil, fmt.Errorf("repository uses: %w", domain(err))
	}
	return list, nil
}
