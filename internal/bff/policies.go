package bff

import (
	"context"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Policies is what the policies pages ask of an engine.
type Policies interface {
	// EachPolicy calls each with every bundle of an account, oldest first; with
	// documents, when they are asked for.
	EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error
	Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error)
	// EditPolicy adds, changes or activates a bundle; engine.ErrConflict when it
	// is not the version that was seen.
	EditPolicy(ctx context.Context, e engine.PolicyEdit) (engine.PolicyBundle, error)
	// DeletePolicy is engine.ErrConflict for the active bundle.
	DeletePolicy(ctx context.Context, account, id string) error
	// DiagnosePolicy tells all that is wrong with the text of a bundle.
	DiagnosePolicy(text []byte) []engine.BundleFault
	// DefaultPolicy is the text of the bundle that accounts begin with.
	DefaultPolicy() []byte
	// PolicyGates describes every gate that rules may ask.
	PolicyGates() []engine.PolicyGate
	// TryPolicy asks a bundle that need not be stored about images. Nothing is
	// kept of it.
	TryPolicy(ctx context.Context, q engine.PolicyTry) (engine.PolicyTrials, error)
	// VerdictCounts is how the images stand with the active bundle.
	VerdictCounts(ctx context.Context, account string) (engine.VerdictCounts, error)
	// Reevaluation is how far the evaluation of all images by the active bundle
	// has come; engine.ErrNotFound when there never was one.
	Reevaluation(ctx context.Context, account string) (engine.Reevaluation, error)
}

// Texts of bundles are larger than a form may be: their forms go to addresses
// that end in /upload, as files do, and are read by bundleForm.
func (s *Server) policiesRoutes(r fiber.Router) {
	edit := s.may("updatePolicy")
	r.Get("/policies", s.listPolicies)
	r.Get("/policies/gates", s.showGates)
	r.Get("/policies/gates.json", s.gatesJSON)
	r.Get("/policies/new", s.newPolicy)
	r.Get("/policies/new/upload", func(c *fiber.Ctx) error { return c.Redirect("/policies/new", fiber.StatusSeeOther) })
	r.Get("/policies/upload", func(c *fiber.Ctx) error { return c.Redirect(present.PoliciesHref, fiber.StatusSeeOther) })
	r.Post("/policies/new/upload", s.may("createPolicy"), s.addPolicy)
	r.Post("/policies/upload", s.may("createPolicy"), s.uploadPolicy)
	r.Post("/policies/check/upload", s.checkPolicy)
	r.Get("/policies/:id", s.showPolicy)
	r.Get("/policies/:id/download", s.downloadPolicy)
	r.Post("/policies/:id/edit/upload", edit, s.editPolicy)
	r.Post("/policies/:id/try/upload", s.tryEdited)
	r.Post("/policies/:id/diff/upload", s.diffEdited)
	r.Get("/policies/:id/:tab/upload", s.backToTab)
	r.Get("/policies/:id/activate", s.confirmActivate)
	r.Post("/policies/:id/activate", edit, s.activatePolicy)
	r.Get("/policies/:id/delete", s.confirmDeletePolicy)
	r.Post("/policies/:id/delete", s.may("deletePolicy"), s.deletePolicy)
	r.Get("/policies/:id/exceptions/new", s.newException)
	r.Post("/policies/:id/exceptions", edit, s.addException)
}

func (s *Server) listPolicies(c *fiber.Ctx) error { return s.renderPolicies(c, view.PolicyUpload{}) }

func (s *Server) renderPolicies(c *fiber.Ctx, upload view.PolicyUpload) error {
	ctx, account := c.UserContext(), s.who(c).Account
	in := present.PoliciesIn{Upload: upload, May: s.allowed(c, "updatePolicy"), API: c.BaseURL(), User: s.who(c).User}
	err := s.engine.EachPolicy(ctx, account, true, func(b engine.PolicyBundle) error {
		in.Bundles = append(in.Bundles, b)
		return nil
	})
	if err != nil {
		return err
	}
	if in.Counts, err = s.engine.VerdictCounts(ctx, account); err != nil {
		return err
	}
	if in.Walk, err = s.engine.Reevaluation(ctx, account); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return s.render(c, templates.Policies(s.page(c, "Policies", "policies"), present.Policies(in, s.clock(c))))
}

// allowed reports whether the user may take an action in the own account: what
// may would let pass.
func (s *Server) allowed(c *fiber.Ctx, action string) bool {
	who := s.who(c)
	return who.May(who.Home(), action)
}

// bundleOf finds the bundle of the page's address.
func (s *Server) bundleOf(c *fiber.Ctx) (engine.PolicyBundle, error) {
	id := param(c, "id")
	b, err := s.engine.Policy(c.UserContext(), s.who(c).Account, id)
	if errors.Is(err, engine.ErrNotFound) {
		return b, engine.NotFoundf("There is no bundle %s. It may have been deleted.", clip(id, 80))
	}
	return b, err
}

// showPolicy draws a tab of a bundle's page.
func (s *Server) showPolicy(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	tab := query(c).Get("tab")
	switch tab {
	case "edit", "try", "diff":
	default:
		tab = "overview"
	}
	v := s.bundleView(c, b, tab)
	switch tab {
	case "overview":
		v.Overview = present.PolicyOverview(b, s.engine.PolicyGates(), s.clock(c))
	case "edit":
		text := present.PolicyText(b.Document)
		v.Edit = s.editor(c, b, text)
		faults, err := s.diagnose(c, text)
		if err != nil {
			return err
		}
		v.Edit.Faults, v.Edit.Refused = present.PolicyFaults(faults, text)
	case "try":
		if v.Try, err = s.tryStored(c, b); err != nil {
			return err
		}
	case "diff":
		if v.Diff, err = s.diffStored(c, b); err != nil {
			return err
		}
	}
	return s.renderPolicy(c, v)
}

// backToTab leads from the address of a form that was answered with a page to
// that page's own: for whoever comes back by it, and for its live parts.
func (s *Server) backToTab(c *fiber.Ctx) error {
	q := url.Values{"tab": {param(c, "tab")}}
	if f := c.Query("fragment"); f != "" {
		q.Set("fragment", f)
	}
	return c.Redirect(present.PolicyHref(param(c, "id"))+"?"+q.Encode(), fiber.StatusSeeOther)
}

// bundleView is what every tab of a bundle's page has.
func (s *Server) bundleView(c *fiber.Ctx, b engine.PolicyBundle, tab string) view.PolicyBundle {
	v := present.PolicyBundle(b, tab, c.BaseURL(), s.who(c).User, s.clock(c))
	v.May, v.MayTry = s.allowed(c, "updatePolicy"), s.allowed(c, "tryPolicy")
	return v
}

func (s *Server) renderPolicy(c *fiber.Ctx, v view.PolicyBundle) error {
	return s.render(c, templates.PolicyBundle(s.page(c, v.Name, "policies"), v))
}

// downloadPolicy gives the document as it is edited.
func (s *Server) downloadPolicy(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	c.Attachment("bundle-" + plainName(b.ID) + ".json")
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString(present.PolicyText(b.Document))
}

// plainName is a foreign name as a part of a file's.
func plainName(name string) string {
	out := []byte(clip(name, 80))
	for i, b := range out {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_':
		default:
			out[i] = '-'
		}
	}
	return string(out)
}
