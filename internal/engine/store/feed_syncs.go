package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// LockFeeds takes the lock of feed syncs and reports false when another holds
// it, here or on another host. The lock belongs to a connection: it falls with
// the process, however that ends. Call release when done.
func (s *Store) LockFeeds(ctx context.Context) (release func(), ok bool, err error) {
	return s.trySessionLock(ctx, feedLock)
}

const feedSyncColumns = `id, trigger, status, stage, stage_at, done, total, started_at, ended_at, cause, message, source, data, records, delta, next_try, host, stages, images, changed, matched_at`

func scanFeedSync(r pgx.CollectableRow) (f engine.FeedSync, err error) {
	var ended, next, matched nullTime
	var steps []struct {
		Stage engine.FeedStage `json:"stage"`
		MS    int64            `json:"ms"`
	}
	err = r.Scan(&f.ID, &f.Trigger, &f.Status, &f.Stage, &f.StageAt, &f.Done, &f.Total, &f.StartedAt, &ended, &f.Cause, &f.Message,
		&f.Source, &f.Data, &f.Records, &f.Delta, &next, &f.Host, &steps, &f.Images, &f.Changed, &matched)
	f.EndedAt, f.NextTry, f.MatchedAt = zero(ended), zero(next), zero(matched)
	for _, s := range steps {
		f.Steps = append(f.Steps, engine.FeedStep{Stage: s.Stage, Took: time.Duration(s.MS) * time.Millisecond})
	}
	return f, err
}

// StartFeedSync opens the record of a sync. Its caller holds the lock, so a
// record that still says running is of a process that died: it is ended as
// interrupted.
func (s *Store) StartFeedSync(ctx context.Context, f engine.FeedSync, events []engine.Event) (engine.FeedSync, error) {
	const stale = `
		UPDATE feed_syncs SET status = 'failure', cause = 'interrupted', ended_at = now(),
		       message = 'The program stopped during this sync; it is done again.'
		 WHERE status = 'running'`
	const add = `INSERT INTO feed_syncs (trigger, source, host) VALUES ($1, $2, $3) RETURNING ` + feedSyncColumns

	var made engine.FeedSync
	err := s.inTx(ctx, "start feed sync", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, stale); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, add, f.Trigger, f.Source, f.Host)
		if err != nil {
			return err
		}
		if made, err = pgx.CollectExactlyOneRow(rows, scanFeedSync); err != nil {
			return err
		}
		for _, e := range events {
			if err := emit(ctx, tx, e); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", fmt.Sprint(made.ID), nil)
	})
	return made, err
}

// leaveStage adds the stage that a sync is in to those it has left.
const leaveStage = `stages || jsonb_build_object('stage', stage, 'ms', (extract(epoch FROM now() - stage_at) * 1000)::bigint)`

// StepFeedSync writes how far a sync has come; engine.ErrConflict when it was
// cancelled meanwhile.
func (s *Store) StepFeedSync(ctx context.Context, id int64, stage engine.FeedStage, done, total int64) error {
	const q = `
		UPDATE feed_syncs SET stage_at = CASE WHEN stage = $2 THEN stage_at ELSE now() END, done = $3, total = $4,
		       stages = CASE WHEN stage = $2 THEN stages ELSE ` + leaveStage + ` END, stage = $2
		 WHERE id = $1 AND status = 'running'`

	return s.inTx(ctx, "step feed sync", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, id, stage, done, total)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("%w: sync was cancelled", engine.ErrConflict)
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", fmt.Sprint(id), nil)
	})
}

// CancelFeedSync ends the record of the running sync, on whatever host it
// runs: the sync finds out at its next step. engine.ErrNotFound when none runs.
func (s *Store) CancelFeedSync(ctx context.Context, by string) error {
	const q = `
		UPDATE feed_syncs SET status = 'cancelled', ended_at = now(), message = $1 WHERE status = 'running' RETURNING id`

	return s.inTx(ctx, "cancel feed sync", func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(ctx, q, by).Scan(&id); err != nil {
			return missing(err, "no feed sync is running")
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", fmt.Sprint(id), nil)
	})
}

// EndFeedSync closes the record of a sync that activated nothing.
func (s *Store) EndFeedSync(ctx context.Context, id int64, f engine.FeedSync, events []engine.Event) (engine.FeedSync, error) {
	var out engine.FeedSync
	err := s.inTx(ctx, "end feed sync", func(tx pgx.Tx) (err error) {
		if out, err = endSync(ctx, tx, id, f); err != nil {
			return err
		}
		if out.Status == "unchanged" { // the sync is complete: what is in use is the newest
			if _, err := tx.Exec(ctx, `UPDATE feeds SET last_sync = now(), updated_at = now() WHERE enabled AND last_sync IS NOT NULL`); err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := emit(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// endSync writes the outcome unless the record has one: a cancelled sync stays
// cancelled, whatever its last step returned.
func endSync(ctx context.Context, tx pgx.Tx, id int64, f engine.FeedSync) (engine.FeedSync, error) {
	const q = `
		UPDATE feed_syncs SET status = $2::text, cause = $3, message = $4, data = $5, records = $6::bigint, ended_at = now(),
		       next_try = COALESCE($7, (SELECT b.next_try FROM feed_syncs b WHERE b.id < $1 ORDER BY b.id DESC LIMIT 1)),
		       stages = ` + leaveStage + `, stage = CASE WHEN $8::text = '' THEN stage ELSE $8::text END,
		       delta = CASE WHEN $2::text = 'success' THEN $6::bigint - COALESCE((SELECT records FROM feed_data WHERE role = 'previous'), 0) ELSE 0 END
		 WHERE id = $1 AND status = 'running' RETURNING ` + feedSyncColumns

	rows, err := tx.Query(ctx, q, id, f.Status, f.Cause, f.Message, f.Data, f.Records, null(f.NextTry), string(f.Stage))
	if err != nil {
		return f, err
	}
	out, err := pgx.CollectExactlyOneRow(rows, scanFeedSync)
	if errors.Is(err, pgx.ErrNoRows) {
		if f.Status == "success" {
			return f, fmt.Errorf("%w: sync was cancelled", engine.ErrConflict)
		}
		rows, err := tx.Query(ctx, `SELECT `+feedSyncColumns+` FROM feed_syncs WHERE id = $1`, id)
		if err != nil {
			return f, err
		}
		return pgx.CollectExactlyOneRow(rows, scanFeedSync)
	}
	if err != nil {
		return f, fmt.Errorf("end sync: %w", err)
	}
	return out, record(ctx, tx, engine.ChangeFeedSync, "", fmt.Sprint(id), nil)
}

// PlanFeedSync notes when the next periodic sync is due, beside the newest sync,
// where every host and page finds it.
func (s *Store) PlanFeedSync(ctx context.Context, at time.Time) error {
	const q = `UPDATE feed_syncs SET next_try = $1 WHERE id = (SELECT max(id) FROM feed_syncs) RETURNING id`

	return s.inTx(ctx, "plan feed sync", func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, q, null(at)).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", fmt.Sprint(id), nil)
	})
}

// FeedSyncs lists the newest syncs, a running one first.
func (s *Store) FeedSyncs(ctx context.Context, limit int) ([]engine.FeedSync, error) {
	return s.FeedSyncsBefore(ctx, 0, limit)
}

// FeedSyncsBefore lists the newest syncs before one of them; 0: all.
func (s *Store) FeedSyncsBefore(ctx context.Context, id int64, limit int) ([]engine.FeedSync, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+feedSyncColumns+` FROM feed_syncs WHERE $1::bigint = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("feed syncs: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanFeedSync)
	if err != nil {
		return nil, fmt.Errorf("feed syncs: %w", domain(err))
	}
	return list, nil
}

// TrimFeedSyncs forgets all but the newest keep syncs.
func (s *Store) TrimFeedSyncs(ctx context.Context, keep int) error {
	const q = `DELETE FROM feed_syncs WHERE id <= (SELECT id FROM feed_syncs ORDER BY id DESC OFFSET $1 LIMIT 1)`
	if _, err := s.pool.Exec(ctx, q, keep); err != nil {
		return fmt.Errorf("trim feed syncs: %w", domain(err))
	}
	return nil
}
