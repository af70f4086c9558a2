package remote

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestSessionEndsWhenThePasswordIsNoLongerTaken(t *testing.T) {
	f := newFake(t)
	c, ctx := client(t, f)
	hash := engine.SessionOf(ctx)
	overdue := func() {
		c.sessions.mu.Lock()
		c.sessions.live[string(hash)].proven = time.Now().Add(-2 * proofLasts)
		c.sessions.mu.Unlock()
	}
	overdue()
	if _, err := c.Session(ctx, hash, time.Hour, false); err != nil {
		t.Fatalf("a session whose password is taken: %v", err)
	}
	// An engine that does not answer ends no session.
	f.do("GET /user", nil)
	overdue()
	if _, err := c.Session(ctx, hash, time.Hour, false); err != nil {
		t.Errorf("while the engine is away: %v", err)
	}
	f.mu.Lock()
	f.refuse = true
	f.mu.Unlock()
	overdue()
	if _, err := c.Session(ctx, hash, time.Hour, false); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after the password was changed elsewhere: %v", err)
	}
	if _, err := c.Registries(ctx, "team"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("a question of a session that has ended: %v", err)
	}
}

func TestARefusalAnywhereEndsTheSession(t *testing.T) {
	f := newFake(t)
	c, ctx := client(t, f)
	f.mu.Lock()
	f.refuse = true
	f.mu.Unlock()
	if _, err := c.Registries(ctx, "team"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("a refused question: %v", err)
	}
	if _, err := c.Session(ctx, engine.SessionOf(ctx), time.Hour, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the session: %v", err)
	}
}

func TestSessionsRunOut(t *testing.T) {
	c, ctx := client(t, newFake(t))
	hash := engine.SessionOf(ctx)
	c.sessions.live[string(hash)].SeenAt = time.Now().Add(-time.Hour)
	if _, err := c.Session(ctx, hash, time.Minute, true); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("an idle session: %v", err)
	}
}

// Neither what is kept nor what is printed holds the password.
func TestPasswordIsSealed(t *testing.T) {
	c, ctx := client(t, newFake(t))
	l := c.sessions.live[string(engine.SessionOf(ctx))]
	if l.Password != "" || bytes.Contains(l.sealed, []byte("right")) || bytes.Contains(fmt.Append(nil, *l), []byte("right")) {
		t.Errorf("the session is %+v", l)
	}
	if who := c.sessions.open(l); who.password.Reveal() != "right" {
		t.Error("the password is lost")
	}
}

// Nobody's question is asked in the name of somebody else.
func TestQuestionsAreAskedInTheirSession(t *testing.T) {
	c, ctx := client(t, newFake(t))
	if _, err := c.sessions.who(engine.WithSession(t.Context(), []byte("another")), "team"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("of a session that is not there: %v", err)
	}
	if _, err := c.sessions.who(t.Context(), "elsewhere"); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("of an account that nobody is signed in to: %v", err)
	}
	if who, err := c.sessions.who(t.Context(), "team"); err != nil || who.user != "ann" {
		t.Errorf("in the background: %v", err)
	}
	if _, err := c.Authorization(t.Context(), engine.Identity{User: "ann"}); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the proxy without a session: %v", err)
	}
	if header, err := c.Authorization(ctx, engine.Identity{}); err != nil || header == "" {
		t.Errorf("the proxy: %v", err)
	}
}
