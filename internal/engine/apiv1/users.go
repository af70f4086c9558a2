package apiv1

import (
	"context"
	"net/http"
	"strings"

	"windlass/internal/engine"
)

// Users is what the user operations ask of the engine.
type Users interface {
	// Users lists one page of an account's users by name and the cursor of the
	// next.
	Users(ctx context.Context, account string, f engine.UserFilter) ([]engine.Login, string, error)
	// User finds a user of an account; what it holds of the password is not
	// for anybody's eyes.
	User(ctx context.Context, account, name string) (engine.Login, error)
	AddUser(ctx context.Context, account, name string, password engine.Secret) (engine.Login, error)
	// RemoveUser deletes a user other than the one who asks.
	RemoveUser(ctx context.Context, account, name, by string) error
	// SetPassword replaces a user's password.
	SetPassword(ctx context.Context, account, user string, password engine.Secret) error
	// ClearPassword ends the logins by password of a user other than the one
	// who asks.
	ClearPassword(ctx context.Context, account, user, by string) error
}

func (s *Server) usersOps() map[string]op {
	return map[string]op{
		"getUser":              {perm: anyo, call: s.getUser},
		"listOwnCredentials":   {perm: anyo, call: s.listOwnCredentials},
		"setOwnCredential":     {perm: anyo, call: s.setOwnCredential, heavy: true},
		"listUsers":            {perm: inPath("listUsers"), call: s.listUsers},
		"createUser":           {perm: inPath("createUser"), call: s.createUser, heavy: true},
		"getAccountUser":       {perm: inPath("getUser"), call: s.getAccountUser},
		"deleteUser":           {perm: inPath("deleteUser"), call: s.deleteUser},
		"listUserCredentials":  {perm: inPath("getUser"), call: s.listUserCredentials},
		"setUserCredential":    {perm: inPath("updateUser"), call: s.setUserCredential, heavy: true},
		"deleteUserCredential": {perm: inPath("updateUser"), call: s.deleteUserCredential},
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
	if !l.Native() {
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

func (s *Server) listUsers(w http.ResponseWriter, r *request) error {
	return replyList(w, paged(userOf, func(after string) ([]engine.Login, string, error) {
		return s.backend.Users(r.Context(), r.Account, engine.UserFilter{After: after, Limit: 500})
	}))
}

func (s *Server) createUser(w http.ResponseWriter, r *request) error {
	var body struct{ Username, Password string }
	if err := r.decode(&body); err != nil {
		return err
	}
	l, err := s.backend.AddUser(r.Context(), r.Account, body.Username, engine.Secret(body.Password))
	if err != nil {
		return duplicate(err)
	}
	return reply(w, userOf(l))
}

// userInPath finds the user that the path names in its account; the engine's
// own are not there.
func (s *Server) userInPath(r *request) (engine.Login, error) {
	l, err := s.backend.User(r.Context(), r.Account, r.param("username"))
	if err != nil {
		return l, named(err, "User not found", "")
	}
	if !l.Native() {
		return l, engine.NotFoundf("User not found")
	}
	return l, nil
}

func (s *Server) getAccountUser(w http.ResponseWriter, r *request) error {
	l, err := s.userInPath(r)
	if err != nil {
		return err
	}
	return reply(w, userOf(l))
}

func (s *Server) deleteUser(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveUser(r.Context(), r.Account, r.param("username"), r.Identity.User); err != nil {
		return named(err, "User not found", "")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) listUserCredentials(w http.ResponseWriter, r *request) error {
	l, err := s.userInPath(r)
	if err != nil {
		return err
	}
	list := []credentialJSON{}
	if l.Hash != "" {
		list = append(list, credentialOf(l))
	}
	return reply(w, list)
}

func (s *Server) setUserCredential(w http.ResponseWriter, r *request) error {
	return s.setPassword(w, r, r.Account, r.param("username"))
}

func (s *Server) deleteUserCredential(w http.ResponseWriter, r *request) error {
	if err := s.backend.ClearPassword(r.Context(), r.Account, r.param("username"), r.Identity.User); err != nil {
		return named(err, "User not found", "")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) getUser(w http.ResponseWriter, r *request) error {
	l, err := s.backend.User(r.Context(), r.Identity.Account, r.Identity.User)
	if err != nil {
		return err
	}
	return reply(w, userOf(l))
}

func (s *Server) listOwnCredentials(w http.ResponseWriter, r *request) error {
	l, err := s.backend.User(r.Context(), r.Identity.Account, r.Identity.User)
	if err != nil {
		return err
	}
	if l.Hash == "" {
		return errorf(http.StatusInternalServerError, "User has no credentials")
	}
	return reply(w, []credentialJSON{credentialOf(l)})
}

func (s *Server) setOwnCredential(w http.ResponseWriter, r *request) error {
	return s.setPassword(w, r, r.Identity.Account, r.Identity.User)
}

// setPassword answers with the new password masked; v1's document promises a
// user.
func (s *Server) setPassword(w http.ResponseWriter, r *request, account, user string) error {
	var body struct{ Value string }
	if err := r.decode(&body); err != nil {
		return err
	}
	if r.Identity.Token() != "" && user == r.Identity.User {
		// Whoever found a token would keep the user when it is revoked.
		return engine.Forbiddenf("Not authorized. An API token cannot set the password of its own user.")
	}
	if err := s.backend.SetPassword(r.Context(), account, user, engine.Secret(body.Value)); err != nil {
		return named(err, "User not found", "")
	}
	l, err := s.backend.User(r.Context(), account, user)
	if err != nil {
		return named(err, "User not found", "")
	}
	return reply(w, credentialOf(l))
}
