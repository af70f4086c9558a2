package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// registryAnswers is what the operations beyond v1 ask of the engine about
// stored registries.
type registryAnswers interface {
	// VerifyRegistry asks a stored registry and keeps how that ended, which is
	// told in its check.
	VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error)
	// RegistryUses tells, by name, what is asked for with each.
	RegistryUses(ctx context.Context, account string) (map[string]engine.RegistryUse, error)
	// ExplainImage tells where an image would be asked for and with what; it
	// asks nobody. TryImage asks.
	ExplainImage(ctx context.Context, account, image string) (engine.RegistryRoute, error)
	TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error)
}

// wireRegistryState is a stored registry with how it fares.
type wireRegistryState struct {
	Registry
	Check    *wireRegistryCheck `json:"check"`
	UsedAt   *string            `json:"last_used_at"`
	UsedFor  *string            `json:"last_used_for"`
	Depend   wireRegistryUse    `json:"used_by"`
	Password bool               `json:"has_password"`
}

type wireRegistryCheck struct {
	At      string  `json:"at"`
	OK      bool    `json:"ok"`
	Cause   *string `json:"cause"`
	Message *string `json:"message"`
	Millis  int64   `json:"took_ms"`
}

type wireRegistryUse struct {
	Tags          int `json:"tags"`
	Repositories  int `json:"repositories"`
	Subscriptions int `json:"subscriptions"`
}

func wireCheckOf(c engine.RegistryCheck) *wireRegistryCheck {
	if c.At.IsZero() {
		return nil
	}
	return &wireRegistryCheck{At: stamp(c.At), OK: c.OK(), Cause: orNil(c.Cause), Message: orNil(c.Text), Millis: c.Took.Milliseconds()}
}

func wireStateOf(v engine.Registry, use engine.RegistryUse) wireRegistryState {
	return wireRegistryState{
		Registry: wireRegistries(v)[0], Check: wireCheckOf(v.Check), UsedAt: stampOrNil(v.UsedAt), UsedFor: orNil(v.UsedFor),
		Depend: wireRegistryUse(use), Password: v.Password != "",
	}
}

func (s *Server) listRegistryStates(w http.ResponseWriter, r *request) error {
	list, err := s.backend.Registries(r.Context(), r.Account)
	if err != nil {
		return err
	}
	uses, err := s.backend.RegistryUses(r.Context(), r.Account)
	if err != nil {
		return err
	}
	out := make([]wireRegistryState, len(list))
	for i, v := range list {
		out[i] = wireStateOf(v, uses[v.Name])
	}
	return reply(w, map[string]any{"registries": out})
}

func (s *Server) verifyRegistry(w http.ResponseWriter, r *request) error {
	var body struct {
		Registry string `json:"registry"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	v, err := s.backend.VerifyRegistry(r.Context(), r.Account, body.Registry)
	if err != nil {
		return named(err, "registry not found in DB", "")
	}
	uses, err := s.backend.RegistryUses(r.Context(), r.Account)
	if err != nil {
		return err
	}
	return reply(w, wireStateOf(v, uses[v.Name]))
}

// wireRoute tells where an image is asked for.
type wireRoute struct {
	Image  string              `json:"image"`
	Asks   []wireAsk           `json:"asks"`
	Stored []wireRegistryMatch `json:"stored"`
}

type wireAsk struct {
	Address  string   `json:"address"`
	Mirror   bool     `json:"mirror"`
	Library  bool     `json:"library_added"`
	Verify   bool     `json:"tls_verified"`
	Registry *string  `json:"registry"`
	User     *string  `json:"registry_user"`
	Why      string   `json:"why"`
	Others   []string `json:"passed_over"`
	Tried    *wireTry `json:"tried"`
}

type wireTry struct {
	wireRegistryCheck
	Digest *string `json:"imageDigest"`
	Size   int64   `json:"size_bytes"`
	Layers int     `json:"layers"`
}

type wireRegistryMatch struct {
	Registry string `json:"registry"`
	Rule     string `json:"rule"`
	Matches  bool   `json:"matches"`
	Used     bool   `json:"used"`
}

func wireRouteOf(route engine.RegistryRoute) wireRoute {
	v := wireRoute{Image: route.Image, Asks: make([]wireAsk, len(route.Asks)), Stored: make([]wireRegistryMatch, len(route.Stored))}
	for i, a := range route.Asks {
		v.Asks[i] = wireAsk{
			Address: a.Address, Mirror: a.Mirror, Library: a.Library, Verify: a.Verify, Why: a.Choice.Why,
			Registry: orNil(a.Choice.Registry.Name), User: orNil(a.Choice.Registry.User), Others: append([]string{}, a.Choice.Others...),
		}
		if t := a.Tried; t != nil {
			v.Asks[i].Tried = &wireTry{wireRegistryCheck: *wireCheckOf(t.RegistryCheck), Digest: orNil(string(t.Digest)), Size: t.Size, Layers: t.Layers}
		}
	}
	for i, m := range route.Stored {
		v.Stored[i] = wireRegistryMatch{Registry: m.Name, Rule: m.Rule, Matches: m.Matches, Used: m.Used}
	}
	return v
}

func (s *Server) explainImage(w http.ResponseWriter, r *request) error {
	route, err := s.backend.ExplainImage(r.Context(), r.Account, r.queryText("image"))
	if err != nil {
		return err
	}
	return reply(w, wireRouteOf(route))
}

func (s *Server) tryImage(w http.ResponseWriter, r *request) error {
	var body struct {
		Image string `json:"image"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	route, err := s.backend.TryImage(r.Context(), r.Account, body.Image)
	if err != nil {
		return err
	}
	return reply(w, wireRouteOf(route))
}
