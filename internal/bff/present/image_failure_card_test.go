package present

import (
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestFailureCard(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		state engine.AnalysisState
		f     engine.Failure
		tried string
		next  string // of the next attempt, in words
		not   string // part of why there is none
		retry bool
	}{
		"another attempt follows": {engine.NotAnalyzed, engine.Failure{Cause: engine.CauseRegistryUnavailable, Attempt: 2, Attempts: 5, NextAt: now.Add(40 * time.Second)}, "attempt 2 of 5", "in 40 s", "", false},
		"one is due":              {engine.NotAnalyzed, engine.Failure{Cause: engine.CauseDisk, Attempt: 1, Attempts: 5, NextAt: now.Add(-time.Second)}, "attempt 1 of 5", "", "", false},
		"it does not pass":        {engine.Failed, engine.Failure{Cause: engine.CauseLayerInvalid, Attempt: 1, Attempts: 5}, "attempt 1 of 5", "", "does not pass without a change", true},
		"all were made":           {engine.Failed, engine.Failure{Cause: engine.CauseRegistryUnavailable, Attempt: 5, Attempts: 5}, "attempt 5 of 5", "", "All 5 attempts were made", true},
		"the worker was lost":     {engine.Failed, engine.Failure{Cause: engine.CauseWorkerLost, Attempt: 3, Attempts: 3}, "attempt 3 of 3", "", "All 3 attempts were made", true},
		"cancelled":               {engine.Failed, engine.Failure{Cause: engine.CauseCancelled}, "", "", "cancelled", true},
		"a cause of another age":  {engine.Failed, engine.Failure{Cause: "odd", Attempt: 3}, "after 3 attempts", "", "not tried again", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := imageFailure(engine.Image{State: tc.state, Failure: &tc.f}, Clock{Now: now})
			next := ""
			if v.Next != nil {
				next = v.Next.Text
			}
			if v.Attempt != tc.tried || next != tc.next || !strings.Contains(v.NotAgain, tc.not) || (tc.not == "") != (v.NotAgain == "") || v.CanRetry != tc.retry || v.Title == "" || v.Message == "" {
				t.Errorf("%+v, next %q", v, next)
			}
		})
	}
}

func TestFailureLines(t *testing.T) {
	tests := map[string]struct {
		log []string
		bad int // from one; 0: none
	}{
		"no log":         {nil, 0},
		"it says so":     {[]string{"pull start", "Error: 401", "lease returned"}, 2},
		"the last of it": {[]string{"failed once", "failed twice", "done"}, 2},
		"nothing says":   {[]string{"one", "two"}, 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			bad := 0
			for n, l := range failureLines(tc.log) {
				if l.Bad {
					bad += n + 1
				}
			}
			if bad != tc.bad {
				t.Errorf("line %d, want %d", bad, tc.bad)
			}
		})
	}
	if href := failureLog(engine.Failure{Host: "h", At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}); href != "/logs?at=2026-01-02T03%3A04%3A05Z&host=h&service=analyzer" {
		t.Error(href)
	}
}
