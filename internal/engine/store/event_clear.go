package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// UndoGrace is how long a clear can be undone before its events are deleted. The
// console's toast offers the undo for less; the page of the clear for all of it.
const UndoGrace = time.Minute

// filterRow is a filter as event_clears keeps it.
type filterRow struct {
	Service      string            `json:"service,omitempty"`
	Host         string            `json:"host,omitempty"`
	Type         string            `json:"type,omitempty"`
	Level        string            `json:"level,omitempty"`
	ResourceType string            `json:"resource_type,omitempty"`
	ResourceID   string            `json:"resource_id,omitempty"`
	Text         string            `json:"text,omitempty"`
	Since        time.Time         `json:"since,omitzero"`
	Before       time.Time         `json:"before,omitzero"`
	IDs          []string          `json:"ids,omitempty"`
	Runs         []engine.EventRun `json:"runs,omitempty"`
	Except       []string          `json:"except,omitempty"`
}

const clearColumns = `id, account, filter, total, done, purged, status, by_user, started_at, ended_at, undo_until`

func scanClear(r pgx.CollectableRow) (c engine.EventClear, err error) {
	var filter []byte
	var ended, undo *time.Time
	err = r.Scan(&c.ID, &c.Account, &filter, &c.Total, &c.Done, &c.Purged, &c.Status, &c.By, &c.StartedAt, &ended, &undo)
	if err != nil {
		return c, err
	}
	c.StartedAt, c.EndedAt, c.UndoUntil = c.StartedAt.UTC(), zero(ended), zero(undo)
	var f filterRow
	err = json.Unmarshal(filter, &f)
	c.Filter = engine.EventFilter(f)
	return c, err
}

// oneClear runs a statement that returns the columns of one clear.
func oneClear(ctx context.Context, tx pgx.Tx, q string, args ...any) (engine.EventClear, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return engine.EventClear{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanClear)
}

// recordClear announces where a clear stands. Lists of ids stay behind: a
// reader wants the progress, and refetches the rows it shows.
func recordClear(ctx context.Context, tx pgx.Tx, c engine.EventClear) error {
	c.Filter.IDs, c.Filter.Runs, c.Filter.Except = nil, nil, nil
	return record(ctx, tx, engine.ChangeEventsCleared, c.Account, fmt.Sprint(c.ID), c)
}

// StartClear counts the events that match and stores that they are cleared. They
// are out of every list when it returns; PurgeStep deletes them when the grace
// has ended. Events stored later are spared whatever they match.
func (s *Store) StartClear(ctx context.Context, account string, f engine.EventFilter, by string) (engine.EventClear, error) {
	// The pattern of a type is kept as it was given: types that appear later
	// belong to events that are spared anyway.
	w, err := s.shownEvents(ctx, account, f)
	if err != nil {
		return engine.EventClear{}, fmt.Errorf("clear events: %w", err)
	}
	if w.none { // and the database could not keep its texts
		f = engine.EventFilter{IDs: []string{""}}
		w = &eventWhere{conds: []string{"false"}}
	}
	filter, err := json.Marshal(filterRow(f))
	if err != nil {
		return engine.EventClear{}, fmt.Errorf("clear events: %w", err)
	}
	const add = `
		INSERT INTO event_clears (account, filter, total, done, max_seq, by_user, status, undo_until, spared_seqs, spares)
		SELECT $1, $2, $3, $3, $4, $5, 'done', clock_timestamp() + $6::interval, $7,
		       ARRAY(SELECT id FROM event_clears WHERE account = $1 AND status IN ('done', 'purging'))
		RETURNING ` + clearColumns

	var c engine.EventClear
	err = s.inTx(ctx, "clear events", func(tx pgx.Tx) error {
		n, err := countClear(ctx, tx, w)
		if err != nil {
			return err
		}
		if c, err = oneClear(ctx, tx, add, account, filter, n.total, n.newest, by, UndoGrace, n.left); err != nil {
			return err
		}
		return recordClear(ctx, tx, c)
	})
	return c, err
}

// cleared is what a clear is for: how many, up to which number, and, if it is by
// text and leaves few, what it leaves.
type cleared struct {
	total, newest int64
	left          []int64
}

// countClear counts what meets a condition. With a text that most events have
// it is quicker to find those that do not, and good to know them.
func countClear(ctx context.Context, tx pgx.Tx, w *eventWhere) (n cleared, err error) {
	const newest = `(SELECT COALESCE(max(seq), 0) FROM events)`
	if w.text != "" {
		all, not := *w, *w
		all.text, not.text = "", "NOT ("+w.text+")"
		q := fmt.Sprintf(`SELECT (%s), ARRAY(SELECT seq FROM (%s) l LIMIT %d), %s`, all.total(), not.each("SELECT seq FROM events WHERE %s"), fewLeft+1, newest)
		if err := tx.QueryRow(ctx, q, w.planned()...).Scan(&n.total, &n.left, &n.newest); err != nil {
			return n, err
		}
		if len(n.left) <= fewLeft {
			n.total -= int64(len(n.left))
			return n, nil
		}
		n.left = nil
	}
	err = tx.QueryRow(ctx, fmt.Sprintf(`SELECT (%s), %s`, w.total(), newest), w.planned()...).Scan(&n.total, &n.newest)
	return n, err
}

// Clear finds one clear of an account.
func (s *Store) Clear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	const q = `SELECT ` + clearColumns + ` FROM event_clears WHERE id = $1 AND account = $2`

	rows, err := s.pool.Query(ctx, q, id, account)
	if err != nil {
		return engine.EventClear{}, fmt.Errorf("clear %d: %w", id, domain(err))
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanClear)
	if err != nil {
		return c, fmt.Errorf("clear %d: %w", id, domain(err))
	}
	return c, nil
}

// Clears lists an account's newest clears.
func (s *Store) Clears(ctx context.Context, account string, limit int) ([]engine.EventClear, error) {
	const q = `SELECT ` + clearColumns + ` FROM event_clears WHERE account = $1 ORDER BY id DESC LIMIT $2`

	rows, err := s.pool.Query(ctx, q, account, limit)
	if err != nil {
		return nil, fmt.Errorf("clears: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanClear)
	if err != nil {
		return nil, fmt.Errorf("clears: %w", domain(err))
	}
	return list, nil
}

// CancelClear stops the deletion of cleared events: those that are left are
// shown again.
func (s *Store) CancelClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	const q = `
		UPDATE event_clears SET status = 'cancelled', done = purged, ended_at = now()
		 WHERE id = $1 AND account = $2 AND status = 'purging'
		RETURNING ` + clearColumns

	return s.moveClear(ctx, account, id, "No events of this clear are being deleted.", q)
}

// UndoClear shows again what a clear has cleared. It is refused once the grace
// has ended.
func (s *Store) UndoClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	const q = `
		UPDATE event_clears SET status = 'undone', done = 0, ended_at = now()
		 WHERE id = $1 AND account = $2 AND status = 'done' AND undo_until >= now()
		RETURNING ` + clearColumns

	return s.moveClear(ctx, account, id, "The time to undo this clear is over.", q)
}

// moveClear changes a clear's status by q, or says why it cannot: no such
// clear, or one in another state.
func (s *Store) moveClear(ctx context.Context, account string, id int64, refusal, q string, args ...any) (engine.EventClear, error) {
	var c engine.EventClear
	err := s.inTx(ctx, fmt.Sprintf("clear %d", id), func(tx pgx.Tx) (err error) {
		if c, err = oneClear(ctx, tx, q, append([]any{id, account}, args...)...); err != nil {
			return err
		}
		return recordClear(ctx, tx, c)
	})
	if !isNotFound(err) {
		return c, err
	}
	if c, err = s.Clear(ctx, account, id); err != nil {
		return c, err
	}
	return c, engine.Conflictf("%s", refusal)
}
