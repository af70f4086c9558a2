package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/bff/session"
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
	must(200, http.MethodPost, "/console/webhooks", fmt.Sprintf(`{"type":"general","url":"http://127.0.0.1:9/hooks/T0KEN-in-hook","user":"u","password":%q}`, hook), &made)
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
	plant(t, dir, registry, hook)
	cookie := signIn(t, p)
	must(200, http.MethodPut, "/accounts/team/state", `{"state":"disabled"}`, nil)
	bundle := supportBundle(t, p)
	for what, secret := range map[string]string{
		"registry password": registry, "webhook password": hook, "user password": user, "mistyped password": wrong,
		"API token": token.Token, "OAuth token": oauth.Token, "admin password": p.password, "session": cookie,
		"secret key": keyOf(t, dir), "password in an address": "addr-pass-4Vw", "query of a webhook": "T0KEN-in-hook",
	} {
		for name, text := range bundle {
			if len(secret) < 8 || strings.Contains(text, secret) {
				t.Errorf("%s: %s of the support bundle holds it", what, name)
			}
		}
	}
	for _, name := range []string{"report.md", "config.json", "versions.json", "services.json", "queues.json", "feed-syncs.json", "events.ndjson", "logs/catalog.log", "README.txt"} {
		if bundle[name] == "" {
			t.Errorf("the support bundle has no %s", name)
		}
	}
	if !strings.Contains(bundle["logs/catalog.log"], planted) || !strings.Contains(bundle["config.json"], "CONSOLE_ADMIN_PASSWORD") {
		t.Error("the support bundle lacks what was to be in it")
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
		for line := range strings.Lines(string(raw)) {
			if !strings.Contains(line, planted) {
				texts[path] += line
			}
		}
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

// planted marks lines that the test itself put into a log.
const planted = "planted by the test"

// plant writes lines with secrets into a log, as a part of the program would
// that forgets itself.
func plant(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	path := filepath.Join(dir, "log", "anchore-catalog.log")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	key := keyOf(t, dir)
	for _, text := range append(secrets, "postgres://windlass:addr-pass-4Vw@db/x", "key "+key, "POST http://127.0.0.1:9/hooks/T0KEN-in-hook") {
		line := "2026-01-01 00:00:00.000+0000 [service:main] [x] [INFO] " + planted + ": " + text + "\n"
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
}

func keyOf(t *testing.T, dir string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "secret-key"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func supportBundle(t *testing.T, p *program) map[string]string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.api+"/v1/console/support_bundle", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", p.password)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("support bundle: %d, %v: %.300s", resp.StatusCode, err, raw)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// signIn opens a session of the console and gives its token.
func signIn(t *testing.T, p *program) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	resp, err := c.PostForm(p.console+"/login", url.Values{"user": {"admin"}, "password": {p.password}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	at, err := url.Parse(p.console)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range jar.Cookies(at) {
		if k.Name == session.Cookie {
			return k.Value
		}
	}
	t.Fatalf("no session: %d", resp.StatusCode)
	return ""
}
