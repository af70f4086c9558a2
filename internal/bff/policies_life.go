package bff

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// previewNewest is how many images say what a change of the active bundle
// would change.
const previewNewest = 20

// activeOf is the active bundle of the account; with an empty id when none is.
func (s *Server) activeOf(c *fiber.Ctx) (engine.PolicyBundle, error) {
	var active engine.PolicyBundle
	err := s.engine.EachPolicy(c.UserContext(), s.who(c).Account, false, func(b engine.PolicyBundle) error {
		if b.Active {
			active = b
		}
		return nil
	})
	return active, err
}

// confirmActivate says what would change before it is done.
func (s *Server) confirmActivate(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	active, err := s.activeOf(c)
	if err != nil {
		return err
	}
	v := present.ConfirmActivate(b, active)
	if !s.allowed(c, "updatePolicy") {
		v.Refused = "Your role does not allow to activate bundles (updatePolicy)."
	}
	if v.Refused == "" && s.allowed(c, "tryPolicy") {
		trials, err := s.engine.TryPolicy(c.UserContext(), engine.PolicyTry{Account: b.Account, Document: b.Document, Newest: previewNewest})
		switch {
		case errors.Is(err, engine.ErrInvalid):
			v.Refused = "The bundle has faults and judges nothing: " + engine.MessageOf(err, "it cannot be read") + ". The Edit tab shows where."
		case err != nil:
			return err
		default:
			v.Trials = present.PolicyTrials(trials, b.Name, active.Name, "")
		}
	}
	return s.render(c, templates.ConfirmPolicy(s.page(c, v.Title, "policies"), v))
}

func (s *Server) activatePolicy(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	active, err := s.activeOf(c)
	if err != nil {
		return err
	}
	// The undo of an activation has seen no version: what is stored is meant.
	seen := c.FormValue("seen")
	if seen == "" {
		seen = b.Digest
	}
	if _, err := s.engine.EditPolicy(c.UserContext(), engine.PolicyEdit{Account: b.Account, ID: b.ID, Seen: seen, Activate: true}); err != nil {
		return err
	}
	undo := ""
	if active.ID != "" && active.ID != b.ID {
		undo = present.PolicyHref(active.ID) + "/activate"
	}
	return s.done(c, present.PoliciesHref, "Activated. The images are judged by it now.", undo)
}

func (s *Server) confirmDeletePolicy(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	v := present.ConfirmDelete(b)
	if !s.allowed(c, "deletePolicy") {
		v.Refused = "Your role does not allow to delete bundles (deletePolicy)."
	}
	return s.render(c, templates.ConfirmPolicy(s.page(c, v.Title, "policies"), v))
}

func (s *Server) deletePolicy(c *fiber.Ctx) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	err = s.engine.DeletePolicy(c.UserContext(), b.Account, b.ID)
	if errors.Is(err, engine.ErrConflict) {
		return engine.Conflictf("The active bundle cannot be deleted. Activate another one first.")
	}
	if err != nil {
		return err
	}
	return s.done(c, present.PoliciesHref, "Deleted.", "")
}

// showGates is the reference of what rules may ask.
func (s *Server) showGates(c *fiber.Ctx) error {
	v := present.PolicyGates(s.engine.PolicyGates(), clip(query(c).Get("q"), 200))
	return s.render(c, templates.PolicyGates(s.page(c, "Gate reference", "policies"), v))
}

// gatesJSON tells the editor what it may offer to complete.
func (s *Server) gatesJSON(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "private, max-age=3600")
	return c.JSON(present.PolicyWords(s.engine.PolicyGates()))
}
