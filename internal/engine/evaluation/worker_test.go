package evaluation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// work does all jobs that wait and tells whose images they were about.
func (w *world) work() string {
	w.Helper()
	worker := &Worker{Queue: w.s, Evaluator: w.e, Log: enginetest.Logger(w.T)}
	var done []string
	for {
		j, ok, err := w.s.LeaseJob(w.Context(), engine.QueueEvaluate, "h", "h/1", time.Minute)
		if err != nil {
			w.Fatal(err)
		}
		if !ok {
			slices.Sort(done)
			return strings.Join(done, " ")
		}
		if err := worker.Handle(w.Context(), j); err != nil {
			w.Fatal(err)
		}
		done = append(done, j.Account+"/"+j.Subject[len(j.Subject)-1:])
	}
}

func (w *world) subscribe(account, key string, value *string, active bool) {
	w.Helper()
	id := engine.SubscriptionID(account, key, engine.SubPolicyEval)
	_, err := w.s.UpdateSubscription(w.Context(), account, id, engine.SubscriptionUpdate{Active: &active, Value: &value})
	if errors.Is(err, engine.ErrNotFound) {
		_, err = w.s.AddSubscription(w.Context(), engine.Subscription{Account: account, Key: key, Type: engine.SubPolicyEval, Active: active, Value: value})
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestImagesAreEvaluatedWhenThatMayChange(t *testing.T) {
	w := newWorld(t)
	w.analyzed("one", 1)
	w.analyzed("one", 2)
	w.analyzed("two", 1)
	if got := w.work(); got != "one/1 one/2 two/1" {
		t.Errorf("after the analyses: %q", got)
	}
	if got := w.history("one", "", 1); got != "stop" {
		t.Errorf("an analyzed image was evaluated to %q", got)
	}
	rematch := func(account string, n int, list ...engine.Match) {
		t.Helper()
		if err := w.s.SaveMatches(t.Context(), account, string(digestOf(n)), "data2", list); err != nil {
			t.Fatal(err)
		}
	}
	rematch("one", 2, critical())
	if got := w.work(); got != "" {
		t.Errorf("nobody asked, and evaluated was %q", got)
	}
	w.subscribe("one", tag, nil, true)
	w.add("one", "mine", ruleCritical, true)
	if got := w.work(); got != "one/2" {
		t.Errorf("another bundle is active, evaluated was %q: want the newest of the tag", got)
	}
	if got := len(w.events("one")); got != 0 {
		t.Errorf("stop after stop made %d events", got)
	}
	rematch("one", 2)
	rematch("one", 1, critical()) // no more the newest of its tag
	rematch("two", 1, critical())
	if got := w.work(); got != "one/2" {
		t.Errorf("matches changed, evaluated was %q", got)
	}
	if got := w.history("one", "mine", 2); got != "go stop" || len(w.events("one")) != 1 || len(w.events("two")) != 0 {
		t.Errorf("history %q, events %d and %d", got, len(w.events("one")), len(w.events("two")))
	}
	rematch("one", 2) // the same again
	if got := w.work(); got != "" {
		t.Errorf("nothing changed, evaluated was %q", got)
	}
	value := `{"digests":["` + string(digestOf(1)) + `","sha256:none"]}`
	w.subscribe("one", "docker.io/other/name:x", &value, true)
	rematch("one", 1)
	if got := w.work(); got != "one/1" {
		t.Errorf("named by its digest, evaluated was %q", got)
	}
	w.add("one", "mine", ruleAlwaysWarn, true)
	if got := w.work(); got != "one/1 one/2" {
		t.Errorf("the bundle changed, evaluated was %q", got)
	}
	w.subscribe("one", tag, nil, false)
	w.add("one", "mine", ruleAlwaysStop, true)
	if got := w.work(); got != "one/1" {
		t.Errorf("after the end of a subscription: %q", got)
	}
}

func TestWatchAsksOnceAnHour(t *testing.T) {
	w := newWorld(t)
	w.analyzed("one", 1)
	w.analyzed("two", 1)
	w.subscribe("one", tag, nil, true)
	w.subscribe("two", tag, nil, true)
	w.work()
	w.exec(`UPDATE accounts SET state = 'disabled' WHERE name = 'two'`)
	for _, want := range []string{"one/1", ""} {
		if _, err := w.s.EnqueueEvaluations(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := w.work(); got != want {
			t.Errorf("watched %q, want %q", got, want)
		}
	}
	w.exec(`UPDATE settings SET value = (now() - interval '61 minutes')::text WHERE key = 'policies watched'`)
	if done, err := w.s.EnqueueEvaluations(t.Context(), time.Hour); err != nil || !done {
		t.Errorf("after an hour: %v, %v", done, err)
	}
}

func TestJobsThatHaveNothingToDo(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	if _, err := w.s.DeleteImage(t.Context(), "one", string(img.Digest), true); err != nil {
		t.Fatal(err)
	}
	if got := w.work(); got != "" {
		t.Errorf("the job of a deleted image was done: %q", got)
	}
	w.exec(`UPDATE policies SET active = false`)
	w.analyzed("one", 2)
	if got := w.work(); got != "one/2" || w.history("one", "", 2) != "" {
		t.Errorf("without an active bundle: %q, history %q", got, w.history("one", "", 2))
	}
	if err := w.s.Enqueue(t.Context(), engine.Job{Queue: engine.QueueEvaluate, Account: "one", Subject: "sha256:gone9", MaxAttempts: 5}); err != nil {
		t.Fatal(err)
	}
	if got := w.work(); got != "one/9" {
		t.Errorf("the job of an image that is gone: %q", got)
	}
}
