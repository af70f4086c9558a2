package accounts

import (
	"context"
	"errors"
	"slices"

	"windlass/internal/engine"
)

// RoleGrants lists the roles given in an account, also to users of others.
func (d *Directory) RoleGrants(ctx context.Context, account string) ([]engine.RoleGrant, error) {
	if _, err := d.peopled(ctx, account); err != nil {
		return nil, err
	}
	return d.store.RoleGrants(ctx, account, "")
}

// UserRoles lists the roles of a user in an account, as somebody may see them:
// a user of another account is seen by administrators, and by whoever shares an
// account in which the user has a role.
func (d *Directory) UserRoles(ctx context.Context, account, user string, by engine.Identity) ([]engine.RoleGrant, error) {
	if _, err := d.peopled(ctx, account); err != nil {
		return nil, err
	}
	list, err := d.store.RoleGrants(ctx, account, user)
	if err != nil || len(list) > 0 {
		return list, err
	}
	_, err = d.member(ctx, account, user, by)
	return list, err
}

// SetRoles gives a user exactly these roles in an account. Without any, a user
// of that account has full control of it, as v1 knows no roles, and a user of
// another none. Users of other accounts are administrators' to let in.
func (d *Directory) SetRoles(ctx context.Context, account, user string, roles []engine.Role, by engine.Identity) ([]engine.RoleGrant, error) {
	a, err := d.peopled(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		if !r.Known() {
			return nil, engine.Invalidf("There is no role %q", r)
		}
	}
	switch {
	case user == by.User:
		return nil, engine.Invalidf("Nobody can alter his own roles")
	case user == engine.AdminUser:
		return nil, engine.Invalidf("The roles of user %s cannot be altered", user)
	}
	l, err := d.member(ctx, account, user, by)
	if err != nil {
		return nil, err
	}
	if a.Type == engine.AccountAdmin && l.Account.Name != account {
		return nil, engine.Invalidf("Users of other accounts cannot be given a role in account %s", account)
	}
	slices.Sort(roles)
	if err := d.store.SetRoles(ctx, account, user, slices.Compact(roles), by.User); err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			return nil, engine.NotFoundf("User not found")
		}
		return nil, err
	}
	d.auth.Forget(user)
	d.log.InfoContext(ctx, "roles set", "account", account, "user", user, "roles", roles, "by", by.User)
	return d.store.RoleGrants(ctx, account, user)
}

// member finds a user of an account, or for administrators of any.
func (d *Directory) member(ctx context.Context, account, user string, by engine.Identity) (engine.Login, error) {
	l, err := d.User(ctx, account, user)
	if by.Admin && errors.Is(err, engine.ErrNotFound) {
		if l, err = d.store.Login(ctx, user); errors.Is(err, engine.ErrNotFound) {
			return l, engine.NotFoundf("User not found")
		}
	}
	if err == nil && !l.Native() {
		return l, engine.NotFoundf("User not found")
	}
	return l, err
}
