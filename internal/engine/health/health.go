// Package health answers at the addresses of the services that have no API of
// their own: who is there (/), whether it lives (/health), which version it is
// (/version), how it is (/status, for any user) and its figures (/metrics). It
// answers under /v1 as well, as everything here does.
package health

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"windlass/internal/engine"
)

// Authenticate proves a password, as accounts.Authenticator does.
type Authenticate func(ctx context.Context, user string, password engine.Secret) (engine.Identity, error)

// Options are what a service's address needs to answer.
type Options struct {
	Service      string
	Authenticate Authenticate
	// Detail is what the service says of itself; nil: all good.
	Detail func() engine.ServiceDetail
	// Metrics answers /metrics; nil: not found.
	Metrics http.Handler
	// OpenMetrics lets /metrics be read without a password.
	OpenMetrics bool
	Log         *slog.Logger
}

// Handler answers at the address of one service.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, engine.APIVer) })
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]any{
			"service": map[string]string{"version": engine.Version},
			"api":     map[string]string{},
			"db":      map[string]string{"schema_version": engine.DBVersion},
		})
	})
	mux.Handle("GET /status", o.guard(http.HandlerFunc(o.status)))
	switch {
	case o.Metrics == nil:
	case o.OpenMetrics:
		mux.Handle("GET /metrics", o.Metrics)
	default:
		mux.Handle("GET /metrics", o.guard(o.Metrics))
	}
	return withoutPrefix(mux)
}

func (o Options) status(w http.ResponseWriter, _ *http.Request) {
	d := engine.ServiceDetail{Up: true, Available: true, Message: "all good", Version: engine.Version, DBVersion: engine.DBVersion}
	if o.Detail != nil {
		d = o.Detail()
	}
	write(w, http.StatusOK, map[string]any{
		"up": d.Up, "available": d.Available, "busy": d.Busy, "message": d.Message,
		"detail": map[string]any{}, "version": d.Version, "db_version": d.DBVersion,
	})
}

// guard asks for the password of any user of an enabled account.
func (o Options) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok || o.Authenticate == nil {
			unauthorized(w)
			return
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		id, err := o.Authenticate(engine.WithPeer(r.Context(), host), user, engine.Secret(password))
		switch {
		case errors.Is(err, engine.ErrUnauthorized):
			unauthorized(w)
		case errors.Is(err, engine.ErrThrottled):
			http.Error(w, "Too many failed logins.", http.StatusTooManyRequests)
		case err != nil:
			o.Log.ErrorContext(r.Context(), "request failed", "service", o.Service, "path", r.URL.Path, "err", err)
			http.Error(w, "Service unavailable.", http.StatusServiceUnavailable)
		case id.Disabled:
			http.Error(w, "Not authorized. Account "+id.Account+" not enabled.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `basic realm="Authentication required"`)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	w.Write([]byte("Unauthorized"))
}

// withoutPrefix drops /v1 and a trailing slash.
func withoutPrefix(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if path == "/v1" || strings.HasPrefix(path, "/v1/") {
			path = path[len("/v1"):]
		}
		if path = strings.TrimRight(path, "/"); path == "" {
			path = "/"
		}
		if path != r.URL.Path {
			u := *r.URL
			u.Path, u.RawPath = path, ""
			r = r.WithContext(r.Context())
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}

func write(w http.ResponseWriter, code int, v any) {
	body, _ := json.Marshal(v) // texts and flags always marshal
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(body, '\n'))
}
