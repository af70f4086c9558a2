package bff_test

import (
	"fmt"
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// What a page says of its own currency, each sentence by what makes it true.
func TestPageSaysHowCurrentItIs(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/services")
	p.Live()
	shown := func(name string) string {
		return fmt.Sprintf(`document.getElementById("notice-%s").checkVisibility()`, name)
	}
	who := engine.Identity{User: "admin", Account: "admin", Admin: true, Rights: &engine.Rights{Token: "t"}}
	c.fake.SetIdentity(who)
	p.Wait(shown("rights"))

	// In the background it is told nothing, and on its return all of it.
	hide := func(yes bool) {
		browsertest.Eval[bool](p, fmt.Sprintf(`(Object.defineProperty(document, "hidden", {value: %t, configurable: true}),
			document.dispatchEvent(new Event("visibilitychange")))`, yes))
	}
	down := `document.getElementById("service-analyzer-host-1").innerText.includes("down")`
	hide(true)
	c.fake.Set(func() { c.fake.Records[4].State = engine.ServiceUnavailable })
	c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	c.login()
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	next(t, ws)
	if browsertest.Eval[bool](p, down) {
		t.Error("in the background the page fetched what changed")
	}
	hide(false)
	p.Wait(down)

	// A page of another build. It is not loaded anew under anybody's hands.
	browsertest.Eval[bool](p, `(document.body.dataset.build = "another", window.mark = true)`)
	c.fake.SetIdentity(engine.Identity{User: "admin", Account: "admin", Admin: true})
	p.Goto(c.url + "/services")
	p.Live()
	browsertest.Eval[bool](p, `(document.getElementById("notice-updated").hidden = document.getElementById("notice-stalled").hidden = document.getElementById("notice-rights").hidden = false, true)`)
	p.Looks("live-notices")
	browsertest.Eval[bool](p, `(document.getElementById("notice-updated").hidden = document.getElementById("notice-stalled").hidden = document.getElementById("notice-rights").hidden = true, true)`)

	c.fake.SignOut("admin")
	p.Wait(shown("signedout"))
	p.Looks("live-signed-out")
	if at := browsertest.Eval[string](p, `location.pathname`); at != "/services" {
		t.Errorf("the page went to %s", at)
	}
	p.Click("[data-signin]")
	p.Type("#user", "admin")
	p.Type("#password", enginetest.Password)
	p.Click("main form .btn")
	p.Wait(`location.pathname === "/services" && document.documentElement.dataset.link === "up"`)
}

// Rows do not move away from under the pointer: they wait until it has left.
func TestListsHoldStillUnderThePointer(t *testing.T) {
	c := start(t, bff.Options{})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/services")
	p.Live()
	point := func(selector string) {
		browsertest.Eval[bool](p, fmt.Sprintf(`document.querySelector(%q).dispatchEvent(new PointerEvent("pointermove", {bubbles: true, pointerType: "mouse"}))`, selector))
	}
	order := `[...document.querySelectorAll("tbody tr[id^=service-]")].map(r => r.id).join()`
	before := browsertest.Eval[string](p, order)
	browsertest.Eval[int](p, `setInterval(() => document.querySelector("tbody tr[id^=service-] td").dispatchEvent(new PointerEvent("pointermove", {bubbles: true, pointerType: "mouse"})), 200)`)
	p.Wait(`performance.now() > 2500`) // the login's press is over
	c.fake.Set(func() {
		first := c.fake.Records[0]
		first.Host = "host-0"
		c.fake.Records = append([]engine.Service{first}, c.fake.Records...)
		c.fake.Records[3].State = engine.ServiceUnavailable
	})
	c.fake.Change(engine.ChangeService, "", "x")
	p.Wait(`!document.getElementById("held").hidden`)
	p.Wait(`document.getElementById("service-policy_engine-host-1").innerText.includes("down")`)
	if now := browsertest.Eval[string](p, order); now != before {
		t.Errorf("the list moved: %s", now)
	}
	p.Shot("live-held")
	p.Axe("rows that wait")
	browsertest.Eval[bool](p, `(clearInterval(1e9), (() => { for (let i = 0; i < 1000; i++) clearInterval(i) })(), true)`)
	point("h1")
	p.Wait(`document.getElementById("service-apiext-host-0") && document.getElementById("held").hidden`)
}
