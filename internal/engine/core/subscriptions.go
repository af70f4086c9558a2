package core

import (
	"context"

	"windlass/internal/engine"
)

// Subscriptions lists one page of an account's subscriptions, by key and type,
// and the cursor of the next page.
func (c *Core) Subscriptions(ctx context.Context, account string, f engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	return c.store.Subscriptions(ctx, account, f)
}

// Subscription finds one by its id.
func (c *Core) Subscription(ctx context.Context, account, id string) (engine.Subscription, error) {
	return c.store.Subscription(ctx, account, id)
}

// AddSubscription stores one.
func (c *Core) AddSubscription(ctx context.Context, v engine.Subscription) (engine.Subscription, error) {
	v, err := c.store.AddSubscription(ctx, v)
	if err == nil {
		c.log.InfoContext(ctx, "subscription added", "account", v.Account, "key", v.Key, "type", v.Type, "active", v.Active)
	}
	return v, err
}

// UpdateSubscription changes what u gives.
func (c *Core) UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error) {
	v, err := c.store.UpdateSubscription(ctx, account, id, u)
	if err == nil {
		c.log.InfoContext(ctx, "subscription updated", "account", account, "key", v.Key, "type", v.Type, "active", v.Active)
	}
	return v, err
}

// RemoveSubscription forgets one.
func (c *Core) RemoveSubscription(ctx context.Context, account, id string) error {
	err := c.store.RemoveSubscription(ctx, account, id)
	if err == nil {
		c.log.InfoContext(ctx, "subscription removed", "account", account, "id", id)
	}
	return err
}
