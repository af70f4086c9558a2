package analyzer_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// answers is an image that is fine, but for how its registry gives it.
func answers(kind string, h http.HandlerFunc) func() *image {
	return func() *image {
		i := of(text("app/"+fmt.Sprintf("%p", h), strings.Repeat("some text ", 2000)))
		i.serve = func(w http.ResponseWriter, r *http.Request, k, what string) bool {
			if k != kind || kind == "blobs" && what != i.layers[0] {
				return false
			}
			h(w, r)
			return true
		}
		return i
	}
}

// given is the same, where the answer is made of the true bytes.
func given(h func(w http.ResponseWriter, body []byte)) func() *image {
	return func() *image {
		i := build([]blob{plainly(packed(text("app/x", fmt.Sprintf("%p", h)+strings.Repeat("some text ", 50_000))))}, nil)
		i.serve = func(w http.ResponseWriter, _ *http.Request, k, what string) bool {
			if k != "blobs" || what != i.layers[0] {
				return false
			}
			h(w, i.blobs[what])
			return true
		}
		return i
	}
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// endless sends until it is hung up on.
func endless(w http.ResponseWriter, r *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// drip sends a byte now and then.
func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			w.Write([]byte{' '})
			w.(http.Flusher).Flush()
		}
	}
}

func hostileTransfers(t *testing.T, s *site) []hostile {
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
		w.Write([]byte(`{"token":"x"}`))
	}))
	t.Cleanup(thief.Close)
	noTheft := func(t *testing.T, _ engine.Image, _ *bench) {
		for _, a := range stolen {
			if a != "" {
				t.Errorf("a credential was sent elsewhere: %q", a)
			}
		}
	}
	loop := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	}
	return []hostile{
		{name: "errors of the server", make: answers("manifests", status(503)), cause: engine.CauseRegistryUnavailable, says: "503"},
		{name: "errors at a layer", make: answers("blobs", status(500)), cause: engine.CauseRegistryUnavailable, says: "layer 1"},
		{name: "come again in a year", make: answers("manifests", status(429, "Retry-After", "31536000")), cause: engine.CauseRegistryRateLimit, says: "limit"},
		{name: "come again in a year, at a layer", make: answers("blobs", status(429, "Retry-After", "31536000")), cause: engine.CauseRegistryRateLimit, says: "layer 1"},
		{name: "no manifest", make: answers("manifests", status(404)), cause: engine.CauseManifestUnknown, says: "no such image"},
		{name: "no layer", make: answers("blobs", status(404)), cause: engine.CauseManifestUnknown, says: "layer 1"},
		{name: "refused", make: answers("manifests", status(403)), cause: engine.CauseRegistryAuth, says: "refused"},
		{name: "a teapot", make: answers("manifests", status(418)), cause: engine.CauseRegistryUnsupported, says: "418"},
		{name: "manifest of other bytes", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) }), cause: engine.CauseDigest},
		{name: "a web page for a manifest", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }), cause: engine.CauseDigest},
		{name: "manifest of 100 MB", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000000")
			w.Write(bytes.Repeat([]byte(" "), 100_000_000))
		}), cause: engine.CauseManifestInvalid, says: "too long"},
		{name: "manifest without end", make: answers("manifests", endless), cause: engine.CauseManifestInvalid, says: "too long"},
		{name: "error text without end", make: answers("manifests", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); endless(w, r) }), cause: engine.CauseRegistryUnsupported},
		{name: "manifest that drips", make: answers("manifests", drip), cause: engine.CauseRegistrySlow, says: "in time"},
		{name: "layer that drips", make: answers("blobs", drip), cause: engine.CauseRegistrySlow, says: "layer 1"},
		{name: "layer that never comes", make: answers("blobs", func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() }), cause: engine.CauseRegistrySlow, says: "layer 1"},
		{name: "layer that breaks off", make: given(func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.Write(body[:len(body)/2])
			panic(http.ErrAbortHandler)
		}), cause: engine.CauseRegistryUnreachable, says: "layer 1"},
		{name: "layer that ends early", make: given(func(w http.ResponseWriter, body []byte) {
			w.(http.Flusher).Flush()
			w.Write(body[:len(body)/2])
		}), cause: engine.CauseSize, says: "layer 1"},
		{name: "layer announced shorter", make: given(func(w http.ResponseWriter, body []byte) { w.Write(body[:100]) }), cause: engine.CauseSize, says: "layer 1"},
		{name: "layer longer than its descriptor", make: given(func(w http.ResponseWriter, body []byte) { w.Write(append(bytes.Clone(body), ' ')) }), cause: engine.CauseSize, says: "layer 1"},
		{name: "layer without end", make: answers("blobs", endless), cause: engine.CauseSize, says: "layer 1"},
		{name: "layer of other bytes", make: given(func(w http.ResponseWriter, body []byte) { w.Write(bytes.ToUpper(body)) }), cause: engine.CauseDigest, says: "layer 1"},
		{name: "layer zipped on the way", make: given(func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(gz(body).body)
		}), cause: engine.CauseSize, says: "layer 1"},
		{name: "redirects in a circle", make: answers("manifests", loop), cause: engine.CauseRegistryRedirect, says: "not followed"},
		{name: "redirects of a layer in a circle", make: answers("blobs", loop), cause: engine.CauseRegistryRedirect, says: "layer 1"},
		{name: "redirect to a file", make: answers("blobs", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}), cause: engine.CauseRegistryRedirect, says: "layer 1"},
		{name: "redirect to plain HTTP elsewhere", make: answers("blobs", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}), cause: engine.CauseRegistryRedirect, says: "layer 1"},
		{name: "login at another server", make: answers("manifests", status(401, "WWW-Authenticate", `Bearer realm="`+thief.URL+`/token",service="s"`)),
			cause: engine.CauseRegistryAuth, check: noTheft},
		{name: "logins without end", make: answers("manifests", status(401, "WWW-Authenticate", `Bearer realm="http://`+s.host+`/v2/",service="s"`)), cause: engine.CauseRegistryAuth},
		{name: "headers of a megabyte", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) {
			for n := range 100 {
				w.Header().Set(fmt.Sprint("X-", n), strings.Repeat("x", 10<<10))
			}
		}), cause: engine.CauseRegistryUnsupported},
		{name: "more promised than sent", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("{}"))
			panic(http.ErrAbortHandler)
		}), cause: engine.CauseRegistryUnreachable},
		{name: "not HTTP", make: answers("manifests", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Write([]byte("220 mail ready\r\n"))
				c.Close()
			}
		}), cause: engine.CauseRegistryUnsupported},
	}
}
