package engine

import "slices"

// SystemDomain is where actions stand that concern no single account: feeds,
// services, accounts. No account can have this name.
const SystemDomain = "system"

// Grant is a role given to a user in an account.
type Grant struct {
	Account string
	Role    Role
	Enabled bool // the account is
}

// Scope narrows what an API token may do to one role, to one account, or both.
type Scope struct {
	Role    Role
	Account string
}

// Rights is what an Identity may do where that is not simply what v1 knows:
// everything in the own account, and everywhere for administrators.
type Rights struct {
	Everywhere bool // in every account, within the scope
	Grants     []Grant
	Token      string // id of the API token that proved the user
	Scope      Scope  // of that token
}

// May reports whether a user may take an action in an account, or in the
// SystemDomain. Every door asks this one function: the API, pages, sockets.
func (i Identity) May(account, action string) bool { return i.Permit(account, action) == nil }

// Permit is May with the reason: an error of kind ErrForbidden, in v1's words.
func (i Identity) Permit(account, action string) error {
	if i.Disabled {
		return Forbiddenf("Not authorized. Account %s not enabled.", i.Account)
	}
	ok, asleep := i.may(account, action)
	switch {
	case asleep:
		return Forbiddenf("Not authorized. Account %s not enabled.", account)
	case !ok:
		return Forbiddenf("Not authorized. Requires permissions: domain=%s action=%s target=*", account, action)
	}
	return nil
}

// may decides, of a user whose own account is enabled; asleep says that the
// other account would allow it, were it enabled.
func (i Identity) may(account, action string) (ok, asleep bool) {
	if i.Admin {
		return true, false
	}
	if account == SystemDomain {
		return false, false
	}
	if i.Rights == nil {
		return account == i.Account, false
	}
	r := i.Rights
	if r.Scope.Account != "" && r.Scope.Account != account || r.Scope.Role != "" && !r.Scope.Role.May(action) {
		return false, false
	}
	if r.Everywhere {
		return true, false
	}
	granted := false
	for _, g := range r.Grants {
		if g.Account != account {
			continue
		}
		granted = true
		if g.Role.May(action) {
			return g.Enabled, !g.Enabled
		}
	}
	// Whoever was given no role in the own account has all of them.
	return account == i.Account && !granted, false
}

// Home is the account a user works in unless another is named.
func (i Identity) Home() string {
	if i.Rights != nil && i.Rights.Scope.Account != "" {
		return i.Rights.Scope.Account
	}
	return i.Account
}

// Token is the id of the API token that proved the user, or empty.
func (i Identity) Token() string {
	if i.Rights == nil {
		return ""
	}
	return i.Rights.Token
}

// Scoped reports whether the user came with a token that may do less than the
// user.
func (i Identity) Scoped() bool { return i.Rights != nil && i.Rights.Scope != Scope{} }

// Identity is who a login makes of its user. A user of an administrating
// account who was given a role there is none of its administrators, unless the
// role is full control.
func (l Login) Identity() Identity {
	all := l.Account.Type == AccountAdmin || l.Account.Type == AccountService
	if own := func(g Grant) bool { return g.Account == l.Account.Name }; all && slices.ContainsFunc(l.Grants, own) {
		all = slices.ContainsFunc(l.Grants, func(g Grant) bool { return own(g) && g.Role == FullControl })
	}
	id := Identity{
		User: l.User.Name, Account: l.Account.Name, Admin: all, Disabled: l.Account.State != AccountEnabled,
	}
	if len(l.Grants) > 0 {
		id.Rights = &Rights{Everywhere: all, Grants: l.Grants}
	}
	return id
}

// Through is the user as an API token lets him act.
func (l Login) Through(token string, s Scope) Identity {
	id := l.Identity()
	id.Rights = &Rights{Everywhere: id.Admin, Grants: l.Grants, Token: token, Scope: s}
	id.Admin = id.Admin && s == Scope{}
	return id
}
