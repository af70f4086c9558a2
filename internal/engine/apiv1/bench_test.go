package apiv1

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
)

// oneUser is a store of one user, and proven a backend that asks a real
// Authenticator over it.
type oneUser struct {
	accounts.Store
	hash string
}

func (o oneUser) Login(_ context.Context, user string) (engine.Login, error) {
	return engine.Login{
		User: engine.User{Name: user}, Account: engine.Account{Name: user, Type: engine.AccountAdmin, State: engine.AccountEnabled}, Hash: o.hash,
	}, nil
}

type proven struct {
	Backend
	auth *accounts.Authenticator
}

func (p proven) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	return p.auth.Authenticate(ctx, user, password)
}

// BenchmarkRequest compares a request that needs no password with one that
// does: the difference must stay below 0.3 ms.
func BenchmarkRequest(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	s := New(proven{auth: accounts.New(oneUser{hash: accounts.Hash("right")}, log)}, Options{})
	for name, path := range map[string]string{"open": "/v1/health", "authenticated": "/v1/status"} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, nil)
			r.SetBasicAuth("admin", "right")
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
