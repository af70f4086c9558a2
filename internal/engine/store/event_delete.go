package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// eventChunk is how many events one transaction of a bulk deletion
// touches: large enough to be fast, small enough that nobody waits for its
// locks and that a kill loses little work.
const eventChunk = 5000

// DeleteEvents deletes for good every event of an account that matches, a chunk
// a transaction, and tells each the ids of a chunk once it is committed. Events
// stored after it began are spared. An error of each stops it.
func (s *Store) DeleteEvents(ctx context.Context, account string, f engine.EventFilter, each func(ids []string) error) error {
	var newest int64
	err := s.pool.QueryRow(ctx, `SELECT COALESCE(max(seq), 0) FROM events`).Scan(&newest)
	if err != nil {
		return fmt.Errorf("delete events: %w", domain(err))
	}
	at, seq := time.Time{}, int64(0)
	for {
		w, err := s.eventFilter(ctx, account, f)
		if err != nil {
			return fmt.Errorf("delete events: %w", err)
		}
		if err := s.shown(ctx, w, account); err != nil {
			return fmt.Errorf("delete events: %w", err)
		}
		w.and("seq <= %s", newest)
		if !at.IsZero() {
			w.and("(at, seq) < (%s, %s)", at, seq)
		}
		q := fmt.Sprintf(`
			WITH k AS (SELECT at, seq FROM events WHERE %s ORDER BY at DESC, seq DESC LIMIT %d FOR UPDATE),
			     d AS (DELETE FROM events e USING k WHERE e.seq = k.seq RETURNING e.id, e.at, e.seq)
			SELECT id, at, seq FROM d ORDER BY at DESC, seq DESC`, w, eventChunk)

		var ids []string
		err = s.inTx(ctx, "delete events", func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, q, w.planned()...)
			if err != nil {
				return err
			}
			ids, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (id string, err error) {
				err = r.Scan(&id, &at, &seq)
				return id, err
			})
			if err != nil || len(ids) == 0 {
				return err
			}
			body := engine.EventClear{Account: account, Done: int64(len(ids)), Status: engine.ClearPurged}
			return record(ctx, tx, engine.ChangeEventsCleared, account, "", body)
		})
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			if err := each(ids); err != nil {
				return err
			}
		}
		if len(ids) < eventChunk {
			return nil
		}
	}
}
