package bff

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/session"
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
	// These are questions that need a form, since a bundle's text is long.
	own = append(own, "/policies/check/upload", "/policies/:id/try/upload", "/policies/:id/diff/upload")
	// Every role may have an image judged, as by the API's check.
	own = append(own, "/images/:digest/evaluate")
	// This looks again, and asks for listChecks itself.
	own = append(own, "/troubleshoot/run")
	// A user's filters are his own, and shown to nobody else.
	own = append(own, "/events/filters", "/events/filters/:filter/rename", "/events/filters/:filter/delete")
	own = append(own, "/account/password", "/account/tokens", "/account/tokens/:id/revoke", "/account/sessions/end")
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

// forgetful is an engine that can forget services too.
type forgetful struct{ *registryEngine }

func (forgetful) RemoveService(context.Context, string, string) error { return nil }

// TestPagesAreAudited removes a registry, saves one and forgets a service: three
// entries, none with the password.
func TestPagesAreAudited(t *testing.T) {
	var got []engine.AuditEntry
	e := &registryEngine{list: []engine.Registry{{Account: "admin", Name: "reg.example.com", Label: "x", Type: "docker_v2", User: "u"}}}
	s, err := New(Options{Engine: forgetful{e}, Audit: func(_ context.Context, e engine.AuditEntry) error {
		got = append(got, e)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for target, form := range map[string]string{
		"/registries/remove":         "registry=reg.example.com",
		"/registries":                "registry=new.example.com&user=u&password=hidden&skip=on",
		"/services/catalog/h/remove": "",
	} {
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader("csrf=token&"+form))
		r.AddCookie(&http.Cookie{Name: session.Cookie, Value: "token"})
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := s.App().Test(r, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	want := map[string]string{"deleteRegistry": "reg.example.com", "createRegistry": "new.example.com", "deleteService": "catalog/h"}
	for _, e := range got {
		if want[e.Action] != e.Subject || e.User != "admin" || e.Account != "admin" || e.RequestID == "" || strings.Contains(fmt.Sprint(e), "hidden") {
			t.Errorf("noted %+v", e)
		}
		delete(want, e.Action)
	}
	if len(want) > 0 {
		t.Errorf("not noted: %v", want)
	}
}
