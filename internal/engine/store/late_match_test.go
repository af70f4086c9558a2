package store_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// An image that is matched before a switch of the data and stored after it
// must be matched again: the switch did not see it among the analyzed.
func TestAnalysisThatEndsAfterASwitchIsMatchedAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		matchedWith string
		want        bool
	}{
		"matched with the data of before": {"old", true},
		"matched without any":             {"", true},
		"matched with the new":            {"new", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := enginetest.Store(t)
			put(t, s, 1, nil)
			j, _ := lease(t, s)
			if _, _, err := s.BeginAnalysis(t.Context(), j, "h"); err != nil {
				t.Fatal(err)
			}
			exec(t, s, `INSERT INTO feed_data (id, checksum, role) VALUES ('new', 'sha256:x', 'active')`)
			if err := s.SaveAnalysis(t.Context(), j, engine.Analysis{SBOM: []byte(`{}`)}, nil, tc.matchedWith, engine.Source{}); err != nil {
				t.Fatal(err)
			}
			_, queued, err := s.LeaseJob(t.Context(), engine.QueueMatch, "h", "h/1", time.Minute)
			if err != nil || queued != tc.want {
				t.Errorf("queued for a match: %v, %v; want %v", queued, err, tc.want)
			}
		})
	}
}

// A service that did not run for a while was not up meanwhile, and its new
// start is no event.
func TestServiceThatDidNotRunHasAGap(t *testing.T) {
	s := enginetest.Store(t)
	v := engine.Service{Host: "h", Name: engine.Catalog, BaseURL: "http://h:1", State: engine.ServiceAvailable}
	for range 2 {
		if err := s.RegisterService(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		if err := s.Heartbeat(t.Context(), v, engine.Source{}); err != nil {
			t.Fatal(err)
		}
		exec(t, s, `UPDATE services SET heartbeat_at = heartbeat_at - interval '1 hour'`)
		exec(t, s, `UPDATE service_transitions SET at = at - interval '2 hours'`)
	}
	list, err := s.ServiceHistory(t.Context(), time.Now().AddDate(0, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	var moves []engine.ServiceState
	for _, tr := range list {
		moves = append(moves, tr.To)
	}
	want := []engine.ServiceState{engine.ServiceAvailable, "", engine.ServiceRegistered, engine.ServiceAvailable}
	if len(moves) != len(want) {
		t.Fatalf("history %v, want %v", moves, want)
	}
	for i := range want {
		if moves[i] != want[i] {
			t.Errorf("history %v, want %v", moves, want)
			break
		}
	}
	if events, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 10}); err != nil || len(events.Events) != 0 {
		t.Errorf("events %+v, %v; want none", events, err)
	}
}
