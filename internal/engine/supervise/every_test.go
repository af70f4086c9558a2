package supervise

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestEveryRunsAtOnceAndRegularlyUntilItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, broken := time.Now(), errors.New("broken")
		var at []time.Duration
		err := Every(t.Context(), time.Minute, func(context.Context) error {
			if at = append(at, time.Since(began)); len(at) == 3 {
				return broken
			}
			return nil
		})
		if !errors.Is(err, broken) || len(at) != 3 || at[0] != 0 || at[2] != 2*time.Minute {
			t.Errorf("Every = %v after steps at %v", err, at)
		}
	})
}

func TestEveryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Every(ctx, time.Hour, func(ctx context.Context) error {
		cancel()
		return ctx.Err() // a step that was cut off did not fail
	})
	if err != nil {
		t.Errorf("Every = %v, want nil", err)
	}
}

func TestDrainGoesOnUntilNothingIsLeft(t *testing.T) {
	left := 3
	err := Drain(func(context.Context) (bool, error) { left--; return left > 0, nil })(t.Context())
	if err != nil || left != 0 {
		t.Errorf("Drain = %v with %d left", err, left)
	}
}
