package bff_test

import (
	"net/url"
	"strings"
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

func TestGuideLeadsToWhatHelps(t *testing.T) {
	c := start(t, bff.Options{})
	c.fake.Guide = enginetest.Troubled()
	c.login()
	body := c.get("/troubleshoot")
	for _, want := range []string{
		`href="/troubleshoot" title="Troubleshoot"`, "1 check fails, 3 warn, 1 is not known, 2 pass",
		`href="#check-services"`, "connection refused", `href="/services/analyzer/host-2"`, `href="/logs?service=analyzer"`,
		`href="/images?state=analysis_failed"`, "5 connections left", `action="/troubleshoot/retry"`, `value="registry_auth"`, `action="/troubleshoot/sync"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if report := c.get("/troubleshoot/report.md"); !strings.Contains(report, "## [FAIL] Every service has a live instance") {
		t.Errorf("report %.300s", report)
	}

	if code, body, resp := c.do("GET", "/troubleshoot/bundle.zip", nil); code != 200 || body != "PK archive" || !strings.Contains(resp.Header.Get("Content-Disposition"), "windlass-support-") {
		t.Errorf("bundle = %d %q, %v", code, body, resp.Header)
	}

	post := func(path string, form url.Values) (string, string) {
		t.Helper()
		form.Set("csrf", c.csrf())
		code, body, resp := c.do("POST", path, form)
		if code != 200 {
			t.Fatalf("POST %s = %d", path, code)
		}
		return body, resp.Request.URL.Path
	}
	body, at := post("/troubleshoot/retry", url.Values{"cause": {engine.CauseRegistryAuth}})
	if retried := c.fake.RetriedCauses(); at != "/troubleshoot" || !strings.Contains(body, "3 images queued for analysis again. 1 more failed so: retry again.") || retried[0] != "admin/registry_auth" {
		t.Errorf("retried %v, at %s", retried, at)
	}
	last := func() engine.CheckQuery { // the page asks once more
		asked := c.fake.CheckQueries()
		return asked[len(asked)-2]
	}
	post("/troubleshoot/run", url.Values{"check": {engine.CheckQueue}})
	if q := last(); !q.Fresh || q.Reach || len(q.Only) != 1 || q.Only[0] != engine.CheckQueue {
		t.Errorf("one again asked %+v", q)
	}
	post("/troubleshoot/run", url.Values{"check": {engine.CheckRegistries}})
	if q := last(); !q.Reach || !q.System {
		t.Errorf("the registries were asked %+v", q)
	}
	post("/troubleshoot/run", url.Values{})
	if q := last(); !q.Fresh || q.Reach || len(q.Only) != 0 {
		t.Errorf("all again asked %+v", q)
	}
}

// Who administers nothing learns nothing of the database, and is offered
// nothing that is not allowed.
func TestGuideOfAnAccount(t *testing.T) {
	c := start(t, bff.Options{})
	c.fake.Guide = enginetest.Troubled()
	if code, _, _ := c.do("POST", "/login", url.Values{"user": {"team"}, "password": {enginetest.Password}}); code != 200 {
		t.Fatalf("login = %d", code)
	}
	body := c.get("/troubleshoot")
	for _, not := range []string{"connections left", `action="/troubleshoot/sync"`, "bundle.zip"} {
		if strings.Contains(body, not) {
			t.Errorf("the page of an account has %s", not)
		}
	}
	if code, _, _ := c.do("GET", "/troubleshoot/bundle.zip", nil); code != 403 {
		t.Errorf("the bundle = %d, want 403", code)
	}
	if !strings.Contains(body, "Ask an administrator to sync the feeds.") || !strings.Contains(body, `action="/troubleshoot/retry"`) {
		t.Error("the page does not say who may help")
	}
}

func TestPillOfADegradedEngineLeadsToTheGuide(t *testing.T) {
	c := start(t, bff.Options{})
	busy(c.fake)
	c.fake.Records = c.fake.Records[:4]
	c.login()
	if body := c.get("/services"); !strings.Contains(body, `class="pill bad" href="/troubleshoot"`) {
		t.Error("the pill leads elsewhere")
	}
}

func TestGuideLooks(t *testing.T) {
	c := start(t, bff.Options{})
	c.fake.Guide = enginetest.Troubled()
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/troubleshoot")
	p.Live()
	p.Looks("troubleshoot")
	p.Size(1024, 900)
	p.Shot("troubleshoot-light-1024")
	p.Size(1440, 900)

	// By keyboard from anywhere.
	p.Goto(c.url + "/services")
	p.Live()
	p.Keys("gt")
	p.Wait(`location.pathname === "/troubleshoot"`)
	p.Live()

	// The page changes by itself, and what was opened stays open.
	browsertest.Eval[bool](p, `(document.getElementById("check-api-facts-ok").open = true)`)
	c.fake.Set(func() {
		s := &c.fake.Guide[2]
		s.Status, s.Summary, s.Steps = engine.CheckPass, "5 instances are up.", nil
	})
	c.fake.Change(engine.ChangeService, "", "analyzer/host-2")
	p.Wait(`document.getElementById("check-services").innerText.includes("5 instances are up.")`)
	if !browsertest.Eval[bool](p, `document.getElementById("check-api-facts-ok").open`) {
		t.Error("the evidence that was opened has closed")
	}

	c.fake.Set(func() { c.fake.Guide = c.fake.Guide[:1] })
	p.Goto(c.url + "/troubleshoot")
	p.Looks("troubleshoot-well")
}
