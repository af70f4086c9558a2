package core

import (
	"context"
	"iter"

	"windlass/internal/engine"
)

// AddImport begins an import.
func (c *Core) AddImport(ctx context.Context, account string) (engine.Import, error) {
	return c.store.AddImport(ctx, account)
}

// Import finds one import.
func (c *Core) Import(ctx context.Context, account, id string) (engine.Import, error) {
	return c.store.Import(ctx, account, id)
}

// Imports walks an account's imports, newest first.
func (c *Core) Imports(ctx context.Context, account string) iter.Seq2[engine.Import, error] {
	return c.store.Imports(ctx, account)
}

// InvalidateImport gives an import up.
func (c *Core) InvalidateImport(ctx context.Context, account, id string) (engine.Import, error) {
	return c.store.InvalidateImport(ctx, account, id)
}

// AddImportContent keeps an upload of an import.
func (c *Core) AddImportContent(ctx context.Context, account, id string, content engine.ImportContent, body []byte) (engine.ImportContent, error) {
	return c.store.AddImportContent(ctx, account, id, content, body)
}

// ImportContents lists the uploads of one kind.
func (c *Core) ImportContents(ctx context.Context, account, id string, kind engine.ImportKind) ([]engine.ImportContent, error) {
	return c.store.ImportContents(ctx, account, id, kind)
}

// FinishImport makes an image of an import.
func (c *Core) FinishImport(ctx context.Context, f engine.FinishImport, names []string) (engine.Image, error) {
	return c.catalog.FinishImport(ctx, f, names)
}
