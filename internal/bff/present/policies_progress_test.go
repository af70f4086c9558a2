package present_test

import (
	"testing"
	"time"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

func TestPolicyProgress(t *testing.T) {
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	running := engine.Reevaluation{Policy: "a", Total: 3000, Done: 1240, Changed: 12, StartedAt: began}
	ended := running
	ended.EndedAt = began.Add(time.Minute)
	tests := map[string]struct {
		walk engine.Reevaluation
		text string // of the meter; empty: none
	}{
		"running": {running, "1,240 of 3,000 images judged since it was made active or changed, 12 with another outcome"},
		"ended":   {ended, ""},
		"never":   {engine.Reevaluation{}, ""},
		"nothing": {engine.Reevaluation{Policy: "a", StartedAt: began}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := present.Policies(present.PoliciesIn{
				Bundles: []engine.PolicyBundle{{ID: "a", Active: true, Document: []byte(`{}`)}}, Walk: tc.walk,
				Counts: engine.VerdictCounts{Go: 1240, Waiting: 1760},
			}, present.Clock{})
			got := ""
			if p := v.Posture.Progress; p != nil {
				got = p.Text
				if p.Value != 1240 || p.Max != 3000 {
					t.Errorf("%d of %d", p.Value, p.Max)
				}
			}
			if got != tc.text {
				t.Errorf("meter %q, want %q", got, tc.text)
			}
			if (v.Posture.Waiting == "") != (tc.text != "") {
				t.Errorf("waiting %q", v.Posture.Waiting)
			}
		})
	}
}
