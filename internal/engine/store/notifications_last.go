package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// lastLook bounds how many of an account's newest notifications are looked
// through for the last of each: an account that is told of every event has
// many, and a page must not wait for them.
const lastLook = 20_000

// LastNotifications finds the newest notification of each of some
// subscriptions, those without one left out. With several webhooks it is the
// one that stands worst: what was not delivered is what a person looks for.
func (s *Store) LastNotifications(ctx context.Context, account string, of []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	const q = `
		SELECT DISTINCT ON (n.type, n.key) ` + notificationFacts + `
		  FROM (SELECT r.*, first_value(r.id) OVER (PARTITION BY r.type, r.key ORDER BY r.seq DESC) AS newest
		          FROM (SELECT * FROM notifications WHERE account = $1 ORDER BY seq DESC LIMIT $4) r
		          JOIN unnest($2::text[], $3::text[]) AS w (type, key) ON w.type = r.type AND w.key = r.key) n
		  LEFT JOIN accounts o ON o.name = n.account
		 WHERE n.id = n.newest
		 ORDER BY n.type, n.key, array_position(ARRAY['failed', 'pending', 'delivered'], n.state), n.seq DESC`

	types, keys := make([]string, 0, len(of)), make([]string, 0, len(of))
	for _, r := range of {
		types, keys = append(types, string(r.Type)), append(keys, r.Key)
	}
	rows, err := s.pool.Query(ctx, q, account, types, keys, lastLook)
	if err != nil {
		return nil, fmt.Errorf("last notifications: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.Notification, error) { return scanFacts(r) })
	if err != nil {
		return nil, fmt.Errorf("last notifications: %w", domain(err))
	}
	last := make(map[engine.SubscriptionRef]engine.Notification, len(list))
	for _, n := range list {
		last[engine.SubscriptionRef{Type: engine.SubscriptionType(n.Type), Key: n.Key}] = n
	}
	return last, nil
}

// LastDeliveries finds the newest notification of an account to each webhook
// whose last attempt has ended, by the webhook's id.
func (s *Store) LastDeliveries(ctx context.Context, account string) (map[string]engine.Notification, error) {
	const q = `
		SELECT DISTINCT ON (n.webhook) ` + notificationFacts + `
		  FROM (SELECT * FROM notifications WHERE account = $1 ORDER BY seq DESC LIMIT $2) n
		  LEFT JOIN accounts o ON o.name = n.account
		 WHERE n.tried_at IS NOT NULL
		 ORDER BY n.webhook, n.tried_at DESC`

	rows, err := s.pool.Query(ctx, q, account, lastLook)
	if err != nil {
		return nil, fmt.Errorf("last deliveries: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.Notification, error) { return scanFacts(r) })
	if err != nil {
		return nil, fmt.Errorf("last deliveries: %w", domain(err))
	}
	last := make(map[string]engine.Notification, len(list))
	for _, n := range list {
		last[n.Webhook] = n
	}
	return last, nil
}
