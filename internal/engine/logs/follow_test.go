package logs

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
)

// catalog is the log that most tests write to.
var catalog = engine.LogSource{Service: engine.Catalog, Host: "host-1"}

var errEnough = errors.New("enough")

// TestFollowThroughRotations has a writer that rotates all the time, and a
// follower that leaves and comes back with its cursor.
func TestFollowThroughRotations(t *testing.T) {
	const total = 40_000
	s := open(t, Options{maxBytes: 100_000, keep: 1000})
	log := s.Logger(engine.Catalog)
	for i := range 500 { // a backlog, so that the first cursor lies in the past
		log.Info("line", "n", i)
	}
	p := tailOf(t, s, engine.LogQuery{Limit: 100})
	got := numbers(p.Lines)
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 500; i < total; i++ {
			log.Info("line", "n", i)
		}
	})
	defer writer.Wait()
	after := p.Last
	for stay := 1; len(got) < total-400; stay++ {
		frames := 0
		err := s.follow(t.Context(), engine.LogQuery{}, after, 1<<40, func(f engine.LogFrame) error {
			if f.Skipped != 0 || f.Gap {
				t.Errorf("skipped %d, gap %v", f.Skipped, f.Gap)
			}
			got = append(got, numbers(f.Lines)...)
			after = f.Last
			if frames++; frames == stay || len(got) >= total-400 {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, count(400, total)) {
		t.Errorf("%d lines from %d on, want %d: lost or doubled", len(got), got[0], total-400)
	}
	files, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 25 {
		t.Errorf("only %d files: the test did not rotate", len(files))
	}
}

func TestFollowFilters(t *testing.T) {
	s := open(t, Options{})
	got := make(chan engine.LogLine, 10)
	after := tailOf(t, s, engine.LogQuery{}).Last
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var follower sync.WaitGroup
	follower.Go(func() {
		err := s.Follow(ctx, engine.LogQuery{Level: "warn", Text: "sync", Services: []string{engine.PolicyEngine, engine.Catalog}}, after,
			func(f engine.LogFrame) error {
				for _, l := range f.Lines {
					got <- l
				}
				return nil
			})
		if err != nil {
			t.Error(err)
		}
	})
	s.Logger(engine.PolicyEngine).Info("sync start")
	s.Logger(engine.Analyzer).Error("sync of nothing")
	s.Logger(engine.Catalog).Error("other")
	s.Logger(engine.PolicyEngine).Warn("Sync retry", "n", 3)
	if l := <-got; l.Service != engine.PolicyEngine || l.Text != "Sync retry n=3" || l.Level != "warn" {
		t.Errorf("got %+v", l)
	}
	stop()
	follower.Wait()
	if len(got) != 0 {
		t.Errorf("and more: %+v", <-got)
	}
}

// TestSlowFollowerIsTold stops reading while much is written: the writer does
// not wait, and what was passed over is counted.
func TestSlowFollowerIsTold(t *testing.T) {
	const total = 20_000
	s := open(t, Options{maxBytes: 200_000, keep: 1000})
	log := s.Logger(engine.Catalog)
	log.Info("line", "n", 0)
	seen, skipped, next := 0, 0, 0
	err := s.follow(t.Context(), engine.LogQuery{Services: []string{engine.Catalog}}, engine.LogCursor{catalog: {}}, 300_000, func(f engine.LogFrame) error {
		if seen == 0 {
			for i := 1; i < total; i++ {
				log.Info("line", "n", i)
			}
		}
		skipped += f.Skipped
		next += f.Skipped
		for _, l := range f.Lines {
			if number(l) != next {
				t.Fatalf("line %d, want %d", number(l), next)
			}
			next++
		}
		seen += len(f.Lines)
		if next == total {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || skipped == 0 || seen+skipped != total {
		t.Errorf("%v: seen %d, skipped %d of %d", err, seen, skipped, total)
	}
}

func TestGapWhenFilesAreGone(t *testing.T) {
	s := open(t, Options{})
	s.Logger(engine.Catalog).Info("line", "n", 1)
	gone := engine.LogCursor{catalog: {Generation: "abc", Offset: 7}}
	err := s.Follow(t.Context(), engine.LogQuery{}, gone, func(f engine.LogFrame) error {
		if !f.Gap || !slices.Equal(numbers(f.Lines), []int{1}) {
			t.Errorf("frame %+v", f)
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
	if p := tailOf(t, s, engine.LogQuery{Until: gone}); !p.Missed {
		t.Error("the page does not say that its files are gone")
	}
}

// TestFollowAnEmptiedFile is what copying and truncating by a foreign tool
// does.
func TestFollowAnEmptiedFile(t *testing.T) {
	s := open(t, Options{})
	path := s.path(engine.LogFileNames[engine.Catalog])
	line := began.Format(timeLayout) + " [-] [c] [m] [INFO] line n="
	put := func(body string) {
		if err := os.WriteFile(path, []byte(body), 0o640); err != nil {
			t.Error(err)
		}
	}
	put(line + "0\n" + line + "1\n")
	var got []int
	err := s.Follow(t.Context(), engine.LogQuery{}, engine.LogCursor{catalog: {}}, func(f engine.LogFrame) error {
		got = append(got, numbers(f.Lines)...)
		if len(got) == 2 {
			put(line + "2\n")
		}
		if len(got) == 3 {
			if !f.Gap {
				t.Error("no gap")
			}
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || !slices.Equal(got, count(0, 3)) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWatchEndsWithItsLastFollower(t *testing.T) {
	s := open(t, Options{})
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := s.Follow(ctx, engine.LogQuery{}, nil, func(engine.LogFrame) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	stop()
	both.Wait()
	if s.watch.fs != nil || len(s.watch.subs) != 0 {
		t.Error("the watch is still there")
	}
}
