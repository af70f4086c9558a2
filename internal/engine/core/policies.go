package core

import (
	"context"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
)

// EachPolicy calls each with every bundle of an account, oldest first; with
// documents, when they are asked for.
func (c *Core) EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error {
	return c.store.EachPolicy(ctx, account, documents, each)
}

// Policy is one bundle of an account.
func (c *Core) Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error) {
	return c.store.Policy(ctx, account, id)
}

// AddPolicy stores a bundle as it was posted, inactive, in place of the one of
// the same id.
func (c *Core) AddPolicy(ctx context.Context, account string, document []byte) (engine.PolicyBundle, error) {
	b, err := bundles.Read(account, document)
	if err != nil {
		return b, err
	}
	if b, err = c.store.PutPolicy(ctx, b); err == nil {
		c.log.InfoContext(ctx, "policy added", "policy", b.ID, "account", account)
	}
	return b, err
}

// UpdatePolicy replaces a bundle that exists and, with active, makes it the
// active one of its account.
func (c *Core) UpdatePolicy(ctx context.Context, account, id string, document []byte, active bool) (engine.PolicyBundle, error) {
	// Asked first, so that an unknown id is told before what is wrong with the
	// document; the store looks again.
	if b, err := c.store.Policy(ctx, account, id); err != nil {
		return b, err
	}
	b, err := bundles.Read(account, document)
	if err != nil {
		return b, err
	}
	b.ID, b.Active = id, active // the record's id counts, whatever the document says
	if b, err = c.store.UpdatePolicy(ctx, b, c.source(engine.Catalog)); err == nil {
		c.log.InfoContext(ctx, "policy updated", "policy", id, "account", account, "active", active)
	}
	return b, err
}

// DeletePolicy forgets a bundle that is not active, and what was evaluated
// with it.
func (c *Core) DeletePolicy(ctx context.Context, account, id string) error {
	err := c.store.DeletePolicy(ctx, account, id)
	if err == nil {
		c.log.InfoContext(ctx, "policy removed", "policy", id, "account", account)
	}
	return err
}
