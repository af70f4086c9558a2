package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (f *fixture) accounts(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/accounts", nil)
	c.want(t, 400, admin, "GET", "/accounts?state=kitchen", nil)
	c.want(t, 403, f.owner, "GET", "/accounts", nil)
	c.want(t, 200, admin, "POST", "/accounts", map[string]any{"name": "brief", "email": "a@b.example"})
	for body, status := range map[string]int{
		`{"name":"brief"}`: 400, `{"name":"admin"}`: 400, `{"name":"x"}`: 400, `{"name":"other","type":"admin"}`: 400, `{}`: 400,
	} {
		c.want(t, status, admin, "POST", "/accounts", body)
	}
	c.want(t, 403, f.owner, "POST", "/accounts", map[string]any{"name": "mine"})
	c.want(t, 200, admin, "GET", "/accounts/brief", nil)
	c.fails(t, 404, "Account not found", admin, "GET", "/accounts/nosuch", nil)
	c.want(t, 403, f.owner, "GET", "/accounts/brief", nil)

	users := "/accounts/brief/users"
	c.want(t, 200, admin, "POST", users, map[string]any{"username": "brief-user", "password": "first-password"})
	c.fails(t, 400, "User already exists", admin, "POST", users, map[string]any{"username": "brief-user", "password": "first-password"})
	c.want(t, 400, admin, "POST", users, map[string]any{"username": "short-password", "password": "12345"})
	c.want(t, 404, admin, "POST", "/accounts/nosuch/users", map[string]any{"username": "somebody", "password": "first-password"})
	c.want(t, 200, admin, "GET", users, nil)
	c.want(t, 404, admin, "GET", "/accounts/nosuch/users", nil)
	c.want(t, 200, admin, "GET", users+"/brief-user", nil)
	c.fails(t, 404, "User not found", admin, "GET", users+"/"+f.owner.name, nil)
	c.want(t, 200, admin, "GET", users+"/brief-user/credentials", nil)
	c.want(t, 404, admin, "GET", users+"/nosuch/credentials", nil)
	c.want(t, 200, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "password", "value": "second-password"})
	c.want(t, 400, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "password", "value": ""})
	c.want(t, 400, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "key", "value": "x"})

	brief := caller{name: "brief-user", password: "second-password"}
	c.want(t, 200, brief, "GET", "/account", nil)
	c.want(t, 200, brief, "GET", "/user", nil)
	c.want(t, 200, brief, "GET", "/user/credentials", nil)
	c.want(t, 401, caller{name: "brief-user", password: "first-password"}, "GET", "/user", nil)
	c.want(t, 400, brief, "POST", "/user/credentials", map[string]any{"type": "key", "value": "x"})
	c.want(t, 200, brief, "POST", "/user/credentials", map[string]any{"type": "password", "value": "third-password"})
	brief.password = "third-password"
	c.want(t, 400, brief, "DELETE", users+"/brief-user", nil)
	c.want(t, 400, brief, "DELETE", users+"/brief-user/credentials?credential_type=password", nil)
	for _, path := range []string{"/account", "/user", "/user/credentials", "/accounts/brief", users, users + "/brief-user"} {
		c.want(t, 401, nobody, "GET", path, nil)
	}

	token := f.tokenOf(t, brief)
	c.want(t, 200, caller{token: token}, "GET", "/user", nil)
	c.want(t, 401, caller{token: token + "x"}, "GET", "/user", nil)

	c.want(t, 400, admin, "DELETE", users+"/brief-user/credentials", nil)
	c.want(t, 204, admin, "DELETE", users+"/brief-user/credentials?credential_type=password", nil)
	c.want(t, 401, brief, "GET", "/user", nil)
	c.want(t, 204, admin, "DELETE", users+"/brief-user", nil)
	c.want(t, 404, admin, "DELETE", users+"/brief-user", nil)
	c.want(t, 401, caller{token: token}, "GET", "/user", nil)
	c.want(t, 400, admin, "DELETE", "/accounts/admin/users/admin", nil)

	c.fails(t, 400, "Invalid account state change requested", admin, "DELETE", "/accounts/brief", nil)
	c.want(t, 400, admin, "PUT", "/accounts/brief/state", map[string]any{"state": "deleting"})
	c.want(t, 400, admin, "PUT", "/accounts/admin/state", map[string]any{"state": "disabled"})
	c.want(t, 404, admin, "PUT", "/accounts/nosuch/state", map[string]any{"state": "disabled"})
	c.want(t, 200, admin, "PUT", "/accounts/brief/state", map[string]any{"state": "disabled"})
	c.want(t, 404, admin, "DELETE", "/accounts/nosuch", nil)
	c.fails(t, 400, "Account cannot be deleted", admin, "DELETE", "/accounts/admin", nil)
	if got := c.want(t, 200, admin, "DELETE", "/accounts/brief", nil).text(t, "state"); got != "deleting" {
		t.Errorf("a deleted account is %s", got)
	}
}

// tokenOf asks for a token as OAuth clients do, and for what they are refused.
func (f *fixture) tokenOf(t *testing.T, who caller) string {
	t.Helper()
	c := f.contract
	form := func(kv ...string) upload {
		v := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			v.Set(kv[i], kv[i+1])
		}
		return upload{"application/x-www-form-urlencoded", []byte(v.Encode())}
	}
	c.want(t, 400, nobody, "POST", "/oauth/token", form("grant_type", "implicit", "username", who.name, "password", who.password, "client_id", "anonymous"))
	c.want(t, 500, nobody, "POST", "/oauth/token", form("grant_type", "password", "username", who.name, "password", "wrong", "client_id", "anonymous"))
	a := c.want(t, 200, nobody, "POST", "/oauth/token", form("grant_type", "password", "username", who.name, "password", who.password, "client_id", "anonymous"))
	return a.text(t, "access_token")
}

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
	_ = json.Unmarshal(c.want(t, 200, admin, "POST", "/imports/images/"+id+"/manifest", manifest).body, &struct{}{})
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
