package bff_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
)

// startWalk opens a tab on a console that has something to show everywhere.
func startWalk(t *testing.T) (*console, *browsertest.Page) {
	t.Helper()
	e := fullEngine()
	c := start(t, bff.Options{Engine: e})
	c.fake = e.fake
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Live()
	return c, p
}

// What an operator does when something is wrong is done here by keys alone.
func TestByKeyboardAlone(t *testing.T) {
	_, p := startWalk(t)
	heading := func(text string) {
		t.Helper()
		p.Wait(`document.querySelector("h1")?.innerText.includes("` + text + `")`)
		p.Live()
	}

	// Find the failed image, read why, retry.
	p.Keys("gi")
	heading("Images")
	p.Keys("jjj")
	p.Wait(`document.activeElement.innerText.includes("team/web:v9")`)
	p.Keys(kb.Enter)
	heading("team/web:v9")
	p.Wait(`document.getElementById("image-failure").innerText.includes("The registry refused the credential")`)
	p.TabTo("#image-failure button", "Retry")
	p.Keys(kb.Enter)
	p.Wait(`document.querySelector("[data-toast]")?.innerText.includes("Queued for analysis.")`)

	// Find the service that is down, read its log.
	p.Live()
	p.Keys("gs")
	heading("Services")
	p.TabTo("main a", "analyzer")
	for range 20 {
		if browsertest.Eval[bool](p, `document.activeElement.closest("tr")?.innerText.includes("down") ?? false`) {
			break
		}
		p.Keys("j")
	}
	p.Keys(kb.Enter)
	p.Wait(`/its address does not answer/i.test(document.getElementById("drawer")?.innerText)`)
	p.Live()
	p.TabTo("a", "Its log now")
	p.Keys(kb.Enter)
	heading("Logs")
	p.Wait(`document.querySelector("#log li")`)

	// Clear the events that match, and take it back.
	p.Keys("ge")
	heading("Events")
	p.Key("/")
	p.Keys("no such host")
	p.Wait(`document.getElementById("events-rows")?.innerText.includes("no such host") && document.querySelectorAll("#events-rows tr").length === 1 && location.search.includes("text=")`)
	p.Keys(kb.Escape)
	p.Keys("jx")
	p.Wait(`document.querySelector("[data-clear-selected]").checkVisibility()`)
	p.Keys("#")
	p.Wait(`document.querySelectorAll("#events-rows tr").length === 0`)
	p.Wait(`document.querySelector("[data-toast]")?.innerText.includes("Cleared 1 event.")`)
	p.Live() // keys are heard from then on
	p.Keys("u")
	p.Wait(`document.getElementById("events-rows")?.innerText.includes("no such host")`)
}
