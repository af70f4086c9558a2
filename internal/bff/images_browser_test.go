package bff_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

func of(n int) string { return "/images/" + string(bff.ImageDigest(n)) }

// images is what the tests alter of the engine under the pages.
type images interface {
	bff.Engine
	Alter(n int, change func(*engine.Image))
	Put(engine.Image)
}

func startImages(t *testing.T) (*console, *browsertest.Page) {
	t.Helper()
	fake := enginetest.New()
	e := bff.ImageEngine(fake)
	c := start(t, bff.Options{Engine: e})
	c.fake = fake
	shown[c] = e
	t.Cleanup(func() { delete(shown, c) })
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	return c, p
}

var shown = map[*console]images{}

func TestImageIsWatchedWithoutReload(t *testing.T) {
	c, p := startImages(t)
	e := shown[c]
	p.Goto(c.url + "/images")
	p.Live()
	browsertest.Eval[bool](p, `(document.querySelector("h1").mark = "kept", document.querySelector("[data-tick]").click(), true)`)
	p.Wait(`document.querySelector("[data-ticked]").textContent === "1 ticked:"`)

	e.Alter(1, func(i *engine.Image) { i.Progress = &engine.Progress{Stage: engine.StageMatch, Done: 1, Total: 4} })
	c.fake.Change(engine.ChangeImage, "admin", "x")
	p.Wait(`document.getElementById("images-rows").innerText.includes("Matching vulnerabilities 1 of 4")`)
	e.Alter(1, func(i *engine.Image) { i.State, i.Progress = engine.Analyzed, nil })
	c.fake.Change(engine.ChangeImage, "admin", "x")
	p.Wait(`!document.getElementById("images-rows").innerText.includes("Matching")`)
	p.Wait(`document.querySelector(".imagestates").innerText.includes("Analyzed 3")`)

	// What was ticked stays ticked, and nothing was loaded anew.
	if got := browsertest.Eval[string](p, `document.querySelector("h1").mark + document.querySelector("[data-tick]").checked`); got != "kepttrue" {
		t.Errorf("the page was drawn anew: %q", got)
	}

	p.Goto(c.url + of(4))
	p.Live()
	e.Alter(3, func(i *engine.Image) {
		i.State, i.Failure = engine.Failed, &engine.Failure{Stage: engine.StagePull, Cause: "manifest_unknown", Message: "No such tag."}
	})
	c.fake.Change(engine.ChangeImage, "admin", "x")
	p.Wait(`document.getElementById("image-failure")?.innerText.includes("No such tag.")`)
}

func TestUploadInTheBrowser(t *testing.T) {
	c, p := startImages(t)
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(archive, make([]byte, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Goto(c.url + "/images?add=1")
	p.Live()
	p.Type("#upload-tag", "local/app:1")
	p.Do(chromedp.SetUploadFiles(chromedp.CSS("#upload-file"), []string{archive}))
	p.Click("form[data-upload] button")
	p.Wait(`location.pathname.startsWith("/images/sha256:") && document.querySelector("h1").innerText.includes("library/debian:12")`)
	p.Wait(`document.getElementById("toasts").innerText.includes("Archive received")`)
}
