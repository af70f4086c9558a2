package bff

import (
	"errors"
	"fmt"
	"io"
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

// APIDocument is what the API pages ask of an engine.
type APIDocument interface {
	// APIDocument tells the operations of the API, by subject.
	APIDocument() ([]engine.APIGroup, error)
}

func (s *Server) apiRoutes(r fiber.Router) {
	r.Get("/api", s.listAPI)
	r.Get("/api/:id", s.showOperation)
	r.Post("/api/:id", s.tryOperation)
}

func (s *Server) listAPI(c *fiber.Ctx) error {
	groups, err := s.engine.APIDocument()
	if err != nil {
		return err
	}
	search := strings.TrimSpace(query(c).Get("q"))
	return s.render(c, templates.API(s.page(c, "API", "api"), present.API(groups, search)))
}

func (s *Server) operation(c *fiber.Ctx) (engine.APIOperation, error) {
	groups, err := s.engine.APIDocument()
	if err != nil {
		return engine.APIOperation{}, err
	}
	id := param(c, "id")
	for _, g := range groups {
		for _, o := range g.Operations {
			if o.ID == id {
				return o, nil
			}
		}
	}
	return engine.APIOperation{}, engine.NotFoundf("The API has no operation %s.", id)
}

func (s *Server) showOperation(c *fiber.Ctx) error {
	o, err := s.operation(c)
	if err != nil {
		return err
	}
	v := present.APIOperation(o, c.BaseURL(), func(string) string { return "" }, false)
	return s.render(c, templates.APIOperation(s.page(c, o.Method+" "+o.Path, "api"), v))
}

// maxShown bounds how much of an answer is read and shown.
const maxShown = 256 << 10

// tryOperation calls an operation with what the form holds, in the name of the
// signed-in user, and shows the answer.
func (s *Server) tryOperation(c *fiber.Ctx) error {
	o, err := s.operation(c)
	if err != nil {
		return err
	}
	v := present.APIOperation(o, c.BaseURL(), func(k string) string { return c.FormValue(k) }, true)
	result, err := s.try(c, o)
	var f *engine.Fault
	switch {
	case errors.As(err, &f):
		v.Fault = f.Message
	case err != nil:
		return err
	default:
		v.Result = &result
	}
	return s.render(c, templates.APIOperation(s.page(c, o.Method+" "+o.Path, "api"), v))
}

func (s *Server) try(c *fiber.Ctx, o engine.APIOperation) (view.APIResult, error) {
	var none view.APIResult
	if s.api == nil {
		return none, engine.Invalidf("This console has no address of the API to call.")
	}
	target, err := target(o, func(k string) string { return strings.TrimSpace(c.FormValue(k)) })
	if err != nil {
		return none, err
	}
	var body io.Reader
	if o.Body != nil {
		body = strings.NewReader(c.FormValue("body"))
	}
	req, err := http.NewRequestWithContext(c.UserContext(), o.Method, strings.TrimSuffix(s.api.String(), "/")+"/v1"+target, body)
	if err != nil {
		return none, engine.Invalidf("That is no address that can be asked: %v", err)
	}
	authorization, err := s.engine.Authorization(c.UserContext(), s.who(c))
	if err != nil {
		return none, err
	}
	req.Header.Set("Authorization", authorization.Reveal())
	req.Header.Set("X-Request-Id", requestID(c))
	if o.Body != nil {
		req.Header.Set("Content-Type", o.Body.Kind)
	}
	began := time.Now()
	resp, err := s.proxy.client.Do(req)
	if err != nil {
		s.log.Warn("operation failed", "request", requestID(c), "operation", o.ID, "error", err)
		return none, engine.Invalidf("The API did not answer.")
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxShown+1))
	if err != nil {
		return none, engine.Invalidf("The API broke off its answer.")
	}
	cut := len(raw) > maxShown
	took := fmt.Sprintf("%.0f ms", float64(time.Since(began).Microseconds())/1000)
	return present.APIResult(resp.StatusCode, resp.Header.Get("Content-Type"), raw[:min(len(raw), maxShown)], cut, took), nil
}

// target is the path and query of an operation with the values of a form. An
// optional value that was left empty is left out.
func target(o engine.APIOperation, value func(string) string) (string, error) {
	path, q := o.Path, url.Values{}
	for _, p := range o.Parameters {
		v := value(present.APIField(p))
		switch {
		case v == "" && p.Required:
			return "", engine.Invalidf("%s is needed.", p.Name)
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v))
		case p.In == "query" && v != "":
			q.Set(p.Name, v)
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path, nil
}
