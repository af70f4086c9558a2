package accounts

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"windlass/internal/engine"
)

// Records is what the Directory asks of the database.
type Records interface {
	Account(ctx context.Context, name string) (engine.Account, error)
	Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error)
	AddAccount(ctx context.Context, a engine.Account) (engine.Account, error)
	SetAccountState(ctx context.Context, name string, to engine.AccountState) error

	User(ctx context.Context, account, name string) (engine.Login, error)
	Users(ctx context.Context, account string, f engine.UserFilter) ([]engine.Login, string, error)
	RemoveUser(ctx context.Context, account, name string) error
	Login(ctx context.Context, user string) (engine.Login, error)

	RoleGrants(ctx context.Context, account, user string) ([]engine.RoleGrant, error)
	SetRoles(ctx context.Context, account, user string, roles []engine.Role, by string) error

	Tokens(ctx context.Context, user string) ([]engine.APIToken, error)
	AddToken(ctx context.Context, t engine.APIToken, hash []byte) (engine.APIToken, error)
	RemoveToken(ctx context.Context, user, id string) error

	AddAudit(ctx context.Context, e engine.AuditEntry) error
	Audit(ctx context.Context, f engine.AuditFilter) ([]engine.AuditEntry, int64, error)
}

// Directory keeps accounts, their users and what these may do: the rules of v1
// stand here, whoever asks. It tells the Authenticator of each change, so that
// what this process remembers is forgotten before the caller is answered.
type Directory struct {
	store Records
	auth  *Authenticator
	log   *slog.Logger
}

// NewDirectory makes a Directory beside the Authenticator of the same process.
func NewDirectory(store Records, auth *Authenticator, log *slog.Logger) *Directory {
	return &Directory{store: store, auth: auth, log: log}
}

// Accounts lists one page of accounts by name and the cursor of the next.
func (d *Directory) Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error) {
	return d.store.Accounts(ctx, f)
}

// Account finds an account.
func (d *Directory) Account(ctx context.Context, name string) (engine.Account, error) {
	a, err := d.store.Account(ctx, name)
	return a, noAccount(err)
}

// AddAccount makes an account for users.
func (d *Directory) AddAccount(ctx context.Context, a engine.Account) (engine.Account, error) {
	if a.Type == "" {
		a.Type = engine.AccountUser
	}
	switch {
	case slices.Contains(engine.ReservedAccounts, a.Name):
		return a, engine.Invalidf("Account name %s is reserved", a.Name)
	case a.Type != engine.AccountUser:
		return a, engine.Invalidf("An account of type %s cannot be made: only of type user", a.Type)
	}
	a, err := d.store.AddAccount(ctx, a)
	if errors.Is(err, engine.ErrConflict) {
		return a, engine.Conflictf("Account already exists")
	}
	if err == nil {
		d.auth.Forget("")
		d.log.InfoContext(ctx, "account added", "account", a.Name)
	}
	return a, err
}

// SetAccountState enables, disables or begins to delete an account. The catalog
// removes what a deleted one owns.
func (d *Directory) SetAccountState(ctx context.Context, name string, to engine.AccountState) error {
	defer d.auth.Forget("")
	if err := d.store.SetAccountState(ctx, name, to); err != nil {
		return noAccount(err)
	}
	d.log.InfoContext(ctx, "account state", "account", name, "state", to)
	return nil
}

// AddAudit notes an administrative action.
func (d *Directory) AddAudit(ctx context.Context, e engine.AuditEntry) error {
	return d.store.AddAudit(ctx, e)
}

// Audit lists one page of administrative actions, the newest first, as somebody
// may see them, and the cursor of the next page; 0 when there is none. Only
// administrators see more than one account, and only they what was done in one
// of the same name that has been deleted.
func (d *Directory) Audit(ctx context.Context, f engine.AuditFilter, by engine.Identity) ([]engine.AuditEntry, int64, error) {
	if !by.Admin {
		a, err := d.Account(ctx, f.Account)
		if err != nil {
			return nil, 0, err
		}
		if f.Since.Before(a.CreatedAt) {
			f.Since = a.CreatedAt
		}
	}
	return d.store.Audit(ctx, f)
}

func noAccount(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("Account not found")
	}
	return err
}
