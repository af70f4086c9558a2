package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// A notification is written in the transaction of what it tells of, as one row
// for each webhook that takes it: none when nobody listens. From then on the
// row is the job of delivering it (notifications_work.go).

// receivers selects the webhooks that a notification of type $2 goes to, of
// account a: those for the type first, then the general ones. As in v1 a section
// of the settings without an address fails before the general one is reached.
const receivers = `
	webhooks w WHERE w.account IN ('', a.account) AND w.type IN ($2, 'general') AND w.enabled
	  AND NOT (w.account = '' AND w.type = 'general'
	           AND EXISTS (SELECT FROM webhooks o WHERE o.account = '' AND o.type = $2 AND o.url = ''))`

// isSubscribed is the condition that account a subscribes to type $2 of key a.key.
const isSubscribed = `EXISTS (SELECT FROM subscriptions s WHERE s.account = a.account AND s.key = a.key AND s.type = $2 AND s.active)`

// queueEvent adds to a batch the statement that makes a notification of the
// event stored just before it. An event whose details name a type of subscription
// goes to those who have subscribed to it, any other to those whom the settings
// tell of events of its level. It costs one look into an empty table when
// nobody is to be told.
func queueEvent(b *pgx.Batch, e engine.Event) {
	const subscribed = `
		INSERT INTO notifications (id, account, type, key, payload, webhook)
		SELECT $3::uuid, a.account, $2::text, a.key, a.details, w.id
		  FROM (SELECT account, resource_id AS key, details FROM events WHERE id = $1) a, ` + receivers + ` AND ` + isSubscribed + `
		 ORDER BY w.type = 'general', w.id`
	const logged = `
		INSERT INTO notifications (id, account, type, key, payload, webhook)
		SELECT $3::uuid, a.account, $2::text, a.level, to_jsonb(a), w.id
		  FROM notification_levels l JOIN events a ON a.id = $1 AND a.level = l.level, ` + receivers + ` AND l.level = $4
		 ORDER BY w.type = 'general', w.id`

	kind, _ := e.Details["subscription_type"].(string)
	if engine.Subscribed(kind) {
		b.Queue(subscribed, e.ID, kind, engine.NewUUID())
		return
	}
	b.Queue(logged, e.ID, engine.NotifyEvents, engine.NewUUID(), e.Level)
}

// notify makes a notification that no event stands behind, if the account has
// subscribed to its type and key.
func notify(ctx context.Context, tx pgx.Tx, n engine.Notification) error {
	const q = `
		INSERT INTO notifications (id, account, type, key, payload, webhook)
		SELECT $3::uuid, a.account, $2::text, a.key, $5::jsonb, w.id
		  FROM (SELECT $1::text AS account, $4::text AS key) a, ` + receivers + ` AND ` + isSubscribed + `
		 ORDER BY w.type = 'general', w.id`

	payload, err := json.Marshal(storable(n.Payload, 0))
	if err != nil {
		return fmt.Errorf("notification: %w", err)
	}
	if n.Payload == nil {
		payload = []byte(`{}`)
	}
	if _, err := tx.Exec(ctx, q, n.Account, n.Type, engine.NewUUID(), storableText(n.Key), payload); err != nil {
		return fmt.Errorf("notification: %w", err)
	}
	return nil
}

// Notify makes a notification that has no other state to commit with. Account,
// Type, Key and Payload are given; it does nothing when the account has not
// subscribed, or no webhook takes it.
func (s *Store) Notify(ctx context.Context, n engine.Notification) error {
	return s.inTx(ctx, "notify", func(tx pgx.Tx) error { return notify(ctx, tx, n) })
}

// notificationFacts are a notification without what it tells, notificationColumns
// all of it.
const (
	notificationFacts = `n.seq, n.id::text, n.account, COALESCE(o.email, ''), n.type, n.key, n.webhook, n.state, n.attempts,
	n.status, n.error, n.created_at, n.queued_at, n.tried_at, n.next_try, n.ended_at`
	notificationColumns = notificationFacts + `, n.payload`
)

// notificationFrom is what notificationColumns are taken from.
const notificationFrom = ` notifications n LEFT JOIN accounts o ON o.name = n.account `

func scanFacts(r pgx.CollectableRow, more ...any) (n engine.Notification, err error) {
	var tried, ended *time.Time
	err = r.Scan(append([]any{&n.Seq, &n.ID, &n.Account, &n.Email, &n.Type, &n.Key, &n.Webhook, &n.State, &n.Attempts,
		&n.Status, &n.Error, &n.CreatedAt, &n.QueuedAt, &tried, &n.NextTry, &ended}, more...)...)
	n.CreatedAt, n.QueuedAt, n.NextTry = n.CreatedAt.UTC(), n.QueuedAt.UTC(), n.NextTry.UTC()
	n.TriedAt, n.EndedAt = zero(tried), zero(ended)
	return n, err
}

func scanNotification(r pgx.CollectableRow) (engine.Notification, error) {
	var payload []byte
	n, err := scanFacts(r, &payload)
	if err != nil {
		return n, err
	}
	if n.Type == engine.NotifyEvents {
		n.Event, err = notedEvent(payload)
		return n, err
	}
	if err := json.Unmarshal(payload, &n.Payload); err != nil {
		return n, fmt.Errorf("notification %d: %w", n.Seq, err)
	}
	return n, nil
}

// notedEvent reads an event from the row that a notification keeps of it: the
// log may have been cleared since.
func notedEvent(row []byte) (*engine.Event, error) {
	var r struct {
		ID, Account, Type, Level, Message string
		Details                           map[string]any
		At                                time.Time
		StoredAt                          time.Time `json:"stored_at"`
		ResourceType                      string    `json:"resource_type"`
		ResourceID                        string    `json:"resource_id"`
		Service, Host                     string
		BaseURL                           string `json:"base_url"`
		RequestID                         string `json:"request_id"`
		Count                             int
	}
	if err := json.Unmarshal(row, &r); err != nil {
		return nil, fmt.Errorf("event of a notification: %w", err)
	}
	return &engine.Event{
		ID: r.ID, Account: r.Account, Type: r.Type, Level: r.Level, Message: r.Message, Details: r.Details,
		At: r.At.UTC(), StoredAt: r.StoredAt.UTC(), ResourceType: r.ResourceType, ResourceID: r.ResourceID,
		Service: r.Service, Host: r.Host, BaseURL: r.BaseURL, RequestID: r.RequestID, Count: r.Count,
	}, nil
}

// Notifications lists those of an account that match, newest first, without
// what they tell.
func (s *Store) Notifications(ctx context.Context, account string, f engine.NotificationFilter) ([]engine.Notification, error) {
	const q = `
		SELECT ` + notificationFacts + ` FROM ` + notificationFrom + `
		 WHERE n.account = $1 AND ($2 = '' OR n.state = $2) AND ($3 = '' OR n.type = $3) AND ($4 = '' OR n.key = $4)
		   AND ($5 = '' OR n.webhook = $5) AND ($6 = 0 OR n.seq < $6)
		 ORDER BY n.seq DESC LIMIT $7`

	if !isStorable(f.Key) || !isStorable(f.Webhook) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, q, account, f.State, f.Type, f.Key, f.Webhook, f.After, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("notifications: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.Notification, error) { return scanFacts(r) })
	if err != nil {
		return nil, fmt.Errorf("notifications: %w", domain(err))
	}
	return list, nil
}

const oneNotification = `SELECT ` + notificationColumns + ` FROM ` + notificationFrom + ` WHERE n.seq = $1 AND n.account = $2`

// Notification finds one notification of an account, with what it tells.
func (s *Store) Notification(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	rows, err := s.pool.Query(ctx, oneNotification, seq, account)
	if err != nil {
		return engine.Notification{}, fmt.Errorf("notification: %w", domain(err))
	}
	n, err := pgx.CollectExactlyOneRow(rows, scanNotification)
	if err != nil {
		return n, fmt.Errorf("notification: %w", domain(err))
	}
	if n.Tries, err = s.deliveryTries(ctx, n.Seq); err != nil {
		return n, fmt.Errorf("notification: %w", domain(err))
	}
	return n, nil
}

// Redeliver queues a notification to one webhook again, as if it were new;
// engine.ErrConflict while it still waits.
func (s *Store) Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	const q = `
		UPDATE notifications SET state = 'pending', attempts = 0, status = 0, error = '', queued_at = clock_timestamp(),
		       next_try = clock_timestamp(), ended_at = NULL
		 WHERE seq = $1 AND account = $2 AND state <> 'pending'`

	var n engine.Notification
	err := s.inTx(ctx, "redeliver", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, seq, account)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, oneNotification, seq, account)
		if err != nil {
			return err
		}
		if n, err = pgx.CollectExactlyOneRow(rows, scanNotification); err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.Conflictf("the notification still waits to be delivered")
		}
		return record(ctx, tx, engine.ChangeNotification, account, n.ID, nil)
	})
	return n, err
}
