package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/bff/browsertest"
	"windlass/internal/engine/enginetest"
)

// A tag moves from one real image to another: the page of the new one tells by
// itself what changed, and its documents can be had.
func TestMovedTagIsCompared(t *testing.T) {
	if testing.Short() {
		t.Skip("analyzes two real images")
	}
	feed := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(t, "data/feed"))))
	defer feed.Close()
	reg := enginetest.Registry(t)
	p := start(t, dataDir(t), "--feeds-url="+feed.URL)
	p.sync(t)
	var digests []string
	for _, name := range []string{"debian12", "debian12-app"} {
		tag := reg.PushArchive(t, "team/shop:stable", enginetest.Shared(t, "data/images/"+name+".oci.tar"))
		digests = append(digests, p.analyze(t, tag, ""))
	}
	path := "/console/images/" + digests[1] + "/compare/" + digests[0] + "?files=true"
	var diff map[string]json.RawMessage
	if code := p.call(t, http.MethodGet, path, "", &diff); code != http.StatusOK {
		t.Fatalf("GET %s = %d", path, code)
	}
	for part, least := range map[string]int{"packages": 50, "vulnerabilities": 10, "files": 100, "configuration": 2} {
		var n struct {
			Added, Removed, Same int
		}
		if err := json.Unmarshal(diff[part], &n); err != nil || n.Added < least || n.Removed > n.Same {
			t.Errorf("%s: %+v, %v", part, n, err)
		}
	}

	b := browsertest.Open(t)
	b.Login(p.console, "admin", p.password)
	page := p.console + "/images/" + digests[1]
	for name, query := range map[string]string{
		"compare": "?tab=compare", "compare-packages": "?tab=compare&part=packages", "compare-configuration": "?tab=compare&part=configuration",
		"compare-files": "?tab=compare&part=files&change=changed", "compare-find": "?tab=compare&find=shop", "image-sbom": "?tab=sbom",
	} {
		b.Goto(page + query)
		b.Live()
		b.Shot("real-" + name)
	}
	b.Goto(page + "?tab=vulnerabilities")
	b.Live()
	b.Click(".exports > summary")
	b.Shot("real-exports-menu")
	for _, download := range []string{"/sbom/spdx-json", "/vulnerabilities/sarif", "/compare.csv?part=files&with=" + digests[0]} {
		got := browsertest.Eval[string](b, `fetch(location.pathname + `+fmt.Sprintf("%q", download)+`).then(async r => r.status + " " + r.headers.get("content-disposition") + " " + (await r.text()).length)`)
		if !strings.HasPrefix(got, "200 attachment") || strings.HasSuffix(got, " 0") {
			t.Errorf("%s: %s", download, got)
		}
	}
}
