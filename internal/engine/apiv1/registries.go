package apiv1

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Registries is what the registries operations ask of the engine.
type Registries interface {
	Registries(ctx context.Context, account string) ([]engine.Registry, error)
	Registry(ctx context.Context, account, name string) (engine.Registry, error)
	// CheckRegistry asks the registry whether it takes the credential. Without
	// a password the stored one of the same user is tried.
	CheckRegistry(ctx context.Context, r engine.Registry) error
	AddRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error)
	// UpdateRegistry replaces all fields. Without a password the stored one of
	// the same user stays.
	UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error)
	RemoveRegistry(ctx context.Context, account, name string) error

	registryAnswers
}

func (s *Server) registriesOps() map[string]op {
	return map[string]op{
		"listRegistries": {perm: acct("listRegistries"), call: s.listRegistries},
		"createRegistry": {perm: acct("createRegistry"), call: s.createRegistry},
		"getRegistry":    {perm: acct("getRegistry"), call: s.getRegistry},
		"updateRegistry": {perm: acct("updateRegistry"), call: s.updateRegistry},
		"deleteRegistry": {perm: acct("deleteRegistry"), call: s.deleteRegistry},

		"listRegistryStates": {perm: acct("listRegistries"), call: s.listRegistryStates},
		"verifyRegistry":     {perm: acct("createRegistry"), call: s.verifyRegistry, heavy: true},
		"explainImage":       {perm: acct("listRegistries"), call: s.explainImage},
		"tryImage":           {perm: acct("createImage"), call: s.tryImage, heavy: true},
	}
}

// Registry is a stored registry on the wire. The password never is.
type Registry struct {
	Registry    string `json:"registry"`
	Name        string `json:"registry_name"`
	Type        string `json:"registry_type"`
	User        string `json:"registry_user"`
	Verify      bool   `json:"registry_verify"`
	UserID      string `json:"userId"`
	CreatedAt   string `json:"created_at"`
	LastUpdated string `json:"last_updated"`
}

func wireRegistries(list ...engine.Registry) []Registry {
	out := make([]Registry, 0, len(list))
	for _, r := range list {
		out = append(out, Registry{
			Registry: r.Name, Name: r.Label, Type: r.Type, User: r.User, Verify: r.Verify, UserID: r.Account,
			CreatedAt: stamp(r.CreatedAt), LastUpdated: stamp(r.UpdatedAt),
		})
	}
	return out
}

// registryBody is what a client sends of a registry.
type registryBody struct {
	Registry string `json:"registry"`
	Name     string `json:"registry_name"`
	Type     string `json:"registry_type"`
	User     string `json:"registry_user"`
	Password string `json:"registry_pass"`
	Verify   *bool  `json:"registry_verify"`
}

// registryOf reads the body of a POST or PUT and refuses what v1 refuses, with
// its codes.
func registryOf(r *request) (engine.Registry, error) {
	var b registryBody
	if err := r.decode(&b); err != nil {
		return engine.Registry{}, err
	}
	name := strings.TrimSpace(b.Registry)
	switch {
	case name == "":
		return engine.Registry{}, errorf(http.StatusInternalServerError, "body does not contain registry key")
	case strings.HasSuffix(name, "/") || strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://"):
		return engine.Registry{}, errorf(http.StatusConflict, "input registry name cannot end with trailing slash or begin with http:// or https://")
	}
	v := engine.Registry{
		Account: r.Account, Name: name, Label: b.Name, Type: b.Type, User: b.User,
		Password: engine.Secret(b.Password), Verify: b.Verify == nil || *b.Verify,
	}
	if v.Label == "" {
		v.Label = name
	}
	if v.Type == "" {
		v.Type = engine.RegistryDocker
	}
	return v, nil
}

// check tries a credential unless the client asked not to, and notes that it
// was taken. One of AWS is used at once, since a token has to be made with it.
func (s *Server) check(r *request, v *engine.Registry) error {
	if v.User == "awsauto" && !s.opts.AWSAuto {
		return errorf(http.StatusNotAcceptable, "'awsauto' is not enabled in service configuration")
	}
	if v.Type != engine.RegistryAmazon && !r.queryBool("validate", true) {
		return nil
	}
	began := time.Now()
	err := s.backend.CheckRegistry(r.Context(), *v)
	if err == nil || r.Context().Err() != nil {
		v.Check = engine.CheckedRegistry(began, time.Now(), nil)
		return err
	}
	fault := engine.Fault{
		Kind: engine.ErrInvalid, Cause: err,
		Message: "cannot ping supplied registry with supplied credentials - exception: " + engine.MessageOf(err, "the registry could not be asked"),
	}
	var inner *engine.Fault
	if errors.As(err, &inner) {
		fault.Codes = inner.Codes
	}
	return status(&fault, http.StatusNotAcceptable)
}

func (s *Server) listRegistries(w http.ResponseWriter, r *request) error {
	list, err := s.backend.Registries(r.Context(), r.Account)
	if err != nil {
		return err
	}
	return reply(w, wireRegistries(list...))
}

func (s *Server) createRegistry(w http.ResponseWriter, r *request) error {
	v, err := registryOf(r)
	if err != nil {
		return err
	}
	exists := errorf(http.StatusInternalServerError, "registry already exists in DB")
	if _, err := s.backend.Registry(r.Context(), r.Account, v.Name); err == nil {
		return exists // before anything is asked of it
	} else if !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	if err := s.check(r, &v); err != nil {
		return err
	}
	v, err = s.backend.AddRegistry(r.Context(), v)
	if errors.Is(err, engine.ErrConflict) {
		return exists
	}
	if err != nil {
		return err
	}
	return reply(w, wireRegistries(v))
}

func (s *Server) getRegistry(w http.ResponseWriter, r *request) error {
	v, err := s.backend.Registry(r.Context(), r.Account, r.param("registry"))
	if err != nil {
		return named(err, "registry not found in DB", "")
	}
	return reply(w, wireRegistries(v))
}

func (s *Server) updateRegistry(w http.ResponseWriter, r *request) error {
	v, err := registryOf(r)
	if err != nil {
		return err
	}
	if v.Name != r.param("registry") {
		return errorf(http.StatusConflict, "input registry does not match the registry in the path")
	}
	if _, err := s.backend.Registry(r.Context(), r.Account, v.Name); err != nil {
		return named(err, "registry not found in DB", "")
	}
	if err := s.check(r, &v); err != nil {
		return err
	}
	if v, err = s.backend.UpdateRegistry(r.Context(), v); err != nil {
		return named(err, "registry not found in DB", "")
	}
	return reply(w, wireRegistries(v))
}

func (s *Server) deleteRegistry(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveRegistry(r.Context(), r.Account, r.param("registry")); err != nil {
		return err
	}
	return reply(w, true)
}
