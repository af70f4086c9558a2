package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// A user sees his own logins and ends the others; a new password ends all.
func TestUserSessions(t *testing.T) {
	s := enginetest.Store(t)
	if _, err := s.FirstAccounts(t.Context(), "", "hash"); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(t.Context(), "admin", "rita", "hash"); err != nil {
		t.Fatal(err)
	}
	add := func(user, hash string) {
		n := engine.Session{Identity: engine.Identity{User: user}, Hash: []byte(hash), CSRF: "c", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour), Address: "10.0.0.7", Agent: "Browser/1 \x00"}
		if err := s.AddSession(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	count := func(user string) int {
		list, err := s.UserSessions(t.Context(), user, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			if n.Address != "10.0.0.7" || !strings.HasPrefix(n.Agent, "Browser/1") {
				t.Errorf("%+v", n)
			}
		}
		return len(list)
	}
	add("rita", "one")
	add("rita", "two")
	add("admin", "three")
	ended, err := s.EndUserSessions(t.Context(), "rita", []byte("one"))
	if err != nil || len(ended) != 1 || string(ended[0]) != "two" || count("rita") != 1 || count("admin") != 1 {
		t.Errorf("ended %q, %v", ended, err)
	}
	if err := s.SetPassword(t.Context(), "other", "rita", "new"); !errors.Is(err, engine.ErrNotFound) || count("rita") != 1 {
		t.Errorf("by another account: %v", err)
	}
	if err := s.SetPassword(t.Context(), "admin", "rita", "new"); err != nil || count("rita") != 0 || count("admin") != 1 {
		t.Errorf("after a new password: %v, %d left", err, count("rita"))
	}
}
