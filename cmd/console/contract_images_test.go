package main

import (
	"encoding/base64"
	"strings"
	"testing"
)

const absent = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func (f *fixture) images(t *testing.T) {
	c, admin := f.contract, f.admin
	for body, message := range map[string]string{
		`{}`: "", `{"source":{}}`: "", `{"tag":"` + f.tag + `","source":{"tag":{"pullstring":"` + f.tag + `"}}}`: "",
		`{"digest":"` + absent + `"}`:                                          "",
		`{"tag":"127.0.0.1:9/team/app:1"}`:                                     "cannot fetch image digest/manifest from registry",
		`{"tag":"not a name"}`:                                                 "",
		`{"source":{"archive":{"digest":"short"}}}`:                            "",
		`{"source":{"digest":{"pullstring":"docker.io/a","tag":"a:b"}}}`:       "",
		`{"tag":"` + f.tag + `","dockerfile":"***"}`:                           "",
		`{"source":{"tag":{"pullstring":"docker.io/a@` + absent + `"}}}`:       "",
		`{"digest":"` + absent + `","tag":"` + f.tag + `","created_at":"now"}`: "",
	} {
		c.fails(t, 400, message, admin, "POST", "/images", body)
	}
	c.want(t, 415, admin, "POST", "/images", upload{"text/plain", []byte("tag=x")})
	c.want(t, 400, admin, "POST", "/images", "{")

	c.want(t, 200, admin, "POST", "/images?autosubscribe=True", map[string]any{"tag": f.tag, "annotations": map[string]any{"a": "b"}})
	repo := strings.TrimSuffix(f.tag, ":1.0")
	c.want(t, 200, admin, "POST", "/images?force=True", map[string]any{"tag": f.tag, "digest": repo + "@" + f.digest})
	f.analyzed(t, f.digest)
	for _, path := range []string{
		"/images", "/images?fulltag=" + f.tag, "/images?fulltag=" + f.tag + "&history=true", "/images?fulltag=" + f.digest,
		"/images?image_status=all&analysis_status=analyzed", "/images/" + f.digest, "/images/by_id/" + f.imageID,
		"/summaries/imagetags", "/summaries/imagetags?image_status=all,active",
	} {
		if a := c.want(t, 200, admin, "GET", path, nil); !strings.Contains(string(a.body), f.digest) {
			t.Errorf("%s lacks the image: %.300s", a.what, a.body)
		}
		c.want(t, 401, nobody, "GET", path, nil)
	}
	c.want(t, 200, admin, "GET", "/images", `{"tag":"`+f.tag+`"}`) // as clients older than 0.1.6 do
	c.want(t, 400, admin, "GET", "/images?image_status=kitchen", nil)
	c.want(t, 400, admin, "GET", "/images?history=perhaps", nil)
	c.fails(t, 404, "image data not found in DB", admin, "GET", "/images?fulltag=nosuch:1", nil)
	c.fails(t, 404, "image not found in DB", admin, "GET", "/images/"+absent, nil)
	c.want(t, 404, admin, "GET", "/images/by_id/"+absent[7:], nil)
	dockerfile := base64.StdEncoding.EncodeToString([]byte("FROM scratch\n"))
	c.want(t, 400, admin, "POST", "/images", map[string]any{"tag": f.tag, "dockerfile": dockerfile})
}

// content asks for everything that can be read of one image.
func (f *fixture) content(t *testing.T) {
	c, admin := f.contract, f.admin
	for _, image := range []string{"/images/" + f.digest, "/images/by_id/" + f.imageID} {
		byDigest := !strings.Contains(image, "by_id")
		for _, kind := range []string{"", "/os", "/npm", "/gem", "/python", "/java", "/files", "/go", "/binary", "/malware"} {
			c.want(t, 200, admin, "GET", image+"/content"+kind, nil)
		}
		c.want(t, 500, admin, "GET", image+"/content/kitchen", nil)
		c.want(t, 401, nobody, "GET", image+"/content", nil)
		c.want(t, 401, nobody, "GET", image+"/content/files", nil)
		c.want(t, 401, nobody, "GET", image+"/content/java", nil)
		for _, kind := range []string{"", "/os", "/non-os", "/all"} {
			c.want(t, 200, admin, "GET", image+"/vuln"+kind, nil)
		}
		c.fails(t, 404, "content type (kitchen) not available", admin, "GET", image+"/vuln/kitchen", nil)
		c.want(t, 401, nobody, "GET", image+"/vuln", nil)
		if byDigest {
			c.want(t, 200, admin, "GET", image+"/vuln/all?vendor_only=False&force_refresh=True", nil)
			for _, kind := range []string{"", "/manifest", "/docker_history", "/dockerfile"} {
				c.want(t, 200, admin, "GET", image+"/metadata"+kind, nil)
			}
			c.want(t, 500, admin, "GET", image+"/metadata/kitchen", nil)
			c.want(t, 401, nobody, "GET", image+"/metadata", nil)
			for _, kind := range []string{"retrieved_files", "file_content_search", "secret_search"} {
				c.want(t, 200, admin, "GET", image+"/artifacts/"+kind, nil)
				c.want(t, 500, admin, "GET", "/images/"+absent+"/artifacts/"+kind, nil)
			}
			if a := c.want(t, 200, admin, "GET", image+"/sboms/native", nil); a.header.Get("Content-Type") != "application/gzip" {
				t.Errorf("the SBOM is %s", a.header.Get("Content-Type"))
			}
			c.want(t, 500, admin, "GET", "/images/"+absent+"/sboms/native", nil)
		}
	}
	for _, kind := range []string{"os", "files", "java", "malware"} {
		c.want(t, 500, admin, "GET", "/images/"+absent+"/content/"+kind, nil)
	}
	c.want(t, 404, admin, "GET", "/images/"+absent+"/vuln/os", nil)
}

func (f *fixture) queries(t *testing.T) {
	c, admin := f.contract, f.admin
	vuln := f.vulnerability(t)
	for path, bad := range map[string]string{
		"/query/images/by_vulnerability?vulnerability_id=" + vuln["vuln"]:                                            "/query/images/by_vulnerability",
		"/query/images/by_vulnerability?vulnerability_id=" + vuln["vuln"] + "&vendor_only=False&limit=1&page=1":      "/query/images/by_vulnerability?vulnerability_id=x&severity=kitchen",
		"/query/images/by_package?name=" + vuln["package_name"]:                                                      "/query/images/by_package",
		"/query/images/by_package?name=" + vuln["package_name"] + "&version=" + vuln["package_version"] + "&limit=5": "/query/images/by_package?name=x&limit=x",
		"/query/vulnerabilities?id=" + vuln["vuln"]:                                                                  "/query/vulnerabilities",
		"/query/vulnerabilities?id=" + vuln["vuln"] + ",CVE-1999-0001&affected_package=" + vuln["package_name"]:      "/query/vulnerabilities?id=x&affected_package_version=1",
	} {
		c.want(t, 200, admin, "GET", path, nil)
		c.want(t, 400, admin, "GET", bad, nil)
		c.want(t, 401, nobody, "GET", path, nil)
	}
	a := c.want(t, 200, admin, "GET", "/query/images/by_vulnerability?vulnerability_id="+vuln["vuln"], nil)
	if !strings.Contains(string(a.body), f.digest) {
		t.Errorf("%s lacks the image: %.300s", a.what, a.body)
	}
	if got := c.want(t, 200, admin, "GET", "/query/vulnerabilities?id=CVE-1999-99999", nil).text(t, "returned_count"); got != "0" {
		t.Errorf("an unknown vulnerability gives %s", got)
	}
}

// deletion takes images away, singly and in bulk.
func (f *fixture) deletion(t *testing.T) {
	c, admin := f.contract, f.admin
	if got := c.want(t, 200, admin, "DELETE", "/images/"+f.digest, nil).text(t, "status"); got != "delete_failed" {
		t.Errorf("deleting an image under subscription without force says %s", got)
	}
	c.want(t, 500, admin, "DELETE", "/images/by_id/"+f.imageID, nil)
	c.want(t, 400, admin, "DELETE", "/images", nil)
	if got := c.want(t, 200, admin, "DELETE", "/images/"+absent, nil).text(t, "status"); got != "not_found" {
		t.Errorf("deleting an unknown image says %s", got)
	}
	c.want(t, 400, admin, "DELETE", "/images/"+f.digest+"?force=perhaps", nil)
	if got := c.want(t, 200, admin, "DELETE", "/images/by_id/"+f.imageID+"?force=True", nil).text(t, "status"); got != "deleting" {
		t.Errorf("deleting by id says %s", got)
	}
	if got := c.want(t, 200, admin, "DELETE", "/images?force=true&imageDigests="+f.digest+","+absent, nil).text(t, "1.status"); got != "not_found" {
		t.Errorf("deleting an unknown image in bulk says %s", got)
	}
	c.want(t, 200, admin, "DELETE", "/images/"+f.digest+"?force=True", nil)
}
