package bff

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Registries is what the registries pages ask of an engine.
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
	// ChooseRegistry tells which stored registry is used for an image, and why.
	ChooseRegistry(ctx context.Context, account, image string) (engine.RegistryChoice, error)
}

// Names of registries hold slashes, so they travel in the query and in forms
// and never in the path.
func (s *Server) registriesRoutes(r fiber.Router) {
	r.Get("/registries", s.listRegistries)
	r.Post("/registries", s.may("createRegistry"), s.saveRegistry)
	r.Post("/registries/verify", s.may("createRegistry"), s.verifyRegistry)
	r.Post("/registries/remove", s.may("deleteRegistry"), s.removeRegistry)
}

func (s *Server) listRegistries(c *fiber.Ctx) error {
	q := query(c)
	form := view.RegistryForm{Open: q.Get("add") != ""}
	if name := q.Get("edit"); name != "" {
		r, err := s.engine.Registry(c.UserContext(), s.who(c).Account, name)
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no registry %s. It may have been removed.", name)
		}
		if err != nil {
			return err
		}
		form = view.RegistryForm{Open: true, Edit: r.Name, Name: r.Name, Label: r.Label, User: r.User, Insecure: !r.Verify}
	}
	return s.renderRegistries(c, form)
}

func (s *Server) renderRegistries(c *fiber.Ctx, form view.RegistryForm) error {
	account := s.who(c).Account
	list, err := s.engine.Registries(c.UserContext(), account)
	if err != nil {
		return err
	}
	asked := strings.TrimSpace(query(c).Get("image"))
	var choice engine.RegistryChoice
	var shown view.RegistryChoice
	if asked != "" {
		choice, err = s.engine.ChooseRegistry(c.UserContext(), account, asked)
		switch {
		case errors.Is(err, engine.ErrInvalid):
			shown = view.RegistryChoice{Image: asked, Tone: "bad", Text: engine.MessageOf(err, "That is not the name of an image.")}
		case err != nil:
			return err
		default:
			shown = present.RegistryChoice(asked, choice)
		}
	}
	v := present.Registries(list, choice.Registry.Name, s.clock(c))
	v.Form, v.Choice = form, shown
	return s.render(c, templates.Registries(s.page(c, "Registries", "registries"), v))
}

// saveRegistry adds a registry, or changes the one the form was opened for.
func (s *Server) saveRegistry(c *fiber.Ctx) error {
	r, form := registryForm(c.FormValue)
	r.Account = s.who(c).Account
	if err := s.storeRegistry(c.UserContext(), r, form); err != nil {
		var f *engine.Fault
		if !errors.As(err, &f) {
			return err
		}
		form.Fault = f.Message
		c.Status(http.StatusBadRequest)
		return s.renderRegistries(c, form)
	}
	if form.Edit != "" {
		return s.done(c, present.RegistriesHref, "Changed "+r.Name+".", "")
	}
	return s.done(c, present.RegistriesHref, "Added "+r.Name+".", "")
}

func (s *Server) storeRegistry(ctx context.Context, r engine.Registry, form view.RegistryForm) error {
	switch {
	case r.Name == "":
		return engine.Invalidf("Name the registry: a host, such as registry.example.com:5000.")
	case strings.Contains(r.Name, "://") || strings.HasSuffix(r.Name, "/"):
		return engine.Invalidf("Give the registry's host alone, without https:// and without a slash at the end.")
	}
	if form.Edit != "" {
		old, err := s.engine.Registry(ctx, r.Account, form.Edit)
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no registry %s any more.", form.Edit)
		}
		if err != nil {
			return err
		}
		r.Type = old.Type
	}
	if !form.Skip {
		if err := s.engine.CheckRegistry(ctx, r); err != nil {
			return err
		}
	}
	if form.Edit != "" {
		_, err := s.engine.UpdateRegistry(ctx, r)
		return err
	}
	_, err := s.engine.AddRegistry(ctx, r)
	if errors.Is(err, engine.ErrConflict) {
		return engine.Conflictf("%s is stored already: edit it instead.", r.Name)
	}
	return err
}

// registryForm reads the form: what to store, and the form as it was sent but
// for the password.
func registryForm(value func(string, ...string) string) (engine.Registry, view.RegistryForm) {
	get := func(k string) string { return strings.TrimSpace(value(k)) }
	f := view.RegistryForm{
		Open: true, Edit: get("edit"), Name: get("registry"), Label: get("label"), User: get("user"),
		Insecure: get("insecure") != "", Skip: get("skip") != "",
	}
	if f.Edit != "" {
		f.Name = f.Edit
	}
	r := engine.Registry{Name: f.Name, Label: f.Label, Type: "docker_v2", User: f.User, Password: engine.Secret(value("password")), Verify: !f.Insecure}
	if r.Label == "" {
		r.Label = r.Name
	}
	return r, f
}

// verifyRegistry tries a stored credential now.
func (s *Server) verifyRegistry(c *fiber.Ctx) error {
	r, err := s.engine.Registry(c.UserContext(), s.who(c).Account, c.FormValue("registry"))
	if err != nil {
		return err
	}
	if err := s.engine.CheckRegistry(c.UserContext(), r); err != nil {
		var f *engine.Fault
		if !errors.As(err, &f) {
			return err
		}
		setFlash(c, view.Flash{Tone: "bad", Text: f.Message})
		return c.Redirect(present.RegistriesHref, fiber.StatusSeeOther)
	}
	text := r.Name + " answers and takes the credential."
	if r.User == "" {
		text = r.Name + " answers."
	}
	return s.done(c, present.RegistriesHref, text, "")
}

func (s *Server) removeRegistry(c *fiber.Ctx) error {
	name := c.FormValue("registry")
	if err := s.engine.RemoveRegistry(c.UserContext(), s.who(c).Account, name); err != nil {
		return err
	}
	return s.done(c, present.RegistriesHref, "Removed "+name+".", "")
}
