package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// Roles is what the role operations ask of the engine.
type Roles interface {
	// RoleGrants lists the roles given in an account, also to users of others.
	RoleGrants(ctx context.Context, account string) ([]engine.RoleGrant, error)
	UserRoles(ctx context.Context, account, user string, by engine.Identity) ([]engine.RoleGrant, error)
	// SetRoles gives a user exactly these roles in an account.
	SetRoles(ctx context.Context, account, user string, roles []engine.Role, by engine.Identity) ([]engine.RoleGrant, error)
}

func (s *Server) rolesOps() map[string]op {
	return map[string]op{
		"listRoles":     {perm: anyo, call: s.listRoles},
		"listGrants":    {perm: inPath("listRoles"), call: s.listGrants},
		"listUserRoles": {perm: inPath("listRoles"), call: s.listUserRoles},
		"setUserRoles":  {perm: inPath("updateRoles"), call: s.setUserRoles},
	}
}

type roleJSON struct {
	Name        engine.Role `json:"name"`
	Description string      `json:"description"`
	Actions     []string    `json:"actions"`
}

type grantJSON struct {
	Username    string      `json:"username"`
	UserAccount string      `json:"user_account"`
	Account     string      `json:"account"`
	Role        engine.Role `json:"role"`
	GrantedBy   string      `json:"granted_by"`
	CreatedAt   string      `json:"created_at"`
}

func grantsOf(list []engine.RoleGrant) []grantJSON {
	out := make([]grantJSON, 0, len(list))
	for _, g := range list {
		out = append(out, grantJSON{g.User, g.UserAccount, g.Account, g.Role, g.GrantedBy, stamp(g.CreatedAt)})
	}
	return out
}

func (s *Server) listRoles(w http.ResponseWriter, _ *request) error {
	list := make([]roleJSON, 0, len(engine.Roles))
	for _, r := range engine.Roles {
		list = append(list, roleJSON{r, r.Says(), r.Actions()})
	}
	return reply(w, list)
}

func (s *Server) listGrants(w http.ResponseWriter, r *request) error {
	list, err := s.backend.RoleGrants(r.Context(), r.Account)
	if err != nil {
		return err
	}
	return reply(w, grantsOf(list))
}

func (s *Server) listUserRoles(w http.ResponseWriter, r *request) error {
	list, err := s.backend.UserRoles(r.Context(), r.Account, r.param("username"), r.Identity)
	if err != nil {
		return err
	}
	return reply(w, grantsOf(list))
}

func (s *Server) setUserRoles(w http.ResponseWriter, r *request) error {
	var body struct{ Roles []engine.Role }
	if err := r.decode(&body); err != nil {
		return err
	}
	list, err := s.backend.SetRoles(r.Context(), r.Account, r.param("username"), body.Roles, r.Identity)
	if err != nil {
		return err
	}
	return reply(w, grantsOf(list))
}
