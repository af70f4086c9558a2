package core

import (
	"context"
	"io"

	"windlass/internal/engine"
)

// LogHosts lists the hosts whose logs can be read, this one first.
func (c *Core) LogHosts(ctx context.Context) ([]engine.LogHost, error) { return c.relay.Hosts(ctx) }

// LogLines selects lines of the logs of all hosts, merged by time.
func (c *Core) LogLines(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	return c.relay.Tail(ctx, q)
}

// FollowLogs calls each with what is written behind a cursor, until ctx ends.
func (c *Core) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	return c.relay.Follow(ctx, q, after, each)
}

// LogFiles lists the log files of all hosts, and the hosts that cannot be
// asked.
func (c *Core) LogFiles(ctx context.Context) ([]engine.LogFile, []engine.LogHostFault, error) {
	return c.relay.Files(ctx)
}

// OpenLogFile opens one of them as it is now.
func (c *Core) OpenLogFile(ctx context.Context, host, name string) (engine.LogFile, io.ReadCloser, error) {
	return c.relay.Open(ctx, host, name)
}
