package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const (
	// retentionEvery is how often the rules are applied.
	retentionEvery = 24 * time.Hour
	// retentionRest is how long rules stand before they are applied by
	// themselves, so that a mistake can be mended first.
	retentionRest = time.Hour
	// retentionLease is how long a host may be silent before another goes on
	// with its run.
	retentionLease = time.Minute
	// retentionChunk is how many events one transaction deletes.
	retentionChunk = 10_000
	// maxRetentionRuns bounds the history.
	maxRetentionRuns = 500
)

const retentionColumns = `id, trigger, by_user, status, rules, deleted, host, started_at, ended_at`

// retentionState is a part of a run with the place it has come to: events of
// the accounts before Account are done, and of that one those before From.
type retentionState struct {
	engine.RetentionPart
	Account string    `json:"account"`
	From    time.Time `json:"from,omitzero"`
	Done    bool      `json:"done"`
}

type retentionWork struct {
	engine.RetentionRun
	states []retentionState
}

func scanRetention(r pgx.CollectableRow) (w retentionWork, err error) {
	var rules []byte
	var ended *time.Time
	if err := r.Scan(&w.ID, &w.Trigger, &w.By, &w.Status, &rules, &w.Deleted, &w.Host, &w.StartedAt, &ended); err != nil {
		return w, err
	}
	w.StartedAt, w.EndedAt = w.StartedAt.UTC(), zero(ended)
	if err := json.Unmarshal(rules, &w.states); err != nil {
		return w, err
	}
	for _, s := range w.states {
		w.Rules = append(w.Rules, s.RetentionPart)
	}
	return w, nil
}

// RetentionRuns lists the newest runs.
func (s *Store) RetentionRuns(ctx context.Context, limit int) ([]engine.RetentionRun, error) {
	const q = `SELECT ` + retentionColumns + ` FROM event_retention_runs ORDER BY id DESC LIMIT $1`

	rows, err := s.pool.Query(ctx, q, min(max(limit, 1), maxRetentionRuns))
	if err != nil {
		return nil, fmt.Errorf("retention runs: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.RetentionRun, error) {
		w, err := scanRetention(r)
		return w.RetentionRun, err
	})
	if err != nil {
		return nil, fmt.Errorf("retention runs: %w", domain(err))
	}
	return list, nil
}

// StartRetention stores the wish to apply the rules that are on; RetentionStep
// does the work. There is one run at a time.
func (s *Store) StartRetention(ctx context.Context, by string) (engine.RetentionRun, error) {
	var run engine.RetentionRun
	err := s.inTx(ctx, "start retention", func(tx pgx.Tx) (err error) {
		run, err = startRetention(ctx, tx, "request", by)
		return err
	})
	switch {
	case isConflict(err):
		return run, engine.Conflictf("The rules are being applied already.")
	case isNotFound(err):
		return run, engine.Conflictf("No rule is on: there is nothing to apply.")
	}
	return run, err
}

// startRetention is ErrNotFound when no rule is on.
func startRetention(ctx context.Context, tx pgx.Tx, trigger, by string) (engine.RetentionRun, error) {
	const rules = `SELECT level, enabled, days FROM event_retention WHERE enabled ORDER BY level`
	const add = `
		INSERT INTO event_retention_runs (trigger, by_user, rules) VALUES ($1, $2, $3)
		RETURNING ` + retentionColumns
	const trim = `DELETE FROM event_retention_runs WHERE id <= (SELECT max(id) FROM event_retention_runs) - $1`

	rows, err := tx.Query(ctx, rules)
	if err != nil {
		return engine.RetentionRun{}, err
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.RetentionRule, err error) {
		return v, r.Scan(&v.Level, &v.Enabled, &v.Days)
	})
	if err != nil {
		return engine.RetentionRun{}, err
	}
	if len(list) == 0 {
		return engine.RetentionRun{}, pgx.ErrNoRows
	}
	var states []retentionState
	for _, r := range list {
		p, err := planRetention(ctx, tx, r)
		if err != nil {
			return engine.RetentionRun{}, err
		}
		states = append(states, retentionState{RetentionPart: engine.RetentionPart{Level: p.Level, Days: p.Days, Before: p.Before, Total: p.Events}})
	}
	if _, err := tx.Exec(ctx, trim, maxRetentionRuns); err != nil {
		return engine.RetentionRun{}, err
	}
	if rows, err = tx.Query(ctx, add, trigger, by, states); err != nil {
		return engine.RetentionRun{}, err
	}
	w, err := pgx.CollectExactlyOneRow(rows, scanRetention)
	if err != nil {
		return engine.RetentionRun{}, err
	}
	return w.RetentionRun, recordRetention(ctx, tx, w.ID)
}

func recordRetention(ctx context.Context, tx pgx.Tx, id int64) error {
	return record(ctx, tx, engine.ChangeRetention, "", fmt.Sprint(id), nil)
}

// CancelRetention ends a run; what it has not deleted stays.
func (s *Store) CancelRetention(ctx context.Context, id int64) error {
	const q = `
		UPDATE event_retention_runs SET status = 'cancelled', ended_at = now()
		 WHERE id = $1 AND status = 'running' RETURNING id`

	err := s.inTx(ctx, "cancel retention", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, q, id).Scan(&id); err != nil {
			return err
		}
		return recordRetention(ctx, tx, id)
	})
	if isNotFound(err) {
		return engine.Conflictf("That run has already ended.")
	}
	return err
}

// nextRetention is when the regular run is due, if a rule is on and none is at
// work: a day after the last one began, whoever asked for it.
const nextRetention = `
	SELECT greatest(max(r.updated_at) + $1::interval, COALESCE((SELECT max(started_at) FROM event_retention_runs), '-infinity') + $2::interval)
	  FROM event_retention r
	HAVING bool_or(r.enabled) AND NOT EXISTS (SELECT FROM event_retention_runs WHERE status = 'running')`

// NextRetention is when the rules are next applied; zero when none is on, or
// they are being applied.
func (s *Store) NextRetention(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := domain(s.pool.QueryRow(ctx, nextRetention, retentionRest, retentionEvery).Scan(&at))
	if isNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return at, fmt.Errorf("next retention: %w", err)
	}
	return at.UTC(), nil
}

// ScheduleRetention begins the regular run when it is due, and reports whether
// it did.
func (s *Store) ScheduleRetention(ctx context.Context) (bool, error) {
	began := false
	err := s.inTx(ctx, "schedule retention", func(tx pgx.Tx) error {
		began = false
		var due bool
		err := tx.QueryRow(ctx, `SELECT n.at <= now() FROM (`+nextRetention+`) n (at)`, retentionRest, retentionEvery).Scan(&due)
		if isNotFound(domain(err)) || err == nil && !due {
			return nil
		}
		if err == nil {
			_, err = startRetention(ctx, tx, "schedule", "")
			began = err == nil
		}
		return err
	})
	if isConflict(err) { // another host was first
		return false, nil
	}
	return began, err
}

// RetentionStep deletes the next chunk of the run that is at work, if this
// process holds its lease or can take it, and reports whether there was
// anything to do. All that a step knows is in the row of the run.
func (s *Store) RetentionStep(ctx context.Context, host, worker string) (bool, error) {
	const take = `
		UPDATE event_retention_runs SET host = $1, leased_by = $2, lease_ends = now() + $3::interval
		 WHERE id = (SELECT id FROM event_retention_runs
		              WHERE status = 'running' AND (leased_by = $2 OR lease_ends <= now())
		              LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING ` + retentionColumns
	const advance = `
		UPDATE event_retention_runs
		   SET rules = $2, deleted = deleted + $3, status = CASE WHEN $4 THEN 'done' ELSE status END,
		       ended_at = CASE WHEN $4 THEN clock_timestamp() END
		 WHERE id = $1`

	found := false
	err := s.inTx(ctx, "retention step", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, take, host, worker, retentionLease)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, scanRetention)
		if err != nil || len(list) == 0 {
			return err
		}
		found = true
		w := list[0]
		account, gone, err := retentionStep(ctx, tx, w.states)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, advance, w.ID, w.states, gone, account == ""); err != nil {
			return err
		}
		if gone > 0 { // lists of that account may show them
			body := engine.EventClear{Account: account, Done: gone, Status: engine.ClearPurged}
			if err := record(ctx, tx, engine.ChangeEventsCleared, account, "", body); err != nil {
				return err
			}
		}
		return recordRetention(ctx, tx, w.ID)
	})
	return found, err
}

// retentionStep deletes one chunk, of one account and level, and says whose it
// was; an empty name when nothing is left.
func retentionStep(ctx context.Context, tx pgx.Tx, states []retentionState) (account string, gone int64, err error) {
	const next = `
		SELECT name FROM accounts a
		 WHERE name >= $1
		   AND EXISTS (SELECT FROM events WHERE account = a.name AND cleared_by IS NULL AND level = $2 AND at < $3
		                AND (a.name > $1 OR at >= $4))
		 ORDER BY name LIMIT 1`
	const remove = `
		WITH k AS MATERIALIZED (
			SELECT ctid, at FROM events
			 WHERE account = $1 AND cleared_by IS NULL AND level = $2 AND at < $3 AND at >= $4
			 ORDER BY at, seq LIMIT $5),
		     d AS (DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT ctid FROM k)) RETURNING 1)
		SELECT (SELECT count(*) FROM d), (SELECT max(at) FROM k)`

	for i := range states {
		st := &states[i]
		if st.Done {
			continue
		}
		err := tx.QueryRow(ctx, next, st.Account, st.Level, st.Before, st.From).Scan(&account)
		if isNotFound(domain(err)) {
			st.Done = true
			continue
		}
		if err != nil {
			return "", 0, err
		}
		if account != st.Account {
			st.Account, st.From = account, time.Time{}
		}
		var last *time.Time
		if err := tx.QueryRow(ctx, remove, account, st.Level, st.Before, st.From, retentionChunk).Scan(&gone, &last); err != nil {
			return "", 0, err
		}
		if last != nil {
			st.From = *last
		}
		st.Deleted += gone
		return account, gone, nil
	}
	return "", 0, nil
}
