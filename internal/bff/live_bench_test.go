//go:build bench

package bff_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// Pictures that a browser draws while a thousand rows come: how many, and how
// long the longest took.
func TestBenchBurst(t *testing.T) {
	c := start(t, bff.Options{})
	put := func(n int) {
		for i := range n {
			e := engine.NewEvent(engine.EvAnalysisCompleted, "admin", fmt.Sprintf("r.example/a:%d", i), nil, engine.Source{Service: engine.Analyzer, Host: "host-2"})
			c.fake.Set(func() { c.fake.Log.Put(e) })
			c.fake.Change(engine.ChangeEvent, "admin", e.ID)
		}
	}
	put(100)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	for range 3 {
		p.Goto(c.url + "/events")
		p.Live()
		t.Logf("interactive after %d ms", browsertest.Eval[int](p, `Math.round(performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd)`))
	}
	watch := func() {
		browsertest.Eval[bool](p, `(() => { let last = performance.now(); window.gaps = [];
			const step = (t) => { if (!window.gaps) return; window.gaps.push(t - last); last = t; requestAnimationFrame(step) };
			requestAnimationFrame((t) => { last = t; requestAnimationFrame(step) }); return true })()`)
	}
	worst := func() string {
		return browsertest.Eval[string](p, `(() => { const g = window.gaps.sort((a, b) => a - b); window.gaps = undefined;
			return g.length + " pictures, p95 " + Math.round(g[Math.floor(g.length * .95)]) + " ms, longest " + Math.round(g.at(-1)) + " ms" })()`)
	}
	watch()
	p.Wait(`window.gaps.length > 60`)
	t.Logf("with nothing to do: %s", worst())
	watch()
	put(1000)
	p.Wait(`document.querySelector("[data-newrows]")?.textContent.startsWith("1,000")`)
	t.Logf("a thousand new rows gather: %s", worst())
	watch()
	p.Click("[data-newrows]")
	p.Wait(`document.querySelector("#events-rows tr").textContent.includes("r.example/a:999") && document.querySelectorAll("#events-rows tr").length === 100`)
	t.Logf("and the page shows the newest: %s", worst())

	// A thousand changes of the rows that are there.
	watch()
	ids := browsertest.Eval[[]string](p, `[...document.querySelectorAll("#events-rows tr")].map(r => r.id.slice(6))`)
	for i := range 1000 {
		id := ids[i%len(ids)]
		e, err := c.fake.Event(t.Context(), "admin", id)
		if err != nil {
			t.Fatal(err)
		}
		e.Message = fmt.Sprintf("again %d", i)
		c.fake.Set(func() { c.fake.Log.Put(e) })
		c.fake.Change(engine.ChangeEvent, "admin", id)
	}
	p.Wait(fmt.Sprintf(`document.getElementById("event-%s").textContent.includes("again 999")`, ids[999%len(ids)]))
	t.Logf("a thousand rows change: %s", worst())

	// A list that is fetched whole, with a thousand rows that all changed.
	now := time.Now()
	for i := range 1000 {
		c.fake.Records = append(c.fake.Records, engine.Service{Name: engine.Analyzer, Host: fmt.Sprintf("worker-%d", i), BaseURL: "http://10.0.0.7:8084",
			State: engine.ServiceAvailable, StartedAt: now.Add(-time.Hour), HeartbeatAt: now, Since: now.Add(-time.Hour)})
	}
	p.Goto(c.url + "/services")
	p.Live()
	watch()
	c.fake.Set(func() {
		for i := range c.fake.Records {
			c.fake.Records[i].State = engine.ServiceUnavailable
		}
	})
	began := time.Now()
	c.fake.Change(engine.ChangeService, "", "analyzer/worker-1")
	p.Wait(`[...document.querySelectorAll("main tbody tr")].at(-1)?.textContent.includes("down")`)
	t.Logf("a list of a thousand services changes in %d ms: %s", time.Since(began).Milliseconds(), worst())
}

// What idle sockets cost the process. Both ends are in it, so half as many more
// descriptors are needed as there are sockets, and the figure is an upper bound.
func TestBenchIdleSockets(t *testing.T) {
	const sessions, each = 45, 200
	c := start(t, bff.Options{})
	u, _ := url.Parse(c.url)
	var conns []net.Conn
	t.Cleanup(func() {
		for _, n := range conns {
			n.Close()
		}
	})
	debug.FreeOSMemory()
	before := resident(t)
	for range sessions {
		resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).PostForm(c.url+"/login", url.Values{"user": {"admin"}, "password": {enginetest.Password}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for range each {
			n, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, n)
			fmt.Fprintf(n, "GET /ws/live?topics=event,events,events.cleared,feeds,feeds.sync,service&after=0 HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Version: 13\r\nSec-Websocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: %s\r\n\r\n", u.Host, resp.Header.Get("Set-Cookie"))
			if line, err := bufio.NewReaderSize(n, 64).ReadString('\n'); err != nil || line != "HTTP/1.1 101 Switching Protocols\r\n" {
				t.Fatalf("%q, %v", line, err)
			}
		}
	}
	time.Sleep(5 * time.Second) // settle: what is measured is idleness
	grown := resident(t)
	debug.FreeOSMemory()
	kept := resident(t)
	n := int64(len(conns))
	t.Logf("%d idle sockets: %d MB more, %d MB after a collection: %d bytes each; 10,000 would be %d MB beside the process's %d MB",
		n, (grown-before)>>20, (kept-before)>>20, (grown-before)/n, (grown-before)/n*10_000>>20, before>>20)
}

// resident is the memory of this process.
func resident(t *testing.T) int64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(raw)
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}
