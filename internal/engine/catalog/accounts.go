package catalog

import (
	"context"
	"time"

	"windlass/internal/engine/supervise"
)

const (
	// cleanEvery is how soon a deletion goes on; v1 took 30 s for each pass.
	cleanEvery = 5 * time.Second
	// cleanBatch is how many things of a kind are removed at once.
	cleanBatch = 2048
	// auditEvery and auditBatch are the pace at which old audit entries go.
	auditEvery = 10 * time.Minute
	auditBatch = 5000
)

// CleanAccounts removes what deleted accounts own, and then them, until ctx
// ends.
func (c *Catalog) CleanAccounts(ctx context.Context) error {
	return supervise.Every(ctx, cleanEvery, c.cleanOnce)
}

// cleanOnce goes round the accounts in deletion until nothing is left to do
// but wait for their images to be collected. Each gets a pass in turn, so that
// a large one does not keep the others.
func (c *Catalog) cleanOnce(ctx context.Context) error {
	for busy := true; busy; {
		names, err := c.Store.DeletingAccounts(ctx)
		if err != nil {
			return err
		}
		busy = false
		for _, name := range names {
			n, gone, err := c.Store.CleanAccount(ctx, name, cleanBatch)
			if err != nil {
				return err
			}
			if gone {
				c.Log.InfoContext(ctx, "account removed", "account", name)
			}
			busy = busy || n > 0
		}
	}
	return nil
}

// TrimAudit returns the work of forgetting audit entries older than keep, until
// ctx ends.
func (c *Catalog) TrimAudit(keep time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		return supervise.Every(ctx, auditEvery, func(ctx context.Context) error {
			for {
				n, err := c.Store.TrimAudit(ctx, keep, auditBatch)
				if err != nil || n < auditBatch {
					return err
				}
			}
		})
	}
}
