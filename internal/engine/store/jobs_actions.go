package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// What people do to messages of the queues. Each action takes those of a filter
// that it applies to; workers that still hold one are fenced off by its
// generation.

// RetryMessages has waiting messages tried now, with all attempts before them.
func (s *Store) RetryMessages(ctx context.Context, f engine.MessageFilter) (engine.MessagesDone, error) {
	const q = `
		UPDATE jobs SET available_at = now(), attempt = 0, generation = generation + 1, leased_by = '', leased_until = '-infinity'
		 WHERE id = ANY($1) AND leased_until < now() RETURNING queue`

	return s.alterMessages(ctx, "retry messages", f, q)
}

// ReleaseMessages takes the leases of running messages away and offers them
// again; the attempt does not count.
func (s *Store) ReleaseMessages(ctx context.Context, f engine.MessageFilter) (engine.MessagesDone, error) {
	const q = `
		UPDATE jobs SET available_at = now(), attempt = greatest(attempt - 1, 0), generation = generation + 1, leased_by = '', leased_until = '-infinity'
		 WHERE id = ANY($1) AND leased_until >= now() RETURNING queue`

	return s.alterMessages(ctx, "release messages", f, q)
}

func (s *Store) alterMessages(ctx context.Context, what string, f engine.MessageFilter, alter string) (engine.MessagesDone, error) {
	const pick = `SELECT jobs.id` + messageFrom + messageWhere + ` ORDER BY jobs.id FOR UPDATE OF jobs`

	var done engine.MessagesDone
	err := s.inTx(ctx, what, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, pick, messageArgs(f)...)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, alter, ids); err != nil {
			return err
		}
		queues, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		done.Done = len(queues)
		if err := callWorkers(ctx, tx, queues); err != nil || done.Done == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeJob, "", "", nil)
	})
	return done, err
}

// callWorkers wakes those who wait for a job of the queues named.
func callWorkers(ctx context.Context, tx pgx.Tx, queues []string) error {
	const q = `SELECT pg_notify('jobs', name) FROM (SELECT DISTINCT unnest($1::text[]) AS name) q`
	_, err := tx.Exec(ctx, q, queues)
	return err
}

// dropTime bounds how long one drop goes on: whoever asked is waiting.
const dropTime = 15 * time.Second

// DropMessages forgets messages, one after the other, until all that match are
// gone or the time is up. An analysis that is dropped has failed as cancelled:
// else the catalog would ask for it again.
func (s *Store) DropMessages(ctx context.Context, f engine.MessageFilter, by string) (engine.MessagesDone, error) {
	const page = 500

	done := engine.MessagesDone{Undo: engine.NewID()}
	began := time.Now()
	f.After, f.Limit = 0, page
	for {
		list, err := s.Messages(ctx, f)
		if err != nil {
			return done, err
		}
		for _, m := range list {
			f.After = m.ID
			ok, err := s.dropMessage(ctx, m.Job, done.Undo, by)
			if err != nil {
				return done, err
			}
			if ok {
				done.Done++
			}
			if time.Since(began) > dropTime {
				done.Left, err = s.CountMessages(ctx, f)
				return done, err
			}
		}
		if len(list) < page {
			break
		}
	}
	if done.Done == 0 {
		done.Undo = ""
		return done, nil
	}
	return done, s.AnnounceQueues(ctx)
}

// dropMessage reports false when the message is done meanwhile.
func (s *Store) dropMessage(ctx context.Context, j engine.Job, batch, by string) (bool, error) {
	const drop = `
		WITH gone AS (DELETE FROM jobs WHERE id = $1 RETURNING *)
		INSERT INTO queue_drops (batch, account, queue, subject, payload, priority, host, max_attempts)
		SELECT $2, account, queue, subject, payload, priority, host, max_attempts FROM gone`

	dropped := false
	err := s.inTx(ctx, "drop message", func(tx pgx.Tx) error {
		dropped = false
		// The image before its job, as all that touches both does.
		var i lockedImage
		var found error = pgx.ErrNoRows
		if j.Queue == engine.QueueAnalyze {
			if i, found = findLocked(ctx, tx, j.Account, j.Subject); found != nil && !errors.Is(found, pgx.ErrNoRows) {
				return found
			}
		}
		tag, err := tx.Exec(ctx, drop, j.ID, batch)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		dropped = true
		switch {
		case j.Queue == engine.QueueMatch:
			return stepRematch(ctx, tx, false)
		case found == nil && i.status == engine.ImageActive && (i.state == engine.NotAnalyzed || i.state == engine.Analyzing):
			return cancelLocked(ctx, tx, i, j.Account, by)
		}
		return nil
	})
	return dropped, err
}

// UndoDrop puts the messages of a drop back, and reports how many. Those of an
// account only, unless it is empty; engine.ErrNotFound when it is too late.
func (s *Store) UndoDrop(ctx context.Context, account, batch string) (int, error) {
	const take = `
		DELETE FROM queue_drops WHERE batch = $1 AND ($2 = '' OR account = $2)
		RETURNING queue, account, subject, payload, priority, host, max_attempts`
	const put = `
		INSERT INTO jobs (queue, account, subject, payload, priority, host, max_attempts)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (queue, account, subject) DO NOTHING`

	var images []engine.Job
	n := 0
	err := s.inTx(ctx, "undo drop", func(tx pgx.Tx) error {
		images, n = nil, 0
		rows, err := tx.Query(ctx, take, batch, account)
		if err != nil {
			return err
		}
		list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (j engine.Job, err error) {
			err = r.Scan(&j.Queue, &j.Account, &j.Subject, &j.Payload, &j.Priority, &j.Host, &j.MaxAttempts)
			return j, err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return engine.NotFoundf("That cannot be taken back any more.")
		}
		var queues []string
		for _, j := range list {
			if j.Queue == engine.QueueAnalyze {
				images = append(images, j)
				continue
			}
			tag, err := tx.Exec(ctx, put, j.Queue, j.Account, j.Subject, j.Payload, j.Priority, j.Host, j.MaxAttempts)
			if err != nil {
				return err
			}
			n += int(tag.RowsAffected())
			queues = append(queues, j.Queue)
		}
		if err := callWorkers(ctx, tx, queues); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeJob, "", "", nil)
	})
	if err != nil {
		return 0, err
	}
	// Each locks an image, which comes before jobs and announcements.
	for _, j := range images {
		back, err := s.uncancel(ctx, j.Account, j.Subject)
		if err != nil {
			return n, err
		}
		if back {
			n++
		}
	}
	return n, nil
}

// uncancel sends an image whose analysis was cancelled to the analyzers again;
// false when something else has become of it.
func (s *Store) uncancel(ctx context.Context, account, digest string) (bool, error) {
	const q = `SELECT COALESCE(failure->>'Cause' = $2, false) FROM images WHERE pk = $1`

	back := false
	err := s.inTx(ctx, "take back", func(tx pgx.Tx) error {
		back = false
		i, err := findLocked(ctx, tx, account, digest)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil || i.status != engine.ImageActive || i.state != engine.Failed {
			return err
		}
		if err := tx.QueryRow(ctx, q, i.pk, engine.CauseCancelled).Scan(&back); err != nil || !back {
			return err
		}
		if err := s.requeue(ctx, tx, i.pk, account, i.digest, i.task, i.host, false); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, account, i.digest, nil)
	})
	if err != nil {
		return false, fmt.Errorf("undo drop: %w", err)
	}
	return back, nil
}
