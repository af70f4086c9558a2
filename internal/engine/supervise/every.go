package supervise

import (
	"context"
	"time"
)

// Every runs step at once and then regularly until ctx ends (nil) or it fails.
func Every(ctx context.Context, pause time.Duration, step func(context.Context) error) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Drain makes of a step that tells whether there was anything one that goes on
// until there is nothing left, or ctx ends.
func Drain(step func(context.Context) (bool, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		for ctx.Err() == nil {
			if more, err := step(ctx); err != nil || !more {
				return err
			}
		}
		return nil
	}
}
