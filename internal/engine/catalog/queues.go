package catalog

import (
	"context"
	"time"

	"windlass/internal/engine/supervise"
)

// QueueStore is what the catalog asks of the queues.
type QueueStore interface {
	SampleQueues(ctx context.Context) error
	QueueMark(ctx context.Context) (string, error)
	AnnounceQueues(ctx context.Context) error
}

// sampleEvery makes two samples a minute: the one of a minute keeps the most.
const sampleEvery = 30 * time.Second

// watchQueuesEvery is how late at most a page tells of other accounts' messages.
const watchQueuesEvery = time.Second

// SampleQueues keeps the history of the queues.
func (c *Catalog) SampleQueues(ctx context.Context) error {
	return supervise.Every(ctx, sampleEvery, c.Store.SampleQueues)
}

// WatchQueues announces that messages came, went or were leased. What enqueues
// a message does not: its announcement would stand in the way of everybody
// else's until it commits.
func (c *Catalog) WatchQueues(ctx context.Context) error {
	last := ""
	return supervise.Every(ctx, watchQueuesEvery, func(ctx context.Context) error {
		mark, err := c.Store.QueueMark(ctx)
		if err != nil || mark == last {
			return err
		}
		last = mark
		return c.Store.AnnounceQueues(ctx)
	})
}
