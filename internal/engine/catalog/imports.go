package catalog

import (
	"context"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/supervise"
)

// ImportStore is what imports ask of the database.
type ImportStore interface {
	FinishImport(ctx context.Context, f engine.FinishImport, src engine.Source) error
	CollectImports(ctx context.Context, keep time.Duration, limit int) (int, error)
}

const (
	importsEvery = time.Minute
	// importsKeep leaves those who wait for the end of an import the time to
	// see it.
	importsKeep  = time.Minute
	importsBatch = 10
	// maxImportTags bounds the names of one image in one import.
	maxImportTags = 1000
)

// FinishImport records the image of an import under all its tags and sends it
// to the analyzers, which read what was uploaded in place of its bytes.
func (c *Catalog) FinishImport(ctx context.Context, f engine.FinishImport, names []string) (engine.Image, error) {
	if len(names) == 0 || len(names) > maxImportTags {
		return engine.Image{}, engine.Invalidf("tags: %d names, expected 1 to %d", len(names), maxImportTags)
	}
	for _, name := range names {
		ref, err := registry.ParseReference(strings.TrimSpace(name))
		if err != nil {
			return engine.Image{}, err
		}
		if ref.Repository == "" || ref.Digest != "" {
			return engine.Image{}, engine.Invalidf("tags: %q is not an image name with a tag", name)
		}
		f.Tags = append(f.Tags, engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: f.Digest})
	}
	if f.ParentDigest == "" {
		f.ParentDigest = f.Digest
	}
	if f.ImageID == "" {
		f.ImageID = string(f.Digest)
	}
	if err := c.Store.FinishImport(ctx, f, c.Source); err != nil {
		return engine.Image{}, err
	}
	c.Log.InfoContext(ctx, "image imported", "account", f.Account, "digest", f.Digest, "import", f.Import, "tags", len(f.Tags))
	return c.Store.Image(ctx, f.Account, string(f.Digest))
}

// CollectImports ends imports that nobody finishes, and removes what was
// uploaded for those that ended, until ctx ends.
func (c *Catalog) CollectImports(ctx context.Context) error {
	return supervise.Every(ctx, importsEvery, func(ctx context.Context) error {
		for {
			n, err := c.Store.CollectImports(ctx, importsKeep, importsBatch)
			if n > 0 {
				c.Log.InfoContext(ctx, "imports collected", "n", n)
			}
			if err != nil || n < importsBatch {
				return err
			}
		}
	})
}
