package core

import (
	"context"

	"windlass/internal/engine"
)

// RematchImage matches an analyzed image anew, from its stored SBOM against
// the active data. Without active data the stored matches stay.
func (c *Core) RematchImage(ctx context.Context, account, digest string) error {
	doc, err := c.store.Document(ctx, account, engine.DocSBOM, digest)
	if err != nil {
		return err
	}
	list, data, err := c.matcher.MatchJSON(ctx, doc)
	if err != nil || data == "" {
		return err
	}
	return c.store.SaveMatches(ctx, account, digest, data, list, c.source(engine.PolicyEngine))
}
