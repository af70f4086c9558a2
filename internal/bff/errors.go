package bff

import (
	"context"
	"errors"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// explain turns an error into a status and sentences for a person: what
// happened, and what to try. It is the only place that does.
func explain(err error) view.Error {
	e := view.Error{Code: http.StatusInternalServerError, Title: "Something went wrong",
		Message: "The console could not finish this request.", Next: "Try again; the log of this moment says more."}
	var fe *fiber.Error
	switch {
	case errors.Is(err, engine.ErrNotFound):
		e = view.Error{Code: http.StatusNotFound, Title: "Not found", Message: "That record no longer exists."}
	case errors.Is(err, engine.ErrInvalid):
		e = view.Error{Code: http.StatusBadRequest, Title: "That cannot be done", Message: "The request is not valid."}
	case errors.Is(err, engine.ErrConflict):
		e = view.Error{Code: http.StatusConflict, Title: "Already so", Message: "Something else has changed this in the meantime.", Next: "Load the page again and repeat what you wanted."}
	case errors.Is(err, engine.ErrForbidden):
		e = view.Error{Code: http.StatusForbidden, Title: "Not allowed", Message: "You may not do this.", Next: "Ask whoever administers your account for a role that can."}
	case errors.Is(err, engine.ErrUnauthorized):
		e = view.Error{Code: http.StatusUnauthorized, Title: "Signed out", Message: "Sign in to go on."}
	case errors.Is(err, engine.ErrUnsupported):
		e = view.Error{Code: http.StatusNotImplemented, Title: "Not on this engine", Message: "The engine that this console drives has no such thing."}
	case errors.Is(err, engine.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		e = view.Error{Code: http.StatusServiceUnavailable, Title: "The engine is not answering", Message: "The console runs, but the engine or its database did not answer in time.", Next: "Try again in a moment; the Services page and the logs say which part is down."}
	case errors.As(err, &fe):
		e = view.Error{Code: fe.Code, Title: http.StatusText(fe.Code), Message: fe.Message}
	}
	e.Message = engine.MessageOf(err, e.Message)
	return e
}

// fail is the app's error handler. It runs after the middleware has returned,
// when the request's context has ended: the page is drawn on one that has not.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	e := explain(err)
	e.Request = requestID(c)
	ctx := context.WithoutCancel(c.UserContext())
	if e.Code >= 500 && e.Code != http.StatusNotImplemented {
		s.log.ErrorContext(ctx, "request failed", "request", e.Request, "method", c.Method(), "path", c.Path(), "error", err)
	}
	c.SetUserContext(ctx)
	c.Status(e.Code)
	switch {
	case isAPI(c):
		return problem(c, e.Code, e.Message)
	case e.Code == http.StatusUnauthorized && c.Method() == http.MethodGet && c.Query("fragment") == "":
		return c.Redirect("/login?next="+escape(c.OriginalURL()), fiber.StatusSeeOther)
	case c.Query("fragment") != "":
		return c.SendString(e.Message) // the script keeps what it has and says so
	case s.session(c).User != "":
		return s.render(c, templates.Error(s.page(c, e.Title, ""), e))
	}
	return s.render(c, templates.BareError(theme(c), zone(c), e))
}
