package core

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// Queues tells the state of every queue; its messages are counted of one
// account, or of all with an empty one.
func (c *Core) Queues(ctx context.Context, account string) (engine.QueueBoard, error) {
	return c.store.Queues(ctx, account)
}

// QueueHistory lists the spans of a queue since a moment, oldest first.
func (c *Core) QueueHistory(ctx context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error) {
	return c.store.QueueHistory(ctx, queue, since, span)
}

// PauseQueue stops a queue from being worked off; what is running goes on.
func (c *Core) PauseQueue(ctx context.Context, queue, by, reason string) error {
	if !engine.KnownQueue(queue) {
		return engine.NotFoundf("There is no queue %s.", queue)
	}
	err := c.store.PauseQueue(ctx, queue, by, reason)
	if err == nil {
		c.log.InfoContext(ctx, "queue paused", "queue", queue, "by", by, "reason", reason)
	}
	return err
}

// ResumeQueue lets a queue be worked off again.
func (c *Core) ResumeQueue(ctx context.Context, queue string) error {
	if !engine.KnownQueue(queue) {
		return engine.NotFoundf("There is no queue %s.", queue)
	}
	err := c.store.ResumeQueue(ctx, queue)
	if err == nil {
		c.log.InfoContext(ctx, "queue resumed", "queue", queue)
	}
	return err
}

// Messages lists one page of messages, the oldest first.
func (c *Core) Messages(ctx context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error) {
	return c.store.Messages(ctx, f)
}

// CountMessages counts exactly.
func (c *Core) CountMessages(ctx context.Context, f engine.MessageFilter) (int, error) {
	return c.store.CountMessages(ctx, f)
}

// Message is one message of an account, or of any with an empty one.
func (c *Core) Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error) {
	return c.store.Message(ctx, account, id)
}

// AlterMessages does something to the messages of a filter that it applies to.
func (c *Core) AlterMessages(ctx context.Context, do engine.MessageAction, f engine.MessageFilter, by string) (done engine.MessagesDone, err error) {
	switch do {
	case engine.MessageRetry:
		done, err = c.store.RetryMessages(ctx, f)
	case engine.MessageRelease:
		done, err = c.store.ReleaseMessages(ctx, f)
	case engine.MessageDrop:
		done, err = c.store.DropMessages(ctx, f, by)
	default:
		return done, engine.Invalidf("There is no action %q on messages.", do)
	}
	if err == nil {
		c.log.InfoContext(ctx, "messages altered", "action", do, "by", by, "queue", f.Queue, "messages", done.Done)
	}
	return done, err
}

// UndoDrop puts the messages of a drop back.
func (c *Core) UndoDrop(ctx context.Context, account, batch string) (int, error) {
	return c.store.UndoDrop(ctx, account, batch)
}
