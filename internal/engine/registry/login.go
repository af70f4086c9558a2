package registry

import (
	"context"

	"windlass/internal/engine"
)

// trades reports whether what is stored of a registry is not what it takes, but
// what its login is fetched with.
func trades(r engine.Registry) bool { return r.Type == "awsecr" }

// trade gives a stored registry the user and password that it takes.
func (c *Client) trade(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	if c.opts.Login == nil {
		return r, nil
	}
	return c.opts.Login(ctx, r)
}
