package core

import (
	"cmp"
	"context"
	"errors"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// Images lists one page of an account's images, newest first, and the cursor
// of the next page.
func (c *Core) Images(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error) {
	return c.store.Images(ctx, account, f)
}

// CountImages counts exactly the images that a filter selects.
func (c *Core) CountImages(ctx context.Context, account string, f engine.ImageFilter) (int, error) {
	return c.store.CountImages(ctx, account, f)
}

// ImageStates counts the active images of an account by state.
func (c *Core) ImageStates(ctx context.Context, account string) (map[engine.AnalysisState]int, error) {
	return c.store.ImageStates(ctx, account)
}

// ImageDistros lists the distributions of the images, and their versions.
func (c *Core) ImageDistros(ctx context.Context, account string, limit int) ([]string, error) {
	return c.store.ImageDistros(ctx, account, limit)
}

// ImageNames lists the registries and repositories with the most tags.
func (c *Core) ImageNames(ctx context.Context, account string, limit int) (registries, repositories []string, err error) {
	return c.store.ImageNames(ctx, account, limit)
}

// Image finds an image by its digest or by that of its index.
func (c *Core) Image(ctx context.Context, account, digest string) (engine.Image, error) {
	return c.store.Image(ctx, account, digest)
}

// ImageByID finds the newest image with an image id.
func (c *Core) ImageByID(ctx context.Context, account, id string) (engine.Image, error) {
	return c.store.ImageByID(ctx, account, id)
}

// ImagesByName lists one page of the images that a name stands for, and the
// cursor of the next: those that carried a tag, newest detection first, or the
// one with a digest or an image id. Of f only the states and the page count.
func (c *Core) ImagesByName(ctx context.Context, account, name string, f engine.ImageFilter) ([]engine.Image, string, error) {
	ref, err := registry.ParseReference(name)
	if err != nil {
		return nil, "", err
	}
	if ref.Digest == "" && ref.ImageID == "" {
		tag := engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag}
		return c.store.ImagesByTag(ctx, account, tag, f)
	}
	var i engine.Image
	if ref.ImageID != "" {
		i, err = c.store.ImageByID(ctx, account, ref.ImageID)
	} else {
		i, err = c.store.Image(ctx, account, ref.Digest)
	}
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil, "", nil
	case err != nil:
		return nil, "", err
	case f.State != "" && i.State != f.State, !f.AnyStatus && i.Status != cmp.Or(f.Status, engine.ImageActive):
		return nil, "", nil
	}
	return []engine.Image{i}, "", nil
}

// EachTagSummary calls each with every tag of images of these statuses.
func (c *Core) EachTagSummary(ctx context.Context, account string, statuses []string, each func(engine.TagSummary) error) error {
	return c.store.EachTagSummary(ctx, account, statuses, each)
}

// Timeline lists the states an image went through, oldest first.
func (c *Core) Timeline(ctx context.Context, account, digest string) ([]engine.StateEntry, error) {
	return c.store.Timeline(ctx, account, digest)
}

// Packages lists an image's packages of one content class, or all.
func (c *Core) Packages(ctx context.Context, account, digest, class string) ([]engine.Package, error) {
	return c.store.Packages(ctx, account, digest, class)
}

// PackagePage lists one page of an image's packages and counts them all.
func (c *Core) PackagePage(ctx context.Context, account, digest string, f engine.PackageFilter) ([]engine.Package, int, error) {
	return c.store.PackagePage(ctx, account, digest, f)
}

// PackageClasses counts an image's packages by content class.
func (c *Core) PackageClasses(ctx context.Context, account, digest string) (map[string]int, error) {
	return c.store.PackageClasses(ctx, account, digest)
}

// Files is the file list of an image.
func (c *Core) Files(ctx context.Context, account, digest string) ([]engine.File, error) {
	return c.store.Files(ctx, account, digest)
}

// FilePage is one page of an image's files.
func (c *Core) FilePage(ctx context.Context, account, digest string, q engine.FileQuery) (engine.FilePage, error) {
	return c.store.FilePage(ctx, account, digest, q)
}

// Document is one of an image's documents by its name.
func (c *Core) Document(ctx context.Context, account, name, digest string) ([]byte, error) {
	return c.store.Document(ctx, account, name, digest)
}

// DocumentGzip is one of an image's documents as gzip.
func (c *Core) DocumentGzip(ctx context.Context, account, name, digest string) ([]byte, error) {
	return c.store.DocumentGzip(ctx, account, name, digest)
}

// Matches lists what an image is affected by, and the id of the data it was
// matched with.
func (c *Core) Matches(ctx context.Context, account, digest string) ([]engine.Match, string, error) {
	return c.store.Matches(ctx, account, digest)
}

// ImageMatches is an image, without its tags, with what it is affected by,
// without descriptions.
func (c *Core) ImageMatches(ctx context.Context, account, digest string) (engine.Image, []engine.Match, error) {
	return c.store.ImageMatches(ctx, account, digest)
}
