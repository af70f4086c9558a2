package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const savedColumns = `id, name, query, created_at`

func scanSaved(r pgx.CollectableRow) (f engine.SavedFilter, err error) {
	err = r.Scan(&f.ID, &f.Name, &f.Query, &f.CreatedAt)
	f.CreatedAt = f.CreatedAt.UTC()
	return f, err
}

// SavedFilters lists a user's filters of an account's events by name.
func (s *Store) SavedFilters(ctx context.Context, account, user string) ([]engine.SavedFilter, error) {
	const q = `
		SELECT ` + savedColumns + ` FROM event_filters
		 WHERE account = $1 AND user_name = $2 ORDER BY lower(name), id LIMIT $3`

	rows, err := s.pool.Query(ctx, q, account, user, engine.MaxSavedFilters)
	if err != nil {
		return nil, fmt.Errorf("saved filters: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanSaved)
	if err != nil {
		return nil, fmt.Errorf("saved filters: %w", domain(err))
	}
	return list, nil
}

// SaveFilter keeps a filter under a name; one that has the name already is
// replaced.
func (s *Store) SaveFilter(ctx context.Context, account, user, name, query string) (engine.SavedFilter, error) {
	// The user's row is locked so that two windows do not go beyond the bound.
	const lock = `SELECT FROM users WHERE name = $1 FOR NO KEY UPDATE`
	const full = `
		SELECT count(*) >= $4 AND NOT bool_or(name = $3)
		  FROM event_filters WHERE account = $1 AND user_name = $2`
	const save = `
		INSERT INTO event_filters (account, user_name, name, query) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, user_name, name) DO UPDATE SET query = EXCLUDED.query
		RETURNING ` + savedColumns

	name, err := engine.SavedFilterName(name)
	if err != nil {
		return engine.SavedFilter{}, err
	}
	var f engine.SavedFilter
	err = s.inTx(ctx, "save filter", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, user); err != nil {
			return err
		}
		var over *bool
		if err := tx.QueryRow(ctx, full, account, user, name, engine.MaxSavedFilters).Scan(&over); err != nil {
			return err
		}
		if over != nil && *over {
			return engine.Conflictf("You have %d saved filters, which is as many as there can be. Delete one first.", engine.MaxSavedFilters)
		}
		rows, err := tx.Query(ctx, save, account, user, name, query)
		if err != nil {
			return err
		}
		f, err = pgx.CollectExactlyOneRow(rows, scanSaved)
		return err
	})
	return f, err
}

// RenameFilter gives a user's saved filter another name.
func (s *Store) RenameFilter(ctx context.Context, account, user string, id int64, name string) error {
	const q = `
		UPDATE event_filters SET name = $4 WHERE id = $3 AND account = $1 AND user_name = $2
		RETURNING id`

	name, err := engine.SavedFilterName(name)
	if err != nil {
		return err
	}
	err = domain(s.pool.QueryRow(ctx, q, account, user, id, name).Scan(&id))
	switch {
	case isNotFound(err):
		return engine.NotFoundf("That filter is not saved any more.")
	case isConflict(err):
		return engine.Conflictf("You have another filter of the name %q.", name)
	case err != nil:
		return fmt.Errorf("rename filter %d: %w", id, err)
	}
	return nil
}

// DeleteFilter forgets a user's saved filter.
func (s *Store) DeleteFilter(ctx context.Context, account, user string, id int64) error {
	const q = `DELETE FROM event_filters WHERE id = $3 AND account = $1 AND user_name = $2`

	tag, err := s.pool.Exec(ctx, q, account, user, id)
	if err != nil {
		return fmt.Errorf("delete filter %d: %w", id, domain(err))
	}
	if tag.RowsAffected() == 0 {
		return engine.NotFoundf("That filter is not saved any more.")
	}
	return nil
}
