package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No secret that goes through the program is found in its log files or in the
// audit log, whether its request was served, refused or failed.
func TestSecretsAreInNoLog(t *testing.T) {
	dir := dataDir(t)
	p := start(t, dir, "--log-level=debug", "--oauth=on")
	p.awaitUp(t)
	const registry, hook, user, wrong = "registry-pass-7Qx", "webhook-pass-8Rk", "user-pass-9Tz", "mistyped-pass-5Lm"
	must := func(want int, method, path, body string, to any) {
		t.Helper()
		if code := p.call(t, method, path, body, to); code != want {
			t.Errorf("%s %s = %d, want %d", method, path, code, want)
		}
	}
	reg := fmt.Sprintf(`{"registry":"127.0.0.1:9","registry_type":"docker_v2","registry_user":"u","registry_pass":%q,"registry_verify":true}`, registry)
	must(406, http.MethodPost, "/registries", reg, nil) // nobody listens there
	must(200, http.MethodPost, "/registries?validate=False", reg, nil)
	must(400, http.MethodPost, "/images", `{"tag":"127.0.0.1:9/a:1"}`, nil)
	var made struct {
		ID string `json:"id"`
	}
	must(200, http.MethodPost, "/console/webhooks", fmt.Sprintf(`{"type":"general","url":"http://127.0.0.1:9/","user":"u","password":%q}`, hook), &made)
	must(500, http.MethodPost, "/console/webhooks/"+made.ID+"/test", "", nil)
	must(200, http.MethodPost, "/accounts", `{"name":"team"}`, nil)
	must(200, http.MethodPost, "/accounts/team/users", fmt.Sprintf(`{"username":"ann","password":%q}`, user), nil)
	var token struct {
		Token string `json:"token"`
	}
	must(200, http.MethodPost, "/console/tokens", `{"name":"pipeline"}`, &token)
	var oauth struct {
		Token string `json:"access_token"`
	}
	for _, pass := range []string{wrong, user} {
		form := url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {pass}, "client_id": {"anonymous"}}
		resp, err := http.PostForm(p.api+"/v1/oauth/token", form)
		if err != nil {
			t.Fatal(err)
		}
		if pass == user {
			err = json.NewDecoder(resp.Body).Decode(&oauth)
		}
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, secret := range []string{user, wrong, token.Token, oauth.Token} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.api+"/v1/account", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("ann", secret)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	var audit any
	must(200, http.MethodGet, "/console/audit", "", &audit)
	texts := map[string]string{"the audit log": fmt.Sprint(audit)}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/log/") && !strings.HasSuffix(path, ".log") {
			return err
		}
		raw, err := os.ReadFile(path)
		texts[path] = string(raw)
		return err
	})
	if err != nil || len(texts) < 2 || !strings.Contains(fmt.Sprint(audit), "ann") {
		t.Fatalf("%d logs, %v; audit %v", len(texts), err, audit)
	}
	for what, secret := range map[string]string{
		"registry password": registry, "webhook password": hook, "user password": user, "mistyped password": wrong,
		"API token": token.Token, "OAuth token": oauth.Token, "admin password": p.password,
	} {
		if len(secret) < 8 {
			t.Errorf("%s: %q is none", what, secret)
			continue
		}
		for where, text := range texts {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s holds it", what, where)
			}
		}
	}
}
