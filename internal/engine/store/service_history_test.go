package store_test

import (
	"slices"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestServiceHistoryIsTrimmed(t *testing.T) {
	s := enginetest.Store(t)
	exec(t, s, `INSERT INTO service_transitions (host, name, to_state, cause, at)
		SELECT 'h', 'catalog', 'available', 'day ' || d, now() - d * interval '1 day' FROM unnest('{300, 200, 150, 90, 3}'::int[]) AS d`)
	exec(t, s, `INSERT INTO service_transitions (host, name, to_state, cause, at) VALUES ('h', 'analyzer', 'available', 'long up', now() - interval '1 year')`)
	exec(t, s, `INSERT INTO service_transitions (host, name, to_state, cause, at)
		SELECT 'flaps', 'analyzer', 'available', 'flap', now() - n * interval '1 second' FROM generate_series(1, 2100) AS n`)
	n, err := s.TrimServiceHistory(t.Context())
	if err != nil || n != 102 {
		t.Fatalf("trimmed %d, %v; want 102", n, err)
	}
	list, err := s.ServiceHistory(t.Context(), time.Now().AddDate(0, 0, -95))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		if m.Host == "h" {
			got = append(got, m.Cause)
		}
	}
	if want := []string{"long up", "day 150", "day 90", "day 3"}; !slices.Equal(got, want) {
		t.Errorf("history %v, want %v", got, want)
	}
}

// A start that comes at once is no gap, and is remembered.
func TestRestartIsRemembered(t *testing.T) {
	s := enginetest.Store(t)
	v := engine.Service{Host: "h", Name: engine.Catalog, BaseURL: "http://h:1", State: engine.ServiceAvailable}
	for range 2 {
		if err := s.RegisterService(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if err := s.Heartbeat(t.Context(), v, engine.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.ServiceHistory(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || len(list) != 2 || list[1].From != engine.ServiceAvailable || list[1].To != engine.ServiceAvailable || list[1].Cause != engine.CauseRestarted {
		t.Errorf("history %+v, %v", list, err)
	}
	if n, _, err := s.CountEvents(t.Context(), engine.AdminAccount, engine.EventFilter{}, 100); err != nil || n != 0 {
		t.Errorf("%d events, %v", n, err)
	}
}
