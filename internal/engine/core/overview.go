package core

import (
	"context"

	"windlass/internal/engine"
)

// Overview is the state of everything an account can see, at one moment.
func (c *Core) Overview(ctx context.Context, account string) (engine.Overview, error) {
	return c.store.Overview(ctx, account)
}
