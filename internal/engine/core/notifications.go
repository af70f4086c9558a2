package core

import (
	"context"
	"slices"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/apiv1"
	"windlass/internal/engine/notify"
	"windlass/internal/engine/supervise"
)

// keepNotifications is how long one that was delivered or given up can be seen
// and delivered again.
const keepNotifications = 7 * 24 * time.Hour

// settleWebhooks writes down the webhooks of the settings, by which events of
// every process become notifications. The process of the catalog says what they
// are: it delivers.
func (c *Core) settleWebhooks(ctx context.Context) error {
	if !slices.Contains(c.opts.Services, engine.Catalog) {
		return nil
	}
	return c.store.SetWebhookSettings(ctx, c.opts.Notify.Webhooks, c.opts.Notify.Levels)
}

// deliverer posts notifications to webhooks.
func (c *Core) deliverer(s *supervise.Service) *notify.Deliverer {
	return &notify.Deliverer{
		Queue: c.store, Client: c.hooks, Settings: c.opts.Notify, Record: apiv1.WireEvent, Log: s.Log,
	}
}

// trimNotifications forgets old notifications until ctx ends.
func (c *Core) trimNotifications(ctx context.Context) error {
	return notify.Trim(ctx, func(ctx context.Context) (int, error) { return c.store.TrimNotifications(ctx, keepNotifications) })
}

// Notifications lists those of an account that match, newest first, without
// what they tell.
func (c *Core) Notifications(ctx context.Context, account string, f engine.NotificationFilter) ([]engine.Notification, error) {
	return c.store.Notifications(ctx, account, f)
}

// Notification finds one notification, with what it tells.
func (c *Core) Notification(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	return c.store.Notification(ctx, account, seq)
}

// LastNotifications finds the newest notification of each of some
// subscriptions; those without one are left out.
func (c *Core) LastNotifications(ctx context.Context, account string, of []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	return c.store.LastNotifications(ctx, account, of)
}

// LastDeliveries finds the newest notification that was tried, by the webhook's
// id.
func (c *Core) LastDeliveries(ctx context.Context, account string) (map[string]engine.Notification, error) {
	return c.store.LastDeliveries(ctx, account)
}

// Redeliver queues a notification again that was delivered or given up.
func (c *Core) Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	n, err := c.store.Redeliver(ctx, account, seq)
	if err == nil {
		c.log.InfoContext(ctx, "notification requeued", "notification", n.ID, "webhook", n.Webhook, "account", account)
	}
	return n, err
}
