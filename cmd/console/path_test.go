package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/bff/browsertest"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/feeds/starter"
)

// slowFeed serves the records of the starter data as a feed. The archive stops
// half way until more is closed, so that a sync can be watched.
func slowFeed(t testing.TB) (url string, more chan struct{}) {
	t.Helper()
	dir := dataDir(t)
	if _, err := build.Serve(dir, starter.Database()); err != nil {
		t.Fatal(err)
	}
	more = make(chan struct{})
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "vulnerability-db") {
			w = &halfway{ResponseWriter: w, more: more, left: 4096, gone: r.Context().Done()}
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, more
}

type halfway struct {
	http.ResponseWriter
	more chan struct{}
	gone <-chan struct{}
	left int
}

func (h *halfway) Write(p []byte) (int, error) {
	n := 0
	for len(p) > 0 {
		part := p[:min(len(p), 1024)]
		if h.left -= len(part); h.left < 0 {
			select {
			case <-h.more:
			case <-h.gone:
				return n, io.ErrClosedPipe
			}
		}
		m, err := h.ResponseWriter.Write(part)
		if n += m; err != nil {
			return n, err
		}
		if f, ok := h.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		p = p[m:]
	}
	return n, nil
}

// The operator's path through the console, on the whole program: no page is
// loaded again to see what happened.
func TestOperatorsPath(t *testing.T) {
	feed, more := slowFeed(t)
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	prog := start(t, dataDir(t), "--feeds-url="+feed)
	p := browsertest.Open(t)

	p.Login(prog.console, "admin", prog.password)
	p.Shot("path-overview-empty")
	p.Goto(prog.console + "/services")
	p.Live()
	p.Wait(`document.querySelectorAll("#services .pill.ok").length >= 5`)

	p.Goto(prog.console + "/feeds")
	p.Live()
	p.Click(`main .head form[action="/feeds/sync"]:last-of-type button`)
	p.Wait(`document.querySelector("#feed-run li[aria-current]")?.textContent === "Download"`)
	p.Wait(`/[1-9]/.test(document.querySelector("#feed-run .tnum")?.textContent)`)
	p.Shot("path-sync")
	close(more)
	p.Wait(`document.querySelector("[data-testid=records]")?.textContent.length > 1 && !document.querySelector("#feed-run")`)

	p.Goto(prog.console + "/images?add=1")
	p.Live()
	p.Type("#add-tag", image)
	p.Click(`#add form .btn.primary`)
	p.Wait(`document.querySelector("#images-rows, #image-head")?.textContent.includes("Analyzed")`)
	browsertest.Eval[bool](p, `document.querySelector("#images-rows a[href^='/images/sha256']")?.click(), true`)
	p.Wait(`location.pathname.startsWith("/images/sha256")`)
	p.Live()
	p.Wait(`document.querySelector("a[href*='tab=vulnerabilities']")`)
	p.Click(`a[href*="tab=vulnerabilities"]`)
	p.Wait(`location.search.includes("tab=vulnerabilities")`)
	p.Wait(`document.querySelector("#image-tab").textContent.includes("GHSA-35jh-r3h4-6jhm")`)
	p.Shot("path-vulnerabilities")

	p.Goto(prog.console + "/events?service=policy_engine")
	p.Live()
	rows := `document.querySelectorAll("#events-rows tr").length`
	before := browsertest.Eval[int](p, rows)
	if before == 0 {
		t.Fatal("the feed sync left no events")
	}
	p.Click(`[data-testid="clear-all"]`)
	p.Wait(rows + ` === 0`)
	p.Wait(`document.querySelector("[data-toast] button")`)
	p.Shot("path-cleared")
	p.Click("[data-toast] button")
	p.Wait(rows + ` > 0`)
	if after := browsertest.Eval[int](p, rows); after != before {
		t.Errorf("%d events after the undo, want %d", after, before)
	}

	p.Goto(prog.console + "/logs?service=policy_engine")
	p.Wait(`document.querySelector("#logs-state").textContent.includes("Following")`)
	if code := prog.call(t, http.MethodPost, "/system/feeds", "", nil); code != http.StatusOK {
		t.Fatalf("POST /system/feeds = %d", code)
	}
	p.Wait(`[...document.querySelectorAll("#log li")].pop().textContent.includes("feed sync done")`)
	p.Shot("path-log")
}

// Without any network: one press, and images show vulnerabilities.
func TestSampleWithoutNetwork(t *testing.T) {
	prog := start(t, dataDir(t))
	p := browsertest.Open(t)
	p.Login(prog.console, "admin", prog.password)
	p.Live()
	p.Looks("sample-offer")
	p.Click(`form[action="/sample"] button`)
	p.Wait(`location.pathname === "/images"`)
	p.Live()
	done := `[...document.querySelectorAll("#images-rows tr")].filter(r => r.textContent.includes("Analyzed") && /Critical \d/.test(r.textContent)).length === 3`
	p.Wait(done)
	p.Looks("sample-images")
	if n := browsertest.Eval[int](p, `document.querySelectorAll("#images-rows tr").length`); n != 3 {
		t.Errorf("%d images, want the three samples", n)
	}
	p.Click(`#images-rows tr:last-child a[href^="/images/sha256"]`)
	p.Wait(`location.pathname.startsWith("/images/sha256")`)
	p.Goto(prog.console + browsertest.Eval[string](p, `location.pathname`) + "?tab=vulnerabilities")
	p.Live()
	p.Looks("sample-vulnerabilities")
	p.ShotTop("sample-vulnerabilities-top", 900)
	p.Goto(prog.console + "/")
	p.Live()
	p.Looks("sample-overview")
	p.Goto(prog.console + "/api/addImage")
	p.Live()
	p.Looks("path-api-add-image")
	crawl(t, prog)
	p.Goto(prog.console + "/")
	p.Click(`form[action="/sample/remove"] button`)
	p.Wait(`document.querySelector("#first") || document.body.textContent.includes("sample is removed")`)
	var left []any
	prog.call(t, http.MethodGet, "/images", "", &left)
	if len(left) != 0 {
		t.Errorf("after the removal %d images are left", len(left))
	}
}
