package supervise_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/engine/supervise"
)

var quiet = slog.New(slog.DiscardHandler)

func TestKeepRestartsWithGrowingPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var at []time.Duration
		began := time.Now()
		err := supervise.Keep(ctx, quiet, "t", func(context.Context) error {
			at = append(at, time.Since(began))
			return errors.New("boom")
		}, nil)
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second}
		if err != nil || len(at) != len(want) {
			t.Fatalf("Keep = %v after runs at %v, want nil and %v", err, at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("run %d at %v, want %v", i, at[i], want[i])
			}
		}
	})
}

func TestKeepCatchesPanicsAndForgives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		var pauses []time.Duration
		var failed time.Time
		supervise.Keep(ctx, quiet, "t", func(context.Context) error {
			if runs++; runs > 1 {
				pauses = append(pauses, time.Since(failed))
			}
			switch runs {
			case 3:
				time.Sleep(2 * time.Minute) // a good run, in the bubble's time
			case 5:
				cancel()
				return nil
			}
			panic("boom")
		}, func(error) { failed = time.Now() })
		want := []time.Duration{time.Second, 2 * time.Second, time.Second, 2 * time.Second}
		for i, w := range want {
			if pauses[i] != w {
				t.Errorf("pause %d is %v, want %v", i, pauses[i], w)
			}
		}
	})
}
