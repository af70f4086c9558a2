package apiv1

import (
	"errors"
	"net/http"
	"strings"

	"windlass/internal/engine"
)

func (s *Server) accountsOps() map[string]op {
	return map[string]op{
		"getAccount":         {perm: acct("getAccount"), call: s.getAccount},
		"getUser":            {perm: anyo, call: s.getUser},
		"listOwnCredentials": {perm: anyo, call: s.listOwnCredentials},
		"setOwnCredential":   {perm: anyo, call: s.setOwnCredential, heavy: true},
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

type userJSON struct {
	Username    string  `json:"username"`
	Type        string  `json:"type"`
	Source      *string `json:"source"`
	CreatedAt   string  `json:"created_at"`
	LastUpdated string  `json:"last_updated"`
}

func userOf(l engine.Login) userJSON {
	kind := "native"
	if l.Account.Type == engine.AccountService {
		kind = "internal"
	}
	return userJSON{Username: l.User.Name, Type: kind, CreatedAt: stamp(l.User.CreatedAt), LastUpdated: stamp(l.User.UpdatedAt)}
}

type credentialJSON struct {
	Type      string `json:"type"`
	Value     string `json:"value"`
	CreatedAt string `json:"created_at"`
}

// credentialOf masks what is stored, a star a character. That is the hash, so
// the stars tell nothing of the password.
func credentialOf(l engine.Login) credentialJSON {
	return credentialJSON{Type: "password", Value: strings.Repeat("*", len(l.Hash)), CreatedAt: stamp(l.User.UpdatedAt)}
}

func (s *Server) getAccount(w http.ResponseWriter, r *request) error {
	a, err := s.backend.Account(r.Context(), r.Account)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("Account not found")
	}
	if err != nil {
		return err
	}
	return reply(w, accountOf(a))
}

func (s *Server) getUser(w http.ResponseWriter, r *request) error {
	l, err := s.backend.User(r.Context(), r.Identity.User)
	if err != nil {
		return err
	}
	return reply(w, userOf(l))
}

func (s *Server) listOwnCredentials(w http.ResponseWriter, r *request) error {
	l, err := s.backend.User(r.Context(), r.Identity.User)
	if err != nil {
		return err
	}
	if l.Hash == "" {
		return errorf(http.StatusInternalServerError, "User has no credentials")
	}
	return reply(w, []credentialJSON{credentialOf(l)})
}

func (s *Server) setOwnCredential(w http.ResponseWriter, r *request) error {
	var body struct{ Value string }
	if err := r.decode(&body); err != nil {
		return err
	}
	if err := s.backend.SetPassword(r.Context(), r.Identity.User, engine.Secret(body.Value)); err != nil {
		return err
	}
	l, err := s.backend.User(r.Context(), r.Identity.User)
	if err != nil {
		return err
	}
	return reply(w, credentialOf(l))
}
