// Package core assembles the five services over one store and answers what the
// console and the API ask. It is the only package that knows all the others.
package core

import (
	"context"
	"log/slog"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/catalog"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// Core is an embedded engine. It satisfies the console's Engine and the API's
// Backend; the methods of a role stand in the file of its name.
type Core struct {
	store *store.Store
	auth  *accounts.Authenticator
	feeds *feeds.Service
	log   *slog.Logger

	registry *registry.Client
	catalog  *catalog.Catalog
	spool    *analyzer.Spool
}

// Watch calls each with every change after the given number, in order.
func (c *Core) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	return c.store.Watch(ctx, after, each)
}

// LastChange is the number of the newest change.
func (c *Core) LastChange(ctx context.Context) (int64, error) { return c.store.LastChange(ctx) }
