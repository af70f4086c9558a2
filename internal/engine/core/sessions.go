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

// SetPreferences keeps how a user likes the console drawn; what change leaves
// open stays as it is.
func (c *Core) SetPreferences(ctx context.Context, user string, change engine.Preferences) error {
	return c.store.SetPreferences(ctx, user, change)
}

// UserSessions lists the live console logins of a user.
func (c *Core) UserSessions(ctx context.Context, user string, idle time.Duration) ([]engine.Session, error) {
	return c.store.UserSessions(ctx, user, idle)
}

// EndUserSessions signs a user out everywhere but in the session of a hash, and
// gives the hashes of the sessions that ended.
func (c *Core) EndUserSessions(ctx context.Context, user string, keep []byte) ([][]byte, error) {
	return c.store.EndUserSessions(ctx, user, keep)
}

// AccountLeft counts the images and events that an account still owns.
func (c *Core) AccountLeft(ctx context.Context, account string) (images, events int64, err error) {
	return c.store.AccountLeft(ctx, account)
}
