package core

import (
	"context"
	"errors"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/policy"
)

// DiagnosePolicy tells all that is wrong with the text of a bundle, at its line.
func (c *Core) DiagnosePolicy(text []byte) []engine.BundleFault { return bundles.Diagnose(text) }

// DefaultPolicy is the text of the bundle that accounts begin with.
func (c *Core) DefaultPolicy() []byte { return policy.Default() }

// EditPolicy changes a bundle, or adds one, on the strength of a version that
// somebody has seen: engine.ErrConflict when it is another by now.
func (c *Core) EditPolicy(ctx context.Context, e engine.PolicyEdit) (engine.PolicyBundle, error) {
	b := engine.PolicyBundle{Account: e.Account, ID: e.ID}
	if e.Document != nil {
		var err error
		if b, err = bundles.Read(e.Account, e.Document); err != nil {
			return b, err
		}
		if e.ID != "" {
			b.ID = e.ID // the record's id counts, whatever the document says
		}
	}
	b.Active = e.Activate
	b, err := c.store.EditPolicy(ctx, b, e.Seen, c.source(engine.Catalog))
	if errors.Is(err, engine.ErrNotFound) {
		return b, engine.NotFoundf("There is no bundle %s. It may have been deleted.", e.ID)
	}
	if err == nil {
		c.log.InfoContext(ctx, "policy edited", "policy", b.ID, "account", e.Account, "active", b.Active)
	}
	return b, err
}

// VerdictCounts is how an account's images stand with its active bundle.
func (c *Core) VerdictCounts(ctx context.Context, account string) (engine.VerdictCounts, error) {
	return c.store.VerdictCounts(ctx, account)
}

// PolicyGates describes every gate that rules may ask.
func (c *Core) PolicyGates() []engine.PolicyGate { return policy.Gates() }
