// Package catalog keeps the life of images and services: it adds images, sends
// them to the analyzers, collects what was deleted, watches the heartbeats of
// all services, and tends the event log.
//
// Every loop here may run in several processes at once: each step is one
// guarded statement or transaction, so a second catalog finds nothing left to
// do. It never holds a lock while it talks to a registry.
package catalog

import (
	"context"
	"log/slog"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// Store is what the catalog asks of the database.
type Store interface {
	Image(ctx context.Context, account, digest string) (engine.Image, error)
	PutImage(ctx context.Context, n store.NewImage) (bool, error)
	RequeueImage(ctx context.Context, account, digest string) error
	CancelImage(ctx context.Context, account, digest, by string) error
	DeleteImage(ctx context.Context, account, digest string, force bool) (engine.DeleteResult, error)
	CollectImages(ctx context.Context, limit int) (int, error)
	RepairImages(ctx context.Context, src engine.Source) (int, error)
	SilentServices(ctx context.Context, age time.Duration) ([]store.SilentService, error)
	MarkService(ctx context.Context, v engine.Service, to engine.ServiceState, seen time.Time, cause string, src engine.Source) error
	RemoveService(ctx context.Context, name, host, cause string, src engine.Source) error
	TrimChanges(ctx context.Context, keep time.Duration) error
	TrimServiceHistory(ctx context.Context) (int64, error)
	DeletingAccounts(ctx context.Context) ([]string, error)
	CleanAccount(ctx context.Context, name string, limit int) (removed int, gone bool, err error)
	TrimAudit(ctx context.Context, keep time.Duration, limit int) (int, error)
	DrawCounts(ctx context.Context) error
	AddEvent(ctx context.Context, e engine.Event) error
	ImportStore
	ArchiveStore
	QueueStore
}

// Registry finds images and tags.
type Registry interface {
	Resolve(ctx context.Context, ref registry.Reference, creds []engine.Registry) (registry.Resolved, error)
	Head(ctx context.Context, ref registry.Reference, creds []engine.Registry) (engine.Digest, error)
	Tags(ctx context.Context, ref registry.Reference, creds []engine.Registry) (registry.Tags, error)
	Verify(ctx context.Context, r engine.Registry) error
}

// Catalog is the service's work without its listener.
type Catalog struct {
	Store       Store
	Registry    Registry
	Credentials func(ctx context.Context, account string) ([]engine.Registry, error)
	Watches     Watches
	Holder      string // of the leases of watchers: host/process
	Host        string
	Source      engine.Source
	Log         *slog.Logger
	// ArchiveDryRun: the regular run of the archive rules only logs.
	ArchiveDryRun bool
}

// DeleteImages marks images for deletion and reports what became of each.
func (c *Catalog) DeleteImages(ctx context.Context, account string, digests []string, force bool) ([]engine.DeleteResult, error) {
	results := make([]engine.DeleteResult, 0, len(digests))
	for _, d := range digests {
		r, err := c.Store.DeleteImage(ctx, account, d, force)
		if err != nil {
			return nil, err
		}
		c.Log.InfoContext(ctx, "image delete", "account", account, "digest", d, "status", r.Status)
		results = append(results, r)
	}
	return results, nil
}

// Reanalyze sends an image to the analyzers again.
func (c *Catalog) Reanalyze(ctx context.Context, account, digest string) error {
	if err := c.Store.RequeueImage(ctx, account, digest); err != nil {
		return err
	}
	c.Log.InfoContext(ctx, "image requeued", "account", account, "digest", digest)
	return nil
}

// CancelAnalysis ends a waiting or running analysis.
func (c *Catalog) CancelAnalysis(ctx context.Context, account, digest, by string) error {
	if err := c.Store.CancelImage(ctx, account, digest, by); err != nil {
		return err
	}
	c.Log.InfoContext(ctx, "analysis cancelled", "account", account, "digest", digest, "by", by)
	return nil
}
