package core

import (
	"context"

	"windlass/internal/engine"
)

// Authenticate proves a password: engine.ErrUnauthorized when it is wrong,
// engine.ErrThrottled after too many wrong ones.
func (c *Core) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	return c.auth.Authenticate(ctx, user, password)
}

// SessionToken makes a short-lived token that the API accepts as a bearer's,
// for calls made in a user's name.
func (c *Core) SessionToken(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	return c.auth.Token(ctx, who)
}

// VerifyToken proves a token made by SessionToken.
func (c *Core) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	return c.auth.VerifyToken(ctx, token)
}

// Account finds an account.
func (c *Core) Account(ctx context.Context, name string) (engine.Account, error) {
	return c.store.Account(ctx, name)
}

// User finds a user with its account.
func (c *Core) User(ctx context.Context, name string) (engine.Login, error) {
	return c.store.Login(ctx, name)
}

// SetPassword replaces a user's password and ends what was proven with the old
// one.
func (c *Core) SetPassword(ctx context.Context, user string, password engine.Secret) error {
	return c.auth.SetPassword(ctx, user, password)
}
