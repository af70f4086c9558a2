package apiv1

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// testAuth knows three users, all with the password "right": admin, bob of the
// account bob, and eve of the account eve, which is disabled. Fakes embed it
// and add the role under test; the other roles are nil.
type testAuth struct{ Backend }

func (testAuth) Authenticate(_ context.Context, user string, password engine.Secret) (engine.Identity, error) {
	if password == "guess" {
		return engine.Identity{}, engine.ErrThrottled
	}
	if password != "right" || user != "admin" && user != "bob" && user != "eve" {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return engine.Identity{User: user, Account: user, Admin: user == "admin", Disabled: user == "eve"}, nil
}

func (testAuth) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (a testAuth) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	user, ok := strings.CutPrefix(token.Reveal(), "token-of-")
	if !ok {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return a.Authenticate(ctx, user, "right")
}

const asAdmin, asBob, asEve, asNobody = "admin:right", "bob:right", "eve:right", ""

// ask sends one request to the API over a backend as "user:password", or as
// nobody, and holds the reply against the API document.
func ask(t *testing.T, b Backend, method, target, body, auth string) *httptest.ResponseRecorder {
	t.Helper()
	return askServer(t, New(b, Options{Log: enginetest.Logger(t)}), method, target, body, auth, nil)
}

func askServer(t *testing.T, s *Server, method, target, body, auth string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if user, password, ok := strings.Cut(auth, ":"); ok {
		r.SetBasicAuth(user, password)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := s.CheckReply(r, w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Errorf("%s %s answered %d against the API document: %v\n%s", method, target, w.Code, err, w.Body)
	}
	return w
}
