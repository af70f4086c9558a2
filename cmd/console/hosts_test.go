package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"windlass/internal/bff/session"
	"windlass/internal/engine/enginetest"
)

// A further host with nothing but an analyzer takes jobs of the engine on the
// shared database, brings the data in use onto itself and stores matches.
func TestAnalyzerOnAnotherHost(t *testing.T) {
	feed, more := slowFeed(t)
	close(more)
	db := "--database-url=" + enginetest.Database(t)
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	key := "--secret-key=" + fmt.Sprintf("%064x", 7)

	first := start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=apiext,catalog,policy_engine,simplequeue", "--host-id=one")
	first.sync(t)
	start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=analyzer", "--web=off", "--host-id=two")
	first.awaitUp(t)
	digest := first.analyze(t, image, "") // on the other host
	until(t, "its vulnerabilities are found", func() bool { return len(first.findings(t, digest)) > 0 })

	// What the other host says is read where the console is.
	page := get(t, first.console+"/logs?service=analyzer&host=two&text=analysis", signIn(t, first))
	if !strings.Contains(page, `id="l-two~analyzer-`) || strings.Contains(page, `id="l-one~`) {
		t.Errorf("the log of the other host is not in the page: %.3000s", page)
	}
	if log := supportBundle(t, first)["logs/host-2-two/analyzer.log"]; !strings.Contains(log, "analysis") {
		t.Errorf("the support bundle has of the other host's log: %.300q", log)
	}
}

// get is a page of the console for a session.
func get(t *testing.T, address, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: session.Cookie, Value: token})
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v: %.300s", address, resp.StatusCode, err, body)
	}
	return string(body)
}
