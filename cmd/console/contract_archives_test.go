package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

func (f *fixture) imports(t *testing.T) {
	c, admin := f.contract, f.admin
	manifest, config, sbom := f.importable(t)
	opened := c.want(t, 200, admin, "POST", "/imports/images", nil)
	id := opened.text(t, "uuid")
	c.want(t, 401, nobody, "POST", "/imports/images", nil)
	c.want(t, 200, admin, "GET", "/imports/images", nil)
	c.want(t, 401, nobody, "GET", "/imports/images", nil)
	c.want(t, 200, admin, "GET", "/imports/images/"+id, nil)
	c.want(t, 500, admin, "GET", "/imports/images/nosuch", nil)
	digests := map[string]string{}
	for kind, body := range map[string]string{
		"packages": sbom, "manifest": manifest, "parent_manifest": manifest, "image_config": config, "dockerfile": `"FROM scratch"`,
	} {
		path := "/imports/images/" + id + "/" + kind
		digests[kind] = c.want(t, 200, admin, "POST", path, body).text(t, "digest")
		c.fails(t, 500, `"httpcode":404`, admin, "POST", "/imports/images/00000000000000000000000000000000/"+kind, body)
		c.want(t, 200, admin, "GET", path, nil)
		c.want(t, 401, nobody, "GET", path, nil)
		c.want(t, 401, nobody, "POST", path, body)
	}
	c.want(t, 400, admin, "POST", "/imports/images/"+id+"/packages", `{"artifacts":[]}`)
	body := map[string]any{"source": map[string]any{"import": map[string]any{
		"digest": f.importDigest, "tags": []string{"docker.io/team/imported:1"}, "operation_uuid": id, "contents": digests,
	}}}
	digests["manifest"] = strings.Repeat("0", 64)
	c.want(t, 400, admin, "POST", "/images", body)
	digests["manifest"] = c.want(t, 200, admin, "POST", "/imports/images/"+id+"/manifest", manifest).text(t, "digest")
	c.want(t, 200, admin, "POST", "/images", body)
	f.analyzed(t, f.importDigest)

	second := c.want(t, 200, admin, "POST", "/imports/images", nil).text(t, "uuid")
	if got := c.want(t, 200, admin, "DELETE", "/imports/images/"+second, nil).text(t, "status"); got != "invalidated" {
		t.Errorf("a deleted import operation is %s", got)
	}
	c.want(t, 500, admin, "DELETE", "/imports/images/nosuch", nil)
}

func (f *fixture) archives(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/archives", nil)
	c.want(t, 400, admin, "POST", "/archives/images", []string{})
	c.want(t, 200, admin, "POST", "/archives/images", []string{f.digest})
	c.want(t, 200, admin, "GET", "/archives/images", nil)
	c.want(t, 200, admin, "GET", "/archives/images/"+f.digest, nil)
	c.fails(t, 404, "Not found in archive", admin, "GET", "/archives/images/"+absent, nil)
	c.want(t, 409, admin, "POST", "/images", map[string]any{"source": map[string]any{"archive": map[string]any{"digest": f.digest}}})
	c.want(t, 404, admin, "DELETE", "/archives/images/"+absent, nil)

	rule := map[string]any{
		"transition": "archive", "analysis_age_days": 5000, "tag_versions_newer": 5000,
		"selector": map[string]any{"registry": "*", "repository": "*", "tag": "*"},
	}
	id := c.want(t, 200, admin, "POST", "/archives/rules", rule).text(t, "rule_id")
	c.want(t, 400, admin, "POST", "/archives/rules", map[string]any{"transition": "burn"})
	c.fails(t, 500, "Error adding rule", admin, "POST", "/archives/rules", map[string]any{"transition": "archive"})
	global := map[string]any{"system_global": true}
	for k, v := range rule {
		global[k] = v
	}
	c.want(t, 403, f.owner, "POST", "/archives/rules", global)
	c.want(t, 200, admin, "GET", "/archives/rules?system_global=False", nil)
	c.want(t, 200, admin, "GET", "/archives/rules/"+id, nil)
	c.fails(t, 404, "Rule not found", admin, "GET", "/archives/rules/nosuch", nil)
	c.want(t, 200, admin, "DELETE", "/archives/rules/"+id, nil)
	c.want(t, 404, admin, "DELETE", "/archives/rules/"+id, nil)
	for _, path := range []string{"/archives", "/archives/rules", "/archives/images"} {
		c.want(t, 401, nobody, http.MethodGet, path, nil)
	}
}

// returns brings an archived image back after it was deleted, from the archive
// and from a file of it.
func (f *fixture) returns(t *testing.T) {
	c, admin := f.contract, f.admin
	f.collected(t, f.digest)
	file := c.want(t, 200, admin, "GET", "/console/archives/images/"+f.digest+"/file", nil)
	c.want(t, 404, admin, "GET", "/console/archives/images/"+absent+"/file", nil)
	c.want(t, 200, admin, "POST", "/import/images", multipartOf(t, file.body))
	c.want(t, 500, admin, "POST", "/import/images", multipartOf(t, file.body)) // it exists
	c.want(t, 409, admin, "POST", "/import/images", multipartOf(t, []byte("no archive")))
	c.want(t, 200, admin, "DELETE", "/images/"+f.digest+"?force=True", nil)
	f.collected(t, f.digest)
	c.want(t, 200, admin, "POST", "/images", map[string]any{"source": map[string]any{"archive": map[string]any{"digest": f.digest}}})
	if got := c.want(t, 200, admin, "GET", "/images/"+f.digest, nil).text(t, "0.analysis_status"); got != "analyzed" {
		t.Errorf("a restored image is %s", got)
	}
	c.want(t, 200, admin, "GET", "/images/"+f.digest+"/vuln/all", nil)
	c.want(t, 200, admin, "POST", "/console/archives/run?dry_run=True", nil)
	c.want(t, 200, admin, "DELETE", "/archives/images/"+f.digest, nil)
}

// multipartOf is a body as forms upload a file.
func multipartOf(t *testing.T, file []byte) upload {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("archive_file", "archive.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return upload{w.FormDataContentType(), b.Bytes()}
}
