package bff

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// staffEngine signs in whom a test says, and keeps what was asked for.
type staffEngine struct {
	*registryEngine
	who      engine.Identity
	password engine.Secret
	ended    int
	started  int
	token    engine.APIToken
	roles    []engine.Role
	state    engine.AccountState
	audit    engine.AuditFilter
}

func (e *staffEngine) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	return engine.Session{Identity: e.who, CSRF: "token", Hash: []byte("h")}, nil
}
func (e *staffEngine) AddSession(context.Context, engine.Session) error { e.started++; return nil }
func (e *staffEngine) Authenticate(_ context.Context, _ string, p engine.Secret) (engine.Identity, error) {
	if p.Reveal() != "old words" {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return e.who, nil
}
func (e *staffEngine) SetPassword(_ context.Context, _, _ string, p engine.Secret) error {
	e.password = p
	return nil
}
func (e *staffEngine) UserSessions(context.Context, string, time.Duration) ([]engine.Session, error) {
	return nil, nil
}
func (e *staffEngine) EndUserSessions(context.Context, string, []byte) ([][]byte, error) {
	e.ended++
	return [][]byte{[]byte("x")}, nil
}
func (e *staffEngine) Tokens(context.Context, string, string) ([]engine.APIToken, error) {
	return nil, nil
}
func (e *staffEngine) AddToken(_ context.Context, _ string, t engine.APIToken, _ engine.Identity) (engine.APIToken, engine.Secret, error) {
	if t.Name == "" {
		return t, "", engine.Invalidf("name: a token needs a name of at most 128 bytes")
	}
	e.token = t
	return t, "wl_SECRET", nil
}
func (e *staffEngine) Account(_ context.Context, name string) (engine.Account, error) {
	return engine.Account{Name: name, Type: engine.AccountUser, State: engine.AccountEnabled}, nil
}
func (e *staffEngine) Users(context.Context, string, engine.UserFilter) ([]engine.Login, string, error) {
	return nil, "", nil
}
func (e *staffEngine) RoleGrants(context.Context, string) ([]engine.RoleGrant, error) {
	return nil, nil
}
func (e *staffEngine) SetRoles(_ context.Context, _, _ string, roles []engine.Role, _ engine.Identity) ([]engine.RoleGrant, error) {
	e.roles = roles
	return nil, nil
}
func (e *staffEngine) SetAccountState(_ context.Context, _ string, to engine.AccountState) error {
	e.state = to
	return nil
}
func (e *staffEngine) Audit(_ context.Context, f engine.AuditFilter, _ engine.Identity) ([]engine.AuditEntry, int64, error) {
	e.audit = f
	if f.After != 0 {
		return []engine.AuditEntry{{ID: 1, User: "u", Action: "deleteUser", Subject: "=1+1", Status: 403, At: time.Unix(0, 0)}}, 0, nil
	}
	return []engine.AuditEntry{{ID: 2, User: "u", Action: "createUser", Status: 200, At: time.Unix(0, 0)}}, 2, nil
}

func staff(account string, roles ...engine.Role) *staffEngine {
	l := engine.Login{User: engine.User{Name: "u"}, Account: engine.Account{Name: account, Type: engine.AccountUser, State: engine.AccountEnabled}}
	for _, r := range roles {
		l.Grants = append(l.Grants, engine.Grant{Account: account, Role: r, Enabled: true})
	}
	return &staffEngine{registryEngine: &registryEngine{}, who: l.Identity()}
}

func TestOwnPassword(t *testing.T) {
	for name, tc := range map[string]struct {
		form url.Values
		want string
	}{
		"wrong old":     {url.Values{"old": {"guess"}, "new": {"n"}, "again": {"n"}}, "password-old-fault"},
		"not repeated":  {url.Values{"old": {"old words"}, "new": {"n"}, "again": {"m"}}, "password-again-fault"},
		"nothing given": {url.Values{"old": {"old words"}}, "password-new-fault"},
	} {
		t.Run(name, func(t *testing.T) {
			e := staff("a", engine.ReadOnly)
			code, _, body := post(t, e, "/account/password", tc.form)
			if code != 400 || !strings.Contains(body, tc.want) || e.password != "" {
				t.Errorf("%d", code)
			}
		})
	}
	// A reader may do this: it is his own. All sessions end, and this browser
	// gets a new one.
	e := staff("a", engine.ReadOnly)
	code, header, _ := post(t, e, "/account/password", url.Values{"old": {"old words"}, "new": {"new words"}, "again": {"new words"}})
	if code != 303 || e.password.Reveal() != "new words" || e.ended != 1 || e.started != 1 || header.Get("Set-Cookie") == "" {
		t.Errorf("%d, ended %d, started %d", code, e.ended, e.started)
	}
}

func TestOwnTokens(t *testing.T) {
	e := staff("a", engine.ReadOnly)
	code, header, body := post(t, e, "/account/tokens", url.Values{"token": {"ci"}, "role": {"read-only"}, "expires": {"30"}})
	if code != 200 || !strings.Contains(body, "wl_SECRET") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("made: %d", code)
	}
	if left := time.Until(e.token.ExpiresAt); e.token.Scope.Role != engine.ReadOnly || left < 29*24*time.Hour || left > 31*24*time.Hour {
		t.Errorf("token %+v", e.token)
	}
	if _, _, body := get(t, e, "/account"); strings.Contains(body, "wl_SECRET") {
		t.Error("it is shown again")
	}
	if code, _, body := post(t, e, "/account/tokens", url.Values{"expires": {"30"}}); code != 400 || !strings.Contains(body, "token-name-fault") {
		t.Errorf("without a name: %d", code)
	}
	if code, _, body := post(t, e, "/account/tokens", url.Values{"token": {"x"}, "expires": {"99999999999999999999"}}); code != 400 || !strings.Contains(body, "token-expires-fault") {
		t.Errorf("for ever: %d", code)
	}
}

func TestAccountsByRole(t *testing.T) {
	for name, tc := range map[string]struct {
		who  *staffEngine
		path string
		want int
	}{
		"a reader's own account":     {staff("a", engine.ReadOnly), "/accounts/a", 200},
		"a reader in another":        {staff("a", engine.ReadOnly), "/accounts/b", 403},
		"a pipeline's own account":   {staff("a", engine.ImageAnalyzer), "/accounts/a", 403},
		"a list is of all accounts":  {staff("a", engine.FullControl), "/accounts", 303},
		"a reader's audit log":       {staff("a", engine.ReadOnly), "/audit", 403},
		"full control has a log":     {staff("a", engine.FullControl), "/audit", 200},
		"a pipeline has its own":     {staff("a", engine.ImageAnalyzer), "/account", 200},
		"a time that is none":        {staff("a", engine.FullControl), "/audit?since=yesterday", 400},
		"a place that is none":       {staff("a", engine.FullControl), "/audit?after=-1", 400},
		"an export is the log's too": {staff("a", engine.ReadOnly), "/audit/export.csv", 403},
	} {
		t.Run(name, func(t *testing.T) {
			if code, _, _ := get(t, tc.who, tc.path); code != tc.want {
				t.Errorf("GET %s = %d, want %d", tc.path, code, tc.want)
			}
		})
	}
	e := staff("a", engine.FullControl)
	get(t, e, "/audit?account=b&user=u&outcome=failed")
	if e.audit.Account != "a" || e.audit.User != "u" || e.audit.Failed == nil || !*e.audit.Failed {
		t.Errorf("the log of another account: %+v", e.audit)
	}
	if code, _, _ := post(t, e, "/accounts/a/state", url.Values{"state": {"disabled"}}); code != 403 || e.state != "" {
		t.Errorf("moved an account: %d", code)
	}
	if code, _, _ := post(t, e, "/accounts/b/users/x/roles", url.Values{"role": {"read-only"}}); code != 403 || e.roles != nil {
		t.Errorf("roles in another account: %d", code)
	}
	if code, _, _ := post(t, e, "/accounts/a/users/x/roles", url.Values{"role": {"read-only", "policy-editor"}}); code != 303 || len(e.roles) != 2 {
		t.Errorf("roles: %d %v", code, e.roles)
	}
	if code, _, body := post(t, e, "/accounts/a/users/u/password", url.Values{"new": {"sesame"}}); code == 303 || e.password != "" || strings.Contains(body, "sesame") {
		t.Errorf("own password without the old one: %d", code)
	}
}

func TestAuditExport(t *testing.T) {
	_, _, body := get(t, staff("a", engine.FullControl), "/audit/export.csv")
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "at,user") || !strings.Contains(lines[2], "'=1+1") || !strings.Contains(lines[2], "refused") {
		t.Errorf("%q", body)
	}
}
