package store_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func begin(t *testing.T, s *store.Store) engine.Job {
	t.Helper()
	j, ok := lease(t, s)
	if !ok {
		t.Fatal("no job is offered")
	}
	if _, ok, err := s.BeginAnalysis(t.Context(), j, "h"); err != nil || !ok {
		t.Fatalf("begin = %v, %v", ok, err)
	}
	return j
}

func failureEvents(t *testing.T, s *store.Store) (types []string) {
	t.Helper()
	l, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 100, Oldest: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Events {
		types = append(types, e.Type)
	}
	return types
}

func TestFailureTellsOfTheNextAttempt(t *testing.T) {
	s := enginetest.Store(t)
	s.SetAnalyzeAttempts(2)
	put(t, s, 1, nil)
	j := begin(t, s)
	if p := stateOf(t, s, 1).Progress; p == nil || p.Attempt != 1 || p.Attempts != 2 {
		t.Errorf("progress of the first attempt: %+v, want 1 of 2", p)
	}
	before := time.Now()
	f := engine.Failure{Stage: engine.StagePull, Cause: "registry_unreachable", Message: "no", Attempt: j.Attempt, At: time.Now()}
	if err := s.FailAnalysis(t.Context(), j, f, time.Hour, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	img := stateOf(t, s, 1)
	if img.State != engine.NotAnalyzed || img.Failure == nil || img.Failure.Attempt != 1 || img.Failure.Attempts != 2 {
		t.Fatalf("between attempts: %s, %+v", img.State, img.Failure)
	}
	if in := img.Failure.NextAt.Sub(before); in < 59*time.Minute || in > 61*time.Minute {
		t.Errorf("the next attempt is in %v, want an hour", in)
	}
	if got := failureEvents(t, s); len(got) != 0 {
		t.Errorf("an attempt that another follows told %v", got)
	}
	if _, ok := lease(t, s); ok {
		t.Error("the job is offered before its pause has passed")
	}

	exec(t, s, `UPDATE jobs SET available_at = now()`)
	j = begin(t, s)
	if p := stateOf(t, s, 1).Progress; p == nil || p.Attempt != 2 {
		t.Errorf("progress of the second attempt: %+v", p)
	}
	if err := s.FailAnalysis(t.Context(), j, f, 0, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	if img := stateOf(t, s, 1); img.State != engine.Failed || !img.Failure.NextAt.IsZero() {
		t.Errorf("after the last attempt: %s, %+v", img.State, img.Failure)
	}
	if got := failureEvents(t, s); len(got) != 2 || got[0] != "user.image.analysis.failed" || got[1] != "system.image_analysis.failed" {
		t.Errorf("the last attempt told %v", got)
	}

	// By hand it begins again, with all its attempts.
	if err := s.RequeueImage(t.Context(), "admin", string(digestOf(1))); err != nil {
		t.Fatal(err)
	}
	if img := stateOf(t, s, 1); img.State != engine.NotAnalyzed || img.Failure != nil {
		t.Errorf("after a retry by hand: %s, %+v", img.State, img.Failure)
	}
	if j = begin(t, s); j.Attempt != 1 {
		t.Errorf("a retry by hand begins with attempt %d", j.Attempt)
	}
}

func TestRetryByHandDoesNotWaitForThePause(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	j := begin(t, s)
	if err := s.FailAnalysis(t.Context(), j, engine.Failure{Attempt: 1}, time.Hour, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	if err := s.RequeueImage(t.Context(), "admin", string(digestOf(1))); err != nil {
		t.Fatal(err)
	}
	if j := begin(t, s); j.Attempt != 1 {
		t.Errorf("attempt %d, want the first", j.Attempt)
	}
}

// A host that dies at an image dies at it as often as is allowed and no more,
// also when no catalog looks meanwhile.
func TestLostWorkersAreCounted(t *testing.T) {
	s := enginetest.Store(t)
	s.SetAnalyzeAttempts(2)
	put(t, s, 1, nil)
	for n := 1; n <= 2; n++ {
		if j := begin(t, s); j.Attempt != n {
			t.Fatalf("attempt %d, want %d", j.Attempt, n)
		}
		exec(t, s, `UPDATE jobs SET leased_until = now() - interval '1 second'`)
	}
	if _, ok := lease(t, s); ok {
		t.Fatal("a third attempt is offered")
	}
	if at, err := s.NextJobAt(t.Context(), engine.QueueAnalyze, "h"); err != nil || !at.IsZero() {
		t.Errorf("workers wake for the spent job at %v, %v", at, err)
	}
	if n, err := s.RepairImages(t.Context(), engine.Source{Service: engine.Catalog}); n != 1 || err != nil {
		t.Fatalf("repaired %d, %v", n, err)
	}
	img := stateOf(t, s, 1)
	if img.State != engine.Failed || img.Failure.Cause != "worker_lost" || img.Failure.Attempt != 2 || img.Failure.Attempts != 2 {
		t.Errorf("%s, %+v", img.State, img.Failure)
	}
	if got := failureEvents(t, s); len(got) != 2 || got[0] != "user.image.analysis.failed" {
		t.Errorf("told %v", got)
	}
}

// Who has the queue try now sees that on the image, too.
func TestTheNextAttemptIsWhenTheQueueOffersIt(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	j := begin(t, s)
	f := engine.Failure{Stage: engine.StagePull, Cause: engine.CauseRegistryUnreachable, Message: "no", Attempt: j.Attempt, At: time.Now()}
	if err := s.FailAnalysis(t.Context(), j, f, time.Hour, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	now := engine.MessageFilter{Account: "admin", Queue: engine.QueueAnalyze, State: engine.MessageDelayed, Text: j.Subject}
	if done, err := s.RetryMessages(t.Context(), now); err != nil || done.Done != 1 {
		t.Fatalf("retried %+v, %v", done, err)
	}
	if at := stateOf(t, s, 1).Failure.NextAt; time.Until(at) > time.Minute {
		t.Errorf("the next attempt is at %v, want now", at)
	}
}
