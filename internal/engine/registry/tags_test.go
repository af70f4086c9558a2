package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

// tagServer lists n tags of any repository in pages, linked as link says.
func tagServer(t *testing.T, n int, link func(r *http.Request, last int) string) (host string, pages *int) {
	t.Helper()
	pages = new(int)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		*pages++
		size, _ := strconv.Atoi(r.URL.Query().Get("n"))
		last, _ := strconv.Atoi(r.URL.Query().Get("last"))
		var names []string
		for k := last + 1; k <= min(n, last+size); k++ {
			names = append(names, fmt.Sprintf(`"t%05d"`, k))
		}
		if last+size < n {
			w.Header().Set("Link", link(r, last+size))
		}
		fmt.Fprintf(w, `{"name":"x","tags":[%s]}`, strings.Join(names, ","))
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), pages
}

func relative(r *http.Request, last int) string {
	return fmt.Sprintf(`<%s?last=%d&n=1000>; rel="next"`, r.URL.Path, last)
}

func TestTagsFollowThePages(t *testing.T) {
	for name, tc := range map[string]struct {
		n     int
		link  func(*http.Request, int) string
		want  int
		more  bool
		pages int
	}{
		"one page":   {5, relative, 5, false, 1},
		"full pages": {3000, relative, 3000, false, 3},
		"absolute": {1500, func(r *http.Request, last int) string {
			return fmt.Sprintf(`<http://%s/x?n=1000&last=%d>; rel=next`, r.Host, last)
		}, 1500, false, 2},
		"wrong host": {1500, func(_ *http.Request, last int) string {
			return fmt.Sprintf(`<http://127.0.0.1:1/v2/x?last=%d&n=1000>;rel="next"`, last)
		}, 1500, false, 2},
		"two links":    {1500, func(r *http.Request, last int) string { return `</v2/>; rel="prev", ` + relative(r, last) }, 1500, false, 2},
		"not next":     {1500, func(*http.Request, int) string { return `</v2/x?last=1>; rel="prev"` }, 1000, false, 1},
		"the same":     {1500, func(*http.Request, int) string { return `</v2/x/tags/list?n=1000>; rel="next"` }, 1000, false, 1},
		"all we take":  {registry.MaxTags, relative, registry.MaxTags, false, 10},
		"too many":     {registry.MaxTags + 1, relative, registry.MaxTags, true, 11},
		"far too many": {1 << 30, relative, registry.MaxTags, true, 11},
		"no end": {1 << 30, func(r *http.Request, _ int) string {
			at, _ := strconv.Atoi(r.URL.Query().Get("at"))
			return fmt.Sprintf(`</v2/x/tags/list?n=1000&at=%d>; rel="next"`, at+1)
		}, 1000, true, 500},
	} {
		t.Run(name, func(t *testing.T) {
			host, pages := tagServer(t, tc.n, tc.link)
			got, err := registry.New(registry.Options{}).Tags(t.Context(), parse(t, host+"/team/app"), nil)
			if err != nil || len(got.Names) != tc.want || got.More != tc.more || *pages != tc.pages {
				t.Errorf("%d tags, more %v, %d pages, %v; want %d, %v, %d", len(got.Names), got.More, *pages, err, tc.want, tc.more, tc.pages)
			}
		})
	}
}

func TestTagsAndHead(t *testing.T) {
	reg := enginetest.Registry(t)
	name := reg.Push(t, "demo/app:1", enginetest.Image(t, enginetest.Files{"a": "1"}))
	reg.Push(t, "demo/app:2", enginetest.Image(t, enginetest.Files{"a": "2"}))
	c := registry.New(registry.Options{})
	tags, err := c.Tags(t.Context(), parse(t, reg.Host+"/demo/app"), nil)
	if err != nil || fmt.Sprint(tags.Names) != "[1 2]" {
		t.Errorf("Tags = %v, %v", tags, err)
	}
	digest, err := c.Head(t.Context(), parse(t, name), nil)
	found, _ := c.Resolve(t.Context(), parse(t, name), nil)
	if err != nil || digest != found.Digest || digest == "" {
		t.Errorf("Head = %s, %v; want %s", digest, err, found.Digest)
	}
	for what, err := range map[string]error{
		"tags of none": func() error { _, err := c.Tags(t.Context(), parse(t, reg.Host+"/no/app"), nil); return err }(),
		"head of none": func() error { _, err := c.Head(t.Context(), parse(t, reg.Host+"/demo/app:3"), nil); return err }(),
	} {
		var f *engine.Fault
		if cause, _ := engine.CauseOf(err); cause.Code != engine.CauseManifestUnknown || !errors.As(err, &f) || f.Codes[0] != "REGISTRY_IMAGE_NOT_FOUND" {
			t.Errorf("%s: %v", what, err)
		}
	}
	quiet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	}))
	defer quiet.Close()
	if digest, err := c.Head(t.Context(), parse(t, strings.TrimPrefix(quiet.URL, "http://")+"/a:1"), nil); digest != "" || err != nil {
		t.Errorf("a registry without HEAD gives %q, %v", digest, err)
	}
}

func TestTagsThatAreNoTags(t *testing.T) {
	for body, want := range map[string]string{
		`{"tags":null}`:                        "[]",
		`{"tags":["ok","../../etc","a b",""]}`: "[ok]",
		`{"tags":["a","a"]}`:                   "[a]",
		`{"tags":"x"}`:                         "error",
		`<html>`:                               "error",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		tags, err := registry.New(registry.Options{}).Tags(t.Context(), parse(t, strings.TrimPrefix(srv.URL, "http://")+"/a"), nil)
		srv.Close()
		got := fmt.Sprint(tags.Names)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", body, got, err, want)
		}
	}
}

// The login of a registry of AWS is fetched for the images it is used for, and
// for no others.
func TestLoginIsTradedFirst(t *testing.T) {
	reg := enginetest.Registry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "AWS" || password != "token" {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	traded := 0
	c := registry.New(registry.Options{Login: func(_ context.Context, r engine.Registry) (engine.Registry, error) {
		traded++
		if r.Password != "good" {
			return r, engine.Invalidf("no login")
		}
		r.User, r.Password = "AWS", "token"
		return r, nil
	}})
	stored := engine.Registry{Name: reg.Host, Type: "awsecr", User: "key", Password: "good"}
	if _, err := c.Tags(t.Context(), parse(t, reg.Host+"/none"), []engine.Registry{stored}); causeOf(err) != engine.CauseManifestUnknown {
		t.Errorf("with a login: %v", err)
	}
	if err := c.Verify(t.Context(), stored); err != nil || traded != 2 {
		t.Errorf("verify: %v, traded %d times", err, traded)
	}
	stored.Password = "bad"
	if err := c.Verify(t.Context(), stored); engine.MessageOf(err, "") != "no login" {
		t.Errorf("verify with a bad key: %v", err)
	}
	stored.Type = "docker_v2"
	if err := c.Verify(t.Context(), stored); causeOf(err) != engine.CauseRegistryAuth || traded != 3 {
		t.Errorf("another type: %v, traded %d times", err, traded)
	}
}

func causeOf(err error) string {
	cause, _ := engine.CauseOf(err)
	return cause.Code
}
