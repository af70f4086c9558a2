package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// Queues tells the state of every queue. Messages are counted of one account,
// or of all with an empty one; what ended is counted of all accounts.
func (s *Store) Queues(ctx context.Context, account string) (engine.QueueBoard, error) {
	const q = `
		WITH counted AS (
			SELECT queue,
			       count(*) FILTER (WHERE mine AND leased_until < now() AND available_at <= now()) AS waiting,
			       count(*) FILTER (WHERE mine AND leased_until < now() AND available_at > now()) AS delayed,
			       count(*) FILTER (WHERE mine AND leased_until >= now()) AS running,
			       count(*) FILTER (WHERE mine AND leased_until < now() AND last_error <> '') AS troubled,
			       min(created_at) FILTER (WHERE mine AND leased_until < now()) AS oldest,
			       count(*) FILTER (WHERE leased_until >= now()) AS busy
			  FROM (SELECT *, $2 = '' OR account = $2 AS mine FROM jobs) j GROUP BY queue),
		ended AS (
			SELECT queue, sum(done) FILTER (WHERE at > now() - interval '1 hour') AS hour, sum(done) AS done, sum(failed) AS failed, sum(retried) AS retried
			  FROM (SELECT queue, at, done, failed, retried FROM queue_samples WHERE at > now() - interval '24 hours'
			        UNION ALL
			        SELECT queue, at, (outcome = 'done')::int, (outcome = 'failed')::int, (outcome = 'retried')::int FROM queue_ends) e
			 GROUP BY queue)
		SELECT now(), n.name, COALESCE(waiting, 0), COALESCE(delayed, 0), COALESCE(running, 0), COALESCE(troubled, 0), oldest, COALESCE(busy, 0),
		       COALESCE(hour, 0)::bigint, COALESCE(done, 0)::bigint, COALESCE(failed, 0)::bigint, COALESCE(retried, 0)::bigint, p.by, p.reason, p.at
		  FROM unnest($1::text[]) WITH ORDINALITY n(name, place)
		  LEFT JOIN counted ON counted.queue = n.name
		  LEFT JOIN ended ON ended.queue = n.name
		  LEFT JOIN queue_pauses p ON p.queue = n.name
		 ORDER BY n.place`

	var b engine.QueueBoard
	workers, err := s.queueWorkers(ctx)
	if err != nil {
		return b, fmt.Errorf("queues: %w", domain(err))
	}
	rows, err := s.pool.Query(ctx, q, engine.QueueNames, account)
	if err != nil {
		return b, fmt.Errorf("queues: %w", domain(err))
	}
	b.Queues, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.Queue, err error) {
		var oldest, at *time.Time
		var by, reason *string
		err = r.Scan(&b.Now, &v.Name, &v.Waiting, &v.Delayed, &v.Running, &v.Troubled, &oldest, &v.Busy,
			&v.DoneHour, &v.DoneDay, &v.FailDay, &v.RetryDay, &by, &reason, &at)
		v.Oldest, v.Workers = zero(oldest), workers[v.Name]
		if at != nil {
			v.Paused = &engine.QueuePause{By: *by, Reason: *reason, At: at.UTC()}
		}
		return v, err
	})
	if err != nil {
		return b, fmt.Errorf("queues: %w", domain(err))
	}
	b.Now = b.Now.UTC()
	return b, nil
}
