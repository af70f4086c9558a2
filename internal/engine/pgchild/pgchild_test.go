package pgchild_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine/pgchild"
)

func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "wl-pgchild")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	if err := os.Chmod(d, 0o711); err != nil {
		t.Fatal(err)
	}
	return d
}

func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var got string
	if err := c.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSecondStartFindsTheData(t *testing.T) {
	d := dir(t)
	for i, want := range []string{"one", "two"} {
		s, err := pgchild.Start(t.Context(), pgchild.Options{Dir: d})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			query(t, s.DSN, `WITH _ AS (SELECT 1) SELECT set_config('a.b', 'c', false)`)
			c, err := pgx.Connect(t.Context(), s.DSN)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(t.Context(), `CREATE TABLE kept AS SELECT 'two' AS v`); err != nil {
				t.Fatal(err)
			}
			c.Close(t.Context())
		} else if got := query(t, s.DSN, `SELECT v FROM kept`); got != want {
			t.Errorf("after the restart: %q, want %q", got, want)
		}
		if err := s.Stop(10 * time.Second); err != nil {
			t.Errorf("stop: %v", err)
		}
		select {
		case <-s.Done():
		default:
			t.Error("Stop returned before the server had ended")
		}
	}
}

// initdb that was killed half way must not be taken for a finished cluster.
func TestHalfMadeClusterIsMadeAgain(t *testing.T) {
	d := dir(t)
	if err := os.MkdirAll(filepath.Join(d, "pgdata", "new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(d, "pgdata", "global"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := pgchild.Start(t.Context(), pgchild.Options{Dir: d})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(10 * time.Second)
	if got := query(t, s.DSN, `SELECT current_user::text`); got != "windlass" {
		t.Errorf("user %q, want windlass", got)
	}
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, d string) pgchild.Options
		want    string
	}{
		"no binaries where the setting points": {
			func(_ *testing.T, d string) pgchild.Options { return pgchild.Options{Dir: d, Bin: d} },
			"CONSOLE_POSTGRES_BIN",
		},
		"a cluster of another version": {
			func(t *testing.T, d string) pgchild.Options {
				if err := os.MkdirAll(filepath.Join(d, "pgdata"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(d, "pgdata", "PG_VERSION"), []byte("9\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return pgchild.Options{Dir: d}
			},
			"made by PostgreSQL 9",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := pgchild.Start(t.Context(), tc.prepare(t, dir(t)))
			if err == nil {
				s.Stop(time.Second)
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not say %q", err, tc.want)
			}
		})
	}
}

func TestOneProcessAtATimeUsesAFolder(t *testing.T) {
	d := dir(t)
	s, err := pgchild.Start(t.Context(), pgchild.Options{Dir: d})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(10 * time.Second)
	if again, err := pgchild.Start(t.Context(), pgchild.Options{Dir: d}); err == nil {
		again.Stop(time.Second)
		t.Error("a second server started on the folder")
	} else if !strings.Contains(err.Error(), "another copy") {
		t.Errorf("error %q does not say that another copy runs", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := pgchild.Start(ctx, pgchild.Options{Dir: dir(t)}); err == nil {
		s.Stop(time.Second)
		t.Error("started under a context that had ended")
	}
}
