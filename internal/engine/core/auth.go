package core

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// Authenticate proves a password: engine.ErrUnauthorized when it is wrong,
// engine.ErrThrottled after too many wrong ones.
func (c *Core) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	return c.auth.Authenticate(ctx, user, password)
}

// Authorization makes a short-lived token that the API accepts as a bearer's,
// for calls made in a user's name.
func (c *Core) Authorization(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	token, err := c.auth.Token(ctx, who)
	if err != nil {
		return "", err
	}
	return "Bearer " + token, nil
}

// VerifyToken proves a token of any kind.
func (c *Core) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	return c.auth.VerifyToken(ctx, token)
}

// Enter notes which account a request begins in: what it writes is refused
// once that one is being deleted.
func (c *Core) Enter(ctx context.Context, account string) (context.Context, error) {
	return c.store.Enter(ctx, account)
}

// OAuthLifetime is how long tokens of clients last; 0: there are none.
func (c *Core) OAuthLifetime() time.Duration { return c.auth.OAuthLifetime() }

// OAuthToken makes a token for a client that has proven who.
func (c *Core) OAuthToken(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	return c.auth.OAuthToken(ctx, who)
}
