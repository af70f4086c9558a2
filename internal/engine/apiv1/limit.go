package apiv1

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// admit lets a heavy request in, or makes it wait a little. Beyond that it is
// told to come back: a queue that only grows serves nobody.
func (s *Server) admit(ctx context.Context) (release func(), err error) {
	release = func() { <-s.heavy }
	select {
	case s.heavy <- struct{}{}:
		return release, nil
	default:
	}
	wait := time.NewTimer(s.opts.HeavyWait)
	defer wait.Stop()
	select {
	case s.heavy <- struct{}{}:
		return release, nil
	case <-wait.C:
		return nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Too many expensive requests are running. Try again shortly."}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
