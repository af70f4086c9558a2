package evaluation

import (
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

func tried(t *testing.T, rules string) *policy.Bundle {
	t.Helper()
	b, err := policy.Parse([]byte(`{"id":"b","version":"1_0","policies":[{"id":"p","version":"1_0","rules":[` + rules + `]}],
		"mappings":[{"name":"all","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p"}]}`))
	if err != nil || len(b.Problems()) > 0 {
		t.Fatal(b, err)
	}
	return b
}

// What is tried is judged from the facts that either bundle asks for, and
// leaves no trace.
func TestATryComparesAndKeepsNothing(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1, critical())
	const vulns = `{"id":"v","gate":"vulnerabilities","trigger":"package","action":"STOP","params":[{"name":"package_type","value":"all"}]}`
	const ports = `{"id":"d","gate":"dockerfile","trigger":"exposed_ports","action":"WARN","params":[{"name":"ports","value":"22"},{"name":"type","value":"blacklist"}]}`
	got, err := w.e.Try(t.Context(), Trial{Tried: tried(t, ports), Against: tried(t, vulns)}, img, tag)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, c := range got.Changes {
		kinds = append(kinds, c.Kind+" "+c.Row.Gate)
	}
	if s := strings.Join(kinds, ", "); s != "gone vulnerabilities, new dockerfile" || got.Tried.Action != engine.ActionWarn || got.Now.Action != engine.ActionStop {
		t.Errorf("%s; %s beside %s", s, got.Tried.Action, got.Now.Action)
	}
	if why := got.Changes[0].Row.Why; why.Record != "CVE-2026-1" || why.Package != "libssl3" || why.RuleID != "v" {
		t.Errorf("why: %+v", why)
	}

	bad := tried(t, `{"gate":"packages","trigger":"verify","action":"STOP","params":[]},{"gate":"files","trigger":"name_match","action":"STOP","params":[{"name":"regex","value":"("}]}`)
	got, err = w.e.Try(t.Context(), Trial{Tried: bad}, img, tag)
	if err != nil || got.Fault == "" || got.Now != nil {
		t.Errorf("a rule that cannot run: %q, %v", got.Fault, err)
	}
	var n int
	if err := w.s.Pool().QueryRow(t.Context(), `SELECT count(*) FROM policy_evaluations`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d evaluations are kept, %v", n, err)
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	w := newWorld(t)
	a, b := w.analyzed("one", 1, critical()), w.analyzed("one", 2)
	w.analyzed("two", 3)
	count := func(want engine.VerdictCounts) {
		t.Helper()
		got, err := w.s.VerdictCounts(t.Context(), "one")
		if want.At = got.At; err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	count(engine.VerdictCounts{Waiting: 2})
	w.check(Request{Image: a})
	w.check(Request{Image: b})
	count(engine.VerdictCounts{Stop: 2})
	const warn = `{"gate":"always","trigger":"always","action":"WARN","params":[]}`
	w.add("one", "lenient", warn, true)
	count(engine.VerdictCounts{Waiting: 2})
	w.check(Request{Image: a})
	count(engine.VerdictCounts{Warn: 1, Waiting: 1})
}
