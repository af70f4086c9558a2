package catalog

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Work is done without a pause while there is some, and looked for once a
// second when there is none.
func TestRunPurges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		var at []time.Duration
		work := []bool{true, true, false, true, false, false}
		err := RunPurges(ctx, func(context.Context) (bool, error) {
			at = append(at, time.Since(began))
			return work[len(at)-1], nil
		})
		want := []time.Duration{0, 0, 0, time.Second, time.Second, 2 * time.Second}
		if err != nil || len(at) != len(want) {
			t.Fatalf("%v at %v", err, at)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("step %d at %v, want %v", i, at[i], want[i])
			}
		}
	})
}

func TestRunPurgesEnds(t *testing.T) {
	boom := errors.New("boom")
	if err := RunPurges(t.Context(), func(context.Context) (bool, error) { return false, boom }); !errors.Is(err, boom) {
		t.Errorf("%v, want the step's error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := RunPurges(ctx, func(context.Context) (bool, error) {
		cancel()
		return false, context.Canceled
	})
	if err != nil {
		t.Errorf("told to stop: %v", err)
	}
}
