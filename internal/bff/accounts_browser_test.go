package bff_test

import (
	"context"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// peopleFake has accounts in every state, users, tokens, sessions and an audit log.
type peopleFake struct{ *enginetest.Fake }

func (peopleFake) Accounts(context.Context, engine.AccountFilter) ([]engine.Account, string, error) {
	at := time.Now().Add(-40 * 24 * time.Hour)
	return []engine.Account{
		{Name: "admin", Type: engine.AccountAdmin, State: engine.AccountEnabled, Email: "ops@example.com", CreatedAt: at},
		{Name: "payments", Type: engine.AccountUser, State: engine.AccountEnabled, Email: "payments@example.com", CreatedAt: at},
		{Name: "pilot", Type: engine.AccountUser, State: engine.AccountDisabled, CreatedAt: at},
		{Name: "former-team", Type: engine.AccountUser, State: engine.AccountDeleting, CreatedAt: at},
	}, "", nil
}

func (f peopleFake) Account(ctx context.Context, name string) (engine.Account, error) {
	list, _, err := f.Accounts(ctx, engine.AccountFilter{})
	for _, a := range list {
		if a.Name == name {
			return a, err
		}
	}
	return engine.Account{}, engine.ErrNotFound
}

func (peopleFake) AccountLeft(context.Context, string) (int64, int64, error) { return 312, 18_240, nil }

func (peopleFake) Users(_ context.Context, account string, _ engine.UserFilter) ([]engine.Login, string, error) {
	a, at := engine.Account{Name: account, Type: engine.AccountUser, State: engine.AccountEnabled}, time.Now().Add(-9*24*time.Hour)
	return []engine.Login{
		{User: engine.User{Name: "ci-pipeline", Account: account, CreatedAt: at}, Account: a},
		{User: engine.User{Name: "rita", Account: account, CreatedAt: at}, Account: a, Hash: "x"},
	}, "", nil
}

func (f peopleFake) User(ctx context.Context, account, name string) (engine.Login, error) {
	list, _, err := f.Users(ctx, account, engine.UserFilter{})
	for _, l := range list {
		if l.User.Name == name {
			return l, err
		}
	}
	return engine.Login{}, engine.ErrNotFound
}

func (peopleFake) RoleGrants(_ context.Context, account string) ([]engine.RoleGrant, error) {
	at := time.Now().Add(-time.Hour)
	return []engine.RoleGrant{
		{User: "ci-pipeline", UserAccount: account, Account: account, Role: engine.ImageAnalyzer, CreatedAt: at},
		{User: "sam", UserAccount: "pilot", Account: account, Role: engine.ReadOnly, CreatedAt: at},
	}, nil
}

func (f peopleFake) UserRoles(ctx context.Context, account, _ string, _ engine.Identity) ([]engine.RoleGrant, error) {
	list, err := f.RoleGrants(ctx, account)
	return list[:1], err
}

func (peopleFake) Tokens(_ context.Context, _, user string) ([]engine.APIToken, error) {
	now := time.Now()
	return []engine.APIToken{
		{ID: "a1", User: user, Name: "nightly scan", Scope: engine.Scope{Role: engine.ImageAnalyzer, Account: "payments"}, CreatedBy: user, CreatedAt: now.Add(-50 * time.Hour), ExpiresAt: now.Add(88 * 24 * time.Hour), UsedAt: now.Add(-3 * time.Minute)},
		{ID: "a2", User: user, Name: "laptop", CreatedBy: "admin", CreatedAt: now.Add(-90 * 24 * time.Hour), ExpiresAt: now.Add(-2 * time.Hour)},
	}, nil
}

func (peopleFake) AddToken(_ context.Context, _ string, t engine.APIToken, _ engine.Identity) (engine.APIToken, engine.Secret, error) {
	return t, "wl_4Q2M7ZK3XN5BV6JHTCYRWDPA", nil
}

func (peopleFake) UserSessions(context.Context, string, time.Duration) ([]engine.Session, error) {
	now := time.Now()
	return []engine.Session{
		{Hash: []byte("first-session"), CreatedAt: now.Add(-time.Hour), SeenAt: now.Add(-time.Minute), ExpiresAt: now.Add(6 * 24 * time.Hour), Address: "10.1.2.3", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		{Hash: []byte("other-session"), CreatedAt: now.Add(-50 * time.Hour), SeenAt: now.Add(-5 * time.Hour), ExpiresAt: now.Add(4 * 24 * time.Hour), Address: "192.0.2.77", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"},
	}, nil
}

func (peopleFake) Audit(context.Context, engine.AuditFilter, engine.Identity) ([]engine.AuditEntry, int64, error) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return []engine.AuditEntry{
		{ID: 9, At: at, User: "admin", Peer: "10.1.2.3", Account: "payments", Action: "updateAccount", Subject: "payments", Details: map[string]any{"state": "disabled"}, Status: 200},
		{ID: 8, At: at, User: "rita", Peer: "10.1.2.9", Account: "payments", Action: "deleteRegistry", Subject: "registry.example.com:5000", Token: "a1", Status: 403},
		{ID: 7, At: at, User: "admin", Peer: "10.1.2.3", Account: "admin", Action: "createWebhook", Subject: "4f1d", Details: map[string]any{"page": "/subscriptions/webhooks", "type": "general"}, Status: 400},
	}, 7, nil
}

func TestTokenIsShownOnce(t *testing.T) {
	c := start(t, bff.Options{Engine: peopleFake{enginetest.New()}})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/account?add=1")
	p.Type("#token-name", "nightly")
	p.Click(`form[action="/account/tokens"] button`)
	p.Wait(`document.querySelector(".tokentext")?.innerText === "wl_4Q2M7ZK3XN5BV6JHTCYRWDPA"`)
	p.Axe("after a token was made")
}
