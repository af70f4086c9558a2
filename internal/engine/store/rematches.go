package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// matchAgainIfLate queues an image that was just analyzed for another match
// when the data was switched since it was matched. The image's state must be
// written by then; the lock is held until commit.
func matchAgainIfLate(ctx context.Context, tx pgx.Tx, account, digest, data string) error {
	const active = `SELECT COALESCE((SELECT id FROM feed_data WHERE role = 'active'), '')`

	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, switchLock); err != nil {
		return err
	}
	var now string
	if err := tx.QueryRow(ctx, active).Scan(&now); err != nil || now == data || now == "" {
		return err
	}
	return enqueue(ctx, tx, engine.Job{Queue: engine.QueueMatch, Account: account, Subject: digest, MaxAttempts: 5})
}

// startRematch queues every analyzed image to be matched with the active data,
// newest first, within the transaction that makes that necessary. Jobs that
// still wait are renewed, and whoever works on one is fenced off: the data it
// works with is out of date.
func startRematch(ctx context.Context, tx pgx.Tx, data string) error {
	const queue = `
		INSERT INTO jobs (queue, account, subject, payload, max_attempts)
		SELECT $1, account, digest, jsonb_build_object('rematch', true), 5
		  FROM images WHERE state = 'analyzed' AND status = 'active'
		 ORDER BY created_at DESC, pk DESC
		ON CONFLICT (queue, account, subject) DO UPDATE
		   SET payload = excluded.payload, generation = jobs.generation + 1, attempt = 0, leased_by = '',
		       leased_until = '-infinity', available_at = now(), last_error = ''`
	const progress = `
		INSERT INTO rematches (data, total, ended_at) VALUES ($1, $2::bigint, CASE WHEN $2::bigint = 0 THEN now() END)
		ON CONFLICT (data) DO UPDATE
		   SET total = excluded.total, done = 0, changed = 0, started_at = now(), ended_at = excluded.ended_at`

	// After this an analysis is either visible below, or sees the new data.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, switchLock); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, queue, engine.QueueMatch)
	if err != nil {
		return fmt.Errorf("queue rematch: %w", err)
	}
	// Progress of an older rematch ends here: its images are in this one.
	if _, err := tx.Exec(ctx, `UPDATE rematches SET ended_at = now() WHERE ended_at IS NULL AND data <> $1`, data); err != nil {
		return fmt.Errorf("end rematch: %w", err)
	}
	if _, err := tx.Exec(ctx, progress, data, tag.RowsAffected()); err != nil {
		return fmt.Errorf("start rematch: %w", err)
	}
	if _, err := tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, engine.QueueMatch); err != nil {
		return err
	}
	return record(ctx, tx, engine.ChangeRematch, "", data, nil)
}

// SaveRematch stores the matches found for an image from its stored SBOM,
// finishes the job and moves the progress on, in one transaction.
func (s *Store) SaveRematch(ctx context.Context, j engine.Job, data string, list []engine.Match) error {
	const image = `SELECT pk FROM images WHERE account = $1 AND digest = $2 AND state = 'analyzed' FOR UPDATE`

	return s.inTx(ctx, "save rematch", func(tx pgx.Tx) error {
		if err := finishJob(ctx, tx, j); err != nil {
			return err
		}
		var pk int64
		changed := false
		var watch *vulnWatch
		err := tx.QueryRow(ctx, image, j.Account, j.Subject).Scan(&pk)
		switch {
		case errors.Is(err, pgx.ErrNoRows): // deleted, or being analyzed anew with the data of then
		case err != nil:
			return err
		default:
			if watch, err = watchVulns(ctx, tx, pk); err != nil {
				return err
			}
			if changed, err = replaceMatches(ctx, tx, pk, data, list); err != nil {
				return err
			}
			if changed {
				if err := enqueueEvaluation(ctx, tx, j.Account, j.Subject); err != nil {
					return err
				}
			}
		}
		if err := stepRematch(ctx, tx, changed); err != nil {
			return err
		}
		host, _, _ := strings.Cut(j.LeasedBy, "/")
		if err := watch.tell(ctx, tx, list, engine.Source{Service: engine.PolicyEngine, Host: host}); err != nil {
			return err
		}
		if pk != 0 {
			return record(ctx, tx, engine.ChangeImage, j.Account, j.Subject, nil)
		}
		return nil
	})
}

// DropRematch finishes a job whose image cannot be matched: it is gone, or has
// no SBOM. The progress counts it as done.
func (s *Store) DropRematch(ctx context.Context, j engine.Job) error {
	return s.inTx(ctx, "drop rematch", func(tx pgx.Tx) error {
		if err := finishJob(ctx, tx, j); err != nil {
			return err
		}
		return stepRematch(ctx, tx, false)
	})
}

// stepRematch counts one image of the running rematch as done. Readers are told
// of the first images singly and then of every hundredth part, so that a
// million images do not make a million announcements.
func stepRematch(ctx context.Context, tx pgx.Tx, changed bool) error {
	const q = `
		UPDATE rematches SET done = done + 1, changed = changed + CASE WHEN $1 THEN 1 ELSE 0 END,
		       ended_at = CASE WHEN done + 1 >= total THEN now() END
		 WHERE ended_at IS NULL RETURNING data, done, total`

	// The sync that brought the data remembers what came of it.
	const noted = `
		UPDATE feed_syncs s SET images = r.total, changed = r.changed, matched_at = r.ended_at
		  FROM rematches r WHERE r.data = $1 AND s.id = (SELECT max(id) FROM feed_syncs WHERE data = $1 AND status = 'success')`

	var data string
	var done, total int64
	err := tx.QueryRow(ctx, q, changed).Scan(&data, &done, &total)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("step rematch: %w", err)
	}
	if done >= total {
		if _, err := tx.Exec(ctx, noted, data); err != nil {
			return fmt.Errorf("note rematch: %w", err)
		}
	}
	if step := max(1, total/100); done < total && done%step != 0 {
		return nil
	}
	return record(ctx, tx, engine.ChangeRematch, "", data, nil)
}

// LastRematch is the newest rematch, running or done; engine.ErrNotFound before
// the first.
func (s *Store) LastRematch(ctx context.Context) (engine.Rematch, error) {
	const q = `SELECT data, done, total, changed, started_at, ended_at FROM rematches ORDER BY ended_at IS NULL DESC, started_at DESC LIMIT 1`

	var r engine.Rematch
	var ended nullTime
	err := s.pool.QueryRow(ctx, q).Scan(&r.Data, &r.Done, &r.Total, &r.Changed, &r.StartedAt, &ended)
	if err != nil {
		return r, fmt.Errorf("rematch: %w", domain(err))
	}
	r.EndedAt = zero(ended)
	return r, nil
}

// SaveMatches stores the matches of an image that was matched on request,
// outside the queue. engine.ErrNotFound when it is not analyzed any more.
func (s *Store) SaveMatches(ctx context.Context, account, digest, data string, list []engine.Match, src engine.Source) error {
	const image = `SELECT pk FROM images WHERE account = $1 AND digest = $2 AND state = 'analyzed' FOR UPDATE`

	return s.inTx(ctx, "save matches", func(tx pgx.Tx) error {
		var pk int64
		if err := tx.QueryRow(ctx, image, account, digest).Scan(&pk); err != nil {
			return err
		}
		watch, err := watchVulns(ctx, tx, pk)
		if err != nil {
			return err
		}
		changed, err := replaceMatches(ctx, tx, pk, data, list)
		if err != nil {
			return err
		}
		if changed {
			if err := enqueueEvaluation(ctx, tx, account, digest); err != nil {
				return err
			}
		}
		if err := watch.tell(ctx, tx, list, src); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, account, digest, nil)
	})
}
