package store_test

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func putJob(t *testing.T, s *store.Store, account, subject string) {
	t.Helper()
	if err := s.Enqueue(t.Context(), engine.Job{Queue: engine.QueueEvaluate, Account: account, Subject: subject, MaxAttempts: 3}); err != nil {
		t.Fatal(err)
	}
}

func takeJob(t *testing.T, s *store.Store) (engine.Job, bool) {
	t.Helper()
	j, ok, err := s.LeaseJob(t.Context(), engine.QueueEvaluate, "host-a", "host-a/1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return j, ok
}

func evaluationQueue(t *testing.T, s *store.Store, account string) engine.Queue {
	t.Helper()
	b, err := s.Queues(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return b.Of(engine.QueueEvaluate)
}

func TestPausedQueueIsNotLeased(t *testing.T) {
	s := enginetest.Store(t)
	putJob(t, s, "admin", "a")
	if err := s.PauseQueue(t.Context(), engine.QueueEvaluate, "ann", "disk"); err != nil {
		t.Fatal(err)
	}
	if j, ok := takeJob(t, s); ok {
		t.Errorf("leased %+v of a paused queue", j)
	}
	if at, err := s.NextJobAt(t.Context(), engine.QueueEvaluate, "host-a"); err != nil || !at.IsZero() {
		t.Errorf("next of a paused queue = %v, %v: workers would spin", at, err)
	}
	if q := evaluationQueue(t, s, ""); q.Paused == nil || q.Paused.By != "ann" || q.Waiting != 1 {
		t.Errorf("board %+v", q)
	}
	if err := s.ResumeQueue(t.Context(), engine.QueueEvaluate); err != nil {
		t.Fatal(err)
	}
	if _, ok := takeJob(t, s); !ok {
		t.Error("nothing to lease after the queue was resumed")
	}
}

func TestQueuesCountWhatAnAccountMaySee(t *testing.T) {
	s := enginetest.Store(t)
	putJob(t, s, "admin", "a")
	putJob(t, s, "team", "b")
	if err := s.TellWorker(t.Context(), engine.QueueEvaluate, "host-a", "host-a/1", 2); err != nil {
		t.Fatal(err)
	}
	j, _ := takeJob(t, s)
	if err := s.RetryJob(t.Context(), j, time.Hour, "no answer"); err != nil {
		t.Fatal(err)
	}
	all, team := evaluationQueue(t, s, ""), evaluationQueue(t, s, "team")
	if all.Waiting != 1 || all.Delayed != 1 || all.Troubled != 1 || all.Hands() != 2 || all.RetryDay != 1 {
		t.Errorf("all = %+v", all)
	}
	if team.Waiting != 1 || team.Delayed != 0 || team.Troubled != 0 {
		t.Errorf("team = %+v", team)
	}
	if _, err := s.Message(t.Context(), "team", j.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account's message = %v, want ErrNotFound", err)
	}
	for state, want := range map[engine.MessageState]int{"": 2, engine.MessageWaiting: 1, engine.MessageDelayed: 1, engine.MessageTroubled: 1, engine.MessageRunning: 0} {
		f := engine.MessageFilter{State: state, Limit: 10}
		list, err := s.Messages(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.CountMessages(t.Context(), f)
		if err != nil || len(list) != want || n != want {
			t.Errorf("%q: listed %d, counted %d, %v; want %d", state, len(list), n, err, want)
		}
	}
	if n, err := s.CountMessages(t.Context(), engine.MessageFilter{Text: "b"}); err != nil || n != 1 {
		t.Errorf("counted by text %d, %v", n, err)
	}
}

func TestRetryAndReleaseFenceTheHolder(t *testing.T) {
	s := enginetest.Store(t)
	putJob(t, s, "admin", "a")
	j, _ := takeJob(t, s)
	mine := engine.MessageFilter{Account: "admin"}
	if done, err := s.RetryMessages(t.Context(), mine); err != nil || done.Done != 0 {
		t.Errorf("retry of a running message = %+v, %v; want nothing done", done, err)
	}
	if done, err := s.ReleaseMessages(t.Context(), engine.MessageFilter{Account: "team"}); err != nil || done.Done != 0 {
		t.Errorf("release by another account = %+v, %v", done, err)
	}
	if done, err := s.ReleaseMessages(t.Context(), mine); err != nil || done.Done != 1 {
		t.Fatalf("release = %+v, %v", done, err)
	}
	if err := s.FinishJob(t.Context(), j); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("finish after the release = %v, want ErrLeaseLost", err)
	}
	j, ok := takeJob(t, s)
	if !ok || j.Attempt != 1 {
		t.Fatalf("after the release: %+v, %v; the attempt must not count", j, ok)
	}
	if err := s.RetryJob(t.Context(), j, time.Hour, "no answer"); err != nil {
		t.Fatal(err)
	}
	if done, err := s.RetryMessages(t.Context(), mine); err != nil || done.Done != 1 {
		t.Fatalf("retry = %+v, %v", done, err)
	}
	if j, ok = takeJob(t, s); !ok || j.Attempt != 1 {
		t.Errorf("after the retry: %+v, %v", j, ok)
	}
}

func TestDroppedMessagesComeBack(t *testing.T) {
	s := enginetest.Store(t)
	putJob(t, s, "admin", "a")
	putJob(t, s, "team", "b")
	done, err := s.DropMessages(t.Context(), engine.MessageFilter{}, "ann")
	if err != nil || done.Done != 2 || done.Undo == "" {
		t.Fatalf("drop = %+v, %v", done, err)
	}
	if _, ok := takeJob(t, s); ok {
		t.Error("a dropped message was leased")
	}
	if n, err := s.UndoDrop(t.Context(), "team", done.Undo); err != nil || n != 1 {
		t.Errorf("undo by an account = %d, %v; want its own", n, err)
	}
	if n, err := s.UndoDrop(t.Context(), "", done.Undo); err != nil || n != 1 {
		t.Errorf("undo of the rest = %d, %v", n, err)
	}
	if _, err := s.UndoDrop(t.Context(), "", done.Undo); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("undo again = %v, want ErrNotFound", err)
	}
	if q := evaluationQueue(t, s, ""); q.Waiting != 2 {
		t.Errorf("waiting after the undo: %+v", q)
	}
}

func TestHistoryKeepsWhatEnded(t *testing.T) {
	s := enginetest.Store(t)
	mark, err := s.QueueMark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	putJob(t, s, "admin", "a")
	if now, err := s.QueueMark(t.Context()); err != nil || now == mark {
		t.Errorf("the mark stays %q, %v", now, err)
	}
	j, _ := takeJob(t, s)
	if err := s.FinishJob(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	putJob(t, s, "admin", "b")
	for range 2 { // the second finds nothing new, and adds nothing
		if err := s.SampleQueues(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.QueueHistory(t.Context(), engine.QueueEvaluate, time.Now().Add(-24*time.Hour), 30*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var done, waiting int64
	for _, v := range list {
		done, waiting = done+v.Done, max(waiting, v.Waiting)
	}
	if done != 1 || waiting != 1 {
		t.Errorf("history %+v, want one done and one waiting", list)
	}
	if q := evaluationQueue(t, s, ""); q.DoneHour != 1 || q.DoneDay != 1 {
		t.Errorf("board %+v", q)
	}
}

func TestDroppedAnalysisIsCancelledAndRevives(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	done, err := s.DropMessages(t.Context(), engine.MessageFilter{Queue: engine.QueueAnalyze, Text: "app:v1"}, "ann")
	if err != nil || done.Done != 1 {
		t.Fatalf("drop = %+v, %v", done, err)
	}
	if i := stateOf(t, s, 1); i.State != engine.Failed || i.Failure.Cause != engine.CauseCancelled {
		t.Errorf("dropped image is %s, %+v; the catalog would queue it again", i.State, i.Failure)
	}
	if n, err := s.UndoDrop(t.Context(), "admin", done.Undo); err != nil || n != 1 {
		t.Fatalf("undo = %d, %v", n, err)
	}
	j, ok := lease(t, s)
	if !ok {
		t.Fatal("nothing to analyze after the undo")
	}
	if _, ok, err := s.BeginAnalysis(t.Context(), j, "h"); err != nil || !ok {
		t.Fatalf("begin = %v, %v", ok, err)
	}
	m, err := s.Message(t.Context(), "admin", j.ID)
	if err != nil || m.State != engine.MessageRunning || m.Progress == nil || m.Progress.Stage != engine.StagePull || m.Name != "docker.io/app:v1" {
		t.Errorf("running message = %+v, %v", m, err)
	}
	if err := s.FailAnalysis(t.Context(), j, engine.Failure{Cause: "manifest_unknown", Message: "no"}, 0, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	b, err := s.Queues(t.Context(), "")
	if q := b.Of(engine.QueueAnalyze); err != nil || q.FailDay != 1 || q.DoneDay != 0 {
		t.Errorf("after the failure: %+v, %v", q, err)
	}
}
