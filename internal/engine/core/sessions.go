package core

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// AddSession stores a console login.
func (c *Core) AddSession(ctx context.Context, s engine.Session) error {
	return c.store.AddSession(ctx, s)
}

// Session finds a console login by the hash of its token.
func (c *Core) Session(ctx context.Context, hash []byte, idle time.Duration, seen bool) (engine.Session, error) {
	return c.store.Session(ctx, hash, idle, seen)
}

// EndSession signs out.
func (c *Core) EndSession(ctx context.Context, hash []byte) error {
	return c.store.EndSession(ctx, hash)
}
