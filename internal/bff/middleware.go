package bff

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"

	"windlass/internal/engine"
)

// policy allows what the console itself serves and nothing else: no inline
// script, no inline style, no other origin, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Keys of the request's locals.
const (
	localRequest = "request"
	localSession = "session"
	localSeq     = "seq"
	localLacks   = "lacks"
)

// middleware is what every request passes, from the outside in.
func (s *Server) middleware() {
	s.app.Use(s.access)
	s.app.Use(headers)
	s.app.Use(compress.New(compress.Config{
		Level: compress.LevelBestSpeed,
		// Assets are compressed ahead; sockets and the API look after themselves.
		Next: func(c *fiber.Ctx) bool {
			return isAPI(c) || strings.HasPrefix(c.Path(), "/static/") || strings.HasPrefix(c.Path(), "/ws/")
		},
	}))
	s.app.Use(s.recovered)
	s.app.Use(s.deadline)
	s.app.Use(bodyLimit)
}

// access gives the request its id, draws its error, and logs it: at info
// when somebody did something, at debug when somebody looked.
func (s *Server) access(c *fiber.Ctx) error {
	began := time.Now()
	c.Locals(localRequest, engine.NewID()[:16])
	c.Set("X-Request-Id", requestID(c))
	err := c.Next()
	if err != nil {
		if err = s.fail(c, err); err != nil {
			s.log.Error("error page failed", "request", requestID(c), "error", err)
			c.Status(http.StatusInternalServerError)
		}
	}
	level := s.log.Debug
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		level = s.log.Info
	}
	level("request done", "request", requestID(c), "method", c.Method(), "path", c.Path(),
		"status", c.Response().StatusCode(), "took", time.Since(began).Round(time.Microsecond), "from", c.IP())
	return nil
}

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(localRequest).(string)
	return id
}

func headers(c *fiber.Ctx) error {
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("Referrer-Policy", "same-origin")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Content-Security-Policy", policy)
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	return c.Next()
}

// recovered turns a panic into an error page.
func (s *Server) recovered(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Next()
}

// deadline gives the handler a context that ends with the page's time or with
// the server; fiber's own would never end. An upload or a download through
// the proxy takes as long as it takes.
func (s *Server) deadline(c *fiber.Ctx) error {
	if isAPI(c) || isUpload(c) {
		ctx, cancel := context.WithCancel(s.base)
		defer cancel()
		c.SetUserContext(ctx)
		return c.Next()
	}
	ctx, cancel := context.WithTimeout(s.base, s.opts.Deadline)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// bodyLimit holds every body but an upload's to the size of a form. All bodies
// arrive as streams; a form must say how long it is.
func bodyLimit(c *fiber.Ctx) error {
	if !c.Request().IsBodyStream() {
		return c.Next()
	}
	if isAPI(c) || isUpload(c) {
		// The time to read a request was set for a form.
		if err := c.Context().Conn().SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		return c.Next()
	}
	if n := c.Request().Header.ContentLength(); n > formLimit || n < 0 {
		c.Context().SetConnectionClose()
		// A browser that is still sending does not read the answer.
		_, _ = io.CopyN(io.Discard, c.Context().RequestBodyStream(), 8*formLimit)
		return fiber.NewError(http.StatusRequestEntityTooLarge, "The form is larger than 1 MB.")
	}
	return c.Next()
}

// isUpload reports whether the request's body is a file of any size: its
// handler reads c.Context().RequestBodyStream(), at most Options.UploadLimit.
func isUpload(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodPost && strings.HasSuffix(c.Path(), "/upload")
}

func isAPI(c *fiber.Ctx) bool { return strings.HasPrefix(c.Path(), "/v1/") || c.Path() == "/v1" }
