package bff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// busy makes the fake look like an engine at work.
func busy(f *enginetest.Fake) {
	now := time.Now()
	f.Records = append(f.Records, engine.Service{Name: engine.Analyzer, Host: "host-2", BaseURL: "http://10.0.0.7:8084", State: engine.ServiceUnavailable,
		StartedAt: now.Add(-9 * time.Hour), HeartbeatAt: now.Add(-8 * time.Minute), Since: now.Add(-7 * time.Minute), Restarts: 2,
		Detail: engine.ServiceDetail{Message: "its address does not answer: connection refused", Version: engine.Version, DBVersion: engine.DBVersion}})
	f.History = []engine.ServiceTransition{
		{Name: engine.PolicyEngine, Host: "host-1", From: engine.ServiceRegistered, To: engine.ServiceAvailable, Cause: "all good", At: now.Add(-40 * 24 * time.Hour)},
		{Name: engine.Analyzer, Host: "host-2", From: "", To: engine.ServiceRegistered, Cause: "started", At: now.Add(-9 * time.Hour)},
		{Name: engine.Analyzer, Host: "host-2", From: engine.ServiceRegistered, To: engine.ServiceAvailable, Cause: "first heartbeat", At: now.Add(-9*time.Hour + time.Second)},
		{Name: engine.PolicyEngine, Host: "host-1", From: engine.ServiceAvailable, To: engine.ServiceUnavailable, Cause: "no heartbeat for 41 s", At: now.Add(-6 * time.Hour)},
		{Name: engine.PolicyEngine, Host: "host-1", From: engine.ServiceUnavailable, To: engine.ServiceAvailable, Cause: "heartbeat", At: now.Add(-5 * time.Hour)},
		{Name: engine.Analyzer, Host: "host-2", From: engine.ServiceAvailable, To: engine.ServiceUnavailable, Cause: "connect: connection refused", At: now.Add(-7 * time.Minute)},
	}
	f.History = append(outages(now), f.History...)
	for i, text := range []string{"service start url=http://10.0.0.7:8084", "analysis start image=debian:12 digest=sha256:8f2c…", "analysis done image=debian:12 packages=88 took=4.1s", "heartbeat failed err=\"connect: connection refused\""} {
		f.Lines = append(f.Lines, engine.LogLine{Service: engine.Analyzer, Host: "host-2", Level: []string{"info", "info", "info", "error"}[i], Text: text, At: now.Add(time.Duration(i-20) * time.Minute)})
	}
	for i, e := range []string{engine.EvAnalysisCompleted, engine.EvImageAnalysisFailed} {
		ev := engine.NewEvent(e, "admin", fmt.Sprintf("registry.example/team/service-%d:2026.11", i), nil, engine.Source{Service: engine.Analyzer, Host: "host-2"})
		ev.At = now.Add(-time.Duration(i+8) * time.Minute)
		f.Log.Put(ev)
	}
	o := engine.Overview{
		Images:     map[engine.AnalysisState]int64{engine.Analyzed: 1284, engine.Analyzing: 2, engine.NotAnalyzed: 17, engine.Failed: 3},
		Severities: engine.Severities{Critical: 412, High: 3891, Medium: 10233, Low: 8120, Negligible: 15877, Unknown: 641},
		Exploited:  37, Fixable: 17230, Packages: 412_733, Feeds: 4, FeedsSynced: 4, FeedRecords: 148_493,
		FeedData: &engine.FeedData{ID: "6d44de93", Built: now.Add(-2 * time.Hour), Source: "https://feeds.example/v6", Records: 148_493, InstalledAt: now.Add(-time.Hour), Active: true},
		FeedSync: &engine.FeedSync{Status: "unchanged", StartedAt: now.Add(-9 * time.Minute), EndedAt: now.Add(-8 * time.Minute), NextTry: now.Add(3*time.Hour + 51*time.Minute)},
		Queues:   []engine.QueueStat{{Queue: engine.QueueAnalyze, Waiting: 17, Leased: 2, All: 17, Ended: 212, Over: time.Hour, Oldest: now.Add(-48 * time.Second)}},
	}
	for i := range 24 {
		o.Hours = append(o.Hours, engine.EventHour{At: now.UTC().Truncate(time.Hour).Add(time.Duration(i-23) * time.Hour), Info: int64(20 + (i*37)%61), Error: int64((i * i) % 7 * (i % 3))})
	}
	for i, e := range []string{engine.EvImageAnalysisFailed, engine.EvServiceDown, engine.EvRegistryLookupFailed, engine.EvFeedGroupFailed} {
		ev := engine.NewEvent(e, "admin", fmt.Sprintf("registry.example/team/service-%d:2026.11", i), nil, engine.Source{Service: engine.Catalog, Host: "host-1"})
		ev.At = now.Add(-time.Duration(i*i+1) * 7 * time.Minute)
		o.Errors = append(o.Errors, ev)
	}
	f.Sum = o
	f.Verdict = engine.VerdictCounts{Go: 1201, Warn: 44, Stop: 37, Waiting: 2}
}

// outages is a history of some weeks: two evenings on which the whole engine
// was stopped, and a catalog that fell over.
func outages(now time.Time) []engine.ServiceTransition {
	up, day := engine.ServiceAvailable, 24*time.Hour
	var list []engine.ServiceTransition
	move := func(name string, ago time.Duration, from, to engine.ServiceState, cause string) {
		list = append(list, engine.ServiceTransition{Name: name, Host: "host-1", From: from, To: to, Cause: cause, At: now.Add(-ago)})
	}
	for _, name := range []string{engine.APIExt, engine.Catalog, engine.SimpleQueue, engine.Analyzer} {
		move(name, 40*day, engine.ServiceRegistered, up, "all good")
	}
	for _, d := range []time.Duration{21 * day, 9 * day} {
		for _, name := range []string{engine.APIExt, engine.Catalog, engine.SimpleQueue, engine.Analyzer} {
			move(name, d, up, "", engine.CauseNotRun)
			move(name, d-3*time.Hour, "", engine.ServiceRegistered, "started")
			move(name, d-3*time.Hour-2*time.Second, engine.ServiceRegistered, up, "all good")
		}
	}
	for i := range time.Duration(3) {
		move(engine.Catalog, 11*time.Hour-i*time.Minute, up, engine.ServiceUnavailable, "restarting after: image collector: connect: connection refused")
		move(engine.Catalog, 11*time.Hour-i*time.Minute-20*time.Second, engine.ServiceUnavailable, up, "all good")
	}
	slices.SortStableFunc(list, func(a, b engine.ServiceTransition) int { return a.At.Compare(b.At) })
	return list
}

func TestLooks(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Goto(c.url + "/login")
	p.Looks("login")
	p.Login(c.url, "admin", enginetest.Password)
	p.Live()
	p.Looks("overview-empty")
	p.Goto(c.url + "/nowhere")
	p.Looks("error")
	p.Forgive(func(m string) bool { return true }) // the 404 of the page itself
}

func TestLivePage(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/services")
	p.Live()

	// A change comes onto the screen by itself, and nothing but the part it is
	// in is replaced. How soon is measured by make bench.
	browsertest.Eval[bool](p, `(document.querySelector("h1").mark = document.querySelector("tbody tr").mark = "kept", true)`)
	browsertest.Eval[bool](p, `(window.seen = new Promise(done => new MutationObserver(() => {
		if (document.getElementById("service-analyzer-host-1").innerText.includes("down")) done(Date.now());
	}).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})), true)`)
	c.fake.Set(func() { c.fake.Records[4].State = engine.ServiceUnavailable })
	committed := time.Now()
	c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	took := time.UnixMilli(browsertest.Eval[int64](p, `window.seen`)).Sub(committed)
	t.Logf("on the screen %s after its commit", took)
	if got := browsertest.Eval[string](p, `document.querySelector("h1").mark + document.querySelector("tbody tr").mark`); got != "keptkept" {
		t.Errorf("elements were replaced: %q", got)
	}
	p.Wait(`document.getElementById("engine-status").innerText.includes("Degraded")`)

	// A burst is gathered: many changes, few fetches.
	before := browsertest.Eval[int](p, `performance.getEntriesByType("resource").length`)
	for range 200 {
		c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	}
	c.fake.Set(func() { c.fake.Records[4].State = engine.ServiceAvailable })
	c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	p.Wait(`document.getElementById("service-analyzer-host-1").innerText.includes("up")`)
	if n := browsertest.Eval[int](p, `performance.getEntriesByType("resource").length`) - before; n > 8 {
		t.Errorf("%d fetches for a burst of 201 changes", n)
	}
}

func TestPageComesBackAfterARestart(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/services")
	p.Live()
	addr := c.url[len("http://"):]
	c.http.CloseIdleConnections()
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	p.Wait(`document.getElementById("lost").classList.contains("due")`)
	p.Wait(`/Next try in|Trying now/.test(document.getElementById("lost").innerText)`)
	p.Axe("while the connection is lost")

	c.fake.Set(func() { c.fake.Records[0].State = engine.ServiceOrphaned })
	c.fake.Change(engine.ChangeService, "", "apiext/host-1") // while nobody is told
	startAt(t, addr, bff.Options{Engine: c.fake})
	p.Live()
	p.Wait(`document.getElementById("service-apiext-host-1").innerText.includes("orphaned")`)
	p.Forgive(func(m string) bool { return strings.Contains(m, "ERR_CONNECTION_REFUSED") })
}

func TestSwitches(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Live()
	for _, want := range []string{"light", "dark", ""} {
		p.Click(`[data-pref=theme] button`)
		if got := browsertest.Eval[string](p, `document.documentElement.dataset.theme`); got != want {
			t.Errorf("theme %q, want %q", got, want)
		}
	}
	p.Click(`[data-pref=theme] button`)
	p.Click(`[data-pref=rail] button`)
	p.Click(`[data-pref=zone] button`)
	p.Wait(`performance.getEntriesByType("resource").filter(e => e.name.endsWith("/prefs")).length === 6`) // they are kept one after the other
	p.Goto(c.url + "/services")
	if got := browsertest.Eval[string](p, `Object.values({...document.documentElement.dataset}).join()`); !strings.HasPrefix(got, "light,local,icons") {
		t.Errorf("after loading anew: %q", got)
	}
	p.Shot("rail-icons")
	p.Size(390, 800)
	p.Click(`.dock summary`)
	p.Wait(`document.querySelector(".dock .sheet a[href='/api']").checkVisibility() && !document.querySelector(".rail").checkVisibility()`)
	p.Shot("dock")
	p.Axe("dock")
	p.Keys(kb.Escape)
	p.Wait(`!document.querySelector(".dock details").open`)
	p.Size(1440, 900)
	p.Keys("?")
	p.Wait(`document.getElementById("shortcuts").open`)
	p.Axe("shortcuts")
	p.Keys(kb.Escape)
	p.Keys("g")
	p.Keys("o")
	p.Wait(`location.pathname === "/"`)
	p.Live()
	p.Click(`details.menu summary`)
	p.Axe("menu")
	p.Click(`[data-pref=density] button`)
	p.Wait(`document.documentElement.dataset.density === "compact"`)
	p.Shot("menu")
	p.Click(`.pop form[action="/logout"] button`)
	p.Wait(`location.pathname === "/login"`)
}
