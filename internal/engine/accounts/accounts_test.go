package accounts_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// fixture is an engine with the first accounts made.
func fixture(t *testing.T) (*store.Store, *accounts.Authenticator) {
	t.Helper()
	s := enginetest.Store(t)
	if _, created, err := accounts.Bootstrap(t.Context(), s, "correct horse"); err != nil || !created {
		t.Fatalf("bootstrap: %v, %v", created, err)
	}
	return s, accounts.New(s, enginetest.Logger(t))
}

func TestBootstrap(t *testing.T) {
	ctx := t.Context()
	s := enginetest.Store(t)
	generated, created, err := accounts.Bootstrap(ctx, s, "")
	if err != nil || !created || len(generated) < 20 {
		t.Fatalf("first start: %q, %v, %v", generated.Reveal(), created, err)
	}
	again, created, err := accounts.Bootstrap(ctx, s, "another")
	if err != nil || created || again != "" {
		t.Fatalf("second start: %v, %v, %v", again, created, err)
	}
	a := accounts.New(s, enginetest.Logger(t))
	id, err := a.Authenticate(ctx, "admin", generated)
	if err != nil || !id.Admin || id.Account != "admin" || id.Disabled {
		t.Errorf("generated password: %+v, %v", id, err)
	}
	if _, err := a.Authenticate(ctx, "admin", "another"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("a password configured later: %v", err)
	}
	if _, err := a.Authenticate(ctx, engine.SystemAccount, "x"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the system's own user: %v", err)
	}
	account, err := s.Account(ctx, engine.SystemAccount)
	if err != nil || account.Type != engine.AccountService {
		t.Errorf("system account: %+v, %v", account, err)
	}
}

func TestGeneratedPasswordIsKeptFirst(t *testing.T) {
	s, dir := enginetest.Store(t), t.TempDir()
	full := errors.New("no space left")
	if _, _, err := accounts.Bootstrap(t.Context(), s, "", func(engine.Secret) error { return full }); !errors.Is(err, full) {
		t.Fatalf("kept nowhere: %v", err)
	}
	generated, created, err := accounts.Bootstrap(t.Context(), s, "", accounts.KeepIn(dir))
	if err != nil || !created {
		t.Fatalf("after a failed start: %v, %v", created, err)
	}
	path := filepath.Join(dir, accounts.PasswordFile)
	text, err := os.ReadFile(path)
	if err != nil || string(text) != generated.Reveal()+"\n" {
		t.Errorf("kept %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestAuthenticate(t *testing.T) {
	tests := map[string]struct {
		user     string
		password engine.Secret
		want     error
	}{
		"right":         {"admin", "correct horse", nil},
		"wrong":         {"admin", "correct hors", engine.ErrUnauthorized},
		"empty":         {"admin", "", engine.ErrUnauthorized},
		"nobody":        {"zoe", "correct horse", engine.ErrUnauthorized},
		"no name":       {"", "correct horse", engine.ErrUnauthorized},
		"other case":    {"Admin", "correct horse", engine.ErrUnauthorized},
		"without end":   {"admin", engine.Secret(strings.Repeat("x", 1<<20)), engine.ErrUnauthorized},
		"without text":  {"admin", "\x00", engine.ErrUnauthorized},
		"name with NUL": {"admin\x00", "correct horse", engine.ErrUnauthorized},
		"name in latin": {"adm\xefn", "correct horse", engine.ErrUnauthorized},
	}
	_, a := fixture(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := a.Authenticate(t.Context(), tc.user, tc.password); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// TestChangeIsForgottenAtOnce lets another process change a password and an
// account while this one remembers a proof of it.
func TestChangeIsForgottenAtOnce(t *testing.T) {
	ctx := t.Context()
	s, here := fixture(t)
	there := accounts.New(s, enginetest.Logger(t))
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- here.Run(running) }()
	defer func() { stop(); <-ended }()

	if _, err := here.Authenticate(ctx, "admin", "correct horse"); err != nil {
		t.Fatal(err)
	}
	token, err := here.Token(ctx, engine.Identity{User: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := there.VerifyToken(ctx, token); err != nil || id.User != "admin" || !id.Admin {
		t.Fatalf("token elsewhere: %+v, %v", id, err)
	}
	if err := there.SetPassword(ctx, "admin", "admin", "battery staple"); err != nil {
		t.Fatal(err)
	}
	// The news takes a notification's time; waited for by what it brings.
	wait(t, "the old password ends", func() bool {
		_, err := here.Authenticate(ctx, "admin", "correct horse")
		return errors.Is(err, engine.ErrUnauthorized)
	})
	wait(t, "the old token ends", func() bool {
		_, err := here.VerifyToken(ctx, token)
		return errors.Is(err, engine.ErrUnauthorized)
	})
	if _, err := here.Authenticate(ctx, "admin", "battery staple"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := s.Pool().Exec(ctx, `UPDATE accounts SET state = 'disabled' WHERE name = 'admin'`); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce(ctx, engine.ChangeAccount, "admin", "admin", nil); err != nil {
		t.Fatal(err)
	}
	wait(t, "the account is disabled", func() bool {
		id, err := here.Authenticate(ctx, "admin", "battery staple")
		return err == nil && id.Disabled
	})
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestOwnChangeIsForgottenAtOnce(t *testing.T) {
	ctx := t.Context()
	_, a := fixture(t)
	if _, err := a.Authenticate(ctx, "admin", "next"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(ctx, "admin", "correct horse"); err != nil {
		t.Fatal(err)
	}
	if err := a.SetPassword(ctx, "admin", "admin", "next"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(ctx, "admin", "correct horse"); !errors.Is(err, engine.ErrUnauthorized) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := a.Authenticate(ctx, "admin", "next"); err != nil {
		t.Errorf("the new one, which was wrong a moment ago: %v", err)
	}
}

// memory is a store of one user, for tests on a clock of their own.
type memory struct {
	accounts.Store
	hash string
}

func (m *memory) Login(_ context.Context, user string) (engine.Login, error) {
	if user != "ann" {
		return engine.Login{}, engine.ErrNotFound
	}
	return engine.Login{User: engine.User{Name: user}, Account: engine.Account{Name: "a", State: engine.AccountEnabled}, Hash: m.hash}, nil
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := accounts.New(&memory{hash: accounts.Hash("right")}, enginetest.Logger(t))
		here := engine.WithPeer(t.Context(), "10.0.0.1")
		there := engine.WithPeer(t.Context(), "10.0.0.2")
		try := func(ctx context.Context, password string) error {
			_, err := a.Authenticate(ctx, "ann", engine.Secret(password))
			return err
		}
		// One wrong password, again and again, is a mistake and not a guess.
		for range 50 {
			if err := try(here, "typo"); !errors.Is(err, engine.ErrUnauthorized) {
				t.Fatal(err)
			}
		}
		if err := try(here, "right"); err != nil {
			t.Fatalf("after 50 equal mistakes: %v", err)
		}
		for i := range 9 {
			if err := try(here, "guess"+string(rune('a'+i))); !errors.Is(err, engine.ErrUnauthorized) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		if err := try(here, "right"); !errors.Is(err, engine.ErrThrottled) {
			t.Errorf("after ten guesses: %v", err)
		}
		if err := try(there, "right"); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		time.Sleep(7 * time.Second)
		if err := try(here, "right"); err != nil {
			t.Errorf("seven seconds later: %v", err)
		}
	})
}

func TestUnknownUserTakesAsLong(t *testing.T) {
	a := accounts.New(&memory{hash: accounts.Hash("right")}, enginetest.Logger(t))
	cost := func(user string) time.Duration {
		least := time.Hour
		for i := range 5 {
			began := time.Now()
			if _, err := a.Authenticate(t.Context(), user, engine.Secret("no"+string(rune('0'+i)))); !errors.Is(err, engine.ErrUnauthorized) {
				t.Fatal(err)
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	known, unknown := cost("ann"), cost("zoe")
	if unknown < known/2 || known < unknown/2 {
		t.Errorf("known %v, unknown %v", known, unknown)
	}
}

func TestProofExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{hash: accounts.Hash("right")}
		a := accounts.New(m, enginetest.Logger(t))
		if _, err := a.Authenticate(t.Context(), "ann", "right"); err != nil {
			t.Fatal(err)
		}
		m.hash = accounts.Hash("other") // behind its back, with nobody following
		if _, err := a.Authenticate(t.Context(), "ann", "right"); err != nil {
			t.Fatalf("remembered: %v", err)
		}
		time.Sleep(4 * time.Second)
		if _, err := a.Authenticate(t.Context(), "ann", "right"); !errors.Is(err, engine.ErrUnauthorized) {
			t.Errorf("four seconds later: %v", err)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	a := accounts.New(&memory{hash: accounts.Hash("right")}, enginetest.Logger(b))
	ctx := engine.WithPeer(b.Context(), "10.0.0.1")
	for b.Loop() {
		if _, err := a.Authenticate(ctx, "ann", "right"); err != nil {
			b.Fatal(err)
		}
	}
}
