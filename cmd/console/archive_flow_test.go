package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
)

// everything is all that the API tells of an image's content and matches.
func (p *program) everything(t *testing.T, digest string) map[string]any {
	t.Helper()
	all := map[string]any{"matches": p.findings(t, digest)}
	for _, path := range []string{"content/os", "content/npm", "content/python", "content/files", "metadata/manifest", "metadata/docker_history", "metadata/dockerfile",
		"artifacts/secret_search", "artifacts/retrieved_files", "artifacts/file_content_search"} {
		var body any
		if code := p.call(t, http.MethodGet, "/images/"+digest+"/"+path, "", &body); code != http.StatusOK {
			t.Fatalf("GET %s = %d: %v", path, code, body)
		}
		all[path] = body
	}
	return all
}

// awaitGone waits until an image is collected, not only marked.
func (p *program) awaitGone(t *testing.T, digest string) {
	t.Helper()
	until(t, digest+" is gone", func() bool { return p.call(t, http.MethodGet, "/images/"+digest, "", nil) == http.StatusNotFound })
}

func (p *program) restore(t *testing.T, digest string) (int, []importedImage) {
	t.Helper()
	body := fmt.Sprintf(`{"source":{"archive":{"digest":%q}}}`, digest)
	var list []importedImage
	code := p.call(t, http.MethodPost, "/images", body, nil)
	if code == http.StatusOK {
		p.call(t, http.MethodGet, "/images/"+digest, "", &list)
	}
	return code, list
}

// upload sends a file to POST /import/images.
func (p *program) upload(t *testing.T, file []byte) (int, string) {
	t.Helper()
	form := multipartOf(t, file)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.api+"/v1/import/images", bytes.NewReader(form.body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", p.password)
	req.Header.Set("Content-Type", form.kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (p *program) download(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.api+"/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", p.password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d, %v", path, resp.StatusCode, err)
	}
	return raw
}

// An image goes to the archive, away, and comes back as it was: from the
// archive, from the archive's file, and once more by rules.
func TestArchivedImagesComeBack(t *testing.T) {
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	p := start(t, dataDir(t), "--feeds-url="+starterFeed(t))
	p.awaitUp(t)
	p.sync(t)
	var added []importedImage
	if code := p.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":%q,"annotations":{"team":"shop"}}`, image), &added); code != http.StatusOK {
		t.Fatalf("POST /images = %d", code)
	}
	digest := added[0].Digest
	if code, _ := p.restore(t, digest); code != http.StatusInternalServerError {
		t.Errorf("restore of what was never archived = %d, want 500", code)
	}
	before, was := p.analyzed(t, digest), p.everything(t, digest)
	if len(was["matches"].([]finding)) == 0 {
		t.Fatal("the image has no vulnerabilities to keep")
	}

	var results []map[string]string
	if code := p.call(t, http.MethodPost, "/archives/images", `["`+digest+`","sha256:`+strings.Repeat("0", 64)+`"]`, &results); code != http.StatusOK ||
		results[0]["status"] != "archived" || results[0]["detail"] != "Completed successfully" || results[1]["status"] != "error" {
		t.Fatalf("POST /archives/images = %d, %v", code, results)
	}
	p.call(t, http.MethodPost, "/archives/images", `["`+digest+`"]`, &results)
	if results[0]["status"] != "archived" || results[0]["detail"] != "Existing record found, archiving aborted" {
		t.Errorf("archived twice: %v", results)
	}
	if code, _ := p.restore(t, digest); code != http.StatusConflict {
		t.Errorf("restore beside the image = %d, want 409", code)
	}
	file := p.download(t, "/console/archives/images/"+digest+"/file")
	if code, text := p.upload(t, file); code != http.StatusInternalServerError || !strings.Contains(text, "already exists") {
		t.Errorf("import beside the image = %d %s", code, text)
	}

	p.call(t, http.MethodDelete, "/images/"+digest+"?force=true", "", nil)
	p.awaitGone(t, digest)
	code, list := p.restore(t, digest)
	if code != http.StatusOK {
		t.Fatalf("restore = %d", code)
	}
	p.same(t, "restored", digest, before, list[0], was)

	p.call(t, http.MethodDelete, "/images/"+digest+"?force=true", "", nil)
	if code, text := p.upload(t, file); code != http.StatusOK { // while it is on its way out
		t.Fatalf("import of the archive's file = %d %s", code, text)
	}
	p.call(t, http.MethodGet, "/images/"+digest, "", &list)
	p.same(t, "imported", digest, before, list[0], was)

	var kept map[string]any
	if code := p.call(t, http.MethodGet, "/archives/images/"+digest, "", &kept); code != http.StatusOK || kept["status"] != "archived" || kept["archive_size_bytes"] != float64(len(file)) {
		t.Errorf("the archived copy = %d, %v", code, kept)
	}
	if code := p.call(t, http.MethodDelete, "/archives/images/"+digest, "", nil); code != http.StatusOK {
		t.Errorf("DELETE /archives/images = %d", code)
	}
	p.byRule(t, digest)
	if code, text := p.upload(t, []byte("no archive")); code != http.StatusConflict {
		t.Errorf("import of something else = %d %s", code, text)
	}
	if code, text := p.upload(t, file[:len(file)/2]); code != http.StatusInternalServerError && code != http.StatusConflict {
		t.Errorf("import of half a file = %d %s", code, text)
	}
	p.archiveEvents(t)
}

func (p *program) same(t *testing.T, how, digest string, before, after importedImage, was map[string]any) {
	t.Helper()
	if !reflect.DeepEqual(before, after) {
		t.Errorf("%s: the record was\n%+v and is\n%+v", how, before, after)
	}
	for name, is := range p.everything(t, digest) {
		if !reflect.DeepEqual(is, was[name]) {
			t.Errorf("%s: %s was\n%v and is\n%v", how, name, was[name], is)
		}
	}
}

// byRule archives by a rule, first dry, and takes out of the archive by another.
func (p *program) byRule(t *testing.T, digest string) {
	t.Helper()
	var rule struct {
		ID string `json:"rule_id"`
	}
	const all = `"selector":{"registry":"*","repository":"*","tag":"*"}`
	if code := p.call(t, http.MethodPost, "/archives/rules", `{"transition":"archive",`+all+`}`, &rule); code != http.StatusOK {
		t.Fatalf("POST /archives/rules = %d", code)
	}
	var run struct {
		Archived, Deleted []struct{ Digest string }
	}
	p.call(t, http.MethodPost, "/console/archives/run", "", &run)
	if len(run.Archived) != 1 || p.call(t, http.MethodGet, "/archives/images/"+digest, "", nil) != http.StatusNotFound {
		t.Errorf("the dry run: %+v", run)
	}
	p.call(t, http.MethodPost, "/console/archives/run?dry_run=false", "", &run)
	if len(run.Archived) != 1 || p.call(t, http.MethodGet, "/archives/images/"+digest, "", nil) != http.StatusOK {
		t.Errorf("the run: %+v", run)
	}
	p.awaitGone(t, digest)
	p.call(t, http.MethodDelete, "/archives/rules/"+rule.ID, "", nil)
	p.call(t, http.MethodPost, "/archives/rules", `{"transition":"delete",`+all+`}`, &rule)
	p.call(t, http.MethodPost, "/console/archives/run?dry_run=false", "", &run)
	if len(run.Deleted) != 1 || p.call(t, http.MethodGet, "/archives/images/"+digest, "", nil) != http.StatusNotFound {
		t.Errorf("the run out of the archive: %+v", run)
	}
}

func (p *program) archiveEvents(t *testing.T) {
	t.Helper()
	for kind, want := range map[string]int{
		"system.analysis_archive.image_archived": 2, "system.analysis_archive.archived_image_deleted": 2, "system.image_analysis.restored_from_archive": 2,
	} {
		var events struct {
			Count int `json:"item_count"`
		}
		p.call(t, http.MethodGet, "/events?event_type="+kind, "", &events)
		if events.Count != want {
			t.Errorf("%d events %s, want %d", events.Count, kind, want)
		}
	}
}
