package apiv1

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
)

// oneUser is a store of one user, and proven a backend that asks a real
// Authenticator over it.
type oneUser struct {
	accounts.Store
	hash string
}

func (o oneUser) login(user string) engine.Login {
	return engine.Login{
		User:    engine.User{Name: user, UUID: "00000000-0000-0000-0000-000000000001"},
		Account: engine.Account{Name: user, Type: engine.AccountUser, State: engine.AccountEnabled}, Hash: o.hash,
		Grants: []engine.Grant{{Account: "other", Role: engine.ReadOnly, Enabled: true}},
	}
}

func (o oneUser) Login(_ context.Context, user string) (engine.Login, error) {
	return o.login(user), nil
}

func (o oneUser) LoginByUUID(context.Context, string) (engine.Login, error) {
	return o.login("ann"), nil
}

func (o oneUser) TokenByHash(context.Context, []byte) (engine.APIToken, error) {
	return engine.APIToken{ID: "1", User: "ann", ExpiresAt: time.Now().Add(time.Hour)}, nil
}

func (o oneUser) SettingOnce(_ context.Context, _, value string) (string, error) { return value, nil }

type proven struct {
	Backend
	auth *accounts.Authenticator
}

func (proven) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (p proven) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	return p.auth.Authenticate(ctx, user, password)
}

func (p proven) VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	return p.auth.VerifyToken(ctx, token)
}

func (p proven) Account(context.Context, string) (engine.Account, error) {
	return engine.Account{}, nil
}

// BenchmarkRequest compares a request that needs no password with those that
// are proven in every way there is: the difference must stay below 0.3 ms.
func BenchmarkRequest(b *testing.B) {
	auth := accounts.New(oneUser{hash: accounts.Hash("right")}, slog.New(slog.DiscardHandler))
	auth.SetOAuth(accounts.OAuth{Lifetime: time.Hour})
	token, err := auth.OAuthToken(b.Context(), engine.Identity{User: "ann"})
	if err != nil {
		b.Fatal(err)
	}
	s := New(proven{auth: auth}, Options{})
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	bearer := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+text) }
	}
	for name, tc := range map[string]struct {
		path  string
		prove func(*http.Request)
	}{
		"open":                  {"/v1/health", func(*http.Request) {}},
		"password":              {"/v1/status", basic("ann", "right")},
		"oauth token":           {"/v1/status", bearer(token.Reveal())},
		"api token":             {"/v1/status", bearer("wl_token")},
		"api token as password": {"/v1/status", basic("_token", "wl_token")},
		"own account":           {"/v1/account", basic("ann", "right")},
		"role in another":       {"/v1/accounts/other", basic("ann", "right")},
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", tc.path, nil)
			tc.prove(r)
			for b.Loop() {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
