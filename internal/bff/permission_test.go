package bff

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// reader signs in a user who may only look.
type reader struct{ *imageEngine }

func (reader) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	l := engine.Login{
		User: engine.User{Name: "rita"}, Account: engine.Account{Name: "a", Type: engine.AccountUser, State: engine.AccountEnabled},
		Grants: []engine.Grant{{Account: "a", Role: engine.ReadOnly, Enabled: true}},
	}
	return engine.Session{Identity: l.Identity(), CSRF: "token"}, nil
}

// Whoever adds a form that changes something must ask whether its user may:
// with s.may or s.mayAdminister at its route.
func TestReaderChangesNothing(t *testing.T) {
	e := reader{ImageEngine(nil)}
	s, err := New(Options{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	// These are of the user himself, or asked of the API, which decides.
	own := []string{"/login", "/logout", "/prefs", "/api/:id"}
	tried := 0
	for _, route := range s.App().GetRoutes(true) {
		if route.Method != http.MethodPost || slices.Contains(own, route.Path) || strings.HasPrefix(route.Path, "/v1") {
			continue
		}
		tried++
		path := strings.NewReplacer(":digest", "sha256:1", ":name", "n", ":host", "h", ":feed", "f", ":group", "g", ":clear", "1", ":id", "1").Replace(route.Path)
		code, _, body := post(t, e, path+"?csrf=token", url.Values{})
		if code != http.StatusForbidden || !strings.Contains(body, "does not allow this") && !strings.Contains(body, "is for administrators") {
			t.Errorf("POST %s: %d", route.Path, code)
		}
	}
	if tried < 20 {
		t.Errorf("%d forms: are they still found?", tried)
	}
}
