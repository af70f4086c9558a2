package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// purgeChunk is how many events one transaction of a purge deletes: about as
// much as is done before a person notices a wait.
const purgeChunk = 20_000

// purgeWork is a clear as a step takes it up, with the place it had come to.
type purgeWork struct {
	engine.EventClear
	maxSeq    int64
	spares    []int64
	cursorAt  *time.Time // nil: at the start
	cursorSeq int64
}

// PurgeStep deletes the next chunk of the oldest clear whose grace has ended, in
// one transaction, and reports whether there was anything to do. All that a step
// knows is in the row of the clear, so a program killed between two steps goes
// on where it was; the row's lock keeps two programs, or a step and a cancel,
// apart.
func (s *Store) PurgeStep(ctx context.Context) (bool, error) {
	const take = `
		SELECT ` + clearColumns + `, max_seq, spares, NULLIF(cursor_at, 'infinity'), cursor_seq
		  FROM event_clears
		 WHERE status = 'purging' OR status = 'done' AND undo_until < now()
		 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`

	found := false
	var now engine.EventClear
	err := s.inTx(ctx, "purge step", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, take)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (w purgeWork, err error) {
			w.EventClear, err = scanClear(withLast{r, []any{&w.maxSeq, &w.spares, &w.cursorAt, &w.cursorSeq}})
			return w, err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		found = true
		now, err = s.purge(ctx, tx, list[0])
		return err
	})
	if err != nil || now.Status != engine.ClearPurged || now.Purged < purgeChunk {
		return found, err
	}
	// Who first comes upon entries of an index whose rows are gone marks them, one
	// by one: better here than in the next page that resolves a pattern of types.
	_, err = s.eventTypes(ctx, now.Account)
	return found, err
}

// purge deletes the next events that a clear is for, the oldest first: indexes
// lead to what is gone until the table is swept, and whoever looks for the
// newest should not come upon that. They are named by their
// places in the table, which costs no look into an index for each: within a
// statement they cannot come to mean other rows. One that another has just
// taken is passed over, and what an earlier clear was for is left to that.
func (s *Store) purge(ctx context.Context, tx pgx.Tx, c purgeWork) (engine.EventClear, error) {
	w, err := s.eventFilter(ctx, c.Account, c.Filter)
	if err != nil {
		return engine.EventClear{}, err
	}
	w.and("seq <= %s", c.maxSeq)
	if c.cursorAt != nil {
		w.and("(at, seq) > (%s, %s)", *c.cursorAt, c.cursorSeq)
	}
	spares, err := s.sparesOf(ctx, tx, c.spares)
	if err != nil {
		return engine.EventClear{}, err
	}
	spared, err := s.spared(ctx, w, c.Account, spares)
	if err != nil {
		return engine.EventClear{}, err
	}
	if spared != "" {
		w.conds = append(w.conds, "NOT "+spared)
	}
	take := fmt.Sprintf(`
		WITH k AS MATERIALIZED (SELECT ctid, at, seq FROM events WHERE %s ORDER BY at, seq LIMIT %d),
		     d AS (DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT ctid FROM k)) RETURNING 1)
		SELECT (SELECT count(*) FROM k), (SELECT count(*) FROM d), l.at, l.seq
		  FROM (SELECT 1) one LEFT JOIN (SELECT at, seq FROM k ORDER BY at DESC, seq DESC LIMIT 1) l ON true`, w, purgeChunk)
	const advance = `
		UPDATE event_clears
		   SET purged = purged + $2, cursor_at = COALESCE($3, cursor_at), cursor_seq = COALESCE($4, cursor_seq),
		       status = CASE WHEN $5 THEN 'purged' ELSE 'purging' END,
		       ended_at = CASE WHEN $5 THEN clock_timestamp() END
		 WHERE id = $1
		RETURNING ` + clearColumns

	var seen, gone int64
	var at *time.Time
	var seq *int64
	if err := tx.QueryRow(ctx, take, w.planned()...).Scan(&seen, &gone, &at, &seq); err != nil {
		return engine.EventClear{}, err
	}
	now, err := oneClear(ctx, tx, advance, c.ID, gone, at, seq, seen < purgeChunk)
	if err != nil {
		return engine.EventClear{}, err
	}
	return now, recordClear(ctx, tx, now)
}

// sparesOf reads the clears that came before one, those whose events are gone
// for good left out.
func (s *Store) sparesOf(ctx context.Context, tx pgx.Tx, ids []int64) ([]spare, error) {
	const q = `SELECT filter, max_seq FROM event_clears WHERE id = ANY($1) AND status <> 'purged' ORDER BY id`

	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (sp spare, err error) {
		return sp, r.Scan(&sp.Filter, &sp.MaxSeq)
	})
}

// withLast scans as asked and the columns that follow into last.
type withLast struct {
	pgx.CollectableRow
	last []any
}

func (w withLast) Scan(dest ...any) error {
	return w.CollectableRow.Scan(append(dest, w.last...)...)
}
