package evaluation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// walk works off the re-evaluation that waits.
func (w *world) walk() {
	w.Helper()
	j, ok, err := w.s.LeaseJob(w.Context(), engine.QueueReevaluate, "h", "h/1", time.Minute)
	if err != nil || !ok {
		w.Fatal("no re-evaluation waits", ok, err)
	}
	if err := w.worker(w.s).Reevaluate(w.Context(), j); err != nil {
		w.Fatal(err)
	}
}

func (w *world) worker(q Queue) *Worker {
	return &Worker{Queue: q, Evaluator: w.e, Log: enginetest.Logger(w.T)}
}

func (w *world) progress(account string) engine.Reevaluation {
	w.Helper()
	r, err := w.s.Reevaluation(w.Context(), account)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// many gives an account n analyzed images, which the default bundle has judged.
func (w *world) many(account string, n int) {
	w.Helper()
	for i := range n {
		w.analyzed(account, i+1)
	}
	w.work()
}

// interrupted is a queue that breaks, or does something else, at the first page
// it is told the end of, after having stored it, and counts the images it gives.
type interrupted struct {
	*store.Store
	at     func() error
	images int
}

func (q *interrupted) Image(ctx context.Context, account, digest string) (engine.Image, error) {
	q.images++
	return q.Store.Image(ctx, account, digest)
}

func (q *interrupted) MoveReevaluation(ctx context.Context, j engine.Job, at engine.ReevaluationStep, done engine.Reevaluation) error {
	if err := q.Store.MoveReevaluation(ctx, j, at, done); err != nil || q.at == nil {
		return err
	}
	err := q.at()
	q.at = nil
	return err
}

func (w *world) lease() engine.Job {
	w.Helper()
	j, ok, err := w.s.LeaseJob(w.Context(), engine.QueueReevaluate, "h", "h/1", time.Minute)
	if err != nil || !ok {
		w.Fatal("no re-evaluation is offered", ok, err)
	}
	return j
}

func TestEveryImageIsEvaluatedByAnotherBundle(t *testing.T) {
	w := newWorld(t)
	const n = reevaluationPage + 3
	w.many("one", n)
	w.analyzed("two", 1)
	w.work()
	if _, err := w.s.Reevaluation(t.Context(), "one"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	w.add("one", "mine", ruleAlwaysWarn, true)
	if p := w.progress("one"); p.Policy != "mine" || p.Total != n || p.Done != 0 || !p.EndedAt.IsZero() {
		t.Errorf("at the beginning: %+v", p)
	}
	w.walk()
	p := w.progress("one")
	if p.Done != n || p.Changed != n || p.Undecided != 0 || p.EndedAt.IsZero() {
		t.Errorf("at the end: %+v", p)
	}
	for i := range n {
		if got := w.history("one", "mine", i+1); got != "warn" {
			t.Errorf("image %d: %q", i+1, got)
		}
	}
	if got := w.history("two", "mine", 1); got != "" {
		t.Errorf("an image of another account: %q", got)
	}
	// The same document again, and one that says the same of all.
	w.add("one", "mine", ruleAlwaysWarn, true)
	w.walk()
	if p := w.progress("one"); p.Done != n || p.Changed != 0 {
		t.Errorf("a bundle that says the same: %+v", p)
	}
}

func TestReevaluationGoesOnAfterACrash(t *testing.T) {
	w := newWorld(t)
	const n = reevaluationPage + 3
	w.many("one", n)
	w.add("one", "mine", ruleAlwaysWarn, true)

	broken := fmt.Errorf("database: %w", engine.ErrUnavailable)
	q := &interrupted{Store: w.s, at: func() error { return broken }}
	if err := w.worker(q).Reevaluate(t.Context(), w.lease()); !errors.Is(err, engine.ErrUnavailable) {
		t.Fatalf("Reevaluate = %v", err)
	}
	if p := w.progress("one"); p.Done != reevaluationPage || q.images != reevaluationPage || !p.EndedAt.IsZero() {
		t.Errorf("at the crash: %+v after %d images", p, q.images)
	}
	w.exec(`UPDATE jobs SET leased_until = now() - interval '1 second'`)
	if err := w.worker(q).Reevaluate(t.Context(), w.lease()); err != nil {
		t.Fatal(err)
	}
	if p := w.progress("one"); p.Done != n || q.images != n || p.EndedAt.IsZero() {
		t.Errorf("at the end: %+v after %d images", p, q.images)
	}
}

func TestReevaluationIsSuperseded(t *testing.T) {
	w := newWorld(t)
	const n = reevaluationPage + 3
	w.many("one", n)
	w.add("one", "mine", ruleAlwaysWarn, true)
	q := &interrupted{Store: w.s, at: func() error {
		w.add("one", "other", `{"gate":"always","trigger":"always","action":"go","params":[]}`, true)
		return nil
	}}
	if err := w.worker(q).Reevaluate(t.Context(), w.lease()); !errors.Is(err, engine.ErrLeaseLost) {
		t.Fatalf("Reevaluate = %v, want ErrLeaseLost", err)
	}
	if p := w.progress("one"); p.Policy != "other" || p.Done != 0 || p.Total != n || !p.EndedAt.IsZero() {
		t.Errorf("after the other was made active: %+v", p)
	}
	w.walk()
	if p := w.progress("one"); p.Done != n || p.EndedAt.IsZero() {
		t.Errorf("at the end: %+v", p)
	}
	for i := range n {
		if got := w.history("one", "other", i+1); got != "go" {
			t.Errorf("image %d: %q", i+1, got)
		}
	}
}

func TestReevaluationEndsWithItsBundle(t *testing.T) {
	w := newWorld(t)
	w.many("one", 2)
	w.add("one", "mine", ruleAlwaysWarn, true)
	w.add("one", "mine", ruleAlwaysStop, false) // as v1, it is inactive by that
	w.walk()
	if p := w.progress("one"); p.Done != 0 || p.EndedAt.IsZero() {
		t.Errorf("%+v, want that it ended with nothing done", p)
	}
	if got := w.history("one", "mine", 1); got != "" {
		t.Errorf("an inactive bundle said %q", got)
	}
}

func TestReevaluationPassesOverWhatCannotBeJudged(t *testing.T) {
	w := newWorld(t)
	w.many("one", 3)
	// Of the second image the kept files cannot be read.
	w.exec(`UPDATE documents SET encoding = '', body = 'no JSON' WHERE bucket = 'retrieved_files' AND key = $1`, string(digestOf(2)))
	w.add("one", "mine", `{"id":"r","gate":"retrieved_files","trigger":"content_not_available","action":"stop","params":[{"name":"path","value":"/etc/passwd"}]}`, true)
	w.walk()
	if p := w.progress("one"); p.Done != 3 || p.Undecided != 1 || p.EndedAt.IsZero() {
		t.Errorf("%+v, want 3 done, 1 of them undecided", p)
	}
	if got := w.history("one", "mine", 1) + w.history("one", "mine", 2) + w.history("one", "mine", 3); got != "gogo" {
		t.Errorf("said %q", got)
	}
}

// Bundles are made active, images evaluated and matched at once: nobody waits
// for anybody in a circle.
func TestReevaluationDoesNotDeadlock(t *testing.T) {
	w := newWorld(t)
	w.many("one", 8)
	w.subscribe("one", tag, nil, true)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	go func() { // the walkers of two hosts
		for ctx.Err() == nil {
			j, ok, err := w.s.LeaseJob(ctx, engine.QueueReevaluate, "h", "h/1", time.Minute)
			if err == nil && ok {
				err = w.worker(w.s).Reevaluate(ctx, j)
			}
			if err != nil && !errors.Is(err, engine.ErrLeaseLost) && !errors.Is(err, engine.ErrConflict) && ctx.Err() == nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	go func() {
		for n := 0; ctx.Err() == nil; n++ {
			m := critical()
			m.Vuln = fmt.Sprintf("CVE-2026-%d", n)
			err := w.s.SaveMatches(ctx, "one", string(digestOf(n%8+1)), "data", []engine.Match{m}, engine.Source{})
			j, ok, err2 := w.s.LeaseJob(ctx, engine.QueueEvaluate, "h", "h/2", time.Minute)
			if err2 == nil && ok {
				err2 = w.worker(w.s).Handle(ctx, j)
			}
			if err = errors.Join(err, err2); err != nil && !errors.Is(err, engine.ErrLeaseLost) && !errors.Is(err, engine.ErrConflict) && ctx.Err() == nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	for n := range 12 {
		rule := ruleAlwaysWarn
		if n%2 == 0 {
			rule = ruleAlwaysStop
		}
		w.add("one", fmt.Sprintf("b%d", n%3), rule, true)
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
