package catalog

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/store"
)

// silence is a store with silent services that remembers what was decided.
type silence struct {
	Store
	list   []store.SilentService
	asked  int
	marked []engine.ServiceState
	gone   int
}

func (s *silence) SilentServices(context.Context, time.Duration) ([]store.SilentService, error) {
	s.asked++
	return s.list, nil
}

func (s *silence) MarkService(_ context.Context, _ engine.Service, to engine.ServiceState, _ time.Time, _ string, _ engine.Source) error {
	s.marked = append(s.marked, to)
	return nil
}

func (s *silence) RemoveService(context.Context, string, string, string, engine.Source) error {
	s.gone++
	return nil
}

func TestSilentServicesAreJudged(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer up.Close()
	const nobody = "http://127.0.0.1:1"
	for name, tc := range map[string]struct {
		state engine.ServiceState
		age   time.Duration
		url   string
		want  engine.ServiceState // empty: nothing is done
		gone  bool
	}{
		"missed beats but answers":                    {engine.ServiceAvailable, 20 * time.Second, up.URL, "", false},
		"missed beats and does not answer":            {engine.ServiceAvailable, 20 * time.Second, nobody, engine.ServiceUnavailable, false},
		"silent for long though it answers":           {engine.ServiceAvailable, 2 * time.Minute, up.URL, engine.ServiceUnavailable, false},
		"down already":                                {engine.ServiceUnavailable, 2 * time.Minute, nobody, "", false},
		"registered and never heard of":               {engine.ServiceRegistered, 20 * time.Second, nobody, engine.ServiceUnavailable, false},
		"silent for an hour":                          {engine.ServiceUnavailable, 2 * time.Hour, nobody, engine.ServiceOrphaned, false},
		"orphaned already":                            {engine.ServiceOrphaned, 2 * time.Hour, nobody, "", false},
		"silent for an hour when nobody was watching": {engine.ServiceAvailable, 2 * time.Hour, nobody, engine.ServiceOrphaned, false},
		"silent for a day":                            {engine.ServiceOrphaned, 25 * time.Hour, nobody, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &silence{list: []store.SilentService{{Service: engine.Service{State: tc.state, BaseURL: tc.url}, Age: tc.age}}}
			c := &Catalog{Store: s, Log: slog.New(slog.DiscardHandler)}
			if err := c.watchOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got engine.ServiceState
			if len(s.marked) > 0 {
				got = s.marked[0]
			}
			if got != tc.want || (s.gone > 0) != tc.gone {
				t.Errorf("marked %q, removed %v; want %q, %v", got, s.gone > 0, tc.want, tc.gone)
			}
		})
	}
}

// After a stop of everything, the watcher must not call services down that are
// about to be heard of.
func TestWatchLeavesTimeToBeHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &silence{}
		c := &Catalog{Store: s, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithTimeout(t.Context(), suspectAfter-time.Second)
		defer cancel()
		if err := c.WatchServices(ctx); err != nil || s.asked != 0 {
			t.Errorf("watched %d times within %v (%v), want not at all", s.asked, suspectAfter-time.Second, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), suspectAfter+watchEvery+time.Second)
		defer cancel()
		if err := c.WatchServices(ctx); err != nil || s.asked != 2 {
			t.Errorf("watched %d times (%v), want 2", s.asked, err)
		}
	})
}
