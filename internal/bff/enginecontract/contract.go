// Package enginecontract is what the console takes for granted of an engine,
// whichever it is: the one within this program, or one behind an address that
// speaks v1. Each behaviour is written once and run against all of them. What
// an engine lacks it answers with engine.ErrUnsupported, and with nothing else:
// a behaviour that it lacks is skipped where the engine is said to be partial,
// and is a failure where it is not.
//
// The engines may share one database: a behaviour makes what it needs under
// names of its own.
package enginecontract

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// Subject is the engine under test.
type Subject struct {
	Engine   bff.Engine
	Password engine.Secret // of admin
	// Image is the full name of an image that a registry gives out, which the
	// engine may analyze.
	Image string
	// Lacks: it may answer engine.ErrUnsupported.
	Lacks bool
}

// trial is one behaviour on its way.
type trial struct {
	*testing.T
	Subject
	ctx context.Context // of a session of admin
	tag string          // makes names of this run its own
}

const account = engine.AdminAccount

// Run puts an engine through its paces.
func Run(t *testing.T, s Subject) {
	ctx, hash := signIn(t, s, engine.AdminUser, s.Password)
	tag := strings.ToLower(engine.NewID()[:10])
	for _, b := range []struct {
		name string
		run  func(*trial)
	}{
		{"a wrong password is unauthorized", wrongPassword},
		{"sessions begin, are found and end", sessions},
		{"services are listed", services},
		{"a change is told with a greater number", changes},
		{"events come newest first, in pages without gaps", eventPages},
		{"a clear takes what its filter names and nothing else", clearEvents},
		{"an event that is not there is not found", noEvent},
		{"feeds are listed, and what is not one is refused", feeds},
		{"an image is added, found, listed and counted", images},
		{"what an image holds is told", contents},
		{"a policy judges an image", judgement},
		{"a name that is none is invalid", badImages},
		{"bundles are added, activated and deleted", policies},
		{"a bundle that was changed meanwhile is not overwritten", stalePolicy},
		{"registries that are not there are not found", registries},
		{"subscriptions are added, changed and removed", subscriptions},
		{"accounts and users come and go", accounts},
		{"a user who is disabled is out", disabled},
		{"what an engine lacks is unsupported, and no fault", lacks},
	} {
		t.Run(b.name, func(t *testing.T) { b.run(&trial{T: t, Subject: s, ctx: ctx, tag: tag}) })
	}
	if err := s.Engine.EndSession(context.Background(), hash); err != nil {
		t.Errorf("EndSession = %v", err)
	}
}

// signIn begins a session as the console does.
func signIn(t testing.TB, s Subject, user string, password engine.Secret) (context.Context, []byte) {
	t.Helper()
	who, err := s.Engine.Authenticate(t.Context(), user, password)
	if err != nil {
		t.Fatalf("Authenticate(%s) = %v", user, err)
	}
	now, hash := time.Now(), session.Hash(session.NewToken())
	err = s.Engine.AddSession(t.Context(), engine.Session{
		Identity: who, Hash: hash, CSRF: session.NewToken(), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour), Password: password,
	})
	if err != nil {
		t.Fatalf("AddSession = %v", err)
	}
	return engine.WithSession(t.Context(), hash), hash
}

// SignIn is the context of a session that has just begun.
func SignIn(t testing.TB, e bff.Engine, user string, password engine.Secret) context.Context {
	t.Helper()
	ctx, _ := signIn(t, Subject{Engine: e}, user, password)
	return ctx
}

// need ends the behaviour when a step of it went wrong, and skips it where the
// engine lacks that.
func (t *trial) need(err error, step string) {
	t.Helper()
	if errors.Is(err, engine.ErrUnsupported) && t.Lacks {
		t.Skipf("%s: %v", step, err)
	}
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// is holds an error against the kind it is to be of.
func (t *trial) is(err, kind error, step string) {
	t.Helper()
	if errors.Is(err, engine.ErrUnsupported) && t.Lacks {
		return
	}
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", step, err, kind)
	}
}

// until waits for something to become so, asking at each change and, since not
// every engine tells of all of them, now and then.
func (t *trial) until(what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}
