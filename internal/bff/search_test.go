package bff_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// shelf is an engine in which there is something to find.
type shelf struct {
	*enginetest.Fake
	rights *engine.Rights
	fault  error // of the packages

	mu    sync.Mutex
	asked []string
}

func (e *shelf) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, what)
}

func (e *shelf) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	who, err := e.Fake.Authenticate(ctx, user, password)
	who.Rights = e.rights
	who.Admin = who.Admin && e.rights == nil
	return who, err
}

func (e *shelf) Images(_ context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error) {
	e.note("images of " + account + " limit " + itoa(int64(f.Limit)))
	if !strings.Contains("docker.io/library/debian:12", f.Text) {
		return nil, "", nil
	}
	return []engine.Image{{Digest: "sha256:8f2c0000000000000000000000000000000000000000000000000000000000aa", State: engine.Analyzed,
		Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "library/debian", Tag: "12"}}}}, "", nil
}

func (e *shelf) FindPackages(_ context.Context, _, prefix string, limit int) ([]string, error) {
	e.note("packages " + prefix)
	if strings.HasPrefix("debianutils", prefix) {
		return []string{"debianutils"}, e.fault
	}
	return nil, e.fault
}

func (e *shelf) FindVulns(_ context.Context, _, prefix string, limit int) ([]string, error) {
	e.note("vulnerabilities " + prefix)
	return []string{prefix + "44228"}, nil
}

func (e *shelf) EachPolicy(_ context.Context, _ string, _ bool, each func(engine.PolicyBundle) error) error {
	e.note("policies")
	return errors.Join(each(engine.PolicyBundle{ID: "p1", Name: "Debian rules", Active: true}), each(engine.PolicyBundle{ID: "p2", Name: "Other"}))
}

func (e *shelf) Accounts(_ context.Context, f engine.AccountFilter) ([]engine.Account, string, error) {
	e.note("accounts " + f.Text)
	return nil, "", nil
}

func (e *shelf) Events(_ context.Context, _ string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	e.note("events " + f.Text)
	return engine.EventList{}, nil
}

func (e *shelf) RunChecks(context.Context, engine.CheckQuery) ([]engine.Check, error) {
	return nil, nil
}

func TestSearch(t *testing.T) {
	e := &shelf{Fake: enginetest.New()}
	c := start(t, bff.Options{Engine: e})
	c.login()
	for query, want := range map[string][]string{
		"deb":         {`href="/images/sha256:8f2c`, "docker.io/library/debian:12", `href="/images?package=debianutils"`, `href="/policies/p1"`, "the active bundle"},
		"sync":        {`action="/feeds/sync"`, "Sync feeds now"},
		"cve-2021-":   {`href="/images?vuln=CVE-2021-44228"`},
		"2021-4":      {`href="/images?vuln=CVE-2021-444228"`},
		"catalog":     {`href="/services/catalog/host-1"`},
		"dark th":     {`action="/prefs"`, `name="theme" value="dark"`},
		"trouble":     {`href="/troubleshoot"`},
		"zzz":         {"Nothing found"},
		"":            {`href="/events"`, "Sign out"},
		`"><script>x`: {"&#34;&gt;&lt;script&gt;x"},
	} {
		body := c.get("/search?q=" + url.QueryEscape(query))
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%q does not find %s", query, w)
			}
		}
	}
	if body := c.get("/search?as=options&q=deb"); strings.Contains(body, "<html") || !strings.Contains(body, `role="option"`) {
		t.Errorf("options: %.200s", body)
	}
	if code, _, _ := c.do("GET", "/search?q="+strings.Repeat("%C3%A9", 1000), nil); code != 200 {
		t.Errorf("a long query = %d", code)
	}

	c = start(t, bff.Options{Engine: &shelf{Fake: enginetest.New(), fault: context.DeadlineExceeded}})
	c.login()
	if body := c.get("/search?q=deb"); !strings.Contains(body, "Packages took too long") || !strings.Contains(body, "debian:12") {
		t.Error("one slow source costs the others, or is not named")
	}
}

// What a user may not see is neither found nor asked for, nor offered.
func TestSearchAsksWhoMay(t *testing.T) {
	e := &shelf{Fake: enginetest.New(), rights: &engine.Rights{Grants: []engine.Grant{{Account: "ci", Role: engine.ImageAnalyzer, Enabled: true}}}}
	c := start(t, bff.Options{Engine: e})
	if code, _, _ := c.do("POST", "/login", url.Values{"user": {"ci"}, "password": {enginetest.Password}, "next": {"/search?q=de"}}); code != 200 {
		t.Fatal(code)
	}
	body := c.get("/search")
	for _, hidden := range []string{"/feeds/sync", `href="/logs"`, `href="/events"`, "/registries?add=1", "/accounts", "bundle.zip", "/audit"} {
		if strings.Contains(body, `href="`+hidden) || strings.Contains(body, `action="`+hidden) {
			t.Errorf("a pipeline is offered %s", hidden)
		}
	}
	if !strings.Contains(body, "/images?add=1") {
		t.Error("a pipeline is not offered to add an image")
	}
	e.mu.Lock() // a source that took too long may still be asked
	asked := strings.Join(e.asked, "\n")
	e.mu.Unlock()
	if !strings.Contains(asked, "images of ci limit 5") || strings.Contains(asked, "events") || strings.Contains(asked, "accounts") {
		t.Errorf("asked for %q", asked)
	}
}

func TestPalette(t *testing.T) {
	e := &shelf{Fake: enginetest.New()}
	c := start(t, bff.Options{Engine: e})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/search?q=deb")
	p.Live()
	const marked = `document.querySelector("#palette [aria-selected=true] [data-title]")?.textContent`
	palette := func(text, want string) {
		t.Helper()
		p.Do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		p.Wait(`document.getElementById("palette").open && document.querySelector("#palette [role=option]")`)
		p.Keys(text)
		p.Wait(marked + ` === "` + want + `"`)
	}
	palette("deb", "docker.io/library/debian:12")
	p.Keys(kb.ArrowDown)
	p.Wait(marked + ` === "debianutils"`)
	for _, width := range []int64{1440, 390} {
		p.Size(width, 900)
		p.Shot("palette-" + itoa(width))
		p.Axe("palette")
	}
	p.Size(1440, 900)
	p.Keys(kb.Escape)
	p.Wait(`!document.getElementById("palette").open`)

	// It does what it says, without leaving the page, and goes where it says.
	palette("compact", "Compact rows")
	p.Keys(kb.Enter)
	p.Wait(`document.documentElement.dataset.density === "compact"`)
	palette("services", "Services")
	p.Keys(kb.Enter)
	p.Wait(`location.pathname === "/services" && document.documentElement.dataset.density === "compact"`)
	p.Live()

	// The choices made lately come first, and are forgotten with the user.
	p.Do(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.Wait(`[...document.querySelectorAll("#palette [role=group]:first-child [data-title]")].map(e => e.textContent).join() === "Services,Compact rows"`)
	p.Shot("palette-recent")
	p.Keys("sign out")
	p.Wait(marked + ` === "Sign out"`)
	p.Keys(kb.Enter)
	p.Wait(`location.pathname === "/login" && localStorage.length === 0`)
}
