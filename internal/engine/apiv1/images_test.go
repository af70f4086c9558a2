package apiv1

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a reply with testdata/name.json, both indented.
func golden(t *testing.T, name string, body []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, bytes.TrimSpace(body), "", "  "); err != nil {
		t.Fatalf("reply is no JSON: %v\n%s", err, body)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s:\n got %s\nwant %s", path, got.Bytes(), want)
	}
}

// imagesBackend is an engine with two images: one analyzed, one not.
type imagesBackend struct {
	Backend
	images   []engine.Image
	added    *engine.AddImage
	filter   *engine.ImageFilter
	packages []engine.Package
	matches  []engine.Match
	docs     map[string]string
	err      error
}

func (imagesBackend) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (b imagesBackend) Authenticate(context.Context, string, engine.Secret) (engine.Identity, error) {
	return engine.Identity{User: "admin", Account: "admin", Admin: true}, nil
}

func (b imagesBackend) AddImage(_ context.Context, a engine.AddImage) (engine.Image, error) {
	if b.added != nil {
		*b.added = a
	}
	return b.images[0], b.err
}

func (b imagesBackend) Images(_ context.Context, _ string, f engine.ImageFilter) ([]engine.Image, string, error) {
	if b.filter != nil {
		*b.filter = f
	}
	if f.After == "" { // a page each
		return b.images[:1], "next", b.err
	}
	return b.images[1:], "", b.err
}

func (b imagesBackend) ImagesByName(_ context.Context, _, name string, f engine.ImageFilter) ([]engine.Image, string, error) {
	switch {
	case !strings.Contains(name, "alpine"):
		return nil, "", nil
	case f.After == "": // a page each
		return b.images[:1], "next", nil
	}
	return b.images[1:], "", nil
}

func (b imagesBackend) Image(_ context.Context, account, digest string) (engine.Image, error) {
	for _, i := range b.images {
		if account == i.Account && (string(i.Digest) == digest || string(i.ParentDigest) == digest) {
			return i, nil
		}
	}
	return engine.Image{}, engine.ErrNotFound
}

func (b imagesBackend) ImageByID(_ context.Context, _, id string) (engine.Image, error) {
	for _, i := range b.images {
		if i.ID == id {
			return i, nil
		}
	}
	return engine.Image{}, engine.ErrNotFound
}

func (b imagesBackend) DeleteImages(_ context.Context, _ string, digests []string, force bool) ([]engine.DeleteResult, error) {
	var list []engine.DeleteResult
	for _, d := range digests {
		switch {
		case d == string(analyzed.Digest):
			list = append(list, engine.DeleteResult{Digest: d, Status: "deleting"})
		case d == string(waiting.Digest) && !force:
			list = append(list, engine.DeleteResult{Digest: d, Status: "delete_failed", Detail: "image is being analyzed"})
		default:
			list = append(list, engine.DeleteResult{Digest: d, Status: "not_found"})
		}
	}
	return list, nil
}

func (b imagesBackend) EachTagSummary(_ context.Context, _ string, statuses []string, each func(engine.TagSummary) error) error {
	if statuses != nil && !reflect.DeepEqual(statuses, []string{"active"}) {
		return nil
	}
	for _, i := range b.images {
		for _, t := range i.Tags {
			err := each(engine.TagSummary{Digest: i.Digest, ParentDigest: i.ParentDigest, ImageID: i.ID, Registry: t.Registry, Repository: t.Repository,
				Tag: t.Tag, State: i.State, Status: i.Status, CreatedAt: i.CreatedAt, AnalyzedAt: i.AnalyzedAt, DetectedAt: t.DetectedAt})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b imagesBackend) Packages(_ context.Context, _, _, class string) ([]engine.Package, error) {
	var list []engine.Package
	for _, p := range b.packages {
		if p.Class == class {
			list = append(list, p)
		}
	}
	return list, b.err
}

func (b imagesBackend) Files(context.Context, string, string) ([]engine.File, error) {
	return []engine.File{
		{Path: "/bin/sh", Link: "/bin/busybox", Mode: "00777", Type: "slink"},
		{Path: "/etc/passwd", Size: 12, Mode: "00644", Type: "file", SHA256: strings.Repeat("ab", 32), UID: 1, GID: 2},
	}, b.err
}

func (b imagesBackend) Document(_ context.Context, _, name, _ string) ([]byte, error) {
	if doc, ok := b.docs[name]; ok {
		return []byte(doc), nil
	}
	return nil, engine.ErrNotFound
}

func (b imagesBackend) DocumentGzip(ctx context.Context, account, name, digest string) ([]byte, error) {
	doc, err := b.Document(ctx, account, name, digest)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(doc)
	w.Close()
	return z.Bytes(), err
}

func (b imagesBackend) ImageMatches(ctx context.Context, account, digest string) (engine.Image, []engine.Match, error) {
	i, err := b.Image(ctx, account, digest)
	return i, b.matches, errors.Join(err, b.err)
}

func (b imagesBackend) RematchImage(context.Context, string, string) error {
	return &engine.Fault{Kind: engine.ErrUnavailable, Message: "no vulnerability data is active"}
}

func hex64(c string) string { return strings.Repeat(c, 64) }

var analyzed = engine.Image{
	Account: "admin", Digest: engine.Digest("sha256:" + hex64("a")), ParentDigest: engine.Digest("sha256:" + hex64("b")), ID: hex64("c"),
	State: engine.Analyzed, Status: engine.ImageActive, CreatedAt: happened, UpdatedAt: happened.Add(time.Minute), AnalyzedAt: happened.Add(time.Minute),
	Annotations: map[string]any{"owner": "a&b"},
	Meta:        &engine.ImageMeta{Arch: "amd64", Distro: "alpine", DistroVersion: "3.19.1", DockerfileMode: "Guessed", Size: 7377280, LayerCount: 1},
	Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "alpine", Tag: "3.19", Digest: engine.Digest("sha256:" + hex64("a")), Dockerfile: "RlJPTSBzY3JhdGNo",
		DetectedAt: happened, CreatedAt: happened, UpdatedAt: happened}},
}

var waiting = engine.Image{
	Account: "admin", Digest: engine.Digest("sha256:" + hex64("d")), ParentDigest: engine.Digest("sha256:" + hex64("d")), ID: hex64("e"),
	State: engine.Analyzing, Status: engine.ImageActive, CreatedAt: happened, UpdatedAt: happened,
	Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "alpine", Tag: "edge", Digest: engine.Digest("sha256:" + hex64("d")),
		DetectedAt: happened, CreatedAt: happened, UpdatedAt: happened}},
}

func imagesFake() imagesBackend {
	return imagesBackend{
		images: []engine.Image{analyzed, waiting},
		packages: []engine.Package{
			{Name: "musl", Version: "1.2.4-r2", Type: "apkg", Class: "os", Path: "pkgdb", Licenses: []string{"MIT", "BSD-2-Clause"}, Origin: "Someone", Source: "musl", Size: 1000, CPEs: []string{"cpe:2.3:a:musl:musl:1.2.4-r2:*:*:*:*:*:*:*"}},
			{Name: "musl", Version: "1.2.4-r2", Type: "apkg", Class: "os"},
			{Name: "bare", Type: "dpkg", Class: "os"},
			{Name: "left-pad", Version: "1.3.0", Type: "npm", Class: "npm", Path: "/app/node_modules/left-pad/package.json", Licenses: []string{"MIT"}},
			{Name: "rake", Version: "13", Type: "gem", Class: "gem", Path: "/usr/lib/ruby/rake.gemspec"},
			{Name: "requests", Version: "2.0", Type: "python", Class: "python", Path: "/usr/lib/python3/dist-packages", Licenses: []string{"Apache 2.0"}, Origin: "Kenneth <k@example.test>"},
			{Name: "log4j-core", Version: "2.14.1", Type: "java", Class: "java", Path: "/app/all.war:log4j-core.jar", CPEs: []string{"cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*"},
				Extra: map[string]any{"maven-version": "2.14.1", "metadata": map[string]any{"pom": "x"}}},
			{Name: "bare-jar", Type: "java", Class: "java", Path: "/x.ear", CPEs: []string{"cpe:2.3:a:x:x:9:*:*:*:*:*:*:*"}},
			{Name: "stdlib", Version: "go1.20", Type: "go", Class: "go", Path: "/bin/app"},
			{Name: "node", Type: "binary", Class: "binary"},
		},
		matches: []engine.Match{
			{Package: "musl", Version: "1.2.4-r2", PackageType: "apkg", Vuln: "CVE-2025-1", Severity: "High", Fixes: []string{"1.2.4-r3", "1.2.5"}, Feed: "vulnerabilities", Group: "alpine:3.19",
				URL: "https://example.test/?a=1&b=2", CPE23: "cpe:2.3:a:musl:musl:1.2.4-r2:*:*:*:*:*:*:*",
				NVD: []engine.CVSSData{{ID: "CVE-2025-1", V2: engine.NoCVSS, V3: engine.CVSS{Base: 7.5, Exploitability: 4, Impact: 3.6}}}},
			{Package: "left-pad", Version: "1.3.0", PackageType: "npm", Path: "/app/package.json", Vuln: "GHSA-x", Severity: "Low", Feed: "github", Group: "github:npm"},
			{Package: "bare", Version: "1", PackageType: "dpkg", Path: "pkgdb", Vuln: "CVE-2025-2", Severity: "Negligible", WillNotFix: true, URL: "u"},
		},
		docs: map[string]string{
			engine.DocManifest: `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{}}`,
			engine.DocHistory:  `[]`, engine.DocSBOM: `{"artifacts":[]}`, "secret_search": `[{"path":"/k","matches":[]}]`,
		},
	}
}

// The wire forms as they have always been; the document's schemas are checked
// by ask on the way.
func TestImageReplies(t *testing.T) {
	a, d := string(analyzed.Digest), string(waiting.Digest)
	tests := []struct {
		name, method, path string
		code               int
	}{
		{"image_list", "GET", "/images", 200},
		{"image_by_tag", "GET", "/images?fulltag=alpine:3.19", 200},
		{"image_history", "GET", "/images?fulltag=alpine&history=True", 200},
		{"image_by_tag_missing", "GET", "/images?fulltag=docker.io/nginx", 404},
		{"image", "GET", "/images/" + a, 200},
		{"image_by_parent", "GET", "/images/" + string(analyzed.ParentDigest), 200},
		{"image_missing", "GET", "/images/sha256:" + hex64("0"), 404},
		{"image_by_id", "GET", "/images/by_id/" + analyzed.ID, 200},
		{"image_by_id_is_digest", "GET", "/images/by_id/" + d, 200},
		{"image_by_id_missing", "GET", "/images/by_id/" + hex64("0"), 404},
		{"delete", "DELETE", "/images/" + a, 200},
		{"delete_missing", "DELETE", "/images/sha256:0", 200},
		{"delete_refused", "DELETE", "/images/" + d, 200},
		{"delete_by_id", "DELETE", "/images/by_id/" + analyzed.ID + "?force=False", 200},
		{"delete_by_id_no_force", "DELETE", "/images/by_id/" + analyzed.ID, 500},
		{"delete_many", "DELETE", "/images?imageDigests=" + a + "," + d + ",x&force=true", 200},
		{"delete_none", "DELETE", "/images", 400},
		{"imagetags", "GET", "/summaries/imagetags", 200},
		{"imagetags_none", "GET", "/summaries/imagetags?image_status=deleting", 200},
		{"content_types", "GET", "/images/nothing/content", 200},
		{"content_os", "GET", "/images/" + a + "/content/os", 200},
		{"content_npm", "GET", "/images/by_id/" + analyzed.ID + "/content/npm", 200},
		{"content_gem", "GET", "/images/" + a + "/content/gem", 200},
		{"content_python", "GET", "/images/" + a + "/content/python", 200},
		{"content_java", "GET", "/images/" + a + "/content/java", 200},
		{"content_go", "GET", "/images/" + a + "/content/go", 200},
		{"content_binary", "GET", "/images/" + a + "/content/binary", 200},
		{"content_files", "GET", "/images/" + a + "/content/files", 200},
		{"content_malware", "GET", "/images/" + a + "/content/malware", 200},
		{"content_files_by_id", "GET", "/images/by_id/" + analyzed.ID + "/content/files", 200},
		{"content_java_by_id", "GET", "/images/by_id/" + analyzed.ID + "/content/java", 200},
		{"content_files_missing", "GET", "/images/sha256:0/content/files", 500},
		{"content_unknown", "GET", "/images/" + a + "/content/odd", 500},
		{"content_not_analyzed", "GET", "/images/" + d + "/content/os", 500},
		{"content_missing", "GET", "/images/sha256:0/content/os", 500},
		{"content_takes_metadata", "GET", "/images/" + a + "/content/manifest", 200},
		{"metadata_types", "GET", "/images/nothing/metadata", 200},
		{"metadata_manifest", "GET", "/images/" + a + "/metadata/manifest", 200},
		{"metadata_history", "GET", "/images/" + a + "/metadata/docker_history", 200},
		{"metadata_dockerfile_guessed", "GET", "/images/" + a + "/metadata/dockerfile", 200},
		{"metadata_takes_content", "GET", "/images/" + a + "/metadata/gem", 200},
		{"artifacts_secrets", "GET", "/images/" + a + "/artifacts/secret_search", 200},
		{"artifacts_none", "GET", "/images/" + a + "/artifacts/retrieved_files", 200},
		{"artifacts_not_analyzed", "GET", "/images/" + d + "/artifacts/secret_search", 404},
		{"artifacts_missing", "GET", "/images/x/artifacts/secret_search", 500},
		{"sbom_not_analyzed", "GET", "/images/" + d + "/sboms/native", 404},
		{"sbom_missing", "GET", "/images/x/sboms/native", 500},
		{"vuln_types", "GET", "/images/nothing/vuln", 200},
		{"vuln_os", "GET", "/images/" + a + "/vuln/os", 200},
		{"vuln_non_os", "GET", "/images/" + a + "/vuln/non-os", 200},
		{"vuln_all", "GET", "/images/" + a + "/vuln/all?vendor_only=False", 200},
		{"vuln_by_id", "GET", "/images/by_id/" + analyzed.ID + "/vuln/all?vendor_only=false", 200},
		{"vuln_bad_type", "GET", "/images/" + a + "/vuln/odd", 404},
		{"vuln_missing", "GET", "/images/x/vuln/all", 404},
		{"vuln_not_analyzed", "GET", "/images/" + d + "/vuln/all", 404},
		{"vuln_refresh_fails", "GET", "/images/" + a + "/vuln/all?force_refresh=true", 500},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := ask(t, imagesFake(), tc.method, "http://api.test/v1"+tc.path, "", "admin:right")
			if w.Code != tc.code {
				t.Errorf("status %d, want %d", w.Code, tc.code)
			}
			golden(t, tc.name, w.Body.Bytes())
		})
	}
}

func TestListImagesFilter(t *testing.T) {
	for query, want := range map[string]engine.ImageFilter{
		"":                                  {},
		"?image_status=all":                 {AnyStatus: true},
		"?image_status=deleting":            {Status: engine.ImageDeleting},
		"?analysis_status=analyzed":         {State: engine.Analyzed},
		"?history=true&image_status=active": {Status: engine.ImageActive},
	} {
		var got engine.ImageFilter
		b := imagesFake()
		b.filter = &got
		if w := ask(t, b, "GET", "/images"+query, "", "admin:right"); w.Code != 200 {
			t.Errorf("%s: %d", query, w.Code)
		}
		want.Limit, want.After = got.Limit, got.After
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s asks for %+v, want %+v", query, got, want)
		}
	}
	if w := ask(t, imagesFake(), "GET", "/images?analysis_status=odd", "", "admin:right"); w.Code != 400 {
		t.Errorf("an odd state: %d", w.Code)
	}
}

func TestSBOM(t *testing.T) {
	w := ask(t, imagesFake(), "GET", "/images/"+string(analyzed.Digest)+"/sboms/native", "", "admin:right")
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename="+string(analyzed.Digest)+"_native.json.gzip" {
		t.Errorf("Content-Disposition %q", got)
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || string(body) != `{"artifacts":[]}` {
		t.Errorf("%q, %v", body, err)
	}
}

func TestAddImage(t *testing.T) {
	sum := "sha256:" + hex64("7")
	at := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
	tests := map[string]struct {
		query, body string
		want        engine.AddImage
		fault       string // part of the message of a 400; empty: 200
	}{
		"tag":                {"", `{"tag":"alpine"}`, engine.AddImage{Tag: "alpine"}, ""},
		"flags":              {"?force=True&autosubscribe=True", `{"tag":"alpine"}`, engine.AddImage{Tag: "alpine", Force: true, AutoSubscribe: true}, ""},
		"dockerfile":         {"", `{"tag":"alpine","dockerfile":"RlJPTQ==","annotations":{"a":"null"},"image_type":"docker"}`, engine.AddImage{Tag: "alpine", Dockerfile: "RlJPTQ==", Annotations: map[string]any{"a": "null"}}, ""},
		"digest":             {"", `{"digest":"quay.io/a/b@` + sum + `","tag":"quay.io/a/b:1","created_at":"2019-03-04T05:06:07Z"}`, engine.AddImage{Digest: "quay.io/a/b@" + sum, Tag: "quay.io/a/b:1", CreatedAt: at}, ""},
		"bare digest":        {"", `{"digest":"` + sum + `","tag":"localhost:5000/a/b:1"}`, engine.AddImage{Digest: "localhost:5000/a/b@" + sum, Tag: "localhost:5000/a/b:1"}, ""},
		"bare digest, port":  {"", `{"digest":"` + sum + `","tag":"localhost:5000/a"}`, engine.AddImage{Digest: "localhost:5000/a@" + sum, Tag: "localhost:5000/a"}, ""},
		"source tag":         {"", `{"source":{"tag":{"pullstring":"alpine:3","dockerfile":"RlJPTQ=="}}}`, engine.AddImage{Tag: "alpine:3", Dockerfile: "RlJPTQ=="}, ""},
		"source digest":      {"", `{"source":{"digest":{"pullstring":"a@` + sum + `","tag":"a:1","creation_timestamp_override":"2019-03-04T05:06:07.5Z"}}}`, engine.AddImage{Digest: "a@" + sum, Tag: "a:1", CreatedAt: at.Add(time.Second / 2)}, ""},
		"fraction by colon":  {"", `{"source":{"digest":{"pullstring":"a@` + sum + `","tag":"a:1","creation_timestamp_override":"2019-03-04T05:06:07:25Z"}}}`, engine.AddImage{Digest: "a@" + sum, Tag: "a:1", CreatedAt: at.Add(time.Second / 4)}, ""},
		"null source":        {"", `{"tag":"alpine","source":null}`, engine.AddImage{Tag: "alpine"}, ""},
		"nothing":            {"", `{}`, engine.AddImage{}, "must have a 'source'"},
		"both":               {"", `{"tag":"a","source":{"tag":{"pullstring":"a"}}}`, engine.AddImage{}, "not both"},
		"empty source":       {"", `{"source":{}}`, engine.AddImage{}, "must have one of tag, digest"},
		"two sources":        {"", `{"source":{"tag":{"pullstring":"a"},"archive":{"digest":"x"}}}`, engine.AddImage{}, "does not match"},
		"no pull string":     {"", `{"source":{"tag":{}}}`, engine.AddImage{}, "does not match"},
		"wrong type":         {"", `{"source":{"tag":{"pullstring":5}}}`, engine.AddImage{}, "does not match"},
		"tag by digest":      {"", `{"tag":"alpine@` + sum + `"}`, engine.AddImage{}, "tag based"},
		"tag is a digest":    {"", `{"source":{"tag":{"pullstring":"` + sum + `"}}}`, engine.AddImage{}, "tag based"},
		"digest without tag": {"", `{"digest":"` + sum + `"}`, engine.AddImage{}, "needs a 'tag'"},
		"full, without tag":  {"", `{"digest":"a@` + sum + `"}`, engine.AddImage{}, "tag based"},
		"digest by tag":      {"", `{"digest":"alpine:3","tag":"alpine:3"}`, engine.AddImage{}, "must have a digest"},
		"digest, tag digest": {"", `{"source":{"digest":{"pullstring":"a@` + sum + `","tag":"a@` + sum + `"}}}`, engine.AddImage{}, "tag based"},
		"bad time":           {"", `{"source":{"digest":{"pullstring":"a@` + sum + `","tag":"a:1","creation_timestamp_override":"yesterday"}}}`, engine.AddImage{}, "Invalid formatted date"},
		"bad dockerfile":     {"", `{"source":{"tag":{"pullstring":"a","dockerfile":"FROM x"}}}`, engine.AddImage{}, "does not match"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got engine.AddImage
			b := imagesFake()
			b.added = &got
			w := ask(t, b, "POST", "/v1/images"+tc.query, tc.body, "admin:right")
			if tc.fault != "" {
				if w.Code != 400 || !strings.Contains(w.Body.String(), tc.fault) {
					t.Errorf("%d %s, want 400 with %q", w.Code, w.Body, tc.fault)
				}
				return
			}
			tc.want.Account = "admin"
			if w.Code != 200 || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%d %s\n got %+v\nwant %+v", w.Code, w.Body, got, tc.want)
			}
		})
	}
}

func TestAddImageFaults(t *testing.T) {
	b := imagesFake()
	b.err = &engine.Fault{Kind: engine.ErrUnavailable, Message: "a.test/x: the registry refused the connection", Codes: []string{"REGISTRY_NOT_ACCESSIBLE"},
		Detail: map[string]any{"raw_exception_message": "connection refused"}, Cause: errors.New("dial tcp")}
	w := ask(t, b, "POST", "/images", `{"tag":"a.test/x"}`, "admin:right")
	golden(t, "add_unreachable", w.Body.Bytes())
	if w.Code != 400 {
		t.Errorf("status %d", w.Code)
	}
	w = ask(t, imagesFake(), "POST", "/images", `{"source":{"digest":{"pullstring":"a@sha256:`+hex64("7")+`","tag":"a","creation_timestamp_override":"x"}}}`, "admin:right")
	golden(t, "add_bad_time", w.Body.Bytes())
	w = ask(t, imagesFake(), "POST", "/images", `{"source":{"tag":{"pullstring":[]}}}`, "admin:right")
	golden(t, "add_bad_source", w.Body.Bytes())
}

func TestWrapBase64(t *testing.T) {
	for n, want := range map[int]string{0: "", 1: "AA==\n", 57: strings.Repeat("A", 76) + "\n", 58: strings.Repeat("A", 76) + "\nAA==\n"} {
		if got := wrapBase64(make([]byte, n)); got != want {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

func FuzzAddImage(f *testing.F) {
	for _, seed := range []string{
		`{"tag":"alpine"}`, `{"digest":"sha256:` + hex64("a") + `","tag":"a:1","created_at":"2019-03-04T05:06:07:25Z"}`,
		`{"source":{"tag":{"pullstring":"a:b","dockerfile":"QQ=="}}}`, `{"source":{"digest":{"pullstring":"a@sha256:` + hex64("a") + `","tag":"a"}}}`,
		`{"source":[]}`, `{"source":{"tag":null}}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req addRequest
		if json.Unmarshal(body, &req) != nil {
			return
		}
		add, err := req.normalize()
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		// What is let through is by tag, or by digest with a tag to record.
		if add.Tag == "" || !byTag(add.Tag) || add.Digest != "" && !byDigest(add.Digest) || !isBase64(add.Dockerfile) {
			t.Errorf("let through %+v", add)
		}
	})
}

func BenchmarkVulnAll(b *testing.B) {
	fake := imagesFake()
	m := fake.matches[0]
	fake.matches = nil
	for n := range 600 {
		m.Vuln = fmt.Sprint("CVE-2025-", n)
		fake.matches = append(fake.matches, m)
	}
	s := New(fake, Options{})
	for b.Loop() {
		askQuick(b, s, "/v1/images/"+string(analyzed.Digest)+"/vuln/all")
	}
}

func askQuick(b *testing.B, s *Server, target string) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.SetBasicAuth("admin", "right")
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusOK {
		b.Fatal(w.Code, w.Body)
	}
}
