package store_test

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestPreferencesFollowTheUser(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	if _, err := s.FirstAccounts(ctx, "", "hash"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, hash := range []string{"office", "home"} {
		if err := s.AddSession(ctx, engine.Session{Identity: engine.Identity{User: "admin"}, Hash: []byte(hash), CSRF: "c", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(hash string) engine.Preferences {
		t.Helper()
		n, err := s.Session(ctx, []byte(hash), time.Hour, false)
		if err != nil {
			t.Fatal(err)
		}
		return n.Preferences
	}
	if got := seen("home"); got != (engine.Preferences{}) {
		t.Errorf("before any choice: %+v", got)
	}
	for _, change := range []engine.Preferences{{Theme: "dark", PageSize: 200}, {Zone: "local"}, {Rail: "icons", Density: "compact", PageSize: engine.OwnPageSize}} {
		if err := s.SetPreferences(ctx, "admin", change); err != nil {
			t.Fatal(err)
		}
	}
	want := engine.Preferences{Theme: "dark", Zone: "local", Rail: "icons", Density: "compact", PageSize: engine.OwnPageSize}
	if got := seen("home"); got != want {
		t.Errorf("in the other browser %+v, want %+v", got, want)
	}
	if err := s.SetPreferences(ctx, "nobody", want); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("of nobody: %v, want ErrNotFound", err)
	}
}
