package bff

import (
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// diffStored compares a stored bundle with another one of the account, the
// active one unless the address says which.
func (s *Server) diffStored(c *fiber.Ctx, b engine.PolicyBundle) (*view.PolicyDiff, error) {
	v := &view.PolicyDiff{Action: present.PolicyHref(b.ID), Right: nameOf(b)}
	with := query(c).Get("with")
	var first string
	err := s.engine.EachPolicy(c.UserContext(), b.Account, false, func(o engine.PolicyBundle) error {
		if o.ID == b.ID {
			return nil
		}
		if first == "" || o.Active {
			first = o.ID
		}
		v.With = append(v.With, view.PolicyChoice{Value: o.ID, Text: nameOf(o)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if with == "" {
		with = first
	}
	if with == "" {
		v.None = "This is the account's only bundle: there is no other to compare it with."
		return v, nil
	}
	for i := range v.With {
		v.With[i].Chosen = v.With[i].Value == with
	}
	o, err := s.engine.Policy(c.UserContext(), b.Account, with)
	if errors.Is(err, engine.ErrNotFound) {
		v.Fault = "There is no bundle " + clip(with, 80) + " any more. Choose another one."
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	v.Left = nameOf(o)
	present.PolicyDiff(v, o.Document, b.Document)
	return v, nil
}

func nameOf(b engine.PolicyBundle) string {
	name := b.Name
	if name == "" {
		name = b.ID
	}
	if b.Active {
		name += " (active)"
	}
	return name
}

func (s *Server) diffEdited(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	return s.renderDiffEdited(c, b, form)
}

// renderDiffEdited compares the stored bundle with a text that is not stored.
func (s *Server) renderDiffEdited(c *fiber.Ctx, b engine.PolicyBundle, form url.Values) error {
	v := s.bundleView(c, b, "diff")
	v.Diff = &view.PolicyDiff{
		Left: "As it is stored", Right: "The edited text", Text: form.Get("document"), Seen: form.Get("seen"),
		Back: present.PolicyHref(b.ID) + "/edit/upload?csrf=" + url.QueryEscape(s.session(c).CSRF),
	}
	present.PolicyDiff(v.Diff, b.Document, []byte(v.Diff.Text))
	return s.renderPolicy(c, v)
}
