package accounts

import (
	"context"
	"crypto/rand"

	"windlass/internal/engine"
)

// DefaultEmail is the address of the account admin.
const DefaultEmail = "admin@myanchore"

// FirstStore is what the first start asks of the database.
type FirstStore interface {
	Login(ctx context.Context, user string) (engine.Login, error)
	FirstAccounts(ctx context.Context, email, hash string) (created bool, err error)
}

// Bootstrap sees to it that the user admin exists, with the configured
// password or, when there is none, a generated one, which it returns: nobody
// can read it again. A user that exists keeps its password, whatever is
// configured, and created is false.
func Bootstrap(ctx context.Context, store FirstStore, configured engine.Secret) (generated engine.Secret, created bool, err error) {
	if _, err := store.Login(ctx, engine.AdminUser); err == nil {
		return "", false, nil // spares every later start the hash
	}
	password := configured
	if password == "" {
		password = engine.Secret(rand.Text())
		generated = password
	}
	if len(password) > maxPassword {
		return "", false, engine.Invalidf("the password of admin may have at most %d bytes", maxPassword)
	}
	created, err = store.FirstAccounts(ctx, DefaultEmail, Hash(password))
	if err != nil || !created {
		return "", false, err // a racing process made it, with its own password
	}
	return generated, true, nil
}
