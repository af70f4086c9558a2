package bff

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"windlass/internal/engine"
	"windlass/web/static"
)

// asset serves an embedded file under its hashed name, for ever.
func (s *Server) asset(c *fiber.Ctx) error {
	a, ok := static.Lookup(c.Params("name"))
	if !ok {
		return engine.NotFoundf("There is no file at %s.", c.Path())
	}
	c.Set(fiber.HeaderContentType, a.Type)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	if a.Gzip == nil {
		return c.Send(a.Body)
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(a.Gzip)
	}
	return c.Send(a.Body)
}

// healthz says that the console itself answers; it asks nothing of the engine.
func (s *Server) healthz(c *fiber.Ctx) error { return c.SendString("ok\n") }

func (s *Server) metrics() fiber.Handler {
	return adaptor.HTTPHandler(promhttp.HandlerFor(s.opts.Metrics, promhttp.HandlerOpts{}))
}

// problem is an error for programs.
func problem(c *fiber.Ctx, code int, message string) error {
	c.Status(code)
	return c.JSON(fiber.Map{"message": message, "httpcode": code, "detail": fiber.Map{"title": http.StatusText(code)}}, "application/json")
}

func escape(s string) string { return url.QueryEscape(s) }
