package catalog

import (
	"context"
	"time"

	"windlass/internal/engine/supervise"
)

// retentionPoll is how soon a run that was asked for in another process begins,
// or one goes on whose host is gone.
const retentionPoll = 5 * time.Second

// Retention deletes what has outlived the rules. What it knows is in the
// database: any number of hosts may run it, one at a time does the work, and
// another goes on when that one dies.
type Retention interface {
	// ScheduleRetention begins the regular run when it is due.
	ScheduleRetention(ctx context.Context) (bool, error)
	// RetentionStep deletes one chunk and reports whether there was any.
	RetentionStep(ctx context.Context, host, worker string) (bool, error)
}

// RunRetention applies the rules until ctx ends.
func RunRetention(ctx context.Context, r Retention, host, worker string) error {
	return supervise.Every(ctx, retentionPoll, func(ctx context.Context) error {
		if _, err := r.ScheduleRetention(ctx); err != nil {
			return err
		}
		return supervise.Drain(func(ctx context.Context) (bool, error) {
			return r.RetentionStep(ctx, host, worker)
		})(ctx)
	})
}
