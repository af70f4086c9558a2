package evaluation

import (
	"testing"
	"time"

	"windlass/internal/engine"
)

// Whatever a rule may look at of a match has its image judged again when it
// changes, be it all that changes.
func TestMatchesThatChangeInOneThing(t *testing.T) {
	tests := map[string]struct {
		rule   string // params of vulnerabilities/package
		change func(*engine.Match)
	}{
		"known exploited":   {`{"name":"known_exploited","value":"true"}`, func(m *engine.Match) { m.KnownExploited = true }},
		"epss":              {`{"name":"epss_score","value":"0.1"},{"name":"epss_score_comparison","value":"="}`, func(m *engine.Match) { m.EPSS = 0.1 }},
		"score":             {`{"name":"cvss_v3_base_score","value":"9"}`, func(m *engine.Match) { m.NVD = []engine.CVSSData{{V3: engine.CVSS{Base: 9.1}}} }},
		"vendor's score":    {`{"name":"vendor_cvss_v3_base_score","value":"9"}`, func(m *engine.Match) { m.Vendor = []engine.CVSSData{{V3: engine.CVSS{Base: 9.1}}} }},
		"severity":          {`{"name":"severity","value":"high"}`, func(m *engine.Match) { m.Severity = "Critical" }},
		"fix":               {`{"name":"fix_available","value":"true"}`, func(m *engine.Match) { m.Fixes = []string{"3.0.2"} }},
		"will not be fixed": {`{"name":"severity","value":"negligible"},{"name":"severity_comparison","value":"="}`, func(m *engine.Match) { m.WillNotFix = false }},
		"when it was fixed": {`{"name":"fix_available","value":"false"},{"name":"max_days_since_fix","value":"5"}`, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := critical()
			m.Severity, m.Fixes, m.NVD, m.Vendor = "Negligible", nil, nil, nil
			m.WillNotFix = name == "will not be fixed"
			img := w.analyzed("one", 1, m)
			w.work()
			params := `{"name":"package_type","value":"all"},` + tc.rule
			w.add("one", "mine", `{"gate":"vulnerabilities","trigger":"package","action":"STOP","params":[`+params+`]}`, true)
			w.walk()
			if tc.change == nil { // a time that only passes: nothing to be told
				m.FixAt = time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC)
			} else {
				if got := w.history("one", "mine", 1); got != "go" {
					t.Fatalf("before: %q", got)
				}
				tc.change(&m)
			}
			save := func() {
				t.Helper()
				if err := w.s.SaveMatches(t.Context(), "one", string(img.Digest), "data2", []engine.Match{m}, engine.Source{}); err != nil {
					t.Fatal(err)
				}
			}
			save()
			if got := w.work(); got != "one/1" {
				t.Errorf("evaluated was %q", got)
			}
			if got := w.history("one", "mine", 1); tc.change != nil && got != "stop go" {
				t.Errorf("after: %q", got)
			}
			save()
			if got := w.work(); got != "" {
				t.Errorf("with the same matches evaluated was %q", got)
			}
		})
	}
}
