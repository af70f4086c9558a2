package bff_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// vexFake has the images of the images' tests and keeps documents in memory.
// One whose text holds "wrong" is refused.
type vexFake struct {
	bff.Engine
	mu   sync.Mutex
	docs []engine.VEXDocument
	last engine.VEXUpload
}

var vexDay = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)

func newVEXFake(under bff.Engine) *vexFake {
	return &vexFake{Engine: bff.ImageEngine(under), docs: []engine.VEXDocument{
		{
			ID: "d1", Account: "admin", Enabled: true, Format: engine.VEXOpen, Name: "https://acme.example/vex/shop-2024-02", Author: "Acme Product Security", Version: "3",
			IssuedAt: vexDay, Statements: 120, Unplaced: 2, SHA256: strings.Repeat("ab", 32), Bytes: 31_000, UploadedAt: time.Now().Add(-3 * time.Hour), UploadedBy: "admin",
			Marks: engine.VEXMarks{Images: 4, NotAffected: 12, Fixed: 3, Affected: 1, Investigating: 2},
		},
		{
			ID: "d2", Account: "admin", Format: engine.VEXCycloneDX, Name: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Image: bff.ImageDigest(1),
			Statements: 1, Unplaced: 1, SHA256: strings.Repeat("cd", 32), Bytes: 900, UploadedAt: time.Now().Add(-40 * 24 * time.Hour), UploadedBy: "release-bot",
		},
	}}
}

func (e *vexFake) VEXDocuments(context.Context, string, engine.VEXFilter) ([]engine.VEXDocument, int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]engine.VEXDocument(nil), e.docs...), len(e.docs), nil
}

func (e *vexFake) VEXDocument(_ context.Context, _, id string) (engine.VEXDocument, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range e.docs {
		if d.ID == id {
			return d, nil
		}
	}
	return engine.VEXDocument{}, engine.ErrNotFound
}

func (e *vexFake) VEXBody(context.Context, string, string) ([]byte, error) {
	return []byte(`{"as":"it came"}`), nil
}

func (e *vexFake) VEXStatements(_ context.Context, _, id string, offset, _ int) ([]engine.VEXStatement, error) {
	if id == "d2" {
		return []engine.VEXStatement{{Place: offset + 1, Vulns: []string{"CVE-2023-5363"}, Status: engine.VEXNotAffected, Justification: "code_not_present", At: vexDay, Products: make([]engine.VEXProduct, 1)}}, nil
	}
	return []engine.VEXStatement{
		{
			Place: offset + 1, Vulns: []string{"CVE-2023-5363", "GHSA-xw78-pcr6-wrg8"}, Status: engine.VEXNotAffected, Justification: "vulnerable_code_not_in_execute_path",
			Impact: "The cipher is never chosen by the application:\nits list of ciphers is fixed at build time.", At: vexDay,
			Products: []engine.VEXProduct{{IDs: []string{"pkg:oci/shop@sha256%3A0123?repository_url=ghcr.io/acme/shop"}, Parts: [][]string{{"pkg:deb/debian/openssl@3.0.11-1~deb12u2"}}}},
		},
		{Place: offset + 2, Vulns: []string{"CVE-2023-45853"}, Status: engine.VEXInvestigating, At: vexDay, Products: []engine.VEXProduct{{IDs: []string{"pkg:deb/debian/zlib1g"}}}},
		{Place: offset + 3, Vulns: []string{"CVE-2024-1"}, Status: engine.VEXAffected, Impact: "Update to 2.", At: vexDay, Products: make([]engine.VEXProduct, 14)},
	}, nil
}

func (e *vexFake) VEXImages(_ context.Context, _, id string, _ int) ([]engine.VEXImage, error) {
	if id == "d2" {
		return nil, nil
	}
	return []engine.VEXImage{
		{Digest: bff.ImageDigest(1), Tag: "docker.io/library/debian:12", Marks: engine.VEXMarks{NotAffected: 9, Fixed: 3, Investigating: 2}},
		{Digest: bff.ImageDigest(4), Marks: engine.VEXMarks{NotAffected: 3, Affected: 1}},
	}, nil
}

func (e *vexFake) AddVEX(_ context.Context, account string, u engine.VEXUpload) (engine.VEXDocument, error) {
	if strings.Contains(string(u.Body), "wrong") {
		return engine.VEXDocument{}, engine.Invalidf(`statement 4 (CVE-2023-1): statements[3].status: invalid status value "wrong", must be one of [not_affected, affected, fixed, under_investigation]`)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = u
	d := engine.VEXDocument{ID: "d3", Account: account, Enabled: true, Format: engine.VEXOpen, Name: "new", Statements: 1, UploadedAt: time.Now(), UploadedBy: u.By}
	e.docs = append([]engine.VEXDocument{d}, e.docs...)
	return d, nil
}

func (e *vexFake) EnableVEX(_ context.Context, _, id string, enabled bool) (engine.VEXDocument, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.docs {
		if e.docs[i].ID == id {
			e.docs[i].Enabled = enabled
			return e.docs[i], nil
		}
	}
	return engine.VEXDocument{}, engine.ErrNotFound
}

func (e *vexFake) DeleteVEX(_ context.Context, _, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.docs {
		if e.docs[i].ID == id {
			e.docs = append(e.docs[:i:i], e.docs[i+1:]...)
			return nil
		}
	}
	return engine.ErrNotFound
}

// Matches are those of the images' tests, the first two with a mark.
func (e *vexFake) Matches(ctx context.Context, account, digest string) ([]engine.Match, string, error) {
	list, data, err := e.Engine.Matches(ctx, account, digest)
	list = append([]engine.Match(nil), list...)
	list[0].VEX = &engine.VEX{
		Document: "d1", Statement: 77, Status: engine.VEXNotAffected, Justification: "vulnerable_code_not_present",
		Impact: "Built without it.", Author: "Acme Product Security", At: vexDay,
	}
	list[1].VEX = &engine.VEX{Document: "d1", Statement: 2, Status: engine.VEXInvestigating, At: vexDay}
	return list, data, err
}

func startVEX(t *testing.T) (*console, *vexFake) {
	t.Helper()
	fake := enginetest.New()
	e := newVEXFake(fake)
	c := start(t, bff.Options{Engine: e})
	c.fake = fake
	return c, e
}

func TestVEXLook(t *testing.T) {
	c, e := startVEX(t)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	for name, path := range map[string]string{
		"vex-vulnerabilities": of(1) + "?tab=vulnerabilities&vex=marked",
	} {
		p.Goto(c.url + path)
		p.Live()
		browsertest.Eval[bool](p, `(document.querySelector("details.why")?.setAttribute("open", ""), true)`)
		p.Looks(name)
	}
	c.fake.Set(func() { e.docs = nil })
	p.Goto(c.url + "/policies/vex")
	p.Live()
	p.Looks("vex-none")
}

// In the browser: a document that is wrong is refused in place, one that is
// not is shown; disabling and deleting ask the engine.
func TestVEXInTheBrowser(t *testing.T) {
	c, e := startVEX(t)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	file := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(file, []byte(`{"is":"wrong"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Forgive(func(m string) bool { return strings.Contains(m, "400") })
	p.Goto(c.url + "/policies/vex?add=1")
	p.Live()
	p.Do(chromedp.SetUploadFiles(chromedp.CSS("#vex-document"), []string{file}))
	p.Click(`#upload button`)
	p.Wait(`document.getElementById("vex-fault")?.innerText.includes("statements[3].status")`)
	p.Axe("a refused document")
	if err := os.WriteFile(file, []byte(`{"is":"right"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Do(chromedp.SetUploadFiles(chromedp.CSS("#vex-document"), []string{file}))
	p.Click(`#upload button`)
	p.Wait(`location.pathname === "/policies/vex/d3" && document.body.innerText.includes("is in use.")`)
	if string(e.last.Body) != `{"is":"right"}` || e.last.By != "admin" {
		t.Errorf("uploaded %q by %q", e.last.Body, e.last.By)
	}
	p.Click(`form[action$="/enable"] button`)
	p.Wait(`document.querySelector("#vex-head .pill.off")?.innerText === "disabled"`)
	p.Goto(c.url + "/policies/vex")
	p.Live()
	c.fake.Set(func() { e.docs[1].Marks.NotAffected = 99 })
	c.fake.Change(engine.ChangeVEX, "admin", "d1")
	p.Wait(`document.getElementById("vex-list").innerText.includes("99 not affected")`)
	browsertest.Eval[bool](p, `(window.confirm = text => { window.asked = text; return true }, true)`)
	p.Click(`#vex-d1 form[action$="/delete"] button`)
	p.Wait(`document.body.innerText.includes("Document deleted.") && !document.getElementById("vex-d1")`)
}

// What the pages say without a browser: the filter is in the address, a page
// of a document has the place a mark links to, a foreign upload is refused.
func TestVEXPages(t *testing.T) {
	c, e := startVEX(t)
	c.login()
	get := func(path string) string {
		t.Helper()
		_, body, _ := c.do("GET", path, nil)
		return body
	}
	count := func(way string) int {
		return strings.Count(get(of(1)+"?tab=vulnerabilities&vex="+way), `<details class="why"`)
	}
	all, hide, cleared, marked := count(""), count("hide"), count("cleared"), count("marked")
	if cleared != 1 || marked != 2 || hide != all-1 || all < 3 || count("nonsense") != all {
		t.Errorf("%d rows, %d without those set aside, %d set aside, %d marked", all, hide, cleared, marked)
	}
	page := get(of(1) + "?tab=vulnerabilities")
	for _, want := range []string{`href="/policies/vex/d1?page=2#s77"`, "vulnerable code not present", "Built without it.", "1 not affected by VEX", `action="/images/`} {
		if !strings.Contains(page, want) {
			t.Errorf("the tab has no %q", want)
		}
	}
	if page = get("/policies/vex/d1?page=2"); !strings.Contains(page, `id="s51"`) || !strings.Contains(page, "51 to 100 of 120 statements") {
		t.Error("the second page of statements is not it")
	}
	if !strings.Contains(get("/policies/vex/nosuch"), "There is no such VEX document") {
		t.Error("a document that is not there")
	}
	if got := get("/policies/vex/d1/document"); got != `{"as":"it came"}` {
		t.Errorf("the original is %s", got)
	}
	token := c.csrf()
	post := func(image string, body []byte) (int, string) {
		t.Helper()
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		w.WriteField("image", image)
		f, _ := w.CreateFormFile("document", "a.json")
		f.Write(body)
		w.Close()
		resp, err := c.http.Post(c.url+"/policies/vex/upload?csrf="+url.QueryEscape(token), w.FormDataContentType(), &form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if code, text := post("sha256:1", []byte("wrong")); code != http.StatusBadRequest || !strings.Contains(text, "statements[3].status") || !strings.Contains(text, `value="sha256:1"`) {
		t.Errorf("a document that is wrong: %d", code)
	}
	if code, text := post("", make([]byte, 16<<20+2)); code != http.StatusBadRequest || !strings.Contains(text, "larger than 16") {
		t.Errorf("a document that is too large: %d", code)
	}
	if code, _ := post(" sha256:2 ", []byte("{}")); code != http.StatusOK || e.last.Image != "sha256:2" {
		t.Errorf("a document for an image: %d, %q", code, e.last.Image)
	}
}
