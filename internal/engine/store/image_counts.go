package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// What lists tell of an account as a whole (how many images in which state,
// which repositories) is kept by triggers as rows whose sum it is. Counting
// 100,000 images takes longer than the page that shows the number.

// countByState counts the images of a status and a state, exactly.
func (s *Store) countByState(ctx context.Context, account string, f engine.ImageFilter) (int, error) {
	const q = `
		SELECT COALESCE(sum(n), 0)::bigint FROM image_counts
		 WHERE account = $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR state = $3)`

	var n int
	if err := s.pool.QueryRow(ctx, q, account, statusOf(f), string(f.State)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count images: %w", domain(err))
	}
	return n, nil
}

// ImageStates counts the active images of an account by state.
func (s *Store) ImageStates(ctx context.Context, account string) (map[engine.AnalysisState]int, error) {
	const q = `
		SELECT state, sum(n)::bigint FROM image_counts WHERE account = $1 AND status = 'active'
		 GROUP BY state HAVING sum(n) <> 0`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("image states: %w", domain(err))
	}
	counts := make(map[engine.AnalysisState]int, len(engine.AnalysisStates))
	var state engine.AnalysisState
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		counts[state] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("image states: %w", domain(err))
	}
	return counts, nil
}

// ImageNames lists the registries and repositories of an account,
// those with the most tags first, for the filters of the list page.
func (s *Store) ImageNames(ctx context.Context, account string, limit int) (registries, repositories []string, err error) {
	const q = `
		WITH names AS MATERIALIZED (
			SELECT registry, repository, sum(n) n FROM tag_counts WHERE account = $1 GROUP BY 1, 2 HAVING sum(n) > 0)
		(SELECT true, registry, sum(n) n FROM names GROUP BY registry ORDER BY n DESC, registry LIMIT $2)
		UNION ALL
		(SELECT false, repository, sum(n) n FROM names GROUP BY repository ORDER BY n DESC, repository LIMIT $2)`

	rows, err := s.pool.Query(ctx, q, account, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("image names: %w", domain(err))
	}
	var isRegistry bool
	var name string
	var n float64
	_, err = pgx.ForEachRow(rows, []any{&isRegistry, &name, &n}, func() error {
		if isRegistry {
			registries = append(registries, name)
		} else {
			repositories = append(repositories, name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("image names: %w", domain(err))
	}
	return registries, repositories, nil
}

// DrawCounts makes one row of those that count the same. Where another process
// is at it, there is nothing to do.
func (s *Store) DrawCounts(ctx context.Context) error {
	const images = `
		WITH gone AS (
			DELETE FROM image_counts WHERE (account, status, state) IN (
				SELECT account, status, state FROM image_counts GROUP BY 1, 2, 3 HAVING count(*) > 1 OR sum(n) = 0)
			RETURNING account, status, state, n)
		INSERT INTO image_counts SELECT account, status, state, sum(n) FROM gone GROUP BY 1, 2, 3 HAVING sum(n) <> 0`
	const tags = `
		WITH gone AS (
			DELETE FROM tag_counts WHERE (account, registry, repository) IN (
				SELECT account, registry, repository FROM tag_counts GROUP BY 1, 2, 3 HAVING count(*) > 1 OR sum(n) = 0)
			RETURNING account, registry, repository, n)
		INSERT INTO tag_counts SELECT account, registry, repository, sum(n) FROM gone GROUP BY 1, 2, 3 HAVING sum(n) <> 0`

	return s.inTx(ctx, "draw counts", func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, countLock).Scan(&mine); err != nil || !mine {
			return err
		}
		for _, q := range []string{images, tags} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}
