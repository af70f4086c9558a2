package health_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/health"
)

func authenticate(_ context.Context, user string, password engine.Secret) (engine.Identity, error) {
	switch {
	case password == "guess":
		return engine.Identity{}, engine.ErrThrottled
	case password == "away":
		return engine.Identity{}, engine.ErrUnavailable
	case password != "right":
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return engine.Identity{User: user, Account: user, Disabled: user == "eve"}, nil
}

func TestHandler(t *testing.T) {
	figures := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("anchore_queue_length 1")) })
	h := health.Handler(health.Options{Service: engine.Catalog, Authenticate: authenticate, Metrics: figures, Log: enginetest.Logger(t)})
	tests := map[string]struct {
		method, path, user, password string
		code                         int
		has                          string
	}{
		"root":                {"GET", "/", "", "", 200, `"v1"`},
		"root of v1":          {"GET", "/v1/", "", "", 200, `"v1"`},
		"health":              {"GET", "/health/", "", "", 200, `"ok"`},
		"version":             {"GET", "/v1/version", "", "", 200, `"schema_version":"0.0.16"`},
		"status":              {"GET", "/status", "bob", "right", 200, `"message":"all good"`},
		"status, nobody":      {"GET", "/status", "", "", 401, "Unauthorized"},
		"status, wrong":       {"GET", "/status", "bob", "wrong", 401, "Unauthorized"},
		"status, disabled":    {"GET", "/status", "eve", "right", 403, "not enabled"},
		"status, guessing":    {"GET", "/status", "bob", "guess", 429, "Too many"},
		"status, no database": {"GET", "/status", "bob", "away", 503, "unavailable"},
		"metrics":             {"GET", "/metrics", "bob", "right", 200, "anchore_queue_length"},
		"metrics, nobody":     {"GET", "/metrics", "", "", 401, "Unauthorized"},
		"unknown":             {"GET", "/images", "bob", "right", 404, ""},
		"method":              {"POST", "/health", "", "", 405, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.path, nil)
			if tc.user != "" {
				r.SetBasicAuth(tc.user, tc.password)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Errorf("%d %s; want %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
		})
	}
}
