package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/browsertest"
)

// teamBundle has something of everything that a bundle's page shows.
func teamBundle() string {
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format("2006-01-02T00:00:00Z") }
	return fmt.Sprintf(`{"id":"team","version":"1_0","name":"Team bundle","description":"What the shop's images have to keep to before they are deployed.",
	"policies":[
		{"id":"release","version":"1_0","name":"Release","comment":"Agreed with operations","rules":[
			{"id":"r1","gate":"vulnerabilities","trigger":"package","action":"STOP","params":[{"name":"package_type","value":"all"},{"name":"severity_comparison","value":">="},{"name":"severity","value":"high"},{"name":"fix_available","value":"true"}]},
			{"id":"r2","gate":"dockerfile","trigger":"instruction","action":"WARN","params":[{"name":"instruction","value":"HEALTHCHECK"},{"name":"check","value":"not_exists"}]},
			{"id":"r3","gate":"always","trigger":"always","action":"GO","params":[]}]},
		{"id":"old","version":"1_0","name":"Not used any more","rules":[]}],
	"whitelists":[{"id":"w","version":"1_0","name":"Accepted","items":[
		{"id":"i1","gate":"vulnerabilities","trigger_id":"CVE-2021-44228+*","reason":"Not reachable: the class is removed from the archive when it is built.","expires_on":%q},
		{"id":"i2","gate":"dockerfile","trigger_id":"*","reason":"Until the base image is new.","expires_on":%q},
		{"id":"i3","gate":"secrets","trigger_id":"0a1b","expires_on":%q},
		{"id":"i4","gate":"files","trigger_id":"*suid*"}]}],
	"mappings":[
		{"id":"m1","name":"Shop","registry":"registry.example.com","repository":"shop/*","image":{"type":"tag","value":"*"},"policy_ids":["release"],"whitelist_ids":["w"]},
		{"id":"m2","name":"All","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["release"],"whitelist_ids":["w"]}],
	"whitelisted_images":[{"id":"p1","name":"Base","registry":"docker.io","repository":"library/base","image":{"type":"tag","value":"lts"}}],
	"blacklisted_images":[]}`, day(90), day(5), day(-20))
}

// withSamples is a program with the three sample images judged, and a tab that
// is signed in.
func withSamples(t *testing.T) (*program, *browsertest.Page) {
	t.Helper()
	prog := start(t, dataDir(t))
	if code := prog.call(t, http.MethodPost, "/console/sample", "", nil); code != http.StatusNoContent {
		t.Fatalf("sample: %d", code)
	}
	until(t, "the sample is judged", func() bool {
		var list []struct {
			Digest string `json:"imageDigest"`
			State  string `json:"analysis_status"`
			Detail []struct {
				Tag string `json:"fulltag"`
			} `json:"image_detail"`
		}
		prog.call(t, http.MethodGet, "/images", "", &list)
		for _, i := range list {
			if i.State != "analyzed" {
				return false
			}
		}
		return len(list) == 3
	})
	if code := prog.call(t, http.MethodPost, "/policies", teamBundle(), nil); code != http.StatusOK {
		t.Fatalf("bundle: %d", code)
	}
	p := browsertest.Open(t)
	p.Login(prog.console, "admin", prog.password)
	return prog, p
}

const editor = `document.querySelector("[data-editor]").shadowRoot.querySelector(".cm-content")`

// The path of somebody who writes a bundle, on the whole program.
func TestBundleIsWrittenTriedAndActivated(t *testing.T) {
	prog, p := withSamples(t)
	p.Goto(prog.console + "/policies")
	p.Live()
	p.Wait(`document.querySelector(".shares") && !document.body.innerText.includes("not judged by the bundle")`)
	p.Shot("policies-real")

	// A fault is told at its line while it is typed.
	p.Goto(prog.console + "/policies/team?tab=edit")
	p.Live()
	p.Wait(editor)
	browsertest.Eval[bool](p, `(document.getElementById("insert-trigger").selectedIndex = 0, true)`)
	p.Click("[data-insert-rule]")
	p.Wait(`document.querySelector("[data-editor-state]").textContent === "Unsaved changes"`)
	p.Wait(editor + `.innerText.includes('"trigger": "always"')`)
	if n := browsertest.Eval[int](p, `document.querySelectorAll("#policy-faults [data-line]").length`); n != 0 {
		t.Errorf("a rule that was inserted has %d faults", n)
	}
	p.Keys("x")
	p.Wait(`document.querySelector("#policy-faults [data-line]") && document.querySelector("[data-editor]").shadowRoot.querySelector(".cm-lint-marker-error")`)
	p.Shot("policy-faults")
	// Leaving would ask first, and nobody is here to answer.
	if !browsertest.Eval[bool](p, `!dispatchEvent(new Event("beforeunload", {cancelable: true}))`) {
		t.Error("leaving unsaved changes is not asked about")
	}
	p.Click("button[value=check]")
	p.Wait(`location.pathname.endsWith("/edit/upload") && document.querySelector("#policy-faults [data-line]")`)

	text := strings.Replace(teamBundle(), `"high"`, `"negligible"`, 1)
	p.Goto(prog.console + "/policies/team?tab=try&image=" + "&run=1")
	p.Live()
	p.Wait(`document.querySelector(".trials tbody tr")`)
	if n := browsertest.Eval[int](p, `document.querySelectorAll(".trials tbody tr").length`); n != 3 {
		t.Errorf("tried on %d images, want three", n)
	}
	p.Click(".trials tbody tr a")
	p.Wait(`document.querySelector(".beside")`)
	p.Shot("policy-try-real")

	// Somebody else saves while the editor is open: it says so.
	p.Goto(prog.console + "/policies/team?tab=edit")
	p.Live()
	if code := prog.call(t, http.MethodPost, "/policies", text, nil); code != http.StatusOK {
		t.Fatalf("another's change: %d", code)
	}
	p.Wait(`!document.querySelector("[data-changed]").hidden`)
	p.Click("button[value=save]")
	p.Wait(`document.body.innerText.includes("changed by somebody else")`)
	p.Forgive(func(m string) bool { return strings.Contains(m, "409") })
	p.Shot("policy-conflict")
	p.Click("button[value=diff]")
	p.Wait(`document.querySelector(".difftext .add") && document.body.innerText.includes("severity: negligible → high")`)

	p.Goto(prog.console + "/policies/team/activate")
	p.Live()
	p.Wait(`document.querySelector(".trials tbody tr")`)
	p.Shot("policy-activate")
	p.Click(`form[action="/policies/team/activate"] button`)
	p.Wait(`location.pathname === "/policies" && document.querySelector("#bundle-team .pill.ok")`)
	p.Wait(`document.querySelector("#posture-title").innerText.includes("Team bundle") && document.querySelector(".shares")`)

	// A finding is set aside from where it is seen.
	p.Goto(prog.console + "/policies/team?tab=try&run=1")
	p.Click(".trials tbody tr a")
	p.Wait(`document.querySelector(".changes a[href*='/exceptions/new']")`)
	browsertest.Eval[bool](p, `(document.querySelectorAll("details").forEach(d => d.open = true), document.querySelector(".changes a[href*='/exceptions/new']").click(), true)`)
	p.Wait(`document.getElementById("exception-reason")`)
	p.Type("#exception-reason", "Accepted by the test.")
	p.Shot("policy-exception-real")
	p.Click("main form button.primary")
	p.Wait(`location.pathname === "/policies/team" && document.body.innerText.includes("Accepted by the test.")`)
}

func TestPoliciesLook(t *testing.T) {
	prog, p := withSamples(t)
	look := func(name, path string) {
		p.Goto(prog.console + path)
		p.Live()
		p.Looks(name)
	}
	look("policies", "/policies")
	look("policy", "/policies/team")
	look("policy-edit", "/policies/team?tab=edit")
	look("policy-try", "/policies/team?tab=try&run=1")
}

func TestPolicyToolsLook(t *testing.T) {
	prog, p := withSamples(t)
	look := func(name, path string) {
		p.Goto(prog.console + path)
		p.Live()
		p.Looks(name)
	}
	look("policy-diff", "/policies/team?tab=diff")
	look("policy-gates", "/policies/gates?q=vulnerabilities")
	look("policy-confirm", "/policies/team/activate")
	p.Goto(prog.console + "/policies/team?tab=try&run=1")
	p.Click(".trials tbody tr a")
	p.Wait(`document.querySelector(".beside")`)
	p.Live()
	p.Looks("policy-try-one")
}
