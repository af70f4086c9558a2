package core

import (
	"context"

	"windlass/internal/engine"
)

// ImagesByVuln calls each with every image that a vulnerability affects and
// returns how many there are on all pages.
func (c *Core) ImagesByVuln(ctx context.Context, account string, q engine.VulnQuery, each func(engine.ImageHit) error) (int, error) {
	return c.store.ImagesByVuln(ctx, account, q, each)
}

// ImagesByPackage calls each with every image that holds a package and returns
// how many there are on all pages.
func (c *Core) ImagesByPackage(ctx context.Context, account string, q engine.PackageQuery, each func(engine.ImageHit) error) (int, error) {
	return c.store.ImagesByPackage(ctx, account, q, each)
}

// VulnRecords calls each with the records of the data in use that a query
// selects and returns how many there are on all pages.
func (c *Core) VulnRecords(ctx context.Context, q engine.RecordQuery, each func(engine.VulnRecord) error) (int, error) {
	return c.matcher.Records(ctx, q, each)
}
