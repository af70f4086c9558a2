package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// enqueue adds a job within the transaction that makes it necessary. A job of
// the same queue, account and subject that still waits or runs is renewed: it
// becomes available at once with a fresh count of attempts, and whoever holds
// it is fenced off, since what they work on is out of date.
func enqueue(ctx context.Context, tx pgx.Tx, j engine.Job) error {
	const q = `
		INSERT INTO jobs (queue, account, subject, payload, priority, host, max_attempts)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (queue, account, subject) DO UPDATE
		   SET payload = excluded.payload, host = excluded.host, priority = excluded.priority,
		       generation = jobs.generation + 1, attempt = 0, leased_by = '',
		       leased_until = '-infinity', available_at = now(), last_error = ''`

	payload := j.Payload
	if payload == nil {
		payload = []byte("{}")
	}
	_, err := tx.Exec(ctx, q, j.Queue, j.Account, j.Subject, payload, j.Priority, j.Host, max(j.MaxAttempts, 1))
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify('jobs', $1)`, j.Queue)
	return err
}

// finishJob removes a job within the transaction that stores its result. It
// fails with engine.ErrLeaseLost when the job was meanwhile given to another
// worker, renewed or removed, which undoes the whole transaction.
func finishJob(ctx context.Context, tx pgx.Tx, j engine.Job) error {
	return endJob(ctx, tx, j, "done")
}

// giveUpJob is finishJob for a job whose last attempt has failed.
func giveUpJob(ctx context.Context, tx pgx.Tx, j engine.Job) error {
	return endJob(ctx, tx, j, "failed")
}

func endJob(ctx context.Context, tx pgx.Tx, j engine.Job, outcome string) error {
	const q = `DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND generation = $3 AND leased_by = $4`

	tag, err := tx.Exec(ctx, q, j.ID, j.Attempt, j.Generation, j.LeasedBy)
	if err != nil {
		return fmt.Errorf("finish job: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return engine.ErrLeaseLost
	}
	return noteEnd(ctx, tx, j.Queue, outcome)
}

// retryJob gives a job back within the transaction that records why, to be
// offered again after pause, and tells when that is. Fenced like finishJob.
func retryJob(ctx context.Context, tx pgx.Tx, j engine.Job, pause time.Duration, cause string) (time.Time, error) {
	const q = `
		UPDATE jobs SET leased_by = '', leased_until = '-infinity', available_at = now() + $5::interval, last_error = $6
		 WHERE id = $1 AND attempt = $2 AND generation = $3 AND leased_by = $4
		RETURNING available_at`

	var at time.Time
	err := tx.QueryRow(ctx, q, j.ID, j.Attempt, j.Generation, j.LeasedBy, pause, cause).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, engine.ErrLeaseLost
	}
	if err != nil {
		return at, fmt.Errorf("retry job: %w", err)
	}
	return at.UTC(), noteEnd(ctx, tx, j.Queue, "retried")
}

// offered leaves out what waits in a paused queue, and analyses whose worker was
// lost in the last attempt allowed: RepairImages ends them. The handlers of the
// other queues count attempts themselves.
const offered = `(j.queue <> '` + engine.QueueAnalyze + `' OR j.attempt < j.max_attempts)
	AND NOT EXISTS (SELECT FROM queue_pauses p WHERE p.queue = j.queue)`

// LeaseJob leases the next job of a queue for worker, or reports false. Jobs
// whose lease has lapsed are offered again; the attempt number fences off the
// worker that lost it. Accounts take turns: the account that waits with the
// fewest leases goes first.
func (s *Store) LeaseJob(ctx context.Context, queue, host, worker string, ttl time.Duration) (engine.Job, bool, error) {
	const q = `
		WITH running AS (
			SELECT account, count(*) AS n FROM jobs
			 WHERE queue = $1 AND leased_until >= now() GROUP BY account),
		picked AS (
			SELECT j.id FROM jobs j LEFT JOIN running r USING (account)
			 WHERE j.queue = $1 AND j.leased_until < now() AND j.available_at <= now() AND j.host IN ('', $2) AND ` + offered + `
			 ORDER BY j.priority DESC, COALESCE(r.n, 0), j.id LIMIT 1
			   FOR UPDATE OF j SKIP LOCKED)
		UPDATE jobs SET leased_by = $3, leased_until = now() + $4::interval, attempt = attempt + 1
		  FROM picked WHERE jobs.id = picked.id
		RETURNING ` + jobColumns

	rows, err := s.pool.Query(ctx, q, queue, host, worker, ttl)
	if err != nil {
		return engine.Job{}, false, fmt.Errorf("lease job: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanJob)
	if err != nil {
		return engine.Job{}, false, fmt.Errorf("lease job: %w", domain(err))
	}
	if len(list) == 0 {
		return engine.Job{}, false, nil
	}
	return list[0], true, nil
}

const jobColumns = `jobs.id, jobs.queue, jobs.account, jobs.subject, jobs.payload, jobs.attempt, jobs.generation, jobs.max_attempts,
	jobs.priority, jobs.host, jobs.leased_by, CASE WHEN isfinite(jobs.leased_until) THEN jobs.leased_until END,
	jobs.available_at, jobs.created_at, jobs.last_error`

func scanJob(r pgx.CollectableRow) (j engine.Job, err error) {
	var leased *time.Time
	err = r.Scan(&j.ID, &j.Queue, &j.Account, &j.Subject, &j.Payload, &j.Attempt, &j.Generation, &j.MaxAttempts,
		&j.Priority, &j.Host, &j.LeasedBy, &leased, &j.AvailableAt, &j.CreatedAt, &j.LastError)
	j.LeasedUntil = zero(leased)
	return j, err
}

// ExtendLease keeps a leased job for ttl from now; engine.ErrLeaseLost when it
// is no longer held.
func (s *Store) ExtendLease(ctx context.Context, j engine.Job, ttl time.Duration) error {
	const q = `
		UPDATE jobs SET leased_until = now() + $5::interval
		 WHERE id = $1 AND attempt = $2 AND generation = $3 AND leased_by = $4`

	tag, err := s.pool.Exec(ctx, q, j.ID, j.Attempt, j.Generation, j.LeasedBy, ttl)
	if err != nil {
		return fmt.Errorf("extend lease: %w", domain(err))
	}
	if tag.RowsAffected() == 0 {
		return engine.ErrLeaseLost
	}
	return nil
}

// FinishJob removes a job that has no other result to commit with.
func (s *Store) FinishJob(ctx context.Context, j engine.Job) error {
	return s.inTx(ctx, "finish job", func(tx pgx.Tx) error { return finishJob(ctx, tx, j) })
}

// RetryJob gives a job back, to be offered again after pause.
func (s *Store) RetryJob(ctx context.Context, j engine.Job, pause time.Duration, cause string) error {
	return s.inTx(ctx, "retry job", func(tx pgx.Tx) error {
		_, err := retryJob(ctx, tx, j, pause, cause)
		return err
	})
}

// ReleaseJob gives a lease back untouched, for a worker that stops in order:
// the attempt does not count.
func (s *Store) ReleaseJob(ctx context.Context, j engine.Job) error {
	const q = `
		UPDATE jobs SET leased_by = '', leased_until = '-infinity', attempt = attempt - 1, generation = generation + 1
		 WHERE id = $1 AND attempt = $2 AND generation = $3 AND leased_by = $4`

	if _, err := s.pool.Exec(ctx, q, j.ID, j.Attempt, j.Generation, j.LeasedBy); err != nil {
		return fmt.Errorf("release job: %w", domain(err))
	}
	return nil
}

// NextJobAt is when the next job of a queue can be leased without a further
// notification: its pause or another's lease ends then. Zero: none waits.
func (s *Store) NextJobAt(ctx context.Context, queue, host string) (time.Time, error) {
	const q = `SELECT min(greatest(j.available_at, j.leased_until)) FROM jobs j WHERE j.queue = $1 AND j.host IN ('', $2) AND ` + offered

	var at *time.Time
	if err := s.pool.QueryRow(ctx, q, queue, host).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("next job: %w", domain(err))
	}
	return zero(at), nil
}

// QueueStats counts what waits and what is leased, by queue.
func (s *Store) QueueStats(ctx context.Context) ([]engine.QueueStat, error) {
	const q = `
		SELECT queue, count(*) FILTER (WHERE leased_until < now()), count(*) FILTER (WHERE leased_until >= now()),
		       min(created_at) FILTER (WHERE leased_until < now())
		  FROM jobs GROUP BY queue ORDER BY queue`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("queue stats: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (st engine.QueueStat, err error) {
		var oldest *time.Time
		err = r.Scan(&st.Queue, &st.Waiting, &st.Leased, &oldest)
		st.Oldest = zero(oldest)
		return st, err
	})
	if err != nil {
		return nil, fmt.Errorf("queue stats: %w", domain(err))
	}
	return list, nil
}

// WaitForJob blocks until a job may be there for the queue and host: one was
// enqueued, or until has passed (zero: no limit). It may return early.
func (s *Store) WaitForJob(ctx context.Context, queue, host string, until time.Time) error {
	// Asked of the database's clock, which leases go by.
	const ready = `
		SELECT EXISTS (SELECT FROM jobs j
		 WHERE j.queue = $1 AND j.host IN ('', $2) AND j.available_at <= now() AND j.leased_until < now() AND ` + offered + `)`

	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("wait for job: %w", domain(err))
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `LISTEN jobs`); err != nil {
		return fmt.Errorf("wait for job: %w", domain(err))
	}
	defer conn.Exec(context.WithoutCancel(ctx), `UNLISTEN jobs`) //nolint:errcheck // a broken connection is dropped by the pool
	// What was enqueued before the LISTEN took effect made no sound.
	var now bool
	if err := conn.QueryRow(ctx, ready, queue, host).Scan(&now); err != nil || now {
		return domain(err)
	}
	wait, cancel := ctx, context.CancelFunc(func() {})
	if !until.IsZero() {
		wait, cancel = context.WithDeadline(ctx, until)
	}
	defer cancel()
	for {
		n, err := conn.Conn().WaitForNotification(wait)
		switch {
		case err == nil && n.Channel == "jobs" && n.Payload == queue:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case wait.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("wait for job: %w", domain(err))
		}
	}
}

// Enqueue adds a job that no other state belongs to.
func (s *Store) Enqueue(ctx context.Context, j engine.Job) error {
	return s.inTx(ctx, "enqueue", func(tx pgx.Tx) error { return enqueue(ctx, tx, j) })
}

// DropJob removes a job, whoever holds it.
func (s *Store) DropJob(ctx context.Context, queue, account, subject string) error {
	const q = `DELETE FROM jobs WHERE queue = $1 AND account = $2 AND subject = $3`
	if _, err := s.pool.Exec(ctx, q, queue, account, subject); err != nil {
		return fmt.Errorf("drop job: %w", domain(err))
	}
	return nil
}
