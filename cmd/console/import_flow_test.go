package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/feeds/starter"
)

// starterFeed serves the records of the starter data as a feed.
func starterFeed(t *testing.T) string {
	t.Helper()
	dir := dataDir(t)
	if _, err := build.Serve(dir, starter.Database()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(srv.Close)
	return srv.URL
}

// importImage uploads an analysis that was made elsewhere, as a client does,
// and makes an image of it.
func (p *program) importImage(t *testing.T, sbom, digest string, tags ...string) string {
	t.Helper()
	var op struct {
		UUID string `json:"uuid"`
	}
	if code := p.call(t, http.MethodPost, "/imports/images", "", &op); code != http.StatusOK {
		t.Fatalf("POST /imports/images = %d", code)
	}
	contents := map[string]string{}
	for kind, body := range map[string]string{
		"packages": sbom, "manifest": enginetest.ImportManifest, "image_config": enginetest.ImportConfig, "dockerfile": `"FROM scratch"`,
	} {
		var kept struct {
			Digest string `json:"digest"`
		}
		if code := p.call(t, http.MethodPost, "/imports/images/"+op.UUID+"/"+kind, body, &kept); code != http.StatusOK {
			t.Fatalf("upload of %s = %d", kind, code)
		}
		contents[kind] = kept.Digest
	}
	body := fmt.Sprintf(`{"source":{"import":{"digest":%q,"local_image_id":%q,"tags":["%s"],"operation_uuid":%q,"contents":{"packages":%q,"manifest":%q,"image_config":%q,"dockerfile":%q}}}}`,
		digest, strings.Repeat("b", 64), strings.Join(tags, `","`), op.UUID, contents["packages"], contents["manifest"], contents["image_config"], contents["dockerfile"])
	if code := p.call(t, http.MethodPost, "/images", body, nil); code != http.StatusOK {
		t.Fatalf("POST /images = %d", code)
	}
	if code := p.call(t, http.MethodPost, "/images", body, nil); code != http.StatusConflict {
		t.Errorf("the same import finished again = %d, want 409", code)
	}
	return op.UUID
}

type importedImage struct {
	Digest      string         `json:"imageDigest"`
	State       string         `json:"analysis_status"`
	AnalyzedAt  string         `json:"analyzed_at"`
	Annotations map[string]any `json:"annotations"`
	Detail      []struct {
		FullTag    string `json:"fulltag"`
		ImageID    string `json:"imageId"`
		DetectedAt string `json:"tag_detected_at"`
	} `json:"image_detail"`
	Content struct {
		Metadata map[string]any `json:"metadata"`
	} `json:"image_content"`
}

// analyzed waits for an image to be analyzed.
func (p *program) analyzed(t *testing.T, digest string) importedImage {
	t.Helper()
	var list []importedImage
	until(t, digest+" is analyzed", func() bool {
		p.call(t, http.MethodGet, "/images/"+digest, "", &list)
		if list[0].State == "analysis_failed" {
			t.Fatalf("the analysis of %s failed", digest)
		}
		return list[0].State == "analyzed"
	})
	return list[0]
}

// analyze adds an image by its tag, with the query given, waits for its analysis
// and returns its digest.
func (p *program) analyze(t *testing.T, tag, query string) string {
	t.Helper()
	var list []importedImage
	if code := p.call(t, http.MethodPost, "/images"+query, fmt.Sprintf(`{"tag":%q}`, tag), &list); code != http.StatusOK {
		t.Fatalf("POST /images %s = %d", tag, code)
	}
	p.analyzed(t, list[0].Digest)
	return list[0].Digest
}

// An SBOM of syft's first releases becomes an analyzed image with its
// vulnerabilities; one of today, of the same packages, has the same.
func TestImportedImagesAreAnalyzed(t *testing.T) {
	p := start(t, dataDir(t), "--feeds-url="+starterFeed(t))
	p.awaitUp(t)
	p.sync(t)
	packages := map[string]string{"busybox": "1.36.1-r2", "musl": "1.2.4_git20230717-r4", "libcrypto3": "3.1.4-r1"}
	alpine := func(doc []byte) string { return strings.ReplaceAll(string(doc), "3.11.5", "3.19.1") }
	old, today := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	op := p.importImage(t, alpine(enginetest.OldSBOM(packages)), old, "docker.io/team/app:1", "docker.io/team/app:latest")
	p.importImage(t, alpine(enginetest.NewSBOM(packages)), today, "docker.io/team/app:2")

	i := p.analyzed(t, old)
	m := i.Content.Metadata
	if i.Annotations["anchore.system/import_operation_id"] != op || len(i.Detail) != 2 || i.Detail[0].ImageID != strings.Repeat("b", 64) ||
		m["distro"] != "alpine" || m["distro_version"] != "3.19.1" || m["dockerfile_mode"] != "Actual" || m["layer_count"] != 2.0 || m["image_size"] != 1234.0 {
		t.Errorf("image %+v", i)
	}
	p.analyzed(t, today)
	found, again := p.findings(t, old), p.findings(t, today)
	if len(found) == 0 || fmt.Sprint(found) != fmt.Sprint(again) {
		t.Errorf("of old:   %v\nof today: %v", found, again)
	}
	var content struct {
		Content []map[string]any `json:"content"`
	}
	for kind, want := range map[string]int{"os": 3, "files": 0, "npm": 0} {
		if code := p.call(t, http.MethodGet, "/images/"+old+"/content/"+kind, "", &content); code != http.StatusOK || len(content.Content) != want {
			t.Errorf("content %s = %d, %d elements, want %d", kind, code, len(content.Content), want)
		}
	}
}
