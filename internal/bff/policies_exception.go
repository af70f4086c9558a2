package bff

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// newException is the form that sets a finding aside:
//
//	GET /policies/<id>/exceptions/new?gate=G&trigger_id=T
//	    [&image=DIGEST][&tag=FULLTAG]  the image it was found in: its verdict is shown as it would be
//	    [&back=PATH]                   where to go afterwards; else to the bundle
//	    [&reason=TEXT][&expires=DAY][&list=WHITELIST ID]
//
// present.ExceptionHref makes the address. The form stands for a bundle whether
// it is the active one or not.
func (s *Server) newException(c *fiber.Ctx) error {
	return s.renderException(c, query(c).Get, "")
}

func (s *Server) renderException(c *fiber.Ctx, get func(string) string, fault string) error {
	b, err := s.bundleOf(c)
	if err != nil {
		return err
	}
	x, v := exceptionForm(get)
	if v.Gate == "" || v.TriggerID == "" {
		return engine.Invalidf("An exception names the gate and the trigger id of a finding: open it from an image's Policy tab, or from the Try tab of a bundle.")
	}
	href := present.PolicyHref(b.ID)
	v.Crumbs = []view.Crumb{{Text: "Policies", Href: present.PoliciesHref}, {Text: bare(b), Href: href}, {Text: "New exception"}}
	v.Bundle, v.BundleHref, v.Active, v.Action, v.Fault = bare(b), href, b.Active, href+"/exceptions", fault
	v.MayNot, v.MinDate = !s.allowed(c, "updatePolicy"), time.Now().UTC().Format(time.DateOnly)
	if v.Back == "" {
		v.Back = href
	}
	doc, err := present.ReadPolicy(b.Document)
	if err != nil {
		return engine.Invalidf("The bundle cannot be read: %v.", err)
	}
	v.Lists = present.ExceptionLists(doc, get("list"))
	list := chosen(v.Lists)
	if x.ExpiresOn, err = present.ExceptionEnd(v.Expires, time.Now()); err != nil && v.Fault == "" {
		v.Fault = engine.MessageOf(err, "The last day is no date.")
	}
	if present.InForce(doc, list, x.Gate, x.TriggerID, time.Now()) && v.Fault == "" {
		v.Fault = "This whitelist sets the finding aside already."
	}
	if raw, err := json.MarshalIndent(x, "", "  "); err == nil {
		v.Preview = string(raw)
	}
	if v.Image != "" && s.allowed(c, "tryPolicy") {
		if err := s.exceptionEffect(c, b, list, x, &v); err != nil {
			return err
		}
	}
	return s.render(c, templates.NewException(s.page(c, "New exception", "policies"), v))
}

// bare is what a bundle is called.
func bare(b engine.PolicyBundle) string {
	if b.Name != "" {
		return b.Name
	}
	return b.ID
}

func chosen(list []view.PolicyChoice) string {
	for _, c := range list {
		if c.Chosen {
			return c.Value
		}
	}
	return ""
}

// exceptionEffect tells what the exception would change for its image.
func (s *Server) exceptionEffect(c *fiber.Ctx, b engine.PolicyBundle, list string, x present.Exception, v *view.PolicyNewException) error {
	document, err := present.AddException(b.Document, list, x)
	if err != nil {
		return err
	}
	trials, err := s.engine.TryPolicy(c.UserContext(), engine.PolicyTry{Account: b.Account, Document: document, Against: b.ID, Images: []string{v.Image}, Tag: v.Tag})
	var fault *engine.Fault
	switch {
	case errors.As(err, &fault): // an image that is gone by now keeps nobody from it
		return nil
	case err != nil:
		return err
	}
	if len(trials.Trials) == 0 {
		return nil
	}
	v.Effect = present.PolicyTrials(trials, "With the exception", "Now", "")
	return nil
}

// exceptionForm reads the form, or the address that opens it.
func exceptionForm(get func(string) string) (present.Exception, view.PolicyNewException) {
	text := func(k string) string { return clip(strings.TrimSpace(get(k)), 2048) }
	v := view.PolicyNewException{
		Gate: text("gate"), TriggerID: text("trigger_id"), Image: text("image"), Tag: text("tag"), Back: get("back"),
		Reason: text("reason"), Expires: text("expires"),
	}
	if v.Back != "" {
		v.Back = localPath(v.Back)
	}
	return present.Exception{ID: freshID(), Gate: v.Gate, TriggerID: v.TriggerID, Reason: v.Reason}, v
}

// addException writes the exception into the bundle as it is stored now, and
// again when somebody else changes it at the same time.
func (s *Server) addException(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return engine.Invalidf("The form is not validly encoded.")
	}
	if form.Get("do") == "preview" {
		return s.renderException(c, form.Get, "")
	}
	x, v := exceptionForm(form.Get)
	var fault *engine.Fault
	for range 3 {
		var b engine.PolicyBundle
		if b, err = s.bundleOf(c); err != nil {
			return err
		}
		err = s.storeException(c, b, form.Get("list"), x, v)
		if !errors.Is(err, engine.ErrConflict) {
			break
		}
	}
	switch {
	case errors.As(err, &fault):
		c.Status(explain(err).Code)
		return s.renderException(c, form.Get, fault.Message)
	case err != nil:
		return err
	}
	back := v.Back
	if back == "" {
		back = present.PolicyHref(param(c, "id"))
	}
	return s.done(c, back, "Exception added.", "")
}

func (s *Server) storeException(c *fiber.Ctx, b engine.PolicyBundle, list string, x present.Exception, v view.PolicyNewException) error {
	doc, err := present.ReadPolicy(b.Document)
	if err != nil {
		return engine.Invalidf("The bundle cannot be read: %v.", err)
	}
	switch {
	case x.Gate == "" || x.TriggerID == "":
		return engine.Invalidf("An exception names a gate and a trigger id.")
	case x.Reason == "":
		return engine.Invalidf("Say why: whoever reads the bundle next will ask.")
	case present.InForce(doc, list, x.Gate, x.TriggerID, time.Now()):
		return engine.Invalidf("This whitelist sets the finding aside already.")
	}
	if x.ExpiresOn, err = present.ExceptionEnd(v.Expires, time.Now()); err != nil {
		return err
	}
	document, err := present.AddException(b.Document, list, x)
	if err != nil {
		return err
	}
	_, err = s.engine.EditPolicy(c.UserContext(), engine.PolicyEdit{Account: b.Account, ID: b.ID, Seen: b.Digest, Document: document})
	return err
}
