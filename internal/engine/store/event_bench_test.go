package store_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// benchEvents is how many events the benchmarks work on: WINDLASS_BENCH_EVENTS,
// else a million.
func benchEvents() int {
	if n, err := strconv.Atoi(os.Getenv("WINDLASS_BENCH_EVENTS")); err == nil {
		return n
	}
	return 1_000_000
}

// fillLog stores a log as it grows in use: many starts and ends, few errors,
// one service instance that is rare, a hundred thousand resources.
func fillLog(b *testing.B, s *store.Store, n int) {
	b.Helper()
	const q = `
		INSERT INTO events (id, account, type, level, message, details, at, resource_type, resource_id, service, host, base_url)
		SELECT md5(i::text), CASE WHEN i % 50 = 0 THEN 'team' ELSE 'admin' END,
		       CASE WHEN i % 100 = 0 THEN 'user.image.analysis.failed' WHEN i % 3 = 0 THEN 'user.image.analysis.completed'
		            WHEN i % 3 = 1 THEN 'system.feeds.sync.feed_started' ELSE 'system.feeds.sync.feed_completed' END,
		       CASE WHEN i % 100 = 0 THEN 'error' ELSE 'info' END, 'A message of usual length, with nothing special',
		       '{"cause": "nothing to tell"}', $1::timestamptz + i * interval '100 ms',
		       CASE WHEN i % 3 = 0 THEN 'image_tag' ELSE 'feed' END, 'docker.io/team/app:' || i % 100000,
		       CASE WHEN i % 200001 = 7 THEN 'catalog' WHEN i % 3 = 0 THEN 'analyzer' ELSE 'policy_engine' END,
		       'host-' || i % 3, 'http://127.0.0.1:8084'
		  FROM generate_series(1, $2::int) i`
	// Indexes that are made after the rows cost a tenth of those that are kept
	// up meanwhile.
	const indexes = `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey'`
	rows, err := s.Pool().Query(context.Background(), indexes)
	if err != nil {
		b.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (index [2]string, err error) {
		return index, r.Scan(&index[0], &index[1])
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, index := range list {
		exec(b, s, `DROP INDEX `+index[0])
	}
	if _, err := s.Pool().Exec(context.Background(), q, epoch, n); err != nil {
		b.Fatal(err)
	}
	for _, index := range list {
		exec(b, s, index[1])
	}
	if _, err := s.Pool().Exec(context.Background(), `VACUUM ANALYZE events`); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkEvents lists a page and counts to the bound by the filters people
// use, and reports the slowest of a hundred as p99.
func BenchmarkEvents(b *testing.B) {
	s := enginetest.Store(b)
	n := benchEvents()
	fillLog(b, s, n)
	middle := epoch.Add(time.Duration(n) * 50 * time.Millisecond)
	filters := []struct {
		name string
		f    engine.EventFilter
	}{
		{"all", engine.EventFilter{}},
		{"level", engine.EventFilter{Level: "error"}},
		{"rare service", engine.EventFilter{Service: "catalog"}},
		{"host", engine.EventFilter{Host: "host-2"}},
		{"no such host", engine.EventFilter{Host: "host-9"}},
		{"type", engine.EventFilter{Type: "user.image.analysis.failed"}},
		{"wildcard", engine.EventFilter{Type: "*.failed"}},
		{"resource", engine.EventFilter{ResourceID: "docker.io/team/app:77"}},
		{"resource type", engine.EventFilter{ResourceType: "repository"}},
		{"service and level", engine.EventFilter{Service: "analyzer", Level: "error"}},
		{"service and no such level", engine.EventFilter{Service: "policy_engine", Type: "user.policy.active.updated"}},
		{"since", engine.EventFilter{Since: middle}},
		{"level before", engine.EventFilter{Level: "error", Before: middle}},
		{"text", engine.EventFilter{Text: "special"}},
		{"text nowhere", engine.EventFilter{Text: "manifest unknown"}},
	}
	timed := func(b *testing.B, call func() error) {
		var took []time.Duration
		for b.Loop() {
			t := time.Now()
			if err := call(); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(t))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
	for _, tc := range filters {
		b.Run("list "+tc.name, func(b *testing.B) {
			timed(b, func() error {
				_, err := s.Events(context.Background(), "admin", tc.f, engine.EventPage{Limit: 100})
				return err
			})
		})
		b.Run("count "+tc.name, func(b *testing.B) {
			timed(b, func() error {
				_, _, err := s.CountEvents(context.Background(), "admin", tc.f, 10_001)
				return err
			})
		})
	}
	b.Run("page far down", func(b *testing.B) {
		timed(b, func() error {
			_, err := s.Events(context.Background(), "admin", engine.EventFilter{}, engine.EventPage{Page: n / 200, Limit: 100})
			return err
		})
	})
	b.Run("exact count", func(b *testing.B) {
		timed(b, func() error {
			_, _, err := s.CountEvents(context.Background(), "admin", engine.EventFilter{}, 0)
			return err
		})
	})
	b.Run("hours", func(b *testing.B) {
		timed(b, func() error {
			_, err := s.EventHours(context.Background(), "admin", epoch.Add(time.Duration(n)*100*time.Millisecond-24*time.Hour))
			return err
		})
	})
	b.Run("add", func(b *testing.B) {
		timed(b, func() error {
			return s.AddEvent(context.Background(), engine.NewEvent(engine.EvServiceUp, "admin", "", nil, engine.Source{}))
		})
	})
}

// cpu is how much processor time the database's connections have used: unlike
// the time that passes it says the same on a machine that others use too. It is
// zero where the system has no /proc.
func cpu(b *testing.B, s *store.Store) (sum time.Duration) {
	b.Helper()
	rows, err := s.Pool().Query(context.Background(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database()`)
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		b.Fatal(err)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(after); len(f) > 12 {
			for _, ticks := range f[11:13] { // in user and in kernel, of 10 ms
				n, _ := strconv.Atoi(ticks)
				sum += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// BenchmarkClear clears all, lists in the middle of it, undoes, clears again
// and purges, once.
func BenchmarkClear(b *testing.B) {
	n := benchEvents()
	for range b.N {
		s := enginetest.Store(b)
		fillLog(b, s, n)
		run := func(name string) {
			began, used := time.Now(), cpu(b, s)
			var slowest, list time.Duration
			for i := 0; ; i++ {
				t := time.Now()
				if !step(b, s) {
					break
				}
				slowest = max(slowest, time.Since(t))
				if i%20 == 0 {
					t = time.Now()
					if _, err := s.Events(context.Background(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 100}); err != nil {
						b.Fatal(err)
					}
					list = max(list, time.Since(t))
				}
			}
			b.ReportMetric(time.Since(began).Seconds(), name+"-s")
			b.ReportMetric((cpu(b, s) - used).Seconds(), name+"-cpu-s")
			b.ReportMetric(float64(slowest.Milliseconds()), name+"-step-ms")
			b.ReportMetric(float64(list.Milliseconds()), name+"-list-ms")
		}
		c := start(b, s, engine.EventFilter{})
		run("clear")
		if _, err := s.UndoClear(context.Background(), "admin", c.ID); err != nil {
			b.Fatal(err)
		}
		run("undo")
		start(b, s, engine.EventFilter{})
		run("clear2")
		endGrace(b, s)
		run("purge")
		fmt.Fprintln(os.Stderr, "left:", stored(b, s))
	}
}
