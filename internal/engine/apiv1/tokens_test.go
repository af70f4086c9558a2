package apiv1

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine/accounts"
)

// made is what creating a token answers.
type made struct{ ID, Token string }

func (d do) made(t *testing.T, s *Server) made {
	t.Helper()
	w := d.on(t, s)
	var m made
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || !strings.HasPrefix(m.Token, "wl_") || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return m
}

func bearing(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func TestAPITokens(t *testing.T) {
	p, s := newPeopled(t)
	for _, d := range []do{
		{"", "GET", "/console/tokens", "", 401, "Unauthorized"},
		{"ann", "GET", "/console/tokens", "", 200, "[]"},
		{"", "POST", "/console/tokens", `{}`, 400, "about:blank"},
		{"", "POST", "/console/tokens", `{"name":"x","role":"king"}`, 400, "about:blank"},
		{"ann", "POST", "/console/tokens", `{"name":"  "}`, 400, "name"},
		{"ann", "POST", "/console/tokens", `{"name":"x","expires_at":"tomorrow"}`, 400, "expires_at"},
		{"ann", "POST", "/console/tokens", `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`, 400, "passed"},
		{"ann", "POST", "/console/tokens", `{"name":"x","expires_at":"2120-01-01T00:00:00Z"}`, 400, "five years"},
		{"ann", "POST", "/console/tokens", `{"name":"x","account":"bob"}`, 400, "no role in account bob"},
		{"admin", "POST", "/console/tokens", `{"name":"x","account":"ghost"}`, 400, "no account"},
		{"ann", "DELETE", "/console/tokens/none", "", 404, "Token not found"},
		{"ann", "GET", "/console/accounts/bob/users/bob/tokens", "", 403, "action=listTokens"},
		{"ann", "GET", "/console/accounts/ann/users/bob/tokens", "", 404, "User not found"},
		{"ann", "POST", "/console/accounts/ann/users/ann2/tokens", `{"name":"x"}`, 403, "domain=system action=createToken"},
		{"admin", "POST", "/console/accounts/ann/users/nobody/tokens", `{"name":"x"}`, 404, "User not found"},
	} {
		d.on(t, s)
	}
	whole := do{"ann", "POST", "/console/tokens", `{"name":"ci"}`, 200, `"role":null,"account":null,"created_by":"ann"`}.made(t, s)
	do{"ann", "POST", "/console/tokens", `{"name":"ci"}`, 409, "already"}.on(t, s)
	reads := do{"ann", "POST", "/console/tokens", `{"name":"reader","role":"read-only","expires_at":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`, 200, "read-only"}.made(t, s)
	inBob := do{"admin", "POST", "/console/tokens", `{"name":"for bob","account":"bob"}`, 200, `"account":"bob"`}.made(t, s)
	given := do{"admin", "POST", "/console/accounts/bob/users/bob/tokens", `{"name":"given","role":"image-analyzer"}`, 200, `"created_by":"admin"`}.made(t, s)
	do{"bob", "GET", "/console/tokens", "", 200, `"name":"given"`}.on(t, s)

	asks := func(token, method, path, body string, code int, has string) {
		t.Helper()
		for name, header := range map[string]http.Header{"bearer": bearing(token), "jwt": {"Authorization": {"JWT " + token}}} {
			if w := askServer(t, s, method, path, body, "", header); w.Code != code || !strings.Contains(w.Body.String(), has) {
				t.Errorf("%s %s %s: %d %s, want %d %s", name, method, path, w.Code, w.Body, code, has)
			}
		}
		if w := askServer(t, s, method, path, body, "_token:"+token, nil); w.Code != code {
			t.Errorf("as a password: %s %s: %d %s, want %d", method, path, w.Code, w.Body, code)
		}
	}
	asks(whole.Token, "GET", "/user", "", 200, `"username":"ann"`)
	asks(whole.Token, "GET", "/accounts/ann/users", "", 200, "ann2")
	asks(whole.Token, "GET", "/accounts/bob/users", "", 403, "domain=bob")
	asks(whole.Token, "POST", "/console/tokens", `{"name":"child"}`, 403, "cannot make another")
	asks(reads.Token, "GET", "/accounts/ann/users", "", 200, "ann2")
	asks(reads.Token, "POST", "/accounts/ann/users", `{"username":"zoe","password":"123456"}`, 403, "action=createUser")
	asks(reads.Token, "POST", "/user/credentials", `{"type":"password","value":"mine now"}`, 403, "less than this")
	asks(reads.Token, "DELETE", "/console/tokens/"+whole.ID, "", 403, "less than this")
	asks(inBob.Token, "GET", "/account", "", 200, `"name":"bob"`)
	asks(inBob.Token, "GET", "/accounts/ann/users", "", 403, "domain=ann")
	asks(inBob.Token, "GET", "/accounts", "", 403, "domain=system")
	asks(inBob.Token, "GET", "/console/audit", "", 200, "entries")
	// No token can be made into more than it is.
	asks(whole.Token, "POST", "/user/credentials", `{"type":"password","value":"mine now"}`, 403, "password of its own user")
	asks(whole.Token, "POST", "/accounts/ann/users/ann/credentials", `{"type":"password","value":"mine now"}`, 403, "password of its own user")
	asks(whole.Token, "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password","value":"`+secret+`"}`, 200, "****")
	for name, scope := range map[string]string{"in admin": `"account":"admin"`, "full": `"role":"full-control"`, "both": `"account":"admin","role":"full-control"`} {
		less := do{"admin", "POST", "/console/tokens", `{"name":"` + name + `",` + scope + `}`, 200, ""}.made(t, s)
		asks(less.Token, "POST", "/accounts/admin/users", `{"username":"eve","password":"123456"}`, 403, "less than this")
		asks(less.Token, "POST", "/accounts/admin/users/admin/credentials", `{"type":"password","value":"mine now"}`, 403, "less than this")
		asks(less.Token, "PUT", "/console/accounts/admin/users/admin/roles", `{"roles":[]}`, 403, "less than this")
		asks(less.Token, "GET", "/accounts/admin/users", "", 200, "admin")
	}
	asks(given.Token, "GET", "/account", "", 200, `"name":"bob"`)
	asks(given.Token, "GET", "/accounts/bob/users", "", 403, "action=listUsers")
	for user, code := range map[string]int{"ann": 200, "ann2": 401, "admin": 401} {
		if w := askServer(t, s, "GET", "/user", "", user+":"+whole.Token, nil); w.Code != code {
			t.Errorf("ann's token as the password of %s: %d", user, w.Code)
		}
	}
	if w := askServer(t, s, "GET", "/account", "", "", http.Header{"Authorization": {"Bearer " + inBob.Token}, "X-Anchore-Account": {"ann"}}); w.Code != 403 {
		t.Errorf("a token for bob, in ann: %d %s", w.Code, w.Body)
	}

	// Used, and not the text of it.
	p.auth.WriteUses(t.Context())
	list := do{"ann", "GET", "/console/accounts/ann/users/ann/tokens", "", 200, `"last_used_at":"20`}.on(t, s)
	if strings.Contains(list.Body.String(), "wl_") {
		t.Error("the list shows tokens")
	}

	// Ended in every way there is, and at once.
	do{"bob", "DELETE", "/console/tokens/" + whole.ID, "", 404, "Token not found"}.on(t, s)
	do{"ann", "DELETE", "/console/tokens/" + whole.ID, "", 204, ""}.on(t, s)
	asks(whole.Token, "GET", "/user", "", 401, "Unauthorized")
	if _, err := p.store.Pool().Exec(t.Context(), `UPDATE api_tokens SET expires_at = now() WHERE name = 'reader'`); err != nil {
		t.Fatal(err)
	}
	p.auth.Forget("ann")
	asks(reads.Token, "GET", "/user", "", 401, "Unauthorized")
	do{"admin", "PUT", "/accounts/bob/state", `{"state":"disabled"}`, 200, ""}.on(t, s)
	asks(given.Token, "GET", "/user", "", 403, "Account bob not enabled")
	do{"admin", "PUT", "/accounts/bob/state", `{"state":"enabled"}`, 200, ""}.on(t, s)
	asks(given.Token, "GET", "/user", "", 200, "bob")
	do{"admin", "DELETE", "/console/accounts/bob/users/bob/tokens/" + given.ID, "", 204, ""}.on(t, s)
	asks(given.Token, "GET", "/user", "", 401, "Unauthorized")
	last := do{"bob", "POST", "/console/tokens", `{"name":"last"}`, 200, ""}.made(t, s)
	asks(last.Token, "GET", "/user", "", 200, "bob")
	do{"admin", "DELETE", "/accounts/bob/users/bob", "", 204, ""}.on(t, s)
	asks(last.Token, "GET", "/user", "", 401, "Unauthorized")
}

func TestOauth(t *testing.T) {
	p, s := newPeopled(t)
	const off = "Oauth not enabled in configuration"
	try := func(form url.Values, auth string) *httptest.ResponseRecorder {
		t.Helper()
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		return askServer(t, s, "POST", "/oauth/token", form.Encode(), auth, h)
	}
	good := func() url.Values {
		return url.Values{"grant_type": {"password"}, "username": {"ann"}, "password": {secret}, "client_id": {"anonymous"}}
	}
	with := func(key, value string) url.Values { f := good(); f.Set(key, value); return f }
	if w := try(good(), ""); w.Code != 403 || !strings.Contains(w.Body.String(), off) {
		t.Errorf("switched off: %d %s", w.Code, w.Body)
	}
	p.auth.SetOAuth(accounts.OAuth{Lifetime: time.Hour})
	without := good()
	without.Del("password")
	for name, tc := range map[string]struct {
		form url.Values
		auth string
		code int
		has  string
	}{
		"form":            {good(), "", 200, `"expires_in":3600`},
		"form and header": {good(), "bob:wrong", 200, `"token_type":"Bearer"`},
		"header":          {nil, as("bob"), 200, `"access_token":"`},
		"header, wrong":   {nil, "bob:wrong", 500, "about:blank"},
		"nothing":         {nil, "", 400, `"error":"invalid_request"`},
		"only who":        {url.Values{"username": {"ann"}, "password": {secret}}, "", 200, "access_token"},
		"wrong password":  {with("password", "wrong"), "", 500, "about:blank"},
		"unknown user":    {with("username", "zoe"), "", 500, "about:blank"},
		"no password":     {without, as("ann"), 400, `"error":"invalid_request"`},
		"other grant":     {with("grant_type", "refresh_token"), "", 400, `{"error":"unsupported_grant_type"}`},
		"other client":    {with("client_id", "me"), "", 400, `{"error":"invalid_client"}`},
	} {
		if w := try(tc.form, tc.auth); w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, tc.code, tc.has)
		}
	}
	if w := askServer(t, s, "POST", "/oauth/token", "{}", "", http.Header{"Content-Type": {"text/plain"}}); w.Code != 415 || strings.Contains(w.Body.String(), "JSON") {
		t.Errorf("other content type: %d %s", w.Code, w.Body)
	}
	// The stock client says JSON where it sends nothing.
	r := httptest.NewRequest("POST", "/v1/oauth/token", nil)
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("ann", secret)
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("an empty body of JSON: %d %s", w.Code, w.Body)
	}

	var reply struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		t.Fatal(err)
	}
	asks := func(what string, code int, has string) {
		t.Helper()
		if w := askServer(t, s, "GET", "/user", "", "", bearing(reply.Token)); w.Code != code || !strings.Contains(w.Body.String(), has) {
			t.Errorf("%s: %d %s, want %d", what, w.Code, w.Body, code)
		}
	}
	asks("token", 200, `"username":"ann"`)
	p.auth.SetOAuth(accounts.OAuth{})
	asks("switched off again", 401, "Unauthorized")
	p.auth.SetOAuth(accounts.OAuth{Lifetime: time.Hour})
	do{"admin", "PUT", "/accounts/ann/state", `{"state":"disabled"}`, 200, ""}.on(t, s)
	asks("disabled", 403, "Account ann not enabled")
	do{"admin", "PUT", "/accounts/ann/state", `{"state":"enabled"}`, 200, ""}.on(t, s)
	asks("enabled", 200, "ann")
	do{"ann2", "DELETE", "/accounts/ann/users/ann", "", 204, ""}.on(t, s)
	asks("deleted", 401, "Unauthorized")
	do{"ann2", "POST", "/accounts/ann/users", `{"username":"ann","password":"` + secret + `"}`, 200, ""}.on(t, s)
	asks("another of that name", 401, "Unauthorized")
}

func FuzzOauthForm(f *testing.F) {
	f.Add("grant_type=password&username=a&password=b", "application/x-www-form-urlencoded")
	f.Add("%zz=&;", "application/x-www-form-urlencoded; charset=utf-8")
	f.Add("", "application/json")
	f.Add("--x\r\n", "multipart/form-data; boundary=x")
	s := New(tokenless{}, Options{})
	f.Fuzz(func(t *testing.T, body, contentType string) {
		r := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 400, 415, 500:
		default:
			t.Errorf("%q as %q: %d %s", body, contentType, w.Code, w.Body)
		}
	})
}

// tokenless lets nobody in.
type tokenless struct{ testAuth }

func (tokenless) OAuthLifetime() time.Duration { return time.Hour }
