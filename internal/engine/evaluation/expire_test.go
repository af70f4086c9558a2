package evaluation

import (
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
)

// excepted makes a bundle active that stops every image but for an exception
// with an end.
func (w *world) excepted(account string, ends time.Time) {
	w.Helper()
	doc := `{"id":"mine","version":"1_0","policies":[{"id":"p","version":"1_0","rules":[` + ruleAlwaysStop + `]}],
		"whitelists":[{"id":"wl","version":"1_0","items":[
			{"id":"i0","gate":"always","trigger_id":"never"},
			{"id":"i1","gate":"always","trigger_id":"always","reason":"until the fix is out","expires_on":"` + ends.Format(time.RFC3339) + `"}]}],
		"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":["wl"]}]}`
	b, err := bundles.Read(account, []byte(doc))
	if err == nil {
		b, err = w.s.PutPolicy(w.Context(), b)
	}
	if b.Active = true; err == nil {
		_, err = w.s.UpdatePolicy(w.Context(), b, engine.Source{})
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) expire() {
	w.Helper()
	if err := w.worker(w.s).Expire(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func TestImagesAreEvaluatedWhenAnExceptionEnds(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now().UTC()
	w.many("one", 2)
	ends := w.now.Add(time.Hour).Truncate(time.Second)
	w.excepted("one", ends)
	w.walk()
	waits := func() bool {
		_, ok, err := w.s.LeaseJob(t.Context(), engine.QueueReevaluate, "h", "h/9", -time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	w.now = ends.Add(-time.Second)
	if w.expire(); waits() {
		t.Fatal("evaluated before the exception ended")
	}
	// The exception is in force, and tells why.
	e := w.check(Request{Image: w.image(1)})
	if e.Action != engine.ActionGo || !strings.Contains(string(e.Result), "until the fix is out") {
		t.Errorf("%s: %s", e.Action, e.Result)
	}
	w.exec(`UPDATE reevaluations SET started_at = now() - interval '1 day'`)
	w.now = ends
	if w.expire(); !waits() {
		t.Fatal("not evaluated after the exception ended")
	}
	// That began before the end by the database's clock, which stands behind
	// this test's: nothing is begun twice once it has.
	w.exec(`UPDATE reevaluations SET started_at = $1`, ends)
	w.expire()
	w.walk()
	if got := w.history("one", "mine", 1) + ", " + w.history("one", "mine", 2); got != "stop go, stop go" {
		t.Errorf("said %q", got)
	}
	if w.expire(); waits() {
		t.Error("evaluated once more")
	}

	w.exec(`UPDATE reevaluations SET started_at = now() - interval '1 day'`)
	w.exec(`UPDATE accounts SET state = 'disabled' WHERE name = 'one'`)
	if w.expire(); waits() {
		t.Error("evaluated in a disabled account")
	}
}

func (w *world) image(n int) engine.Image {
	w.Helper()
	img, err := w.s.Image(w.Context(), "one", string(digestOf(n)))
	if err != nil {
		w.Fatal(err)
	}
	return img
}
