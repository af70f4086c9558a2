package accounts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"windlass/internal/engine"
)

// DefaultEmail is the address of the account admin.
const DefaultEmail = "admin@myanchore"

// PasswordFile holds the generated password of admin in the data folder.
const PasswordFile = "admin-password"

// FirstStore is what the first start asks of the database.
type FirstStore interface {
	Login(ctx context.Context, user string) (engine.Login, error)
	FirstAccounts(ctx context.Context, email, hash string) (created bool, err error)
}

// Bootstrap sees to it that the user admin exists, with the configured
// password or, when there is none, a generated one, which it returns: nobody
// can read it again. A user that exists keeps its password, whatever is
// configured, and created is false.
//
// Each keep is told of a generated password before the user is made with it,
// so that a start that fails later has not locked everybody out.
func Bootstrap(ctx context.Context, store FirstStore, configured engine.Secret, keep ...func(engine.Secret) error) (generated engine.Secret, created bool, err error) {
	if _, err := store.Login(ctx, engine.AdminUser); !errors.Is(err, engine.ErrNotFound) {
		return "", false, err // spares every later start the hash
	}
	password := configured
	if password == "" {
		password = engine.Secret(rand.Text())
		generated = password
		for _, k := range keep {
			if err := k(generated); err != nil {
				return "", false, err
			}
		}
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

// KeepIn writes a generated password to PasswordFile in a folder, readable by
// its owner alone.
func KeepIn(dir string) func(engine.Secret) error {
	return func(password engine.Secret) error {
		path := filepath.Join(dir, PasswordFile)
		// One left by a start that did not come as far as the database is
		// worth nothing.
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("admin password: %w", err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("admin password: %w", err)
		}
		_, err = f.WriteString(password.Reveal() + "\n")
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("admin password: %w", err)
		}
		return nil
	}
}
