package apiv1

import (
	"context"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Tokens is what the token operations ask of the engine.
type Tokens interface {
	Tokens(ctx context.Context, account, user string) ([]engine.APIToken, error)
	// AddToken makes a token and returns its text, which nobody can read again.
	AddToken(ctx context.Context, account string, t engine.APIToken, by engine.Identity) (engine.APIToken, engine.Secret, error)
	RemoveToken(ctx context.Context, account, user, id string) error
}

func (s *Server) tokensOps() map[string]op {
	return map[string]op{
		"listOwnTokens":   {perm: anyo, call: own(s.listTokens)},
		"createOwnToken":  {perm: anyo, call: own(s.createToken)},
		"deleteOwnToken":  {perm: anyo, call: own(s.deleteToken)},
		"listUserTokens":  {perm: inPath("listTokens"), call: inUserPath(s.listTokens)},
		"createUserToken": {perm: admin("createToken"), call: inUserPath(s.createToken)},
		"deleteUserToken": {perm: inPath("deleteToken"), call: inUserPath(s.deleteToken)},
	}
}

// whose is the user that an operation is about.
type whose struct{ account, user string }

func own(f func(http.ResponseWriter, *request, whose) error) handler {
	return func(w http.ResponseWriter, r *request) error {
		return f(w, r, whose{r.Identity.Account, r.Identity.User})
	}
}

func inUserPath(f func(http.ResponseWriter, *request, whose) error) handler {
	return func(w http.ResponseWriter, r *request) error {
		return f(w, r, whose{r.param("accountname"), r.param("username")})
	}
}

type tokenJSON struct {
	ID        string  `json:"id"`
	Username  string  `json:"username"`
	Name      string  `json:"name"`
	Role      *string `json:"role"`
	Account   *string `json:"account"`
	CreatedBy string  `json:"created_by"`
	CreatedAt string  `json:"created_at"`
	ExpiresAt string  `json:"expires_at"`
	UsedAt    *string `json:"last_used_at"`
	Token     string  `json:"token,omitempty"` // in the answer that makes it, and never again
}

func tokenOf(t engine.APIToken) tokenJSON {
	return tokenJSON{
		ID: t.ID, Username: t.User, Name: t.Name, Role: orNil(string(t.Scope.Role)), Account: orNil(t.Scope.Account),
		CreatedBy: t.CreatedBy, CreatedAt: stamp(t.CreatedAt), ExpiresAt: stamp(t.ExpiresAt), UsedAt: stampOrNil(t.UsedAt),
	}
}

func (s *Server) listTokens(w http.ResponseWriter, r *request, of whose) error {
	tokens, err := s.backend.Tokens(r.Context(), of.account, of.user)
	if err != nil {
		return err
	}
	list := make([]tokenJSON, 0, len(tokens))
	for _, t := range tokens {
		list = append(list, tokenOf(t))
	}
	return reply(w, list)
}

func (s *Server) createToken(w http.ResponseWriter, r *request, of whose) error {
	var body struct {
		Name    string
		Role    engine.Role
		Account string
		Expires string `json:"expires_at"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	t := engine.APIToken{User: of.user, Name: body.Name, Scope: engine.Scope{Role: body.Role, Account: body.Account}}
	if body.Expires != "" {
		var err error
		if t.ExpiresAt, err = time.Parse(time.RFC3339, body.Expires); err != nil {
			return engine.Invalidf("expires_at: want a time such as 2030-01-31T12:00:00Z")
		}
	}
	t, text, err := s.backend.AddToken(r.Context(), of.account, t, r.Identity)
	if err != nil {
		return err
	}
	wire := tokenOf(t)
	wire.Token = text.Reveal()
	w.Header().Set("Cache-Control", "no-store")
	return reply(w, wire)
}

func (s *Server) deleteToken(w http.ResponseWriter, r *request, of whose) error {
	if err := s.backend.RemoveToken(r.Context(), of.account, of.user, r.param("tokenId")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
