package bff_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"windlass/internal/bff"
	"windlass/internal/engine"
)

func TestOverviewNumbersLeadToTheirLists(t *testing.T) {
	c := start(t, bff.Options{})
	busy(c.fake)
	c.login()
	body := c.get("/")
	for _, want := range []string{
		`href="/images?severity=Critical"`, "15,877", `href="/images?state=analysis_failed"`, "1,284",
		`href="/events?level=error`, `href="/services/analyzer/host-2"`, "analyzer on host-2 is unavailable.",
		"17 images wait, the oldest came", "empty in about 4 m", `href="/queue?queue=images_to_analyze&amp;state=waiting"`, `href="/images?exploited=1"`, `href="/images?fixable=1"`, `href="/images?severity=any"`, "148,493", `href="/images?policy=stop"`, `href="/services?tab=incidents"`, "Restarting after: image collector", `href="/events/` + c.fake.Sum.Errors[0].ID + `"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestEmptyEngineOffersASample(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	body := c.get("/")
	if !regexp.MustCompile(`<form method="post" action="/sample">\s*<input type="hidden" name="csrf" value=".+">`).MatchString(body) {
		t.Error("no form for the sample")
	}
	if strings.Contains(body, "Vulnerabilities in all images") {
		t.Error("numbers of nothing")
	}
}

func TestFragmentIsPartOfThePage(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	page, part := c.get("/services"), c.get("/services?fragment=services")
	if strings.Contains(part, "<html") || !strings.HasPrefix(strings.TrimSpace(part), `<div id="services"`) {
		t.Errorf("fragment %.80q", part)
	}
	if !strings.Contains(page, `data-live="service"`) || len(part) >= len(page) {
		t.Error("the page does not hold its part")
	}
}

func TestRemovingAServiceRecord(t *testing.T) {
	c := start(t, bff.Options{})
	busy(c.fake)
	c.login()
	form := url.Values{"csrf": {c.csrf()}}
	if code, body, _ := c.do("POST", "/services/analyzer/host-1/remove", form); code != 409 || !strings.Contains(body, "analyzer on host-1 is up.") {
		t.Errorf("removing what is up = %d\n%s", code, body)
	}
	code, body, _ := c.do("POST", "/services/analyzer/host-2/remove", form)
	if code != 200 || !strings.Contains(body, "Removed the record of analyzer on host-2.") || strings.Contains(body, "service-analyzer-host-2") {
		t.Errorf("removing = %d\n%s", code, body)
	}
	if strings.Contains(c.get("/services"), "Removed the record") {
		t.Error("the toast came twice")
	}
	if code, body, _ := c.do("GET", "/services/analyzer/host-2", nil); code != 404 || !strings.Contains(body, "There is no record of analyzer on host-2.") {
		t.Errorf("the removed record = %d", code)
	}
}

func TestServiceNamesAreTextEverywhere(t *testing.T) {
	c := start(t, bff.Options{})
	evil := `"><img src=x onerror=alert(1)>`
	c.fake.Records = append(c.fake.Records, engine.Service{Name: engine.Analyzer, Host: evil, State: engine.ServiceOrphaned, Detail: engine.ServiceDetail{Message: evil}})
	c.login()
	if strings.Contains(c.get("/services"), "<img") || strings.Contains(c.get("/services/analyzer/"+url.PathEscape(evil)), "<img") || strings.Contains(c.get("/"), "<img") {
		t.Error("a host's name became markup")
	}
}
