package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"windlass/internal/engine"
)

// AddToken makes an API token for a user and returns its text, which nobody
// can read again.
func (d *Directory) AddToken(ctx context.Context, account string, t engine.APIToken, by engine.Identity) (engine.APIToken, engine.Secret, error) {
	l, err := d.User(ctx, account, t.User)
	if err != nil {
		return t, "", err
	}
	t.Name = strings.TrimSpace(t.Name)
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = time.Now().Add(engine.TokenLife)
	}
	life := time.Until(t.ExpiresAt)
	switch {
	case !l.Native():
		return t, "", engine.NotFoundf("User not found")
	case by.Token() != "":
		// It would outlive, or widen, the one it was made with.
		return t, "", engine.Forbiddenf("Not authorized. An API token cannot make another.")
	case t.Name == "" || len(t.Name) > 128:
		return t, "", engine.Invalidf("name: a token needs a name of at most 128 bytes")
	case life <= 0:
		return t, "", engine.Invalidf("expires_at: this time has passed")
	case life > engine.MaxTokenLife:
		return t, "", engine.Invalidf("expires_at: a token lasts five years at most")
	case t.Scope.Role != "" && !t.Scope.Role.Known():
		return t, "", engine.Invalidf("role: there is no role %q", t.Scope.Role)
	}
	if err := d.checkScope(ctx, l, t.Scope.Account); err != nil {
		return t, "", err
	}
	t.ID, t.CreatedBy = engine.NewID(), by.User
	text, hash := newAPIToken()
	t, err = d.store.AddToken(ctx, t, hash)
	switch {
	case errors.Is(err, engine.ErrConflict):
		return t, "", engine.Conflictf("User %s has a token named %s already", t.User, t.Name)
	case errors.Is(err, engine.ErrNotFound):
		return t, "", engine.NotFoundf("User not found")
	case err != nil:
		return t, "", err
	}
	d.log.InfoContext(ctx, "token added", "user", t.User, "token", t.ID, "expires", t.ExpiresAt, "by", by.User)
	return t, text, nil
}

// checkScope refuses a token for an account in which its user may do nothing:
// one that somebody makes later would not be meant.
func (d *Directory) checkScope(ctx context.Context, l engine.Login, account string) error {
	if account == "" || account == l.Account.Name {
		return nil
	}
	id := l.Identity()
	if !id.Admin {
		for _, g := range l.Grants {
			if g.Account == account {
				return nil
			}
		}
		return engine.Invalidf("account: user %s has no role in account %s", l.User.Name, account)
	}
	if _, err := d.peopled(ctx, account); errors.Is(err, engine.ErrNotFound) {
		return engine.Invalidf("account: there is no account %s", account)
	} else if err != nil {
		return err
	}
	return nil
}

// Tokens lists a user's tokens, the newest first.
func (d *Directory) Tokens(ctx context.Context, account, user string) ([]engine.APIToken, error) {
	if _, err := d.User(ctx, account, user); err != nil {
		return nil, err
	}
	return d.store.Tokens(ctx, user)
}

// RemoveToken revokes a user's token at once.
func (d *Directory) RemoveToken(ctx context.Context, account, user, id string) error {
	if _, err := d.User(ctx, account, user); err != nil {
		return err
	}
	defer d.auth.Forget(user)
	if err := d.store.RemoveToken(ctx, user, id); err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("Token not found")
		}
		return err
	}
	d.log.InfoContext(ctx, "token revoked", "user", user, "token", id)
	return nil
}
