package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"windlass/internal/cli/python"
)

// fixed is a server with the replies of a fixtures file; it keeps what it was
// asked.
type fixed struct {
	*httptest.Server
	image, images any
	subscriptions []any
	replies       []any

	mu       sync.Mutex
	requests []string
}

func serve(t testing.TB, fixtures string) *fixed {
	t.Helper()
	text, err := os.ReadFile(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := python.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{}
	f := &fixed{image: r.opt(doc, "image"), images: r.opt(doc, "images"), replies: r.list(r.at(doc, "replies"))}
	f.subscriptions, _ = r.opt(doc, "subscriptions").([]any)
	if r.err != nil {
		t.Fatal(r.err)
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fixed) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	said := req.Method + " " + req.URL.RequestURI()
	if len(body) > 0 {
		said += "  body " + string(body)
	}
	f.mu.Lock()
	f.requests = append(f.requests, said)
	f.mu.Unlock()

	code, payload := f.answer(req)
	text := []byte(python.Line(payload))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(code)
	_, _ = w.Write(text)
}

// answer is the first reply whose pattern is the path; a fourth element is its
// status.
func (f *fixed) answer(req *http.Request) (int, any) {
	path := strings.TrimPrefix(req.URL.EscapedPath(), "/v1")
	q := req.URL.Query()
	switch {
	case req.Method == "GET" && path == "/images" && f.image != nil:
		if q.Has("fulltag") {
			return 200, f.image
		}
		return 200, f.images
	case req.Method == "GET" && path == "/subscriptions" && f.subscriptions != nil:
		some := []any{}
		for _, s := range f.subscriptions {
			if matches(s, "subscription_key", q.Get("subscription_key")) && matches(s, "subscription_type", q.Get("subscription_type")) {
				some = append(some, s)
			}
		}
		return 200, some
	case strings.HasSuffix(path, "/nosuch"):
		return 404, python.Dict("message", "Event not found", "httpcode", 404, "detail", python.Dict("error_codes", []any{}))
	}
	for _, reply := range f.replies {
		r := reply.([]any)
		if r[0] != req.Method || !regexp.MustCompile("^(?:"+r[1].(string)+")$").MatchString(path) {
			continue
		}
		if len(r) > 3 {
			code, _ := python.Float(r[3])
			return int(code), r[2]
		}
		return 200, r[2]
	}
	return 404, python.Dict("message", "not in the fixtures", "httpcode", 404)
}

func matches(s any, key, want string) bool {
	return want == "" || (&reader{}).opt(s, key) == want
}

func (f *fixed) asked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	said := strings.Join(f.requests, "\n")
	f.requests = nil
	if said != "" {
		said += "\n"
	}
	return said
}

// outcome is what one run of the program left behind.
type outcome struct {
	code                  int
	stdout, stderr, asked string
}

// ask runs the program against the server, its output piped.
func (f *fixed) ask(ctx context.Context, stdin string, args ...string) outcome {
	var out, errs bytes.Buffer
	env := map[string]string{"ANCHORE_CLI_URL": f.URL + "/v1", "ANCHORE_CLI_USER": "admin", "ANCHORE_CLI_PASS": "foobar", "ANCHORE_CLI_HUB_URL": f.URL + "/hub/"}
	code := Run(ctx, args, World{Env: lookup(env), In: strings.NewReader(stdin), Out: &out, Err: &errs})
	return outcome{code, f.anywhere(out.String()), f.anywhere(errs.String()), f.asked()}
}

// anywhere gives the server the address that it has in transcripts.
func (f *fixed) anywhere(s string) string {
	return strings.ReplaceAll(s, strings.TrimPrefix(f.URL, "http://"), "127.0.0.1:18321")
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}
