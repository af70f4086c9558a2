package queue

import (
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	tests := map[string]struct {
		attempt int
		asked   time.Duration
		least   time.Duration
	}{
		"before the first":           {0, 0, 5 * time.Second},
		"after the first":            {1, 0, 5 * time.Second},
		"it doubles":                 {3, 0, 20 * time.Second},
		"it is bounded":              {40, 0, 10 * time.Minute},
		"what is asked for is kept":  {1, time.Hour, time.Hour},
		"a short wish is not":        {4, time.Second, 40 * time.Second},
		"nor one that has no end":    {1, 1000 * time.Hour, 6 * time.Hour},
		"nor one from the past":      {1, -time.Hour, 5 * time.Second},
		"an attempt below the first": {-7, 0, 5 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			seen := map[time.Duration]bool{}
			for range 200 {
				p := Pause(tc.attempt, tc.asked)
				if p < tc.least || p > tc.least+tc.least/4 {
					t.Fatalf("Pause(%d, %v) = %v, want %v to a quarter more", tc.attempt, tc.asked, p, tc.least)
				}
				seen[p] = true
			}
			if len(seen) < 100 {
				t.Errorf("200 pauses are of %d lengths", len(seen))
			}
		})
	}
}
