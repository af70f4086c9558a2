package store_test

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestSessions(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	if _, err := s.FirstAccounts(ctx, "", "hash"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	add := func(hash string, created, expires time.Time) {
		t.Helper()
		err := s.AddSession(ctx, engine.Session{Identity: engine.Identity{User: "admin"}, Hash: []byte(hash), CSRF: "c-" + hash, CreatedAt: created, ExpiresAt: expires})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("fresh", now, now.Add(time.Hour))
	add("idle", now.Add(-2*time.Hour), now.Add(time.Hour))
	add("over", now.Add(-time.Minute), now.Add(-time.Second))

	got, err := s.Session(ctx, []byte("fresh"), time.Hour, true)
	if err != nil || got.User != "admin" || got.Account != engine.AdminAccount || !got.Admin || got.CSRF != "c-fresh" {
		t.Fatalf("Session(fresh) = %+v, %v", got, err)
	}
	for _, hash := range []string{"idle", "over", "none"} {
		if _, err := s.Session(ctx, []byte(hash), time.Hour, true); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("Session(%s) = %v, want ErrNotFound", hash, err)
		}
	}

	// A user with a role in the administrators' account is none of them.
	if err := s.SetRoles(ctx, engine.AdminAccount, "admin", []engine.Role{engine.ReadOnly}, "test"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Session(ctx, []byte("fresh"), time.Hour, true); err != nil || got.Admin || !got.May("admin", "getImage") || got.May("admin", "deleteImage") {
		t.Errorf("with a role: %+v, %v", got.Identity, err)
	}

	// Looking does not keep a session alive; using it does.
	for _, seen := range []bool{false, true} {
		if _, err := s.Session(ctx, []byte("idle"), 3*time.Hour, seen); err != nil {
			t.Fatal(err)
		}
		_, err := s.Session(ctx, []byte("idle"), time.Hour, false)
		if alive := err == nil; alive != seen {
			t.Errorf("after seen=%v the session is alive: %v (%v)", seen, alive, err)
		}
	}

	if err := s.EndSession(ctx, []byte("fresh")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(ctx, []byte("fresh"), time.Hour, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an ended session: %v", err)
	}
}

func TestSessionEndsWithItsAccount(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	if _, err := s.FirstAccounts(ctx, "", "hash"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err := s.AddSession(ctx, engine.Session{Identity: engine.Identity{User: "admin"}, Hash: []byte("h"), CSRF: "c", CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pool().Exec(ctx, `UPDATE accounts SET state = 'disabled' WHERE name = 'admin'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(ctx, []byte("h"), time.Hour, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("session of a disabled account: %v", err)
	}
}

func TestOverviewOfAnEmptyEngine(t *testing.T) {
	s := enginetest.Store(t)
	o, err := s.Overview(t.Context(), engine.AdminAccount)
	if err != nil {
		t.Fatal(err)
	}
	if o.ImageTotal() != 0 || o.FeedData != nil || o.FeedSync != nil || len(o.Errors) != 0 {
		t.Errorf("overview of nothing: %+v", o)
	}
}
