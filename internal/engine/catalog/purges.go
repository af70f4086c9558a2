package catalog

import (
	"context"
	"time"

	"windlass/internal/engine/supervise"
)

// purgePoll is how soon a clear asked for in another process is taken up, and
// how exactly a purge keeps to the end of its grace.
const purgePoll = time.Second

// RunPurges works on open clears of the event log until ctx ends: step moves
// one on and reports whether there was one. What is to be cleared is hidden,
// shown again when that is undone, and deleted when the grace has ended.
func RunPurges(ctx context.Context, step func(context.Context) (bool, error)) error {
	return supervise.Every(ctx, purgePoll, supervise.Drain(step))
}
