package bff_test

import (
	"context"
	"testing"

	"windlass/internal/engine"
)

// A page that is printed is the page's matter, whatever the screen shows: in
// light colours, tables as tables, without what only a screen can use.
func TestPagesOnPaper(t *testing.T) {
	c, p := startImages(t)
	busy(c.fake)
	if err := c.fake.SetPreferences(context.Background(), "admin", engine.Preferences{Theme: "dark", Density: "compact"}); err != nil {
		t.Fatal(err)
	}
	shown := func(selector string) string {
		return `[...document.querySelectorAll("` + selector + `")].some(e => e.checkVisibility())`
	}
	faults := map[string]string{
		"there is the frame":          shown(".rail, .bar, .dock, .toasts"),
		"there are buttons or forms":  shown("main button, main select, main input"),
		"the colours are dark":        `getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)" || getComputedStyle(document.querySelector("h1")).color.match(/[0-9.]+/g).slice(0, 3).some(n => n > 100)`,
		"tables are blocks":           `[...document.querySelectorAll("main table.t")].some(e => getComputedStyle(e).display !== "table")`,
		"nobody knows whose it is":    `!document.querySelector(".paper").checkVisibility() || !document.querySelector(".paper").textContent.includes("admin")`,
		"text is cut off by its cell": `[...document.querySelectorAll("main td, main td :not(.sr, svg, progress)")].some(e => getComputedStyle(e).overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1)`,
	}
	for name, path := range map[string]string{
		"paper-overview": "/", "paper-services": "/services", "paper-images": "/images", "paper-vulnerabilities": of(1) + "?tab=vulnerabilities",
	} {
		p.Goto(c.url + path)
		p.Live()
		p.Paper(name, faults)
	}
}
