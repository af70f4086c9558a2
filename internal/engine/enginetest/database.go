// Package enginetest gives the engine's tests what they need of the world: a
// database a test, and small images, registries and feeds made by code.
package enginetest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/pgchild"
	"windlass/internal/engine/store"
)

// One PostgreSQL serves all tests of a process; each test gets a database of
// its own, copied from a migrated template. The child dies with the process.
var shared struct {
	once sync.Once
	srv  *pgchild.Server
	err  error
	mu   sync.Mutex
}

func startShared() {
	// In /tmp itself: a test that runs the whole program moves TMPDIR into its spool.
	dir, err := os.MkdirTemp("/tmp", "wl-test")
	if err != nil {
		shared.err = err
		return
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the unprivileged owner of the cluster passes through
		shared.err = err
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv, err := pgchild.Start(ctx, pgchild.Options{Dir: dir, Search: fetchedPostgres(), Settings: []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"}})
	if err != nil {
		shared.err = err
		return
	}
	if err := template(ctx, srv.DSN); err != nil {
		shared.err = err
		return
	}
	shared.srv = srv
}

// fetchedPostgres is where make puts the server when the system has none.
func fetchedPostgres() []string {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{filepath.Join(dir, ".cache", "postgres", "bin")}
		}
	}
	return nil
}

func template(ctx context.Context, dsn string) error {
	if err := exec(ctx, dsn, `CREATE DATABASE template_windlass`); err != nil {
		return err
	}
	s, err := store.Open(ctx, dsn+" database=template_windlass", 4, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s.Close()
	return nil
}

func exec(ctx context.Context, dsn, sql string) error {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

// Database makes a fresh, migrated database and returns its address. It is
// dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(startShared)
	if shared.err != nil {
		t.Fatalf("test database: %v", shared.err)
	}
	name := "t" + engine.NewID()[:16]
	ctx := context.Background()
	shared.mu.Lock() // a template can be copied by one connection at a time
	err := exec(ctx, shared.srv.DSN, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE template_windlass`, name))
	shared.mu.Unlock()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		if err := exec(ctx, shared.srv.DSN, fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return shared.srv.DSN + " database=" + name
}

// Store opens a store on a database of the test's own.
func Store(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), Database(t), 8, Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Logger writes a test's log where go test shows it with a failure.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct{ t testing.TB }

var _ io.Writer = testWriter{}

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Helper()
	w.t.Log(string(p[:max(0, len(p)-1)]))
	return len(p), nil
}
