package bff_test

import (
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
)

// All that an operator needs is done here by a browser without JavaScript.
func TestWithoutJavaScript(t *testing.T) {
	e := fullEngine()
	c := start(t, bff.Options{Engine: e})
	p := browsertest.Open(t)
	p.Scripts(false)
	says := func(text string) {
		t.Helper()
		p.Wait(`document.body.innerText.includes("` + text + `")`)
		if browsertest.Eval[bool](p, `"link" in (document.documentElement?.dataset ?? {})`) {
			t.Fatal("scripts run")
		}
	}

	p.Goto(c.url + "/feeds")
	says("Sign in")
	p.Write("#user", "admin")
	p.Write("#password", enginetest.Password)
	p.Press("main form .btn")
	says("Feeds")
	p.Shot("scriptless/feeds")
	p.Press(`form[action="/feeds/sync"] button`)
	p.Wait(`document.querySelector("[data-toast]")`)

	p.Goto(c.url + "/events?level=error")
	p.Shot("scriptless/events")
	p.Write(`form[role=search] input[name=text]`, "no such host")
	p.Press(`form[role=search] button`)
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 1`)
	p.Press(`[data-testid="clear-all"]`)
	says("Cleared 1 event.")
	p.Press(`[data-toast] form button`)
	p.Wait(`document.querySelectorAll("#events-rows tr").length > 0`)

	p.Goto(c.url + of(3))
	p.Shot("scriptless/image-failed")
	p.Press(`#image-failure form button`)
	says("Queued for analysis.")

	p.Goto(c.url + "/images")
	p.Press(`a[href*="add=1"], summary.btn.primary`)
	p.Wait(`document.querySelector("#add[open] input[name=tag]")`)
	p.Write(`#add input[name=tag]`, "docker.io/library/alpine:3.20")
	p.Press(`#add form[action="/images"] button`)
	says("Image added.")

	p.Goto(c.url + "/logs")
	p.Wait(`document.querySelectorAll("#log li").length > 10`)
	p.Shot("scriptless/logs")

	p.Press(`[data-pref=theme] button`)
	p.Wait(`document.documentElement.dataset.theme === "light"`)

	// What only a script could do is not offered.
	for _, page := range []string{"/", "/troubleshoot", "/services", "/events", "/images", "/queue", of(1)} {
		p.Goto(c.url + page)
		p.Sound("without scripts, " + page)
		p.Fits("without scripts, " + page)
	}
}
