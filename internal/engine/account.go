package engine

import (
	"context"
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
}

// Identity is who a login makes of its user.
func (l Login) Identity() Identity {
	return Identity{
		User: l.User.Name, Account: l.Account.Name,
		Admin:    l.Account.Type == AccountAdmin || l.Account.Type == AccountService,
		Disabled: l.Account.State != AccountEnabled,
	}
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
