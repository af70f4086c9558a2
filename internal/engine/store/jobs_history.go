package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// noteEnd notes how an attempt ended, for the history of its queue.
func noteEnd(ctx context.Context, tx pgx.Tx, queue, outcome string) error {
	_, err := tx.Exec(ctx, `INSERT INTO queue_ends (queue, outcome) VALUES ($1, $2)`, queue, outcome)
	return err
}

// SampleQueues adds what each queue holds and what has ended in it to the
// sample of this minute, and forgets what is older than the history shows. Two
// who sample at once share what has ended between them.
func (s *Store) SampleQueues(ctx context.Context) error {
	const sample = `
		WITH taken AS (
			DELETE FROM queue_ends WHERE ctid = ANY (ARRAY(SELECT ctid FROM queue_ends FOR UPDATE SKIP LOCKED)) RETURNING queue, outcome),
		ended AS (
			SELECT queue, count(*) FILTER (WHERE outcome = 'done') AS done, count(*) FILTER (WHERE outcome = 'failed') AS failed,
			       count(*) FILTER (WHERE outcome = 'retried') AS retried FROM taken GROUP BY queue),
		held AS (
			SELECT queue, count(*) FILTER (WHERE leased_until < now()) AS waiting, count(*) FILTER (WHERE leased_until >= now()) AS leased
			  FROM jobs GROUP BY queue)
		INSERT INTO queue_samples AS s (queue, at, waiting, leased, done, failed, retried)
		SELECT n.name, date_trunc('minute', now()), COALESCE(waiting, 0), COALESCE(leased, 0), COALESCE(done, 0), COALESCE(failed, 0), COALESCE(retried, 0)
		  FROM unnest($1::text[]) n(name) LEFT JOIN held ON held.queue = n.name LEFT JOIN ended ON ended.queue = n.name
		ON CONFLICT (queue, at) DO UPDATE
		   SET waiting = greatest(s.waiting, excluded.waiting), leased = greatest(s.leased, excluded.leased),
		       done = s.done + excluded.done, failed = s.failed + excluded.failed, retried = s.retried + excluded.retried`
	const trim = `DELETE FROM queue_samples WHERE at < now() - interval '25 hours'`
	const forget = `DELETE FROM queue_drops WHERE at < now() - interval '1 hour'`

	return s.inTx(ctx, "sample queues", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sample, engine.QueueNames); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, trim); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, forget)
		return err
	})
}

// QueueHistory lists the spans of a queue since a moment, oldest first; quiet
// ones without a sample are left out.
func (s *Store) QueueHistory(ctx context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error) {
	const q = `
		SELECT queue, date_bin($3::interval, at, $2), max(waiting), max(leased), sum(done)::bigint, sum(failed)::bigint, sum(retried)::bigint
		  FROM queue_samples WHERE queue = $1 AND at >= $2 GROUP BY 1, 2 ORDER BY 2`

	rows, err := s.pool.Query(ctx, q, queue, since, span)
	if err != nil {
		return nil, fmt.Errorf("queue history: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.QueueSample, err error) {
		err = r.Scan(&v.Queue, &v.At, &v.Waiting, &v.Leased, &v.Done, &v.Failed, &v.Retried)
		v.At = v.At.UTC()
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("queue history: %w", domain(err))
	}
	return list, nil
}

// QueueMark is a text that is another as soon as a message came, went, was
// leased or given back.
func (s *Store) QueueMark(ctx context.Context) (string, error) {
	const q = `
		SELECT COALESCE(string_agg(concat_ws(':', queue, n, newest, sum, leased, delayed), ',' ORDER BY queue), '') FROM (
			SELECT queue, count(*) AS n, max(id) AS newest, sum(attempt + generation) AS sum,
			       count(*) FILTER (WHERE leased_until >= now()) AS leased, count(*) FILTER (WHERE available_at > now()) AS delayed
			  FROM jobs GROUP BY queue) q`

	var mark string
	if err := s.pool.QueryRow(ctx, q).Scan(&mark); err != nil {
		return "", fmt.Errorf("queue mark: %w", domain(err))
	}
	return mark, nil
}

// AnnounceQueues tells those who watch that the queues are not what they were.
func (s *Store) AnnounceQueues(ctx context.Context) error {
	return s.inTx(ctx, "announce queues", func(tx pgx.Tx) error {
		return record(ctx, tx, engine.ChangeJob, "", "", nil)
	})
}
