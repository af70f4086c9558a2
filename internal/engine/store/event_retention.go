package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// EventRetention lists the rules, of errors first.
func (s *Store) EventRetention(ctx context.Context) ([]engine.RetentionRule, error) {
	const q = `SELECT level, enabled, days, updated_at, updated_by FROM event_retention ORDER BY level`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("event retention: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.RetentionRule, err error) {
		err = r.Scan(&v.Level, &v.Enabled, &v.Days, &v.UpdatedAt, &v.UpdatedBy)
		v.UpdatedAt = v.UpdatedAt.UTC()
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("event retention: %w", domain(err))
	}
	return list, nil
}

// SetEventRetention stores rules. Those that stay as they were keep who made
// them so.
func (s *Store) SetEventRetention(ctx context.Context, rules []engine.RetentionRule, by string) error {
	const q = `
		UPDATE event_retention SET enabled = $2, days = $3, updated_at = now(), updated_by = $4
		 WHERE level = $1 AND (enabled, days) <> ($2, $3)`

	if err := engine.CheckRetention(rules); err != nil {
		return err
	}
	return s.inTx(ctx, "set event retention", func(tx pgx.Tx) error {
		for _, r := range rules {
			if _, err := tx.Exec(ctx, q, r.Level, r.Enabled, r.Days, by); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeRetention, "", "", nil)
	})
}

// PlanRetention counts what rules would delete now, whether they are on or not.
func (s *Store) PlanRetention(ctx context.Context, rules []engine.RetentionRule) ([]engine.RetentionPlan, error) {
	if err := engine.CheckRetention(rules); err != nil {
		return nil, err
	}
	var list []engine.RetentionPlan
	for _, r := range rules {
		p, err := planRetention(ctx, s.pool, r)
		if err != nil {
			return nil, fmt.Errorf("plan retention: %w", domain(err))
		}
		list = append(list, p)
	}
	return list, nil
}

// rower is a pool or a transaction.
type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func planRetention(ctx context.Context, db rower, r engine.RetentionRule) (engine.RetentionPlan, error) {
	const q = `
		WITH age AS (SELECT now() - make_interval(days => $2) AS before)
		SELECT age.before, COALESCE(sum(e.n), 0)::bigint, min(e.oldest)
		  FROM age LEFT JOIN accounts a ON true
		  LEFT JOIN LATERAL (
			SELECT count(*) AS n, min(at) AS oldest FROM events
			 WHERE account = a.name AND cleared_by IS NULL AND level = $1 AND at < age.before) e ON true
		 GROUP BY age.before`

	p := engine.RetentionPlan{Level: r.Level, Days: r.Days}
	var oldest *time.Time
	if err := db.QueryRow(ctx, q, r.Level, r.Days).Scan(&p.Before, &p.Events, &oldest); err != nil {
		return p, err
	}
	p.Before, p.Oldest = p.Before.UTC(), zero(oldest)
	return p, nil
}
