package core

import "context"

// A lane bounds how many do at once what has whole documents in memory,
// whoever asks: pages and the API share it.
type lane chan struct{}

// enter waits for a place in the lane.
func (l lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
