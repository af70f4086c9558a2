package remote

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"windlass/internal/engine"
)

// unreachable says why there is no answer at all.
func unreachable(q call, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrUnauthorized) {
		return err
	}
	message := "The engine does not answer at its address."
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var n net.Error
	switch {
	case errors.As(err, &dns):
		message = fmt.Sprintf("The engine's host name %s is not known.", dns.Name)
	case errors.As(err, &cert):
		message = "The engine's certificate is not trusted by this console."
	case errors.As(err, &n) && n.Timeout():
		message = "The engine did not answer in time."
	}
	return &engine.Fault{Kind: engine.ErrUnavailable, Message: message, Cause: fmt.Errorf("%s %s: %w", q.method, q.path, err)}
}

// problem is the body of an error: of the application, or of its framework.
type problem struct {
	Message string          `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Title   string          `json:"title"`
}

// notes are what the detail of an application's error may hold.
type notes struct {
	Codes []string `json:"error_codes"`
	Raw   string   `json:"raw_exception_message"`
	Fault any      `json:"validation_error"`
}

// fault turns an answer of error into one of the engine's words. v1 gives
// several kinds of trouble the status 500: what its message says counts more.
func fault(q call, resp *http.Response, raw []byte) error {
	var p problem
	var n notes
	if json.Unmarshal(raw, &p) == nil {
		json.Unmarshal(p.Detail, &n) // of the framework's it is a text
	}
	text := p.Message
	if text == "" {
		json.Unmarshal(p.Detail, &text)
	}
	if n.Raw != "" {
		text = strings.TrimSuffix(text, ".") + ": " + n.Raw
	}
	f := &engine.Fault{Message: clean(text), Codes: n.Codes, Cause: fmt.Errorf("%s %s: status %d", q.method, q.path, resp.StatusCode)}
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%s %s: %w", q.method, q.path, engine.ErrUnauthorized)
	case code == http.StatusForbidden:
		f.Kind = engine.ErrForbidden
	case code == http.StatusTooManyRequests && strings.Contains(text, "login"):
		return engine.ErrThrottled
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		f.Kind = engine.ErrUnavailable
	case code == http.StatusConflict:
		f.Kind = engine.ErrConflict
	case code == http.StatusMethodNotAllowed, code == http.StatusNotImplemented,
		code == http.StatusNotFound && p.Message == "":
		// The framework has no such path: the engine does not know the question.
		return fmt.Errorf("%s %s: %w", q.method, q.path, engine.ErrUnsupported)
	case code == http.StatusNotFound, contains(text, "not found", "httpcode\": 404", "httpcode\":404"):
		f.Kind = engine.ErrNotFound
	case contains(text, "already exists", "not a valid state", "is active", "active policy", "in progress"):
		f.Kind = engine.ErrConflict
	case code >= 300 && code < 400:
		return &engine.Fault{Kind: engine.ErrUnavailable, Message: "The engine's address answers with a redirect: give the console the address it leads to.", Cause: f.Cause}
	case code >= 500 && text == "":
		f.Kind = engine.ErrUnavailable
	default:
		f.Kind = engine.ErrInvalid
	}
	if f.Message == "" {
		f.Message = fmt.Sprintf("The engine answered with status %d.", resp.StatusCode)
	}
	return f
}

func contains(text string, any ...string) bool {
	text = strings.ToLower(text)
	for _, s := range any {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// clean makes a foreign text fit to be shown.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, engine.Text(text, 2000))
	return strings.TrimSpace(text)
}
