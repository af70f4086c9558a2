package notify

import (
	"context"
	"time"
)

// trimEvery is how often old notifications are looked for.
const trimEvery = 10 * time.Minute

// Trim calls step, which forgets some old notifications and says how many,
// until none are left, and again regularly until ctx ends.
func Trim(ctx context.Context, step func(context.Context) (int, error)) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		for n := 1; n > 0; {
			var err error
			if n, err = step(ctx); ctx.Err() != nil {
				return nil
			} else if err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
