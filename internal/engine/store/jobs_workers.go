package store

import (
	"context"
	"fmt"
	"time"

	"windlass/internal/engine"
)

// workerSilent is how long a worker may have said nothing and still count as
// up: three of its words may be lost.
const workerSilent = 20 * time.Second

// TellWorker notes that a process works a queue off. It is called every few
// seconds; rows of processes that ended without a word are forgotten by the way.
func (s *Store) TellWorker(ctx context.Context, queue, host, worker string, hands int) error {
	const tell = `
		INSERT INTO queue_workers (queue, worker, host, hands) VALUES ($1, $2, $3, $4)
		ON CONFLICT (queue, worker) DO UPDATE SET hands = excluded.hands, seen_at = now()`
	const forget = `DELETE FROM queue_workers WHERE queue = $1 AND seen_at < now() - interval '1 hour'`

	if _, err := s.pool.Exec(ctx, tell, queue, worker, host, hands); err != nil {
		return fmt.Errorf("tell worker: %w", domain(err))
	}
	if _, err := s.pool.Exec(ctx, forget, queue); err != nil {
		return fmt.Errorf("forget workers: %w", domain(err))
	}
	return nil
}

// EndWorker forgets a process that stops in order.
func (s *Store) EndWorker(ctx context.Context, queue, worker string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM queue_workers WHERE queue = $1 AND worker = $2`, queue, worker); err != nil {
		return fmt.Errorf("end worker: %w", domain(err))
	}
	return nil
}

// PauseQueue stops a queue from being worked off; what is running goes on.
func (s *Store) PauseQueue(ctx context.Context, queue, by, reason string) error {
	const q = `
		INSERT INTO queue_pauses (queue, by, reason) VALUES ($1, $2, $3)
		ON CONFLICT (queue) DO UPDATE SET by = excluded.by, reason = excluded.reason, at = now()`

	if _, err := s.pool.Exec(ctx, q, queue, by, reason); err != nil {
		return fmt.Errorf("pause queue: %w", domain(err))
	}
	return s.AnnounceQueues(ctx)
}

// ResumeQueue lets a queue be worked off again.
func (s *Store) ResumeQueue(ctx context.Context, queue string) error {
	const q = `WITH gone AS (DELETE FROM queue_pauses WHERE queue = $1) SELECT pg_notify('jobs', $1)`

	if _, err := s.pool.Exec(ctx, q, queue); err != nil {
		return fmt.Errorf("resume queue: %w", domain(err))
	}
	return s.AnnounceQueues(ctx)
}

// queueWorkers lists the workers that are up, by queue.
func (s *Store) queueWorkers(ctx context.Context) (map[string][]engine.QueueWorker, error) {
	const q = `
		SELECT queue, worker, host, hands, started_at, seen_at FROM queue_workers
		 WHERE seen_at > now() - $1::interval ORDER BY host, worker`

	rows, err := s.pool.Query(ctx, q, workerSilent)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[string][]engine.QueueWorker{}
	for rows.Next() {
		var queue string
		var w engine.QueueWorker
		if err := rows.Scan(&queue, &w.ID, &w.Host, &w.Hands, &w.Since, &w.Seen); err != nil {
			return nil, err
		}
		w.Since, w.Seen = w.Since.UTC(), w.Seen.UTC()
		list[queue] = append(list[queue], w)
	}
	return list, rows.Err()
}
