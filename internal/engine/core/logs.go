package core

import (
	"context"
	"io"

	"windlass/internal/engine"
)

// LogLines selects lines of this host's logs, merged by time.
func (c *Core) LogLines(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	return c.logs.Tail(ctx, q)
}

// FollowLogs calls each with what is written behind a cursor, until ctx ends.
func (c *Core) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	return c.logs.Follow(ctx, q, after, each)
}

// LogFiles lists this host's log files.
func (c *Core) LogFiles(context.Context) ([]engine.LogFile, error) { return c.logs.Files() }

// OpenLogFile opens one of them as it is now.
func (c *Core) OpenLogFile(_ context.Context, name string) (engine.LogFile, io.ReadCloser, error) {
	return c.logs.Open(name)
}
