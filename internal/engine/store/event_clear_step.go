package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// clearWork is a clear as a step takes it up, with the place it had come to.
type clearWork struct {
	engine.EventClear
	maxSeq    int64
	cursorAt  *time.Time // nil: at the start
	cursorSeq int64
}

// ClearStep moves the oldest open clear on by one chunk, in one transaction,
// and reports whether there was anything to do. All that a step knows is in
// the row of the clear, so a program killed between two steps goes on where it
// was; the row's lock keeps two programs, or a step and an undo, apart.
func (s *Store) ClearStep(ctx context.Context) (bool, error) {
	return s.clearStep(ctx, 0)
}

// ClearStepOf is ClearStep for one clear, for whoever has just asked for it:
// most clears are one chunk, and are over before the next page is drawn.
func (s *Store) ClearStepOf(ctx context.Context, id int64) (bool, error) {
	return s.clearStep(ctx, id)
}

func (s *Store) clearStep(ctx context.Context, only int64) (bool, error) {
	const take = `
		SELECT ` + clearColumns + `, max_seq, NULLIF(cursor_at, 'infinity'), cursor_seq
		  FROM event_clears
		 WHERE (status IN ('running', 'undoing', 'purging')
		        OR status IN ('done', 'cancelled') AND undo_until < now())
		   AND ($1 = 0 OR id = $1)
		 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`

	found := false
	var left sweep
	err := s.inTx(ctx, "clear step", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, take, only)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (w clearWork, err error) {
			w.EventClear, err = scanClear(withLast{r, []any{&w.maxSeq, &w.cursorAt, &w.cursorSeq}})
			return w, err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		found = true
		left = sweep{}
		// A chunk on its way from one table to the other is larger than the
		// memory that a statement has by default, and would go through a file.
		if _, err := tx.Exec(ctx, `SET LOCAL work_mem = '64MB'`); err != nil {
			return err
		}
		w := list[0]
		switch w.Status {
		case engine.ClearRunning:
			left, err = s.takeChunk(ctx, tx, w)
			return err
		case engine.ClearUndoing:
			return returnChunk(ctx, tx, w)
		}
		return purgeChunk(ctx, tx, w)
	})
	if err != nil || left.account == "" {
		return found, err
	}
	return found, s.sweep(ctx, left)
}

// sweep is a part of the log that a step has emptied.
type sweep struct {
	account string
	from    time.Time
	until   *time.Time // nil: its newest end
}

// sweep reads the head of what a step has emptied as a page of the list would:
// whoever first comes upon entries of an index whose rows are gone looks up each
// and marks it, and a page should not do that for a million at once.
func (s *Store) sweep(ctx context.Context, part sweep) error {
	const q = `
		SELECT seq FROM events
		 WHERE account = $1 AND cleared_by IS NULL AND at >= $2 AND at <= COALESCE($3::timestamptz, 'infinity')
		 ORDER BY at DESC, seq DESC LIMIT 100`

	if _, err := s.pool.Exec(ctx, q, part.account, part.from, part.until); err != nil {
		return fmt.Errorf("clear step: sweep: %w", domain(err))
	}
	return nil
}

// withLast scans as asked and the columns that follow into last.
type withLast struct {
	pgx.CollectableRow
	last []any
}

func (w withLast) Scan(dest ...any) error {
	return w.CollectableRow.Scan(append(dest, w.last...)...)
}

// clearChunk is how many events one step of a clear takes out, and undoChunk
// how many it brings back, which writes into every index: both about as much as
// is done before a person notices a wait.
const (
	clearChunk = 20_000
	undoChunk  = 5_000
)

// eventRow is all that an event is, in the order of both its tables.
const eventRow = `seq, id, account, type, level, message, details, at, stored_at,
	resource_type, resource_id, service, host, base_url, request_id, count`

// takeChunk moves the next events that match out of the log. They are named by
// their places in the table, which costs no look into an index for each: within
// a statement they cannot come to mean other rows. One that another has just
// taken is passed over.
func (s *Store) takeChunk(ctx context.Context, tx pgx.Tx, c clearWork) (sweep, error) {
	w, err := s.eventFilter(ctx, c.Account, c.Filter)
	if err != nil {
		return sweep{}, err
	}
	w.and("seq <= %s", c.maxSeq)
	if c.cursorAt != nil {
		w.and("(at, seq) < (%s, %s)", *c.cursorAt, c.cursorSeq)
	}
	take := fmt.Sprintf(`
		WITH k AS MATERIALIZED (SELECT ctid, at, seq FROM events WHERE %s ORDER BY at DESC, seq DESC LIMIT %d),
		     d AS (DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT ctid FROM k)) RETURNING %s),
		     m AS (INSERT INTO events_cleared SELECT %s::bigint, d.* FROM d RETURNING 1)
		SELECT (SELECT count(*) FROM k), (SELECT count(*) FROM m), l.at, l.seq
		  FROM (SELECT 1) one LEFT JOIN (SELECT at, seq FROM k ORDER BY at, seq LIMIT 1) l ON true`,
		w, clearChunk, eventRow, w.arg(c.ID))
	const advance = `
		UPDATE event_clears
		   SET done = done + $2, cursor_at = COALESCE($3, cursor_at), cursor_seq = COALESCE($4, cursor_seq),
		       status = CASE WHEN $5 THEN 'done' ELSE status END,
		       ended_at = CASE WHEN $5 THEN clock_timestamp() END,
		       undo_until = CASE WHEN $5 THEN clock_timestamp() + $6::interval END
		 WHERE id = $1
		RETURNING ` + clearColumns

	var seen, taken int64
	var at *time.Time
	var seq *int64
	if err := tx.QueryRow(ctx, take, w.planned()...).Scan(&seen, &taken, &at, &seq); err != nil {
		return sweep{}, err
	}
	now, err := oneClear(ctx, tx, advance, c.ID, taken, at, seq, seen < clearChunk, UndoGrace)
	if err != nil {
		return sweep{}, err
	}
	left := sweep{}
	if seen == clearChunk {
		left = sweep{c.Account, *at, c.cursorAt}
	}
	return left, recordClear(ctx, tx, now)
}

// returnChunk brings events back, in the order of the list as far as a chunk
// goes, so that neighbours in its indexes are written together.
func returnChunk(ctx context.Context, tx pgx.Tx, c clearWork) error {
	const back = `
		WITH d AS (
			DELETE FROM events_cleared
			 WHERE ctid = ANY (ARRAY(SELECT ctid FROM events_cleared WHERE clear = $1 LIMIT $2))
			RETURNING ` + eventRow + `)
		INSERT INTO events (` + eventRow + `) OVERRIDING SYSTEM VALUE
		SELECT * FROM d ORDER BY at, seq`
	return leaveChunk(ctx, tx, c, back, undoChunk, engine.ClearUndoing, engine.ClearUndone)
}

// purgeChunk deletes events whose grace has ended.
func purgeChunk(ctx context.Context, tx pgx.Tx, c clearWork) error {
	const purge = `
		DELETE FROM events_cleared
		 WHERE ctid = ANY (ARRAY(SELECT ctid FROM events_cleared WHERE clear = $1 LIMIT $2))`
	return leaveChunk(ctx, tx, c, purge, clearChunk, engine.ClearPurging, engine.ClearPurged)
}

// leaveChunk has a chunk of a clear's events leave its table by q and stores
// the status while there are more, or the last one. A purge keeps the number of
// events it was for; an undo counts down to none.
func leaveChunk(ctx context.Context, tx pgx.Tx, c clearWork, q string, chunk int64, during, after string) error {
	const advance = `
		UPDATE event_clears
		   SET status = $2, done = CASE WHEN $2 LIKE 'undo%' THEN done - $3 ELSE done END,
		       ended_at = CASE WHEN $4 THEN clock_timestamp() ELSE ended_at END
		 WHERE id = $1
		RETURNING ` + clearColumns

	tag, err := tx.Exec(ctx, q, c.ID, chunk)
	if err != nil {
		return err
	}
	last := tag.RowsAffected() < chunk
	status := during
	if last {
		status = after
	}
	now, err := oneClear(ctx, tx, advance, c.ID, status, tag.RowsAffected(), last)
	if err != nil {
		return err
	}
	return recordClear(ctx, tx, now)
}
