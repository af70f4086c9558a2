package bff

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// VEX is what the pages of exploitability documents ask of an engine.
type VEX interface {
	VEXDocuments(ctx context.Context, account string, f engine.VEXFilter) ([]engine.VEXDocument, int, error)
	VEXDocument(ctx context.Context, account, id string) (engine.VEXDocument, error)
	VEXBody(ctx context.Context, account, id string) ([]byte, error)
	VEXStatements(ctx context.Context, account, id string, offset, limit int) ([]engine.VEXStatement, error)
	// VEXImages lists the images whose matches a document marks, most first.
	VEXImages(ctx context.Context, account, id string, limit int) ([]engine.VEXImage, error)
	AddVEX(ctx context.Context, account string, u engine.VEXUpload) (engine.VEXDocument, error)
	EnableVEX(ctx context.Context, account, id string, enabled bool) (engine.VEXDocument, error)
	DeleteVEX(ctx context.Context, account, id string) error
}

const (
	maxVEX       = 16 << 20
	maxVEXImages = 100 // that the page of a document lists
)

// vexRoutes stand before those of the policies, whose ids come at the same
// place of an address.
func (s *Server) vexRoutes(r fiber.Router) {
	r.Get(present.VEXHref, s.listVEX)
	r.Get(present.VEXHref+"/upload", s.listVEX) // the address of a page that shows what was refused
	r.Post(present.VEXHref+"/upload", s.may("createVEX"), s.uploadVEX)
	r.Get(present.VEXHref+"/:id", s.showVEX)
	r.Get(present.VEXHref+"/:id/document", s.downloadVEX)
	r.Post(present.VEXHref+"/:id/enable", s.may("updateVEX"), s.enableVEX)
	r.Post(present.VEXHref+"/:id/delete", s.may("deleteVEX"), s.deleteVEX)
}

// mayVEX reports whether the user may change documents.
func (s *Server) mayVEX(c *fiber.Ctx) bool {
	who := s.who(c)
	return who.May(who.Home(), "updateVEX")
}

func (s *Server) listVEX(c *fiber.Ctx) error {
	q := query(c)
	image := strings.TrimSpace(q.Get("image"))
	return s.renderVEX(c, view.VEXForm{Open: q.Has("add") || image != "", Image: image})
}

// pageOf is the number of the page that is asked for.
func pageOf(c *fiber.Ctx) int {
	n, err := strconv.Atoi(query(c).Get("page"))
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

func (s *Server) renderVEX(c *fiber.Ctx, form view.VEXForm) error {
	in := present.VEXIn{Page: pageOf(c), Form: form, May: s.mayVEX(c), API: c.BaseURL(), User: s.who(c).User}
	var err error
	f := engine.VEXFilter{Offset: (in.Page - 1) * present.VEXPage, Limit: present.VEXPage}
	if in.List, in.Total, err = s.engine.VEXDocuments(c.UserContext(), s.who(c).Account, f); err != nil {
		return err
	}
	return s.render(c, templates.VEX(s.page(c, "VEX", "policies"), present.VEX(in, s.clock(c))))
}

// vexOf finds the document of the page's address.
func (s *Server) vexOf(c *fiber.Ctx) (engine.VEXDocument, error) {
	d, err := s.engine.VEXDocument(c.UserContext(), s.who(c).Account, param(c, "id"))
	if errors.Is(err, engine.ErrNotFound) {
		return d, engine.NotFoundf("There is no such VEX document. It may have been deleted.")
	}
	return d, err
}

func (s *Server) showVEX(c *fiber.Ctx) error {
	d, err := s.vexOf(c)
	if err != nil {
		return err
	}
	in := present.VEXDocumentIn{Document: d, Page: pageOf(c), May: s.mayVEX(c), API: c.BaseURL(), User: s.who(c).User}
	if s.wants(c, "vex-head") {
		if in.Images, err = s.engine.VEXImages(c.UserContext(), d.Account, d.ID, maxVEXImages); err != nil {
			return err
		}
	}
	if len(fragments(c)) == 0 {
		if in.Statements, err = s.engine.VEXStatements(c.UserContext(), d.Account, d.ID, (in.Page-1)*present.VEXPage, present.VEXPage); err != nil {
			return err
		}
	}
	v := present.VEXDocument(in, s.clock(c))
	return s.render(c, templates.VEXDocument(s.page(c, v.Name, "policies"), v))
}

func (s *Server) downloadVEX(c *fiber.Ctx) error {
	d, err := s.vexOf(c)
	if err != nil {
		return err
	}
	body, err := s.engine.VEXBody(c.UserContext(), d.Account, d.ID)
	if err != nil {
		return err
	}
	name := "vex-" + d.ID[:min(len(d.ID), 8)] + ".openvex.json"
	if d.Format == engine.VEXCycloneDX {
		name = strings.Replace(name, ".openvex.", ".cdx.", 1)
	}
	download(c, fiber.MIMEApplicationJSON, name)
	return c.Send(body)
}

func (s *Server) uploadVEX(c *fiber.Ctx) error {
	u, err := vexParts(c)
	if err == nil {
		u.By = s.who(c).User
		var d engine.VEXDocument
		if d, err = s.engine.AddVEX(c.UserContext(), s.who(c).Account, u); err == nil {
			return s.done(c, present.VEXDocumentHref(d.ID), "Document with "+present.Plural(d.Statements, "statement", "statements")+" is in use.", "")
		}
	} else {
		c.Context().SetConnectionClose() // what was not read of the body stands in the way of the next request
	}
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	c.Status(http.StatusBadRequest)
	return s.renderVEX(c, view.VEXForm{Open: true, Image: string(u.Image), Fault: f.Message})
}

// vexParts reads the form of an upload. A document is held in memory: it is
// small beside what may be uploaded elsewhere.
func vexParts(c *fiber.Ctx) (u engine.VEXUpload, err error) {
	body := c.Context().RequestBodyStream()
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" || body == nil {
		return u, fiber.NewError(http.StatusUnsupportedMediaType, "An upload is a form with a file.")
	}
	form := multipart.NewReader(&limitReader{r: body, left: maxVEX + 64<<10}, params["boundary"])
	for range 16 {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, engine.Invalidf("The upload was cut short.")
		}
		limit := int64(1024)
		file := part.FormName() == "document"
		if file {
			limit = maxVEX + 1
		}
		text, err := io.ReadAll(io.LimitReader(part, limit))
		switch {
		case err != nil:
			return u, engine.Invalidf("The upload was cut short.")
		case file && len(text) > maxVEX:
			return u, engine.Invalidf("The document is larger than %s.", present.Bytes(maxVEX))
		case file && part.FileName() == "":
			return u, engine.Invalidf("Choose the document to upload.")
		case file:
			u.Body = text
			return u, nil
		case part.FormName() == "image":
			u.Image = engine.Digest(strings.TrimSpace(string(text)))
		}
	}
	return u, engine.Invalidf("Choose the document to upload.")
}

func (s *Server) enableVEX(c *fiber.Ctx) error {
	on := c.FormValue("enabled") == "true"
	d, err := s.engine.EnableVEX(c.UserContext(), s.who(c).Account, param(c, "id"), on)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no such VEX document. It may have been deleted.")
	}
	if err != nil {
		return err
	}
	text := "The document is in use."
	if !on {
		text = "The document is disabled: its statements do not count."
	}
	return s.done(c, backTo(c, present.VEXDocumentHref(d.ID)), text, "")
}

// backTo is the page that a form came from, when it says so.
func backTo(c *fiber.Ctx, to string) string {
	if c.FormValue("from") == "list" {
		return present.VEXHref
	}
	return to
}

func (s *Server) deleteVEX(c *fiber.Ctx) error {
	if err := s.engine.DeleteVEX(c.UserContext(), s.who(c).Account, param(c, "id")); err != nil {
		if errors.Is(err, engine.ErrNotFound) {
			return engine.NotFoundf("There is no such VEX document. It may have been deleted already.")
		}
		return err
	}
	return s.done(c, present.VEXHref, "Document deleted.", "")
}
