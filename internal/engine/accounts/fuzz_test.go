package accounts

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"windlass/internal/engine"
)

type nobody struct{ Store }

func (nobody) Login(context.Context, string) (engine.Login, error) {
	return engine.Login{}, engine.ErrNotFound
}

func (nobody) LoginByUUID(context.Context, string) (engine.Login, error) {
	return engine.Login{}, engine.ErrNotFound
}

func (nobody) TokenByHash(context.Context, []byte) (engine.APIToken, error) {
	return engine.APIToken{}, engine.ErrNotFound
}

func (nobody) SettingOnce(_ context.Context, _, value string) (string, error) { return value, nil }

func FuzzToken(f *testing.F) {
	f.Add("")
	f.Add("a.b")
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")
	f.Add("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhbmNob3JlLWVuZ2luZSJ9.AAAA")
	f.Add("wl_AAAAAAAAAAAAAAAAAAAAAAAAAA")
	a := New(nobody{}, slog.New(slog.DiscardHandler))
	a.SetOAuth(OAuth{Lifetime: time.Hour})
	f.Fuzz(func(t *testing.T, token string) {
		if id, err := a.VerifyToken(t.Context(), engine.Secret(token)); !errors.Is(err, engine.ErrUnauthorized) && !errors.Is(err, engine.ErrThrottled) {
			t.Errorf("%q is %+v, %v", token, id, err)
		}
	})
}

func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$$")
	f.Add("plain")
	f.Fuzz(func(t *testing.T, hash string) {
		if ok, _ := matches(hash, "password"); ok {
			t.Errorf("%q matches", hash)
		}
	})
}
