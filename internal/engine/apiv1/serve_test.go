package apiv1

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
)

// ask sends one request to the API over a backend, as admin with the password
// "right" unless auth says "" (nobody) or "user:password", and holds the reply
// against the API document.
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
