package bff

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// foundImages bounds the images that a search offers to try a bundle on.
const foundImages = 12

// tryForm is what the try tab asks for: by the address when the stored bundle
// is tried, by a form when an edited text is.
type tryForm struct {
	Image   string // digest, a tag in full, or what to search for
	Against string
	Run     bool
}

func readTry(get func(string) string) tryForm {
	f := tryForm{Image: strings.TrimSpace(get("image")), Against: get("against")}
	f.Run = get("run") != "" || f.Image != ""
	f.Image = clip(f.Image, 512)
	return f
}

// tryStored is the try tab for the bundle as it is stored.
func (s *Server) tryStored(c *fiber.Ctx, b engine.PolicyBundle) (*view.PolicyTry, error) {
	v := &view.PolicyTry{Action: present.PolicyHref(b.ID)}
	return v, s.runTry(c, b, b.Document, readTry(query(c).Get), v)
}

// renderTryEdited is the try tab for a text that is not stored; it goes from
// form to form.
func (s *Server) renderTryEdited(c *fiber.Ctx, b engine.PolicyBundle, form url.Values) error {
	token := "?csrf=" + url.QueryEscape(s.session(c).CSRF)
	v := s.bundleView(c, b, "try")
	v.Try = &view.PolicyTry{
		Action: present.PolicyHref(b.ID) + "/try/upload" + token, Back: present.PolicyHref(b.ID) + "/edit/upload" + token,
		Text: form.Get("document"), Seen: form.Get("seen"), Edited: true,
	}
	f := readTry(form.Get)
	f.Run = true
	if err := s.runTry(c, b, []byte(v.Try.Text), f, v.Try); err != nil {
		return err
	}
	return s.renderPolicy(c, v)
}

func (s *Server) tryEdited(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	return s.renderTryEdited(c, b, form)
}

// runTry fills in the tab: what can be chosen, and what came of it.
func (s *Server) runTry(c *fiber.Ctx, b engine.PolicyBundle, document []byte, f tryForm, v *view.PolicyTry) error {
	ctx, account := c.UserContext(), s.who(c).Account
	if !s.allowed(c, "tryPolicy") {
		v.Fault = "Your role does not allow to try bundles (tryPolicy)."
		return nil
	}
	v.Image = f.Image
	names := map[string]string{}
	active := ""
	err := s.engine.EachPolicy(ctx, account, false, func(o engine.PolicyBundle) error {
		name := o.Name
		if name == "" {
			name = o.ID
		}
		if o.Active {
			active, names[""] = o.ID, name
			name += " (active)"
		}
		names[o.ID] = strings.TrimSuffix(name, " (active)")
		if o.ID != b.ID || v.Edited {
			v.Against = append(v.Against, view.PolicyChoice{Value: o.ID, Text: name, Chosen: o.ID == f.Against || f.Against == "" && o.Active})
		}
		return nil
	})
	if err != nil {
		return err
	}
	// A stored bundle beside itself tells nothing.
	if f.Against == "" && b.ID == active && !v.Edited && len(v.Against) > 0 {
		f.Against, v.Against[0].Chosen = v.Against[0].Value, true
	}
	q := engine.PolicyTry{Account: account, Document: document, Against: f.Against, Newest: previewNewest}
	if f.Image != "" {
		i, found, err := s.findImage(c, f.Image)
		if err != nil {
			return err
		}
		if i == nil {
			v.Found = found
			if len(found) == 0 {
				v.None = "No analyzed image has " + f.Image + " in its name."
			}
			return nil
		}
		q.Images = []string{string(i.Digest)}
		if strings.Contains(f.Image, "/") {
			q.Tag = f.Image
		}
	}
	if !f.Run {
		return nil
	}
	trials, err := s.engine.TryPolicy(ctx, q)
	switch {
	case errors.Is(err, engine.ErrInvalid), errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrNotFound):
		v.Fault = engine.MessageOf(err, "The bundle cannot be tried.")
		faults, err := s.diagnose(c, string(document))
		if err != nil {
			return err
		}
		v.Faults, _ = present.PolicyFaults(faults, string(document))
		c.Status(http.StatusBadRequest)
		return nil
	case err != nil:
		return err
	}
	tried, except := "This bundle", ""
	if v.Edited {
		tried = "The edited text"
	} else if s.allowed(c, "updatePolicy") {
		except = present.PolicyHref(b.ID) + "/exceptions/new?image=" + url.QueryEscape(f.Image) + "&"
	}
	v.Trials = present.PolicyTrials(trials, tried, names[f.Against], except)
	return nil
}

// findImage is the analyzed image of a digest or of a tag in full; or, when it
// is neither, those that have the text in their name.
func (s *Server) findImage(c *fiber.Ctx, text string) (*engine.Image, []view.PolicyFound, error) {
	ctx, account := c.UserContext(), s.who(c).Account
	if strings.HasPrefix(text, "sha256:") {
		i, err := s.engine.Image(ctx, account, text)
		if err == nil || !errors.Is(err, engine.ErrNotFound) {
			return &i, nil, err
		}
		return nil, nil, nil
	}
	list, _, err := s.engine.Images(ctx, account, engine.ImageFilter{Text: text, State: engine.Analyzed, Limit: foundImages})
	if err != nil {
		return nil, nil, err
	}
	var found []view.PolicyFound
	for _, i := range list {
		for _, t := range i.Tags {
			if t.Full() == text {
				return &i, nil, nil
			}
		}
		found = append(found, view.PolicyFound{Digest: string(i.Digest), Name: present.ImageTitle(i), Short: i.Digest.Short()})
	}
	if len(found) == 1 {
		return &list[0], nil, nil
	}
	return nil, found, nil
}
