package accounts

import (
	"context"
	"errors"

	"windlass/internal/engine"
)

// Users lists one page of an account's users by name and the cursor of the
// next. The engine's own users are nobody's to see.
func (d *Directory) Users(ctx context.Context, account string, f engine.UserFilter) ([]engine.Login, string, error) {
	if _, err := d.peopled(ctx, account); err != nil {
		return nil, "", err
	}
	return d.store.Users(ctx, account, f)
}

// peopled finds an account that people log in to.
func (d *Directory) peopled(ctx context.Context, account string) (engine.Account, error) {
	a, err := d.Account(ctx, account)
	if err == nil && a.Type == engine.AccountService {
		return a, engine.NotFoundf("Account not found")
	}
	return a, err
}

// User finds a user of an account; what it holds of the password is not for
// anybody's eyes.
func (d *Directory) User(ctx context.Context, account, name string) (engine.Login, error) {
	l, err := d.store.User(ctx, account, name)
	if errors.Is(err, engine.ErrNotFound) {
		return l, engine.NotFoundf("User not found")
	}
	return l, err
}

// AddUser makes a user of an account, who logs in with a password. Names are
// unique among all accounts.
func (d *Directory) AddUser(ctx context.Context, account, name string, password engine.Secret) (engine.Login, error) {
	a, err := d.Account(ctx, account)
	if err != nil {
		return engine.Login{}, err
	}
	if a.Type == engine.AccountService {
		return engine.Login{}, engine.Invalidf("Users cannot be added to account %s", account)
	}
	switch err := d.auth.AddUser(ctx, account, name, password); {
	case errors.Is(err, engine.ErrConflict):
		return engine.Login{}, engine.Conflictf("User already exists")
	case err != nil:
		return engine.Login{}, noAccount(err)
	}
	d.log.InfoContext(ctx, "user added", "account", account, "user", name)
	return d.User(ctx, account, name)
}

// RemoveUser deletes a user with its sessions, roles and tokens. Nobody can
// remove the user by which he asks, nor those the engine needs.
func (d *Directory) RemoveUser(ctx context.Context, account, name, by string) error {
	switch {
	case name == engine.AdminUser || name == engine.SystemAccount || account == engine.SystemAccount || account == engine.SystemDomain:
		return engine.Invalidf("User %s cannot be deleted", name)
	case name == by:
		return engine.Invalidf("Cannot delete the user that the request was authenticated with")
	}
	l, err := d.User(ctx, account, name)
	if err != nil {
		return err
	}
	if !l.Native() {
		return engine.Invalidf("User %s cannot be deleted", name)
	}
	defer d.auth.Forget(name)
	if err := d.store.RemoveUser(ctx, account, name); err != nil {
		return err
	}
	d.log.InfoContext(ctx, "user removed", "account", account, "user", name, "by", by)
	return nil
}

// SetPassword replaces a user's password and ends what was proven with the old
// one.
func (d *Directory) SetPassword(ctx context.Context, account, user string, password engine.Secret) error {
	if err := d.native(ctx, account, user); err != nil {
		return err
	}
	return d.auth.SetPassword(ctx, account, user, password)
}

// ClearPassword ends a user's logins by password. Nobody can do that to the
// user by which he asks.
func (d *Directory) ClearPassword(ctx context.Context, account, user, by string) error {
	if user == by {
		return engine.Invalidf("Cannot delete the credential that the request was authenticated with")
	}
	if err := d.native(ctx, account, user); err != nil {
		return err
	}
	return d.auth.ClearPassword(ctx, account, user)
}

func (d *Directory) native(ctx context.Context, account, user string) error {
	l, err := d.User(ctx, account, user)
	if err == nil && !l.Native() {
		return engine.Invalidf("Users with passwords only: %s is not of type native", user)
	}
	return err
}
