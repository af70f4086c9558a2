package bff

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	// VerifyRegistry asks a stored registry and keeps how that ended: a refusal
	// is told in its check and is no error.
	VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error)
	AddRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error)
	// UpdateRegistry replaces all fields. Without a password the stored one of
	// the same user stays.
	UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error)
	RemoveRegistry(ctx context.Context, account, name string) error
	// RestoreRegistry takes a removal of a moment ago back.
	RestoreRegistry(ctx context.Context, account, name string) error
	// RegistryUses tells, by name, what is asked for with each stored registry.
	RegistryUses(ctx context.Context, account string) (map[string]engine.RegistryUse, error)
	// ExplainImage tells where an image would be asked for, with which of the
	// stored registries and why; it asks nobody. TryImage asks.
	ExplainImage(ctx context.Context, account, image string) (engine.RegistryRoute, error)
	TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error)
}

// Names of registries hold slashes, so they travel in the query and in forms
// and never in the path.
func (s *Server) registriesRoutes(r fiber.Router) {
	r.Get("/registries", s.listRegistries)
	r.Get("/registries/try", s.listRegistries) // the address of a page that shows what was answered
	r.Get("/registries/remove", s.confirmRegistry)
	r.Post("/registries", s.may("createRegistry"), s.saveRegistry)
	r.Post("/registries/verify", s.may("createRegistry"), s.verifyRegistry)
	r.Post("/registries/try", s.may("createImage"), s.tryImage)
	r.Post("/registries/remove", s.may("deleteRegistry"), s.removeRegistry)
	r.Post("/registries/restore", s.may("createRegistry"), s.restoreRegistry)
}

// registriesAsk is what the page shows beside the list.
type registriesAsk struct {
	form  view.RegistryForm
	image string // whose way is explained; empty: none
	try   bool   // and tried
}

func (s *Server) listRegistries(c *fiber.Ctx) error {
	q := query(c)
	ask := registriesAsk{form: view.RegistryForm{Open: q.Get("add") != "", Name: q.Get("registry")}, image: strings.TrimSpace(q.Get("image"))}
	if name := q.Get("edit"); name != "" {
		r, err := s.engine.Registry(c.UserContext(), s.who(c).Account, name)
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no registry %s. It may have been removed.", name)
		}
		if err != nil {
			return err
		}
		ask.form = view.RegistryForm{Open: true, Edit: r.Name, Name: r.Name, Label: r.Label, User: r.User, Type: r.Type, Insecure: !r.Verify}
	}
	return s.renderRegistries(c, ask)
}

// tryImage asks for an image and shows what was answered.
func (s *Server) tryImage(c *fiber.Ctx) error {
	return s.renderRegistries(c, registriesAsk{image: strings.TrimSpace(c.FormValue("image")), try: true})
}

func (s *Server) renderRegistries(c *fiber.Ctx, ask registriesAsk) error {
	ctx, account := c.UserContext(), s.who(c).Account
	list, err := s.engine.Registries(ctx, account)
	if err != nil {
		return err
	}
	in := present.RegistriesIn{List: list, Image: ask.image, May: s.mayFunc(c), API: c.BaseURL(), User: s.who(c).User}
	if s.wants(c, "registries-list") {
		if in.Uses, err = s.engine.RegistryUses(ctx, account); err != nil {
			return err
		}
	}
	if ask.image != "" {
		explain := s.engine.ExplainImage
		if ask.try {
			explain = s.engine.TryImage
		}
		in.Route, err = explain(ctx, account, ask.image)
		switch {
		case errors.Is(err, engine.ErrInvalid):
			in.Fault = engine.MessageOf(err, "That is not the name of an image.")
		case errors.Is(err, engine.ErrUnsupported):
			in.Fault = "This engine does not tell how it would ask for an image."
		case err != nil:
			return err
		}
	}
	v := present.Registries(in, s.clock(c))
	ask.form.Types = present.RegistryTypes(ask.form.Type)
	v.Form = ask.form
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
		return s.renderRegistries(c, registriesAsk{form: form})
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
	case r.Type != engine.RegistryDocker && r.Type != engine.RegistryAmazon:
		return engine.Invalidf("There is no type of registry %.40q.", r.Type)
	case len(r.Label) > 256 || len(r.User) > 1024 || len(r.Password) > 16<<10:
		return engine.Invalidf("The name to show, the user or the password is too long.")
	}
	if form.Edit != "" {
		_, err := s.engine.Registry(ctx, r.Account, form.Edit)
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no registry %s any more.", form.Edit)
		}
		if err != nil {
			return err
		}
	}
	if !form.Skip {
		began := time.Now()
		if err := s.engine.CheckRegistry(ctx, r); err != nil {
			return err
		}
		r.Check = engine.CheckedRegistry(began, time.Now(), nil)
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
		Open: true, Edit: get("edit"), Name: get("registry"), Label: get("label"), User: get("user"), Type: get("type"),
		Insecure: get("insecure") != "", Skip: get("skip") != "",
	}
	if f.Edit != "" {
		f.Name = f.Edit
	}
	r := engine.Registry{Name: f.Name, Label: f.Label, Type: f.Type, User: f.User, Password: engine.Secret(value("password")), Verify: !f.Insecure}
	if r.Label == "" {
		r.Label = r.Name
	}
	if r.Type == "" {
		r.Type = engine.RegistryTypeOf(r.Name)
	}
	return r, f
}

// verifyRegistry tries a stored credential now; its row shows how that ended.
func (s *Server) verifyRegistry(c *fiber.Ctx) error {
	name := c.FormValue("registry")
	r, err := s.engine.VerifyRegistry(c.UserContext(), s.who(c).Account, name)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no registry %s. It may have been removed.", name)
	}
	if err != nil {
		return err
	}
	flash := view.Flash{Text: r.Name + " answers and takes the credential."}
	switch {
	case !r.Check.OK():
		flash = view.Flash{Tone: "bad", Text: r.Check.Text}
	case r.User == "":
		flash.Text = r.Name + " answers."
	}
	setFlash(c, flash)
	return c.Redirect(present.RegistriesHref, fiber.StatusSeeOther)
}

// confirmRegistry says what depends on a registry before it is removed.
func (s *Server) confirmRegistry(c *fiber.Ctx) error {
	ctx, account, name := c.UserContext(), s.who(c).Account, query(c).Get("registry")
	r, err := s.engine.Registry(ctx, account, name)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no registry %s. It may have been removed.", name)
	}
	if err != nil {
		return err
	}
	uses, err := s.engine.RegistryUses(ctx, account)
	if err != nil {
		return err
	}
	v := present.RemoveRegistry(r, uses[r.Name])
	return s.render(c, templates.RemoveRegistry(s.page(c, v.Title, "registries"), v))
}

func (s *Server) removeRegistry(c *fiber.Ctx) error {
	name := c.FormValue("registry")
	if err := s.engine.RemoveRegistry(c.UserContext(), s.who(c).Account, name); err != nil {
		return err
	}
	undo := ""
	if s.mayFunc(c)("createRegistry") {
		undo = present.RegistriesHref + "/restore?registry=" + url.QueryEscape(name)
	}
	return s.done(c, present.RegistriesHref, "Removed "+name+".", undo)
}

func (s *Server) restoreRegistry(c *fiber.Ctx) error {
	name := query(c).Get("registry")
	if err := s.engine.RestoreRegistry(c.UserContext(), s.who(c).Account, name); err != nil {
		return err
	}
	return s.done(c, present.RegistriesHref, name+" is back.", "")
}
