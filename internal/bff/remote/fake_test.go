package remote

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
)

// fakeV1 is an engine of which a test says what each question is answered.
type fakeV1 struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]func(w http.ResponseWriter, r *http.Request)
	asked   []string // method, path and query of each question
	refuse  bool     // every password
}

func newFake(t testing.TB) *fakeV1 {
	f := &fakeV1{answers: map[string]func(http.ResponseWriter, *http.Request){}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	f.say("GET /user", `{"username":"ann","type":"native"}`)
	f.say("GET /account", `{"name":"team","type":"user","state":"enabled"}`)
	f.say("GET /version", `{"service":{"version":"1.1.0"},"db":{"schema_version":"0.0.16"}}`)
	f.say("GET /swagger.json", `{"paths":{"/images":{"get":{}}}}`)
	return f
}

// say answers a question with a text.
func (f *fakeV1) say(question, answer string) {
	f.do(question, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
}

func (f *fakeV1) do(question string, answer func(http.ResponseWriter, *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[question] = answer
}

func (f *fakeV1) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question := r.Method + " " + strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	f.mu.Lock()
	f.asked = append(f.asked, question+"?"+r.URL.RawQuery)
	answer, refuse := f.answers[question], f.refuse
	f.mu.Unlock()
	_, password, _ := r.BasicAuth()
	open := strings.HasSuffix(question, "/version") || strings.HasSuffix(question, "/swagger.json")
	switch {
	case !open && (refuse || password != "right"):
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, "Unauthorized")
	case answer == nil:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"detail":"The requested URL was not found on the server.","status":404,"title":"Not Found","type":"about:blank"}`)
	default:
		answer(w, r)
	}
}

// questions lists those that begin with a text.
func (f *fakeV1) questions(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, q := range f.asked {
		if strings.HasPrefix(q, prefix) {
			list = append(list, q)
		}
	}
	return list
}

// client is signed in to a fake as ann.
func client(t testing.TB, f *fakeV1) (*Client, context.Context) {
	t.Helper()
	c, err := New(Options{URL: f.URL, Pace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, signIn(t, c, "hash-of-ann")
}

func signIn(t testing.TB, c *Client, hash string) context.Context {
	t.Helper()
	who, err := c.Authenticate(t.Context(), "ann", "right")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = c.AddSession(t.Context(), engine.Session{Identity: who, Hash: []byte(hash), SeenAt: now, ExpiresAt: now.Add(time.Hour), Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	return engine.WithSession(t.Context(), []byte(hash))
}

func asJSON(w http.ResponseWriter, v any) { json.NewEncoder(w).Encode(v) }
