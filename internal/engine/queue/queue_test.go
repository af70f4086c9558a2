package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/queue"
	"windlass/internal/engine/store"
)

func add(t *testing.T, s *store.Store, subject string) {
	t.Helper()
	err := s.Enqueue(t.Context(), engine.Job{Queue: "q", Account: "admin", Subject: subject, MaxAttempts: 3})
	if err != nil {
		t.Fatal(err)
	}
}

func lease(t *testing.T, s *store.Store, worker string, ttl time.Duration) (engine.Job, bool) {
	t.Helper()
	j, ok, err := s.LeaseJob(t.Context(), "q", "host", worker, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return j, ok
}

func TestLapsedLeaseIsOfferedAgainAndFenced(t *testing.T) {
	s := enginetest.Store(t)
	add(t, s, "a")
	dead, ok := lease(t, s, "one", -time.Second) // lapsed as soon as it is given
	if !ok {
		t.Fatal("no job to lease")
	}
	next, ok := lease(t, s, "two", time.Minute)
	if !ok || next.ID != dead.ID || next.Attempt != 2 {
		t.Fatalf("second lease = %+v, %v; want job %d in attempt 2", next, ok, dead.ID)
	}
	if err := s.FinishJob(t.Context(), dead); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("finish by the fenced worker = %v, want ErrLeaseLost", err)
	}
	if err := s.ExtendLease(t.Context(), dead, time.Minute); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("extend by the fenced worker = %v, want ErrLeaseLost", err)
	}
	if err := s.FinishJob(t.Context(), next); err != nil {
		t.Errorf("finish by the holder = %v", err)
	}
}

func TestRenewedJobFencesItsHolder(t *testing.T) {
	s := enginetest.Store(t)
	add(t, s, "a")
	old, _ := lease(t, s, "one", time.Minute)
	add(t, s, "a")
	if err := s.FinishJob(t.Context(), old); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("finish of a renewed job = %v, want ErrLeaseLost", err)
	}
	if j, ok := lease(t, s, "two", time.Minute); !ok || j.Attempt != 1 {
		t.Errorf("renewed job = %+v, %v; want it offered in attempt 1", j, ok)
	}
}

func TestPinnedJobStaysOnItsHost(t *testing.T) {
	s := enginetest.Store(t)
	err := s.Enqueue(t.Context(), engine.Job{Queue: "q", Subject: "a", Host: "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	if j, ok := lease(t, s, "one", time.Minute); ok {
		t.Errorf("leased %+v, want nothing: the job belongs to another host", j)
	}
}

func TestWorkerDoesEveryJobAndStops(t *testing.T) {
	s := enginetest.Store(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan string)
	w := &queue.Worker{Queue: "q", Host: "host", ID: "w", Hands: 2, Jobs: s, Log: enginetest.Logger(t),
		Handle: func(ctx context.Context, j engine.Job) error {
			if j.Subject == "panics" && j.Attempt == 1 {
				defer func() { done <- "panicked" }()
				panic("boom")
			}
			err := s.FinishJob(ctx, j)
			done <- j.Subject
			return err
		}}
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	for _, subject := range []string{"a", "panics", "b"} {
		add(t, s, subject)
	}
	got := map[string]bool{}
	for range 3 {
		got[<-done] = true
	}
	for _, want := range []string{"a", "b", "panicked"} {
		if !got[want] {
			t.Errorf("%s is missing from %v", want, got)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v, want nil when told to stop", err)
	}
}

func TestStoppedWorkerGivesItsLeaseBack(t *testing.T) {
	s := enginetest.Store(t)
	add(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	w := &queue.Worker{Queue: "q", Host: "host", ID: "w", Jobs: s, Log: enginetest.Logger(t),
		Handle: func(ctx context.Context, j engine.Job) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if j, ok := lease(t, s, "next", time.Minute); !ok || j.Attempt != 1 {
		t.Errorf("after the stop: %+v, %v; want the job offered at once in attempt 1", j, ok)
	}
}
