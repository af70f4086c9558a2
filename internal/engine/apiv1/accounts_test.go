package apiv1

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// peopled is an engine of nothing but accounts, over a database: admin, and
// the accounts ann (with the users ann and ann2) and bob (with bob).
type peopled struct {
	noBackend
	*accounts.Directory
	auth  *accounts.Authenticator
	store *store.Store
}

// noBackend stands a level deeper than the Directory, whose methods win.
type noBackend struct{ Backend }

func (peopled) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (p peopled) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	return p.auth.Authenticate(ctx, user, password)
}

func (p peopled) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	return p.auth.VerifyToken(ctx, token)
}

func (p peopled) OAuthLifetime() time.Duration { return p.auth.OAuthLifetime() }

func (p peopled) OAuthToken(ctx context.Context, who engine.Identity) (engine.Secret, error) {
	return p.auth.OAuthToken(ctx, who)
}

const secret = "right horse" // everybody's password

func newPeopled(t testing.TB) (peopled, *Server) {
	t.Helper()
	st := enginetest.Store(t)
	ctx := t.Context()
	if _, _, err := accounts.Bootstrap(ctx, st, secret); err != nil {
		t.Fatal(err)
	}
	log := enginetest.Logger(t)
	if _, fuzzing := t.(*testing.F); fuzzing { // its log cannot be written to from inside a target
		log = slog.New(slog.DiscardHandler)
	}
	auth := accounts.New(st, log)
	p := peopled{auth: auth, Directory: accounts.NewDirectory(st, auth, log), store: st}
	for account, users := range map[string][]string{"ann": {"ann", "ann2"}, "bob": {"bob"}} {
		if _, err := p.Directory.AddAccount(ctx, engine.Account{Name: account}); err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			if _, err := p.Directory.AddUser(ctx, account, u, secret); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p, New(p, Options{Log: log, Audit: p.AddAudit})
}

// as is user with everybody's password.
func as(user string) string {
	if user == "" {
		return ""
	}
	return user + ":" + secret
}

// do is one request and what its reply must be: a status, and a text that its
// body holds.
type do struct {
	user, method, path, body string
	code                     int
	has                      string
}

func (d do) on(t *testing.T, s *Server) *httptest.ResponseRecorder {
	t.Helper()
	w := askServer(t, s, d.method, d.path, d.body, as(d.user), nil)
	if w.Code != d.code || !strings.Contains(w.Body.String(), d.has) {
		t.Errorf("%s: %s %s %s\n got %d %s\nwant %d with %s", d.user, d.method, d.path, d.body, w.Code, w.Body, d.code, d.has)
	}
	return w
}

func TestAccounts(t *testing.T) {
	_, s := newPeopled(t)
	const taken = "Not authorized. Requires permissions: domain=system action="
	for _, d := range []do{
		{"", "GET", "/accounts", "", 401, "Unauthorized"},
		{"ann", "GET", "/accounts", "", 403, taken + "listAccounts target=*"},
		{"", "GET", "/accounts?state=gone", "", 400, "about:blank"},
		{"admin", "GET", "/accounts?state=disabled", "", 200, "[]"},
		{"admin", "GET", "/v1/accounts/?state=enabled", "", 200, `"name":"ann"`},

		{"", "POST", "/accounts", `{"name":"x"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":"-carl"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":"ca rl"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":"` + strings.Repeat("c", 129) + `"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"email":"c@example.com"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":"carl","email":"nowhere"}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":7}`, 400, "about:blank"},
		{"", "POST", "/accounts", `{"name":"carl"}`, 401, "Unauthorized"},
		{"ann", "POST", "/accounts", `{"name":"carl"}`, 403, taken + "createAccount"},
		{"admin", "POST", "/accounts", `{"name":"admin"}`, 400, "reserved"},
		{"admin", "POST", "/accounts", `{"name":"system"}`, 400, "reserved"},
		{"admin", "POST", "/accounts", `{"name":"anchore-system"}`, 400, "reserved"},
		{"admin", "POST", "/accounts", `{"name":"carl","type":"admin"}`, 400, `"httpcode":400`},
		{"admin", "POST", "/accounts", `{"name":"carl","type":"service"}`, 400, `"httpcode":400`},
		{"admin", "POST", "/accounts", `{"name":"carl","email":"c@example.com","type":"user","more":1}`, 200, `"email":"c@example.com","state":"enabled","type":"user"`},
		{"admin", "POST", "/accounts", `{"name":"carl"}`, 400, "Account already exists"},
		{"admin", "POST", "/accounts", `{"name":"a,b/c<d`, 400, "about:blank"},
		{"admin", "POST", "/accounts", `{"name":"a,b/c<d"}`, 200, `"email":null`}, // +-= is a range
		{"admin", "GET", "/accounts/a%2Cb%2Fc%3Cd", "", 200, `"name":"a,b/c<d"`},

		{"admin", "GET", "/accounts/ghost", "", 404, "Account not found"},
		{"admin", "GET", "/accounts/%00", "", 404, "Account not found"},
		{"admin", "GET", "/accounts/anchore-system", "", 500, `"httpcode":500`},
		{"ann", "GET", "/accounts/ann", "", 200, `"type":"user"`},
		{"ann", "GET", "/accounts/bob", "", 403, "domain=bob action=getAccount target=*"},
		{"ann", "GET", "/accounts/ghost", "", 403, "domain=ghost action=getAccount target=*"},
		{"ann", "GET", "/accounts/anchore-system", "", 403, "action=getAccount"},

		{"", "PUT", "/accounts/carl/state", `{"state":"deleting"}`, 400, "about:blank"},
		{"", "PUT", "/accounts/carl/state", `{}`, 400, "about:blank"},
		{"ann", "PUT", "/accounts/ann/state", `{"state":"disabled"}`, 403, taken + "updateAccount"},
		{"admin", "PUT", "/accounts/ghost/state", `{"state":"disabled"}`, 404, "Account not found"},
		{"admin", "PUT", "/accounts/admin/state", `{"state":"disabled"}`, 400, "Cannot disable the admin account"},
		{"admin", "PUT", "/accounts/admin/state", `{"state":"enabled"}`, 200, `{"state":"enabled"}`},
		{"admin", "PUT", "/accounts/anchore-system/state", `{"state":"disabled"}`, 400, `"httpcode":400`},
		{"admin", "DELETE", "/accounts/carl", "", 400, "Invalid account state change requested. Cannot go from state enabled to state deleting"},
		{"admin", "PUT", "/accounts/carl/state", `{"state":"disabled"}`, 200, `{"state":"disabled"}`},
		{"admin", "PUT", "/accounts/carl/state", `{"state":"disabled"}`, 200, `{"state":"disabled"}`},
		{"admin", "PUT", "/accounts/carl/state", `{"state":"enabled"}`, 200, `{"state":"enabled"}`},
		{"admin", "PUT", "/accounts/carl/state", `{"state":"disabled"}`, 200, `{"state":"disabled"}`},
		{"ann", "DELETE", "/accounts/carl", "", 403, taken + "deleteAccount"},
		{"", "DELETE", "/accounts/carl", "", 401, "Unauthorized"},
		{"admin", "DELETE", "/accounts/admin", "", 400, "Account cannot be deleted"},
		{"admin", "DELETE", "/accounts/anchore-system", "", 400, "Account cannot be deleted"},
		{"admin", "DELETE", "/accounts/ghost", "", 404, "Account not found"},
		{"admin", "DELETE", "/accounts/carl", "", 200, `{"state":"deleting"}`},
		{"admin", "DELETE", "/accounts/carl", "", 200, `{"state":"deleting"}`},
		{"admin", "PUT", "/accounts/carl/state", `{"state":"enabled"}`, 400, "Cannot go from state deleting to state enabled"},
		{"admin", "POST", "/accounts", `{"name":"carl"}`, 400, "Account already exists"},
		{"admin", "GET", "/accounts?state=deleting", "", 200, `"name":"carl"`},
		{"admin", "GET", "/accounts/carl", "", 200, `"state":"deleting"`},
		{"admin", "PATCH", "/accounts", "", 405, "about:blank"},
		{"admin", "DELETE", "/accounts/carl/state", "", 405, "about:blank"},
	} {
		d.on(t, s)
	}
	list := do{"admin", "GET", "/accounts", "", 200, `"name":"admin"`}.on(t, s)
	if strings.Contains(list.Body.String(), "service") {
		t.Errorf("the engine's own account is shown: %s", list.Body)
	}
}

func TestUsers(t *testing.T) {
	_, s := newPeopled(t)
	for _, d := range []do{
		{"", "GET", "/accounts/ann/users", "", 401, "Unauthorized"},
		{"ann", "GET", "/accounts/ann/users", "", 200, `"username":"ann2","type":"native","source":null`},
		{"ann", "GET", "/accounts/bob/users", "", 403, "domain=bob action=listUsers target=*"},
		{"admin", "GET", "/accounts/bob/users", "", 200, `"username":"bob"`},
		{"admin", "GET", "/accounts/ghost/users", "", 404, "Account not found"},
		{"admin", "GET", "/accounts/anchore-system/users", "", 404, "Account not found"},

		{"", "POST", "/accounts/ann/users", `{"username":"dora"}`, 400, "about:blank"},
		{"", "POST", "/accounts/ann/users", `{"username":"dora","password":"12345"}`, 400, "about:blank"},
		{"", "POST", "/accounts/ann/users", `{"username":"_dora","password":"123456"}`, 400, "about:blank"},
		{"", "POST", "/accounts/ann/users", `{"username":"dora","password":"123456"}`, 401, "Unauthorized"},
		{"ann", "POST", "/accounts/bob/users", `{"username":"dora","password":"123456"}`, 403, "domain=bob action=createUser"},
		{"ann", "POST", "/accounts/ann/users", `{"username":"dora","password":"` + secret + `"}`, 200, `"username":"dora"`},
		{"ann", "POST", "/accounts/ann/users", `{"username":"dora","password":"123456"}`, 400, "User already exists"},
		{"ann", "POST", "/accounts/ann/users", `{"username":"bob","password":"123456"}`, 400, "User already exists"},
		{"ann", "POST", "/accounts/ann/users", `{"username":"admin","password":"123456"}`, 400, "User already exists"},
		{"ann", "POST", "/accounts/ann/users", `{"username":"long","password":"` + strings.Repeat("x", 300) + `"}`, 200, `"long"`},
		{"admin", "POST", "/accounts/ghost/users", `{"username":"eric","password":"123456"}`, 404, "Account not found"},
		{"admin", "POST", "/accounts/anchore-system/users", `{"username":"eric","password":"123456"}`, 400, `"httpcode":400`},

		{"dora", "GET", "/accounts/ann/users/ann", "", 200, `"username":"ann"`},
		{"dora", "GET", "/accounts/ann/users/bob", "", 404, "User not found"},
		{"dora", "GET", "/accounts/ann/users/nobody", "", 404, "User not found"},
		{"dora", "GET", "/accounts/ann/users/%00", "", 404, "User not found"},
		{"dora", "GET", "/accounts/bob/users/bob", "", 403, "domain=bob action=getUser"},
		{"admin", "GET", "/accounts/bob/users/ann", "", 404, "User not found"},
		{"admin", "GET", "/accounts/anchore-system/users/anchore-system", "", 404, "User not found"},

		{"dora", "GET", "/accounts/ann/users/ann2/credentials", "", 200, `[{"type":"password","value":"**`},
		{"dora", "GET", "/accounts/ann/users/bob/credentials", "", 404, "User not found"},
		{"dora", "GET", "/accounts/bob/users/bob/credentials", "", 403, "action=getUser"},
		{"", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"key","value":"x"}`, 400, "about:blank"},
		{"", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password"}`, 400, "about:blank"},
		{"dora", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password","value":""}`, 400, `"httpcode":400`},
		{"dora", "POST", "/accounts/ann/users/bob/credentials", `{"type":"password","value":"xyz"}`, 404, "User not found"},
		{"dora", "POST", "/accounts/bob/users/bob/credentials", `{"type":"password","value":"xyz"}`, 403, "action=updateUser"},
		{"admin", "POST", "/accounts/anchore-system/users/anchore-system/credentials", `{"type":"password","value":"xyz"}`, 400, "native"},
		{"dora", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password","value":"x"}`, 200, `{"type":"password","value":"**`},
		{"ann2", "GET", "/user", "", 401, "Unauthorized"},
		{"dora", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password","value":"` + secret + `"}`, 200, `**`},
		{"ann2", "GET", "/user", "", 200, `"username":"ann2"`},

		{"", "DELETE", "/accounts/ann/users/ann2/credentials", "", 400, "about:blank"},
		{"", "DELETE", "/accounts/ann/users/ann2/credentials?credential_type=key", "", 400, "about:blank"},
		{"dora", "DELETE", "/accounts/ann/users/dora/credentials?credential_type=password", "", 400, `"httpcode":400`},
		{"dora", "DELETE", "/accounts/ann/users/bob/credentials?credential_type=password", "", 404, "User not found"},
		{"dora", "DELETE", "/accounts/bob/users/bob/credentials?credential_type=password", "", 403, "action=updateUser"},
		{"dora", "DELETE", "/accounts/ann/users/ann2/credentials?credential_type=password", "", 204, ""},
		{"dora", "DELETE", "/accounts/ann/users/ann2/credentials?credential_type=password", "", 204, ""},
		{"ann2", "GET", "/user", "", 401, "Unauthorized"},
		{"dora", "GET", "/accounts/ann/users/ann2/credentials", "", 200, `[]`},

		{"dora", "DELETE", "/accounts/ann/users/dora", "", 400, `"httpcode":400`},
		{"dora", "DELETE", "/accounts/bob/users/bob", "", 403, "action=deleteUser"},
		{"dora", "DELETE", "/accounts/ann/users/bob", "", 404, "User not found"},
		{"dora", "DELETE", "/accounts/ann/users/ann2", "", 204, ""},
		{"dora", "DELETE", "/accounts/ann/users/ann2", "", 404, "User not found"},
		{"admin", "DELETE", "/accounts/admin/users/admin", "", 400, "cannot be deleted"},
		{"admin", "DELETE", "/accounts/anchore-system/users/anchore-system", "", 400, "cannot be deleted"},
		{"admin", "DELETE", "/accounts/system/users/anyone", "", 400, "cannot be deleted"},
		{"admin", "DELETE", "/accounts/ghost/users/anyone", "", 404, "User not found"},

		{"ann", "GET", "/user", "", 200, `"username":"ann"`},
		{"ann", "GET", "/user/credentials", "", 200, `[{"type":"password","value":"**`},
		{"ann", "POST", "/user/credentials", `{"type":"password","value":""}`, 400, `"httpcode":400`},
		{"ann", "POST", "/user/credentials", `{"type":"password","value":"new"}`, 200, `"value":"**`},
		{"ann", "GET", "/user", "", 401, "Unauthorized"},
	} {
		d.on(t, s)
	}
}

// The account of the engine itself is shown to nobody, by whichever way.
func TestServiceAccountByHeader(t *testing.T) {
	_, s := newPeopled(t)
	w := askServer(t, s, "GET", "/account", "", as("admin"), http.Header{"X-Anchore-Account": {engine.SystemAccount}})
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"httpcode":500`) {
		t.Errorf("%d %s, want 500", w.Code, w.Body)
	}
}

// TestDisabledAccount sees its users let in and refused everything, at once and
// until it is enabled again; deleted, it has none.
func TestDisabledAccount(t *testing.T) {
	_, s := newPeopled(t)
	const asleep = "Not authorized. Account ann not enabled."
	for _, d := range []do{
		{"ann", "GET", "/user", "", 200, "ann"},
		{"admin", "PUT", "/accounts/ann/state", `{"state":"disabled"}`, 200, "disabled"},
		{"ann", "GET", "/user", "", 403, asleep},
		{"ann", "GET", "/account", "", 403, asleep},
		{"ann", "GET", "/accounts/ann", "", 403, asleep},
		{"ann", "GET", "/accounts", "", 403, asleep},
		{"ann", "GET", "/version", "", 200, "service"},
		{"admin", "PUT", "/accounts/ann/state", `{"state":"enabled"}`, 200, "enabled"},
		{"ann", "GET", "/account", "", 200, "ann"},
		{"admin", "PUT", "/accounts/ann/state", `{"state":"disabled"}`, 200, "disabled"},
		{"admin", "DELETE", "/accounts/ann", "", 200, "deleting"},
		{"ann", "GET", "/user", "", 401, "Unauthorized"},
		{"admin", "GET", "/accounts/ann/users", "", 200, "[]"},
		{"admin", "POST", "/accounts/ann/users", `{"username":"late","password":"123456"}`, 400, "being deleted"},
	} {
		d.on(t, s)
	}
}

// TestManyAccounts reads lists that are longer than a page.
func TestManyAccounts(t *testing.T) {
	p, s := newPeopled(t)
	const fill = `INSERT INTO accounts (name) SELECT 'x' || i FROM generate_series(1, 1200) i`
	const people = `INSERT INTO users (name, account) SELECT 'u' || i, 'ann' FROM generate_series(1, 1200) i`
	for _, q := range []string{fill, people} {
		if _, err := p.store.Pool().Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{"/accounts": 1203, "/accounts/ann/users": 1202} {
		var list []struct{ Name, Username string }
		w := do{"admin", "GET", path, "", 200, ""}.on(t, s)
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != want {
			t.Errorf("%s lists %d, %v; want %d", path, len(list), err, want)
		}
	}
}
