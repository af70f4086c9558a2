package apiv1

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// TestOverASocket talks to a real listener: the connection is used again after
// replies of every kind, HEAD has no body, and each request is logged once
// without its secrets.
func TestOverASocket(t *testing.T) {
	var log bytes.Buffer
	var seen []string
	s := New(newFakeSystem(), Options{
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Observe: func(method, path string, code int, _ time.Duration) {
			seen = append(seen, strings.Join([]string{method, path, http.StatusText(code)}, " "))
		},
	})
	srv := httptest.NewServer(s)
	defer srv.Close()

	connections := 0
	do := func(method, path, body string, want int) string {
		t.Helper()
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
			if !c.Reused {
				connections++
			}
		}}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), method, srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("bob", "right")
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s %s: %d %s, %v; want %d", method, path, resp.StatusCode, text, err, want)
		}
		return string(text)
	}
	do("GET", "/v1/system", "", 200)
	if text := do("HEAD", "/v1/system", "", 200); text != "" {
		t.Errorf("HEAD has a body: %s", text)
	}
	do("POST", "/v1/user/credentials", `{"type":"password","value":"hunter2"}`, 200)
	do("POST", "/v1/user/credentials", `{"type":"other","value":"hunter2"}`, 400)
	do("GET", "/v1/nothing", "", 404)
	do("GET", "/v1/system/services", "", 403)
	if connections != 1 {
		t.Errorf("%d connections for six requests", connections)
	}
	srv.Close() // waits for the handlers, and so for the log
	text := log.String()
	if n := strings.Count(text, "request done"); n != 6 {
		t.Errorf("%d lines for six requests:\n%s", n, text)
	}
	for _, secret := range []string{"hunter2", "right", "Basic"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
	if want := "  Not Found"; len(seen) != 6 || seen[4] != want {
		t.Errorf("observed %q, want the 5th to be %q", seen, want)
	}
}
