package engine

import (
	"context"
	"slices"
	"time"
)

// AccountState is whether an account may be used.
type AccountState string

const (
	AccountEnabled  AccountState = "enabled"
	AccountDisabled AccountState = "disabled"
	AccountDeleting AccountState = "deleting"
)

// Types of account. Users of the first two have every permission.
const (
	AccountAdmin   = "admin"
	AccountService = "service"
	AccountUser    = "user"
)

// Names made at the first start.
const (
	AdminUser     = "admin"
	SystemAccount = "anchore-system" // of type service
)

// Account owns images, events and registries.
type Account struct {
	Name      string
	Email     string // may be empty
	Type      string
	State     AccountState
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ReservedAccounts are names that nobody can make an account of.
var ReservedAccounts = []string{AdminAccount, SystemDomain, SystemAccount}

// nextAccount is the table of an account's moves; staying is always allowed.
var nextAccount = map[AccountState][]AccountState{
	AccountEnabled:  {AccountDisabled},
	AccountDisabled: {AccountEnabled, AccountDeleting},
	AccountDeleting: {}, // and then gone
}

// Becomes reports why an account may not be moved to a state.
func (a Account) Becomes(to AccountState) error {
	switch {
	case a.Type != AccountUser && to == AccountDeleting:
		return Invalidf("Account cannot be deleted")
	case a.Type == AccountAdmin && to == AccountDisabled:
		return Invalidf("Cannot disable the admin account")
	case a.Type == AccountService:
		return Invalidf("The account of the engine itself cannot be altered")
	case a.State != to && !slices.Contains(nextAccount[a.State], to):
		return Invalidf("Invalid account state change requested. Cannot go from state %s to state %s", a.State, to)
	}
	return nil
}

// User logs in to an account.
type User struct {
	Name      string
	Account   string
	UUID      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Login is what a user's login is checked against.
type Login struct {
	User    User
	Account Account
	Hash    string // argon2id in PHC form; empty: cannot log in by password
	Grants  []Grant
}

// Native reports whether people log in as this user: those of the engine's own
// accounts are for its internal calls.
func (l Login) Native() bool { return l.Account.Type != AccountService }

// AccountFilter selects accounts; those of type service are never listed.
type AccountFilter struct {
	State AccountState // empty: any
	Text  string       // part of the name or of the address
	After string       // cursor: the name of the last one seen
	Limit int
}

// UserFilter selects users of one account.
type UserFilter struct {
	After string // cursor: the name of the last one seen
	Limit int
}

type peerKey struct{}

// WithPeer notes the address a request came from, so that failed logins are
// throttled by who makes them and nobody can lock out somebody else.
func WithPeer(ctx context.Context, addr string) context.Context {
	return context.WithValue(ctx, peerKey{}, addr)
}

// Peer is the address noted by WithPeer, or empty.
func Peer(ctx context.Context) string {
	addr, _ := ctx.Value(peerKey{}).(string)
	return addr
}
