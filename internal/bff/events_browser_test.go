package bff_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// usual stores a log as a day leaves it.
func usual(f *enginetest.Fake) {
	now := time.Now()
	add := func(ago time.Duration, kind, resource, service, host, cause string) {
		var details map[string]any
		if cause != "" {
			details = map[string]any{"cause": cause}
		}
		e := engine.NewEvent(kind, "admin", resource, details, engine.Source{Service: service, Host: host, BaseURL: "http://" + host + ":8084"})
		e.At = now.Add(-ago)
		e.StoredAt = e.At
		f.AddEvent(e)
	}
	for i := range 12 {
		ago := time.Duration(i) * 6 * time.Hour
		add(ago+41*time.Minute, engine.EvFeedsSyncStarted, "", engine.PolicyEngine, "host-1", "")
		add(ago+40*time.Minute, engine.EvFeedsSyncCompleted, "", engine.PolicyEngine, "host-1", "")
		add(ago+22*time.Minute, engine.EvAnalysisCompleted, fmt.Sprintf("docker.io/library/debian:%d", 12-i), engine.Analyzer, "host-2", "")
	}
	add(31*time.Minute, engine.EvAnalysisFailed, "docker.io/team/api:v2", engine.Analyzer, "host-2", "manifest unknown")
	add(30*time.Minute, engine.EvAnalysisFailed, "registry.example.com:5000/a/very/long/path/to/an/image/of/somebody:2026.11.22-build.1284", engine.Analyzer, "host-2", "layer 3 of 7: connection reset by peer (attempt 2 of 3)")
	add(12*time.Minute, engine.EvServiceDown, "http://host-2:8084", engine.Catalog, "host-1", "no heartbeat for 41 s")
	add(11*time.Minute, engine.EvFeedsSyncFailed, "", engine.PolicyEngine, "host-1", "lookup feeds.example.com: no such host")
}

func TestEventsInABrowser(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/events")
	p.Live()
	p.Looks("events-empty")

	// The first event appears by itself.
	usual(c.fake)
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 40`)
	p.Looks("events")

	// Further ones gather behind the pill; nothing moves.
	late := engine.NewEvent(engine.EvServiceUp, "admin", "http://host-2:8084", nil, engine.Source{Service: engine.Catalog, Host: "host-1"})
	c.fake.AddEvent(late)
	p.Wait(`document.querySelector("[data-newrows]").textContent === "1 new event"`)
	if n := browsertest.Eval[int](p, `document.querySelectorAll("#events-rows tr").length`); n != 40 {
		t.Errorf("%d rows before the pill is pressed, want 40", n)
	}
	p.Click("[data-newrows]")
	p.Wait(`document.querySelector("#events-rows tr").id === "event-` + late.ID + `"`)

	// Choosing with Shift, and clearing what was chosen.
	browsertest.Eval[bool](p, `[...document.querySelectorAll("[data-select]")][0].click(), true`)
	browsertest.Eval[bool](p, `[...document.querySelectorAll("[data-select]")][3].dispatchEvent(new MouseEvent("click", {bubbles: true, shiftKey: true})), true`)
	p.Wait(`document.querySelector("[data-clear-selected]").textContent === "Clear 4 events"`)
	p.Shot("events-selected")
	p.Click("[data-clear-selected]")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 37`)
	p.Wait(`document.querySelector("[data-toast]").textContent.includes("Cleared 4 events.")`)
	p.Shot("events-cleared")
	p.Click("[data-toast] button")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 41`)

	// All that match, but for one.
	p.Goto(c.url + "/events?level=error")
	p.Live()
	p.Click("[data-select]")
	p.Click("[data-select-all] input")
	browsertest.Eval[bool](p, `[...document.querySelectorAll("[data-select]")][1].click(), true`)
	p.Wait(`document.querySelector("[data-clear-selected]").textContent === "Clear all 4 matching but 1"`)
	p.Click("[data-clear-selected]")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 1`)
	p.Click("[data-toast] button")
	// The rows may be back before the page is: the toast belongs to the next one.
	p.Wait(`document.querySelector("[data-toast]")?.textContent.includes("are back")`)
	p.Live()
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 4`)

	// The drawer is in the address, and Back closes it.
	p.Click("#events-rows tr a[data-open]")
	p.Wait(`document.querySelector("[data-drawer]")`)
	p.Looks("event-drawer")
	p.Wait(`location.search.includes("open=")`)
	browsertest.Eval[bool](p, `history.back(), true`)
	p.Wait(`!document.querySelector("[data-drawer]")`)

	// A filter applies as it is typed.
	p.Goto(c.url + "/events")
	p.Live()
	p.Click("input[name=text]")
	p.Type("input[name=text]", "no such host")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 1`)
	if q := browsertest.Eval[string](p, `location.search`); !strings.Contains(q, "text=no+such+host") {
		t.Errorf("the address is %s", q)
	}
	p.Looks("events-filtered")
}

// Repeats are folded into rows that open, and a row means all its events; the
// filter is saved under a name; the rules of retention are counted first.
func TestFoldedEventsInABrowser(t *testing.T) {
	c := start(t, bff.Options{})
	usual(c.fake)
	for i := range 14 {
		e := engine.NewEvent(engine.EvAnalysisFailed, "admin", "docker.io/team/flaky:v1", map[string]any{"cause": "manifest unknown"}, engine.Source{Service: engine.Analyzer, Host: "host-2"})
		e.At = time.Now().Add(-2*time.Minute - time.Duration(i)*9*time.Second).Truncate(time.Microsecond)
		c.fake.AddEvent(e)
	}
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/events?level=error")
	p.Live()
	p.Click(`[data-testid="fold"]`)
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 5`)
	p.Live()
	p.Click(`[data-testid="unfold"]`)
	p.Wait(`document.querySelectorAll("#events-rows tr.member").length === 14`)
	p.Live()
	p.Looks("events-folded")
	p.Click("#events-rows tr.run [data-select]")
	p.Wait(`document.querySelector("[data-clear-selected]").textContent === "Clear 14 events"`)
	p.Click("[data-clear-selected]")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 4`)
	p.Wait(`document.querySelector("[data-toast]").textContent.includes("Cleared 14 events.")`)

	p.Click("#events-save summary")
	p.Type("#events-save input[name=name]", "Errors, folded")
	p.Click("#events-save button")
	p.Wait(`document.querySelector("#events-saved [aria-current]")?.textContent.includes("Errors, folded")`)
	p.Click("#events-manage summary")
	p.Looks("events-saved")

	p.Goto(c.url + "/events/retention")
	p.Live()
	p.Click("input[name=info_on]")
	p.Click(`[formaction="/events/retention/plan"]`)
	p.Wait(`document.querySelector("#retention-plan")`)
	p.Live()
	c.fake.Set(func() {
		c.fake.Kept.Runs = []engine.RetentionRun{
			{ID: 2, Trigger: "request", By: "admin", Status: engine.RetentionRunning, Deleted: 120_000, Host: "host-1", StartedAt: time.Now().Add(-3 * time.Second),
				Rules: []engine.RetentionPart{{Level: "info", Days: 30, Total: 431_007, Deleted: 120_000}}},
			{ID: 1, Trigger: "schedule", Status: engine.RetentionDone, Deleted: 12_307, Host: "host-1", StartedAt: time.Now().Add(-26 * time.Hour), EndedAt: time.Now().Add(-26*time.Hour + 4*time.Second),
				Rules: []engine.RetentionPart{{Level: "error", Days: 365, Deleted: 7}, {Level: "info", Days: 30, Deleted: 12_300}}},
		}
	})
	c.fake.Change(engine.ChangeRetention, "", "2")
	p.Wait(`document.querySelector("#retention .meter")?.textContent.includes("120,000 of 431,007")`)
	p.Looks("events-retention")
}

// What a clear is for leaves the list at once; the deletion shows how far it is.
func TestClearInABrowser(t *testing.T) {
	c := start(t, bff.Options{})
	usual(c.fake)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/events?level=error")
	p.Live()
	p.Click(`[data-testid="clear-all"]`)
	p.Wait(`document.querySelector("#clear-1")?.textContent.includes("Cleared 4 events")`)
	p.Looks("events-clear-undo")
	p.Click("#clear-1 a")
	p.Wait(`location.pathname === "/events/clears/1"`)
	p.Live()
	c.fake.Purge(1, 1)
	p.Wait(`document.querySelector(".meter")?.textContent.includes("1 of 4 deleted for good")`)
	p.Looks("events-clear")
	p.Click(`form[action$="/cancel"] button`)
	p.Wait(`location.pathname === "/events"`)
}
