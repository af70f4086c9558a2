package main

import (
	"net/http"
	"strings"
	"testing"

	"windlass/internal/bff/browsertest"
)

// The console over an engine that knows v1 alone: each page answers, those
// whose subject v1 lacks say so, and the rest is as beautiful as ever.
func TestConsoleOverAnEngineOfV1(t *testing.T) {
	eng := start(t, dataDir(t), "--web=off")
	if code := eng.call(t, http.MethodPost, "/console/sample", "", nil); code != http.StatusNoContent {
		t.Fatalf("sample: %d", code)
	}
	var images []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
	}
	until(t, "the sample is analyzed", func() bool {
		images = nil
		eng.call(t, http.MethodGet, "/images", "", &images)
		done := 0
		for _, i := range images {
			if i.State == "analyzed" {
				done++
			}
		}
		return done == 3
	})
	prog := start(t, dataDir(t), "--engine-url="+onlyV1(t, eng.api))
	p := browsertest.Open(t)
	p.Forgive(func(message string) bool { return strings.Contains(message, "501") }) // what the pages that lack answer with
	p.Login(prog.console, "admin", eng.password)
	image := "/images/" + images[0].Digest
	for path, lacks := range map[string]bool{
		"/": false, "/troubleshoot": false, "/services": false, "/events": false, "/feeds": false, "/images": false, "/policies": false,
		"/registries": false, "/subscriptions": false, "/accounts": false, "/accounts/admin": false, "/account": false, "/api": false,
		image: false, image + "?tab=vulnerabilities": false, image + "?tab=content": false, image + "?tab=policy": false, image + "?tab=sbom": false, image + "?tab=events": false,
		"/logs": true, "/queue": true, "/policies/vex": true, "/subscriptions/webhooks": true, "/subscriptions/deliveries": true, "/audit": true,
	} {
		p.Goto(prog.console + path)
		title := browsertest.Eval[string](p, `document.querySelector("main h1").textContent`)
		if got := strings.Contains(title, "Not on this engine"); got != lacks || strings.Contains(title, "wrong") {
			t.Errorf("%s is titled %q", path, title)
		}
	}
	for name, path := range map[string]string{"overview": "/", "image": image, "logs": "/logs", "troubleshoot": "/troubleshoot"} {
		p.Goto(prog.console + path)
		p.Looks("v1-" + name)
	}
	// What is done elsewhere is shown here without a reload.
	p.Goto(prog.console + "/subscriptions")
	p.Live()
	key := "docker.io/told/elsewhere:1"
	if code := eng.call(t, http.MethodPost, "/subscriptions", `{"subscription_key":"`+key+`","subscription_type":"tag_update","active":true}`, nil); code != http.StatusOK {
		t.Fatalf("subscription: %d", code)
	}
	p.Wait(`document.querySelector("main").innerText.includes("` + key + `")`)
}
