package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"windlass/internal/engine"
)

// problem is an error of the framework: routing and validation. Its body is a
// problem document rather than an application error.
type problem struct {
	status int
	detail string
	allow  string // of a 405
}

func (p *problem) Error() string { return fmt.Sprintf("%d: %s", p.status, p.detail) }

// coded gives an error the status code this API has always had for it, where
// that is not the one its kind would give.
type coded struct {
	code     int
	httpcode int // in the body, when it is not the same
	err      error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// status wraps err so that it is answered with code.
func status(err error, code int) error {
	if err == nil {
		return nil
	}
	return &coded{code: code, httpcode: code, err: err}
}

// mismatched is an error whose reply says one code and whose body another, as
// some operations of v1 do.
func mismatched(err error, code, httpcode int) error {
	return &coded{code: code, httpcode: httpcode, err: err}
}

// errorf is an application error with a code and a message of its own.
func errorf(code int, format string, args ...any) error {
	return status(&engine.Fault{Kind: engine.ErrInvalid, Message: fmt.Sprintf(format, args...)}, code)
}

// named gives the sentinels not found and conflict the messages that this API
// has for them, unless the engine has said it better.
func named(err error, notFound, conflict string) error {
	var f *engine.Fault
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, engine.ErrNotFound) && notFound != "":
		return &engine.Fault{Kind: engine.ErrNotFound, Message: notFound, Cause: err}
	case errors.Is(err, engine.ErrConflict) && conflict != "":
		return &engine.Fault{Kind: engine.ErrConflict, Message: conflict, Cause: err}
	}
	return err
}

// bodyFault tells a body that is too large from one that does not parse.
func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &problem{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The request body is larger than %d bytes.", tooLarge.Limit)}
	}
	return &problem{status: http.StatusBadRequest, detail: "Request body is not valid JSON"}
}

// Error is the application error body.
type Error struct {
	Message  string         `json:"message"`
	HTTPCode int            `json:"httpcode"`
	Detail   map[string]any `json:"detail"`
}

// fail answers a request with what its error means. What nobody foresaw is
// logged with the request's id and shown without its cause.
func (s *Server) fail(w *response, r *request, err error) {
	if w.status != 0 {
		// The reply has begun: all that is left is to break it off, so that
		// the client does not take half an answer for a whole one.
		s.log.WarnContext(r.Context(), "reply broken", "request", r.ID, "err", err)
		panic(http.ErrAbortHandler)
	}
	var p *problem
	switch {
	case errors.As(err, &p):
		writeProblem(w, p)
	case errors.Is(err, engine.ErrUnauthorized):
		unauthorized(w)
	default:
		code, body := errorBody(err)
		if code >= 500 && !isFault(err) {
			s.log.ErrorContext(r.Context(), "request failed", "request", r.ID, "path", r.URL.Path, "err", err)
		}
		if code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "5")
		}
		writeJSON(w, code, body)
	}
}

func isFault(err error) bool {
	var f *engine.Fault
	return errors.As(err, &f) && f.Cause == nil
}

// errorBody is the one place where an error becomes a status code and a body.
func errorBody(err error) (int, Error) {
	code, text := codeOf(err)
	body := Error{HTTPCode: code, Message: engine.MessageOf(err, text), Detail: map[string]any{}}
	var f *engine.Fault
	codes := []string{}
	if errors.As(err, &f) {
		for k, v := range f.Detail {
			body.Detail[k] = v
		}
		codes = append(codes, f.Codes...)
	}
	if _, given := body.Detail["error_codes"]; !given {
		body.Detail["error_codes"] = codes
	}
	var c *coded
	if errors.As(err, &c) {
		code, body.HTTPCode = c.code, c.httpcode
	}
	return code, body
}

func codeOf(err error) (int, string) {
	switch {
	case errors.Is(err, engine.ErrForbidden):
		return http.StatusForbidden, "not authorized"
	case errors.Is(err, engine.ErrThrottled):
		return http.StatusTooManyRequests, "Too many failed logins. Try again in a minute."
	case errors.Is(err, engine.ErrNotFound):
		return http.StatusNotFound, "not found"
	case errors.Is(err, engine.ErrConflict):
		return http.StatusConflict, "conflict"
	case errors.Is(err, engine.ErrInvalid):
		return http.StatusBadRequest, "invalid request"
	case errors.Is(err, engine.ErrUnavailable):
		return http.StatusServiceUnavailable, "service unavailable"
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "the request took too long"
	case errors.Is(err, context.Canceled):
		return 499, "client closed request" // nobody reads it; the access log does
	}
	return http.StatusInternalServerError, "internal error"
}

func (s *Server) crashed(w *response, r *request, p any) {
	s.log.ErrorContext(r.Context(), "request panic", "request", r.ID, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, &problem{status: http.StatusInternalServerError, detail: "The server encountered an internal error. Request " + r.ID + "."})
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	body, _ := json.Marshal(map[string]any{ // strings and numbers always marshal
		"detail": p.detail, "status": p.status, "title": http.StatusText(p.status), "type": "about:blank",
	})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	w.Write(append(body, '\n'))
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `basic realm="Authentication required"`)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	w.Write([]byte("Unauthorized"))
}
