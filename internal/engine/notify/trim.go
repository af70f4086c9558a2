package notify

import (
	"context"
	"time"

	"windlass/internal/engine/supervise"
)

// trimEvery is how often old notifications are looked for.
const trimEvery = 10 * time.Minute

// Trim calls step, which forgets some old notifications and says how many,
// until none are left, and again regularly until ctx ends.
func Trim(ctx context.Context, step func(context.Context) (int, error)) error {
	return supervise.Every(ctx, trimEvery, supervise.Drain(func(ctx context.Context) (bool, error) {
		n, err := step(ctx)
		return n > 0, err
	}))
}
