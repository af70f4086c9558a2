package apiv1

import (
	"context"
	"errors"
	"net/http"

	"windlass/internal/engine"
)

// Accounts is what the account operations ask of the engine.
type Accounts interface {
	// Accounts lists one page by name, without those of the engine itself, and
	// the cursor of the next.
	Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error)
	Account(ctx context.Context, name string) (engine.Account, error)
	AddAccount(ctx context.Context, a engine.Account) (engine.Account, error)
	SetAccountState(ctx context.Context, name string, to engine.AccountState) error
}

func (s *Server) accountsOps() map[string]op {
	return map[string]op{
		"getAccount":         {perm: acct("getAccount"), call: s.getAccount},
		"listAccounts":       {perm: admin("listAccounts"), call: s.listAccounts},
		"createAccount":      {perm: admin("createAccount"), call: s.createAccount},
		"getNamedAccount":    {perm: inPath("getAccount"), call: s.getAccount},
		"deleteAccount":      {perm: admin("deleteAccount"), call: s.deleteAccount},
		"updateAccountState": {perm: admin("updateAccount"), call: s.updateAccountState},
	}
}

type accountJSON struct {
	Name        string  `json:"name"`
	Email       *string `json:"email"`
	State       string  `json:"state"`
	Type        string  `json:"type"`
	CreatedAt   string  `json:"created_at"`
	LastUpdated string  `json:"last_updated"`
}

func accountOf(a engine.Account) accountJSON {
	return accountJSON{
		Name: a.Name, Email: orNil(a.Email), State: string(a.State), Type: a.Type,
		CreatedAt: stamp(a.CreatedAt), LastUpdated: stamp(a.UpdatedAt),
	}
}

type accountStateJSON struct {
	State engine.AccountState `json:"state"`
}

func (s *Server) listAccounts(w http.ResponseWriter, r *request) error {
	f := engine.AccountFilter{State: engine.AccountState(r.queryText("state")), Limit: 500}
	return replyList(w, paged(accountOf, func(after string) ([]engine.Account, string, error) {
		f.After = after
		return s.backend.Accounts(r.Context(), f)
	}))
}

func (s *Server) createAccount(w http.ResponseWriter, r *request) error {
	var body struct{ Name, Email, Type string }
	if err := r.decode(&body); err != nil {
		return err
	}
	a, err := s.backend.AddAccount(r.Context(), engine.Account{Name: body.Name, Email: body.Email, Type: body.Type})
	if err != nil {
		return duplicate(err)
	}
	return reply(w, accountOf(a))
}

// duplicate answers a name that is taken as v1 does, which is not a 409.
func duplicate(err error) error {
	if errors.Is(err, engine.ErrConflict) {
		return status(err, http.StatusBadRequest)
	}
	return err
}

// getAccount answers with the account in the path, or with that of the request.
func (s *Server) getAccount(w http.ResponseWriter, r *request) error {
	a, err := s.backend.Account(r.Context(), r.Account)
	if err != nil {
		return named(err, "Account not found", "")
	}
	if a.Type == engine.AccountService {
		// v1 has no answer for it and fails; nobody is shown this account.
		return errorf(http.StatusInternalServerError, "Account %s is not available", a.Name)
	}
	return reply(w, accountOf(a))
}

// deleteAccount begins the deletion. v1 says so with a body and 200 where its
// document promises an empty 204.
func (s *Server) deleteAccount(w http.ResponseWriter, r *request) error {
	return s.moveAccount(w, r, engine.AccountDeleting)
}

func (s *Server) updateAccountState(w http.ResponseWriter, r *request) error {
	var body accountStateJSON
	if err := r.decode(&body); err != nil {
		return err
	}
	return s.moveAccount(w, r, body.State)
}

func (s *Server) moveAccount(w http.ResponseWriter, r *request, to engine.AccountState) error {
	if err := s.backend.SetAccountState(r.Context(), r.param("accountname"), to); err != nil {
		return named(err, "Account not found", "")
	}
	return reply(w, accountStateJSON{to})
}
