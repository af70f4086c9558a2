package bff_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
)

// api is what stands behind the proxy: it says what it was asked.
func api(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Header.Get("Authorization"))
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.Header().Set("Connection", "X-Private")
		w.Header().Set("X-Cookie", r.Header.Get("Cookie"))
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.RequestURI(), len(body))
	})
	mux.HandleFunc("/v1/endless", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			default:
			}
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func TestProxyWithASession(t *testing.T) {
	c := start(t, bff.Options{API: api(t).URL})
	if code, body, resp := c.do("GET", "/v1/echo", nil); code != 401 || !strings.Contains(body, `"httpcode":401`) || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("signed out = %d %s", code, body)
	}
	c.login()
	code, body, resp := c.do("GET", "/v1/echo?a=%2F&b=", nil)
	if code != 202 || body != "GET /v1/echo?a=%2F&b= 0" {
		t.Errorf("GET = %d %q", code, body)
	}
	if got := resp.Header.Get("X-Seen"); got != "Bearer token-of-admin" {
		t.Errorf("the API was called with %q", got)
	}
	if got := resp.Header.Get("X-Cookie"); got != "" {
		t.Errorf("the API got the session's cookie: %q", got)
	}
	if got := resp.Header.Values("X-Two"); len(got) != 2 {
		t.Errorf("repeated header arrived as %q", got)
	}
	if code, _, _ := c.do("POST", "/v1/echo", nil); code != 403 {
		t.Errorf("POST without token = %d, want 403", code)
	}
	if code, body, _ := c.do("DELETE", "/v1/echo", nil, "X-CSRF-Token", c.csrf()); code != 202 || !strings.HasPrefix(body, "DELETE ") {
		t.Errorf("DELETE = %d %q", code, body)
	}
}

func TestProxyWithOwnPassword(t *testing.T) {
	c := start(t, bff.Options{API: api(t).URL})
	big := bytes.Repeat([]byte("z"), 5<<20) // above any form
	req, _ := http.NewRequest("POST", c.url+"/v1/echo", bytes.NewReader(big))
	req.SetBasicAuth("u", "p")
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 202 || string(body) != fmt.Sprintf("POST /v1/echo %d", len(big)) || !strings.HasPrefix(resp.Header.Get("X-Seen"), "Basic ") {
		t.Errorf("POST = %d %q as %q", resp.StatusCode, body, resp.Header.Get("X-Seen"))
	}
	// Of unknown length.
	req, _ = http.NewRequest("POST", c.url+"/v1/echo", io.MultiReader(bytes.NewReader(big)))
	req.SetBasicAuth("u", "p")
	resp2, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp2.Body.Close()
	if body, _ := io.ReadAll(resp2.Body); string(body) != fmt.Sprintf("POST /v1/echo %d", len(big)) {
		t.Errorf("chunked POST: %q", body)
	}
}

func TestProxyWhenTheAPIIsDown(t *testing.T) {
	srv := api(t)
	srv.Close()
	c := start(t, bff.Options{API: srv.URL})
	code, body, _ := c.do("GET", "/v1/echo", nil, "Authorization", "Basic eDp5")
	if code != 502 || !strings.Contains(body, `"message"`) {
		t.Errorf("GET = %d %q, want 502 and a message", code, body)
	}
}

func TestLeavingEndsTheProxiedRequest(t *testing.T) {
	ended := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	c := start(t, bff.Options{API: srv.URL})
	req, _ := http.NewRequest("GET", c.url+"/v1/endless", nil)
	req.SetBasicAuth("u", "p")
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 1<<20))
	resp.Body.Close()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the API still sends to nobody")
	}
}

// Names with slashes, such as those of registries, and characters that
// addresses escape reach the API as they were sent.
func TestProxyKeepsEscapes(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) }))
	t.Cleanup(srv.Close)
	c := start(t, bff.Options{API: srv.URL})
	c.login()
	for _, target := range []string{
		"/v1/registries/docker.io%2Fteam%2F*", "/v1/registries/docker.io%2fteam?validate=false", "/v1/images/sha256:ab/content/os",
		"/v1/accounts/a%2Cb%25c/users", "/v1/system/feeds/github/github:npm", "/v1/query/images/by_package?name=a%2Bb&version=1%3A2",
	} {
		if code, body, _ := c.do("GET", target, nil); code != 200 || body != target {
			t.Errorf("GET %s reached the API as %s (%d)", target, body, code)
		}
	}
}
