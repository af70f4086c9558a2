package core

import (
	"context"

	"windlass/internal/engine"
)

// AddImage finds an image in its registry and records it for analysis.
func (c *Core) AddImage(ctx context.Context, a engine.AddImage) (engine.Image, error) {
	ctx, err := c.store.Enter(ctx, a.Account) // a registry may be slow
	if err != nil {
		return engine.Image{}, err
	}
	return c.catalog.AddImage(ctx, a)
}

// DeleteImages marks images for deletion.
func (c *Core) DeleteImages(ctx context.Context, account string, digests []string, force bool) ([]engine.DeleteResult, error) {
	return c.catalog.DeleteImages(ctx, account, digests, force)
}

// Reanalyze sends an image to the analyzers again.
func (c *Core) Reanalyze(ctx context.Context, account, digest string) error {
	return c.catalog.Reanalyze(ctx, account, digest)
}

// CancelAnalysis ends a waiting or running analysis.
func (c *Core) CancelAnalysis(ctx context.Context, account, digest string) error {
	return c.catalog.CancelAnalysis(ctx, account, digest, account)
}
