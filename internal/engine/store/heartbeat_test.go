package store_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestHeartbeatsRecordTransitionsOnly(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	v := engine.Service{Host: "h", Name: engine.Catalog, BaseURL: "http://h:1", State: engine.ServiceAvailable,
		Detail: engine.ServiceDetail{Up: true, Available: true, Message: "all good"}}
	src := engine.Source{Service: engine.Catalog, Host: "h"}
	beat := func() {
		t.Helper()
		if err := s.Heartbeat(ctx, v, src); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.RegisterService(ctx, v); err != nil {
		t.Fatal(err)
	}
	beat()
	before, err := s.LastChange(ctx)
	if err != nil {
		t.Fatal(err)
	}
	beat()
	beat()
	if n, err := s.LastChange(ctx); err != nil || n != before {
		t.Errorf("heartbeats that say nothing new were announced: %d after %d (%v)", n, before, err)
	}
	list, err := s.Services(ctx)
	if err != nil || len(list) != 1 {
		t.Fatalf("services %+v, %v", list, err)
	}
	seen := time.Now().Add(time.Minute)
	if err := s.MarkService(ctx, list[0], engine.ServiceUnavailable, seen, "silent", src); err != nil {
		t.Fatal(err)
	}
	beat()
	history, err := s.ServiceHistory(ctx, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var got []engine.ServiceState
	for _, h := range history {
		got = append(got, h.From, h.To)
	}
	want := []engine.ServiceState{engine.ServiceRegistered, engine.ServiceAvailable, engine.ServiceAvailable, engine.ServiceUnavailable, engine.ServiceUnavailable, engine.ServiceAvailable}
	if len(got) != len(want) {
		t.Fatalf("history %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("history %v, want %v", got, want)
		}
	}
	if n, _, err := s.CountEvents(ctx, engine.AdminAccount, engine.EventFilter{Type: engine.EvServiceUp}, 100); err != nil || n != 1 {
		t.Errorf("%d events of coming up, want 1 (%v)", n, err)
	}
}
