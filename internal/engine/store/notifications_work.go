package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// DueWebhooks names the webhooks that have something to be delivered now.
func (s *Store) DueWebhooks(ctx context.Context) ([]string, error) {
	// One look into the index for each webhook, however many rows wait.
	const q = `
		WITH RECURSIVE due (webhook) AS (
			(SELECT webhook FROM notifications WHERE state = 'pending' ORDER BY webhook LIMIT 1)
			UNION ALL
			SELECT (SELECT n.webhook FROM notifications n WHERE n.state = 'pending' AND n.webhook > due.webhook ORDER BY n.webhook LIMIT 1)
			  FROM due WHERE due.webhook IS NOT NULL)
		SELECT webhook FROM due
		 WHERE webhook IS NOT NULL
		   AND EXISTS (SELECT FROM notifications n WHERE n.state = 'pending' AND n.webhook = due.webhook AND n.next_try <= now())`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("due webhooks: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("due webhooks: %w", domain(err))
	}
	return list, nil
}

// TakeNotifications leases at most n notifications that are due at a webhook.
// One that is neither ended nor put off within the lease is offered again: its
// worker is lost.
func (s *Store) TakeNotifications(ctx context.Context, webhook string, n int, lease time.Duration) ([]engine.Notification, error) {
	const q = `
		WITH taken AS (
			UPDATE notifications SET next_try = now() + $3::interval, attempts = attempts + 1, tried_at = now()
			 WHERE seq IN (SELECT seq FROM notifications WHERE webhook = $1 AND state = 'pending' AND next_try <= now()
			                ORDER BY next_try, seq LIMIT $2 FOR UPDATE SKIP LOCKED)
			RETURNING *)
		SELECT ` + notificationColumns + ` FROM taken n LEFT JOIN accounts o ON o.name = n.account ORDER BY n.seq`

	rows, err := s.pool.Query(ctx, q, webhook, n, lease)
	if err != nil {
		return nil, fmt.Errorf("take notifications: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanNotification)
	if err != nil {
		return nil, fmt.Errorf("take notifications: %w", domain(err))
	}
	return list, nil
}

// EndNotification stores how an attempt has ended, which took Took: State,
// Status, Error and, when it is still pending, NextTry. It does nothing when the attempt took so
// long that the notification was offered again.
func (s *Store) EndNotification(ctx context.Context, n engine.Notification) error {
	const q = `
		UPDATE notifications SET state = $3, status = $4, error = $5, next_try = COALESCE($6, next_try),
		       ended_at = CASE WHEN $3 <> 'pending' THEN now() END
		 WHERE seq = $1 AND attempts = $2 AND state = 'pending'`
	const note = `
		INSERT INTO notification_attempts (notification, at, took_ms, status, error)
		SELECT seq, COALESCE(tried_at, now()), $2, status, error FROM notifications WHERE seq = $1`

	return s.inTx(ctx, "end notification", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, n.Seq, n.Attempts, n.State, n.Status, storableText(n.Error), null(n.NextTry))
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, note, n.Seq, n.Took.Milliseconds()); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeNotification, n.Account, n.ID, nil)
	})
}

// TrimNotifications forgets ended notifications older than keep, some thousand
// at a time, and reports how many went.
func (s *Store) TrimNotifications(ctx context.Context, keep time.Duration) (int, error) {
	const q = `
		DELETE FROM notifications WHERE seq IN (
			SELECT seq FROM notifications WHERE state <> 'pending' AND created_at < now() - $1::interval
			 ORDER BY created_at LIMIT 5000)`

	tag, err := s.pool.Exec(ctx, q, keep)
	if err != nil {
		return 0, fmt.Errorf("trim notifications: %w", domain(err))
	}
	return int(tag.RowsAffected()), nil
}

// deliveryTries lists the newest attempts at a notification, oldest first.
func (s *Store) deliveryTries(ctx context.Context, seq int64) ([]engine.DeliveryTry, error) {
	const q = `
		SELECT at, took_ms, status, error FROM (
			SELECT * FROM notification_attempts WHERE notification = $1 ORDER BY id DESC LIMIT 100) t
		 ORDER BY id`

	rows, err := s.pool.Query(ctx, q, seq)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (t engine.DeliveryTry, err error) {
		var took int64
		err = r.Scan(&t.At, &took, &t.Status, &t.Error)
		t.At, t.Took = t.At.UTC(), time.Duration(took)*time.Millisecond
		return t, err
	})
}
