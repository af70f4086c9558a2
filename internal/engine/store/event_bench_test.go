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
		       CASE WHEN i % 100 = 1 THEN 'user.image.analysis.failed' WHEN i % 3 = 0 THEN 'user.image.analysis.completed'
		            WHEN i % 3 = 1 THEN 'system.feeds.sync.feed_started' ELSE 'system.feeds.sync.feed_completed' END,
		       CASE WHEN i % 100 = 1 THEN 'error' ELSE 'info' END, 'A message of usual length, with nothing special',
		       '{"cause": "nothing to tell"}', $1::timestamptz + i * interval '100 ms',
		       CASE WHEN i % 3 = 0 THEN 'image_tag' ELSE 'feed' END, 'docker.io/team/app:' || i % 100000,
		       CASE WHEN i % 200001 = 7 THEN 'catalog' WHEN i % 3 = 0 THEN 'analyzer' ELSE 'policy_engine' END,
		       'host-' || i / 7 % 3, 'http://127.0.0.1:8084'
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

// benchFilters are those that people use of a log of n events.
func benchFilters(n int) []benchFilter {
	middle := epoch.Add(time.Duration(n) * 50 * time.Millisecond)
	return []benchFilter{
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
}

type benchFilter struct {
	name string
	f    engine.EventFilter
}

// timed calls again and again and reports the slowest of a hundred as p99.
func timed(b *testing.B, call func() error) {
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

// BenchmarkEvents lists a page and counts to the bound by the filters people
// use.
func BenchmarkEvents(b *testing.B) {
	s := enginetest.Store(b)
	n := benchEvents()
	fillLog(b, s, n)
	for _, tc := range benchFilters(n) {
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

// BenchmarkClear clears by the filters people use, looks at every list under
// each clear, and undoes it; then it clears all and purges, and lists meanwhile.
func BenchmarkClear(b *testing.B) {
	n := benchEvents()
	s := enginetest.Store(b)
	fillLog(b, s, n)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	slowest := func() (worst time.Duration, name string) {
		for _, tc := range benchFilters(n) {
			if tc.f.Text != "" {
				continue
			}
			t := time.Now()
			if _, err := s.Events(context.Background(), "admin", tc.f, engine.EventPage{Limit: 100}); err != nil {
				b.Fatal(err)
			}
			if took := time.Since(t); took > worst {
				worst, name = took, tc.name
			}
		}
		return worst, name
	}
	for _, tc := range []benchFilter{
		{"all", engine.EventFilter{}}, {"info", engine.EventFilter{Level: "info"}}, {"error", engine.EventFilter{Level: "error"}},
		{"service and host", engine.EventFilter{Service: "analyzer", Host: "host-1"}}, {"types", engine.EventFilter{Type: "system.*"}},
		{"resource type", engine.EventFilter{ResourceType: "feed"}}, {"text", engine.EventFilter{Text: "special"}},
	} {
		b.Run("clear "+tc.name, func(b *testing.B) {
			var clear, list, undo time.Duration
			var by string
			var total int64
			for b.Loop() {
				t := time.Now()
				c := start(b, s, tc.f)
				clear, total = max(clear, time.Since(t)), c.Total
				if took, name := slowest(); took > list {
					list, by = took, name
				}
				t = time.Now()
				if _, err := s.UndoClear(context.Background(), "admin", c.ID); err != nil {
					b.Fatal(err)
				}
				undo = max(undo, time.Since(t))
			}
			b.ReportMetric(float64(total), "events")
			b.ReportMetric(ms(clear), "clear-ms")
			b.ReportMetric(ms(list), "list-ms")
			b.ReportMetric(ms(undo), "undo-ms")
			b.Log("slowest list by", by)
		})
	}
	b.Run("purge", func(b *testing.B) {
		for range b.N {
			if count(b, s, "admin") == 0 {
				return
			}
			start(b, s, engine.EventFilter{})
			endGrace(b, s)
			began, used := time.Now(), cpu(b, s)
			var list, longest time.Duration
			for i := 0; ; i++ {
				t := time.Now()
				if !step(b, s) {
					break
				}
				longest = max(longest, time.Since(t))
				if i%10 == 0 {
					took, _ := slowest()
					list = max(list, took)
				}
			}
			b.ReportMetric(time.Since(began).Seconds(), "purge-s")
			b.ReportMetric((cpu(b, s) - used).Seconds(), "purge-cpu-s")
			b.ReportMetric(ms(longest), "step-ms")
			b.ReportMetric(ms(list), "list-ms")
			after, by := slowest()
			b.ReportMetric(ms(after), "after-ms")
			b.Log("slowest list afterwards by", by)
		}
	})
}
