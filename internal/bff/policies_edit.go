package bff

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Bounds of a bundle's text. A form is larger than the text in it; the text is
// what the API takes as a body. While it is being written it is looked through
// with each pause of the writer, which takes half a second of work for each
// megabyte: a longer one is looked through when it is saved.
const (
	bundleLimit = 12 << 20
	bundleText  = 10 << 20
	bundleLive  = 1 << 20
)

// diagnose looks a bundle's text through, for one browser at a time: it is work
// in one piece that nothing cuts short.
func (s *Server) diagnose(c *fiber.Ctx, text string) ([]engine.BundleFault, error) {
	if len(text) > bundleText {
		return nil, engine.Invalidf("The bundle is larger than %s.", present.Bytes(bundleText))
	}
	ctx := c.UserContext()
	select {
	case s.diagnosing <- struct{}{}:
		defer func() { <-s.diagnosing }()
	case <-ctx.Done():
		return nil, fmt.Errorf("diagnose bundle: %w", engine.ErrUnavailable)
	}
	return s.engine.DiagnosePolicy([]byte(text)), nil
}

// bundleForm reads a multipart form with texts of a bundle. Line ends are as
// people write them, and not as forms send them.
func bundleForm(c *fiber.Ctx) (url.Values, error) {
	body := c.Context().RequestBodyStream()
	if body == nil {
		return nil, engine.Invalidf("The request has no form.")
	}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		c.Context().SetConnectionClose()
		return nil, fiber.NewError(http.StatusUnsupportedMediaType, "A bundle comes as a form of parts.")
	}
	limited := &limitReader{r: body, left: bundleLimit}
	form := url.Values{}
	parts := multipart.NewReader(limited, params["boundary"])
	for range 32 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		var text []byte
		if err == nil {
			text, err = io.ReadAll(part)
		}
		if err != nil {
			c.Context().SetConnectionClose() // what was not read stands in the way of the next request
			if limited.left < 0 {
				return nil, engine.Invalidf("The bundle is larger than %s.", present.Bytes(bundleLimit))
			}
			return nil, engine.Invalidf("The form was cut short.")
		}
		form.Add(part.FormName(), strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	c.Context().SetConnectionClose()
	return nil, engine.Invalidf("The form has too many fields.")
}

// editor is the editor of a stored bundle.
func (s *Server) editor(c *fiber.Ctx, b engine.PolicyBundle, text string) *view.PolicyEdit {
	token := "?csrf=" + url.QueryEscape(s.session(c).CSRF)
	return &view.PolicyEdit{
		Action: present.PolicyHref(b.ID) + "/edit/upload" + token, Check: "/policies/check/upload", Text: text, Seen: b.Digest,
		Rows: min(max(strings.Count(text, "\n")+2, 16), 40), Active: b.Active, May: s.allowed(c, "updatePolicy"), Cancel: present.PolicyHref(b.ID),
		Gates: present.PolicyGateNames(s.engine.PolicyGates()),
	}
}

// editPolicy does what the pressed button says with the text of a bundle:
// check it, try it, compare it, or store it.
func (s *Server) editPolicy(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	text := form.Get("document")
	v := s.bundleView(c, b, "edit")
	v.Edit = s.editor(c, b, text)
	v.Edit.Seen = form.Get("seen")
	faults, err := s.diagnose(c, text)
	if err != nil {
		return err
	}
	v.Edit.Faults, v.Edit.Refused = present.PolicyFaults(faults, text)
	v.Edit.Checked = true
	switch {
	case form.Get("do") == "try" && !v.Edit.Refused:
		return s.renderTryEdited(c, b, form)
	case form.Get("do") == "diff":
		return s.renderDiffEdited(c, b, form)
	case form.Get("do") != "save":
		return s.renderPolicy(c, v)
	case v.Edit.Refused:
		c.Status(http.StatusBadRequest)
		return s.renderPolicy(c, v)
	}
	seen := v.Edit.Seen
	if over := form.Get("over"); over != "" {
		seen = over // who was told of another's version, and means to replace it
	}
	_, err = s.engine.EditPolicy(c.UserContext(), engine.PolicyEdit{Account: b.Account, ID: b.ID, Seen: seen, Document: []byte(text)})
	switch {
	case errors.Is(err, engine.ErrConflict):
		v.Edit.Conflict, v.Edit.Theirs = engine.MessageOf(err, "This bundle is another by now."), b.Digest
		c.Status(http.StatusConflict)
		return s.renderPolicy(c, v)
	case errors.Is(err, engine.ErrInvalid):
		v.Edit.Fault = engine.MessageOf(err, "The bundle cannot be stored.")
		c.Status(http.StatusBadRequest)
		return s.renderPolicy(c, v)
	case err != nil:
		return err
	}
	if b.Active {
		return s.done(c, present.PolicyHref(b.ID), "Saved. The images are judged anew.", "")
	}
	return s.done(c, present.PolicyHref(b.ID), "Saved.", "")
}

// newPolicy is the editor of a bundle that does not exist yet: from nothing,
// from the default one, or from one of the account.
func (s *Server) newPolicy(c *fiber.Ctx) error {
	if !s.allowed(c, "createPolicy") {
		return engine.Forbiddenf("Your role does not allow to add bundles (createPolicy).")
	}
	id := freshID()
	switch from := query(c).Get("from"); from {
	case "":
		return s.startNew(c, present.EmptyPolicy(id))
	case "default":
		return s.startNew(c, present.CopyPolicy(s.engine.DefaultPolicy(), id, "Default bundle, copy"))
	default:
		b, err := s.engine.Policy(c.UserContext(), s.who(c).Account, from)
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no bundle %s to copy. It may have been deleted.", clip(from, 80))
		}
		if err != nil {
			return err
		}
		name := b.Name
		if name == "" {
			name = b.ID
		}
		return s.startNew(c, present.CopyPolicy(b.Document, id, clip(name, 400)+", copy"))
	}
}

func (s *Server) startNew(c *fiber.Ctx, text string) error {
	e, err := s.newEditor(c, text)
	if err != nil {
		return err
	}
	return s.renderNew(c, e)
}

// freshID is an id as clients make them.
func freshID() string {
	id := engine.NewID()
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:32]
}

func (s *Server) newEditor(c *fiber.Ctx, text string) (*view.PolicyEdit, error) {
	e := s.editor(c, engine.PolicyBundle{ID: "new"}, text)
	e.New, e.Cancel, e.Seen = true, present.PoliciesHref, ""
	e.Action = "/policies/new/upload?csrf=" + url.QueryEscape(s.session(c).CSRF)
	faults, err := s.diagnose(c, text)
	e.Faults, e.Refused = present.PolicyFaults(faults, text)
	return e, err
}

func (s *Server) renderNew(c *fiber.Ctx, e *view.PolicyEdit) error {
	return s.render(c, templates.NewPolicy(s.page(c, "New bundle", "policies"), *e))
}

// addPolicy stores a new bundle, or checks it.
func (s *Server) addPolicy(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	return s.storeNew(c, form.Get("document"), form.Get("do") == "save")
}

// uploadPolicy stores a bundle's file; one with faults is opened in the editor.
func (s *Server) uploadPolicy(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	text := form.Get("bundle")
	if strings.TrimSpace(text) == "" {
		c.Status(http.StatusBadRequest)
		return s.renderPolicies(c, view.PolicyUpload{Fault: "Choose the file of a bundle."})
	}
	return s.storeNew(c, text, true)
}

func (s *Server) storeNew(c *fiber.Ctx, text string, save bool) error {
	e, err := s.newEditor(c, text)
	if err != nil {
		return err
	}
	e.Checked = true
	if !save {
		return s.renderNew(c, e)
	}
	if e.Refused {
		c.Status(http.StatusBadRequest)
		return s.renderNew(c, e)
	}
	b, err := s.engine.EditPolicy(c.UserContext(), engine.PolicyEdit{Account: s.who(c).Account, Document: []byte(text)})
	switch {
	case errors.Is(err, engine.ErrConflict):
		e.Fault = engine.MessageOf(err, "There is a bundle with this id.") + " Give this one another id, or edit that one."
		c.Status(http.StatusConflict)
		return s.renderNew(c, e)
	case errors.Is(err, engine.ErrInvalid):
		e.Fault = engine.MessageOf(err, "The bundle cannot be stored.")
		c.Status(http.StatusBadRequest)
		return s.renderNew(c, e)
	case err != nil:
		return err
	}
	return s.done(c, present.PolicyHref(b.ID), "Added. It is not active yet.", "")
}

// checkPolicy tells the script what is wrong with a text, as the part of the
// page that shows it.
func (s *Server) checkPolicy(c *fiber.Ctx) error {
	form, err := bundleForm(c)
	if err != nil {
		return err
	}
	text := form.Get("document")
	e := view.PolicyEdit{Checked: true}
	if len(text) > bundleLive {
		e.Unread = "The text is longer than " + present.Bytes(bundleLive) + ": it is looked through when it is saved, and not while it is written."
		return s.render(c, templates.PolicyFaults(e))
	}
	faults, err := s.diagnose(c, text)
	if err != nil {
		return err
	}
	e.Faults, e.Refused = present.PolicyFaults(faults, text)
	return s.render(c, templates.PolicyFaults(e))
}
