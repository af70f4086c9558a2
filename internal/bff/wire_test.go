package bff_test

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"windlass/internal/bff"
)

// firstView is what the start page may cost on the wire, all that it loads
// included.
const firstView = 100 << 10

var assetPath = regexp.MustCompile(`/static/[a-z]+\.[0-9a-f]+\.(css|js|svg)`)

func TestFirstViewIsSmall(t *testing.T) {
	c := start(t, bff.Options{})
	busy(c.fake)
	c.login()
	files := assetPath.FindAllString(c.get("/"), -1)
	slices.Sort(files)
	total := 0
	for _, path := range append([]string{"/"}, slices.Compact(files)...) {
		req, err := http.NewRequest("GET", c.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip") // by hand: what comes is left as it is
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%6d %4s %s", n, resp.Header.Get("Content-Encoding"), path)
		total += int(n)
	}
	if total > firstView {
		t.Errorf("the first view is %d bytes, more than %d", total, firstView)
	}
}
