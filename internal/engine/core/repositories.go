package core

import (
	"context"

	"windlass/internal/engine"
)

// AddRepository lists the tags of a repository and subscribes to it.
func (c *Core) AddRepository(ctx context.Context, a engine.AddRepository) (engine.Subscription, error) {
	ctx, err := c.store.Enter(ctx, a.Account) // a registry may be slow
	if err != nil {
		return engine.Subscription{}, err
	}
	return c.catalog.AddRepository(ctx, a)
}

// CheckNow has a watcher look at a subscription at once.
func (c *Core) CheckNow(ctx context.Context, account, id string) (engine.Subscription, error) {
	return c.store.CheckNow(ctx, account, id)
}
