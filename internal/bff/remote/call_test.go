package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"windlass/internal/engine"
)

func TestFaultsOfV1(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   error
		text   string
	}{
		"an application error": {400, `{"message":"Invalid formatted date","httpcode":400,"detail":{"error_codes":[]}}`, engine.ErrInvalid, "Invalid formatted date"},
		"with what the registry said": {400, `{"message":"cannot fetch image digest/manifest from registry","detail":{"raw_exception_message":"no such host","error_codes":["REGISTRY_NOT_ACCESSIBLE"]}}`,
			engine.ErrInvalid, "cannot fetch image digest/manifest from registry: no such host"},
		"not there":                 {404, `{"message":"image not found in DB","httpcode":404,"detail":{}}`, engine.ErrNotFound, "image not found in DB"},
		"not there, as 500":         {500, `{"message":"cannot get image content - exception: {\"httpcode\": 404, \"message\": \"image not found in DB\"}"}`, engine.ErrNotFound, ""},
		"there already, as 500":     {500, `{"message":"subscription already exists in DB"}`, engine.ErrConflict, ""},
		"no such path":              {404, `{"detail":"not found","status":404,"title":"Not Found"}`, engine.ErrUnsupported, ""},
		"no such method":            {405, `{"detail":"no","status":405,"title":"Method Not Allowed"}`, engine.ErrUnsupported, ""},
		"a parameter of wrong type": {400, `{"detail":"Wrong type, expected 'integer'","status":400,"title":"Bad Request"}`, engine.ErrInvalid, "Wrong type, expected 'integer'"},
		"not allowed":               {403, `{"message":"Not authorized. Requires permissions: domain=x"}`, engine.ErrForbidden, ""},
		"down":                      {503, `upstream`, engine.ErrUnavailable, ""},
		"a page of a proxy":         {500, `<html>Internal Server Error</html>`, engine.ErrUnavailable, "The engine answered with status 500."},
		"a redirect":                {302, ``, engine.ErrUnavailable, ""},
		"a hostile message":         {400, `{"message":"a\u0000\u001b[31mb"}`, engine.ErrInvalid, "a\uFFFD[31mb"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.do("GET /thing", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://elsewhere.example/")
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.body)
			})
			c, ctx := client(t, f)
			err := c.get(ctx, "", "/thing", nil, nil)
			if !errors.Is(err, tc.kind) || tc.text != "" && engine.MessageOf(err, "") != tc.text {
				t.Errorf("%v, %q", err, engine.MessageOf(err, ""))
			}
		})
	}
}

// A read that was lost on the way is made once more, and nothing else is.
func TestOnlyReadsAreRepeated(t *testing.T) {
	f := newFake(t)
	var n atomic.Int32
	lost := func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, `[]`)
	}
	f.do("GET /registries", lost)
	f.do("POST /thing", lost)
	c, ctx := client(t, f)
	if _, err := c.Registries(ctx, "team"); err != nil || n.Load() != 2 {
		t.Errorf("a read that was lost once: %v after %d tries", err, n.Load())
	}
	if err := c.call(ctx, call{method: "POST", path: "/thing"}); !errors.Is(err, engine.ErrUnavailable) || n.Load() != 3 {
		t.Errorf("what alters something: %v after %d tries in all", err, n.Load())
	}
}

func TestAnswersAreBounded(t *testing.T) {
	f := newFake(t)
	f.do("GET /long", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `[%s0]`, strings.Repeat("0,", 4000)) })
	f.say("GET /other", `<html>`)
	f.say("GET /deep", strings.Repeat("[", 100_000))
	c, ctx := client(t, f)
	var out any
	for _, path := range []string{"/long", "/other", "/deep"} {
		err := c.call(ctx, call{method: "GET", path: path, out: &out, most: 4000})
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A redirect is not followed: the password would go along.
func TestRedirectsGetNoPassword(t *testing.T) {
	var asked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	defer other.Close()
	f := newFake(t)
	f.do("GET /user", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	c, err := New(Options{URL: f.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), "ann", "right"); !errors.Is(err, engine.ErrUnavailable) || asked.Load() {
		t.Errorf("%v; the other address was asked: %v", err, asked.Load())
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"http://engine:8228": "http://engine:8228", "https://engine.example/v1/": "https://engine.example", "http://proxy/anchore/v1": "http://proxy/anchore",
		"engine:8228": "", "ftp://engine": "", "http://a:b@engine": "", "http://": "", "http://engine?x=1": "",
	} {
		u, err := ParseURL(text)
		if want == "" && err == nil || want != "" && (err != nil || u.String() != want) {
			t.Errorf("%s: %v, %v", text, u, err)
		}
	}
}
