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
	if list, err := w.s.ImageVerdicts(t.Context(), "one", []engine.Digest{digestOf(1), digestOf(3)}); err != nil || len(list) != 1 ||
		list[0].Action != "stop" || list[0].Tag != tag || !list[0].Current {
		t.Errorf("verdicts %+v, %v", list, err)
	}
	rematch := func(account string, n int, list ...engine.Match) {
		t.Helper()
		if err := w.s.SaveMatches(t.Context(), account, string(digestOf(n)), "data2", list, engine.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	w.add("one", "mine", ruleCritical, true)
	if got := w.work(); got != "" {
		t.Errorf("another bundle is active, evaluated at once was %q", got)
	}
	w.walk()
	if got := w.history("one", "mine", 1) + w.history("one", "mine", 2) + w.history("two", "mine", 1); got != "gogo" {
		t.Errorf("another bundle is active, it said %q", got)
	}
	w.subscribe("one", tag, nil, true)
	rematch("one", 2, critical())
	w.work()
	if got := len(w.events("one")); got != 1 {
		t.Errorf("stop after go made %d events", got)
	}
	rematch("one", 1, critical()) // no more the newest of its tag
	rematch("two", 1, critical())
	rematch("one", 2, critical()) // the same again
	if got := w.work(); got != "one/1 two/1" {
		t.Errorf("matches changed, evaluated was %q", got)
	}
	if got := w.history("one", "mine", 2); got != "stop go" || len(w.events("one")) != 1 || len(w.events("two")) != 0 {
		t.Errorf("history %q, events %d and %d", got, len(w.events("one")), len(w.events("two")))
	}
	value := `{"digests":["` + string(digestOf(1)) + `","sha256:none"]}`
	w.subscribe("one", "docker.io/other/name:x", &value, true)
	w.watch()
	if got := w.work(); got != "one/1 one/2" {
		t.Errorf("one is named by its digest, evaluated was %q", got)
	}
	var last engine.Evaluation
	err := w.s.EachEvaluation(t.Context(), "one", "mine", string(digestOf(1)), "docker.io/other/name:x", func(e engine.Evaluation) error {
		last = e
		return nil
	})
	if err != nil || last.Action != engine.ActionStop {
		t.Errorf("under the name of a subscription: %+v, %v", last, err)
	}
	w.subscribe("one", tag, nil, false)
	w.watch()
	if got := w.work(); got != "one/1" {
		t.Errorf("after the end of a subscription: %q", got)
	}
}

// watch does what the watcher does, whenever it was done last.
func (w *world) watch() {
	w.Helper()
	if _, err := w.s.EnqueueEvaluations(w.Context(), 0); err != nil {
		w.Fatal(err)
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
