package core

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"windlass/internal/engine"
	"windlass/internal/engine/archive"
	"windlass/internal/engine/spool"
)

// maxArchiveFile is above what an archive may hold unpacked, so that a larger
// one cannot be read anyway.
const maxArchiveFile = 1<<30 + 64<<20

// ArchiveImages archives the analyses of images.
func (c *Core) ArchiveImages(ctx context.Context, account string, digests []string) ([]engine.ArchiveResult, error) {
	return c.catalog.ArchiveImages(ctx, account, digests)
}

// ArchivedImages walks an account's archive, newest first.
func (c *Core) ArchivedImages(ctx context.Context, account string) iter.Seq2[engine.ArchivedImage, error] {
	return c.store.ArchivedImages(ctx, account)
}

// ArchivedImage finds an archived image.
func (c *Core) ArchivedImage(ctx context.Context, account, digest string) (engine.ArchivedImage, error) {
	return c.store.ArchivedImage(ctx, account, digest)
}

// OpenArchived gives the file of an archived image and how long it is.
func (c *Core) OpenArchived(ctx context.Context, account, digest string) (io.Reader, int64, error) {
	return c.store.OpenArchived(ctx, account, digest)
}

// DeleteArchived removes an image from the archive.
func (c *Core) DeleteArchived(ctx context.Context, account, digest string) error {
	return c.catalog.DeleteArchived(ctx, account, digest, "Deleted by API request")
}

// ArchiveSummary counts what is archived.
func (c *Core) ArchiveSummary(ctx context.Context, account string) (engine.ArchiveSummary, error) {
	return c.store.ArchiveSummary(ctx, account)
}

// AddArchiveRule stores a rule.
func (c *Core) AddArchiveRule(ctx context.Context, r engine.ArchiveRule) (engine.ArchiveRule, error) {
	return c.store.AddArchiveRule(ctx, r)
}

// ArchiveRules lists an account's rules and, where asked, those for all.
func (c *Core) ArchiveRules(ctx context.Context, account string, global bool) ([]engine.ArchiveRule, error) {
	return c.store.ArchiveRules(ctx, account, global)
}

// ArchiveRule finds a rule of an account, or one for all.
func (c *Core) ArchiveRule(ctx context.Context, account, id string) (engine.ArchiveRule, error) {
	return c.store.ArchiveRule(ctx, account, id)
}

// RemoveArchiveRule removes a rule.
func (c *Core) RemoveArchiveRule(ctx context.Context, account, id string) error {
	return c.store.RemoveArchiveRule(ctx, account, id)
}

// ApplyArchiveRules applies the rules to one account now.
func (c *Core) ApplyArchiveRules(ctx context.Context, account string, dry bool) (engine.ArchiveRun, error) {
	return c.catalog.ApplyArchiveRules(ctx, account, dry)
}

// RestoreArchived makes an image of its archived analysis, which stays.
func (c *Core) RestoreArchived(ctx context.Context, account, digest string) (engine.Image, error) {
	release, err := c.archives.enter(ctx)
	if err != nil {
		return engine.Image{}, err
	}
	defer release()
	a, err := c.store.ReadArchived(ctx, account, digest)
	if err != nil {
		return engine.Image{}, err
	}
	return c.restore(ctx, account, a)
}

// ImportArchive takes the file of an archived analysis, or else that of an
// image: what came is told by its first bytes. restored reports whether it was
// an analysis and its manifest could be read.
func (c *Core) ImportArchive(ctx context.Context, account string, r io.Reader) (i engine.Image, restored bool, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if !archive.Is(br) {
		i, err = c.UploadImage(ctx, account, "", -1, br)
		return i, false, err
	}
	// Whoever sends it slowly does so without keeping others waiting.
	f, err := spool.File(c.spool.Temporary(), br, maxArchiveFile)
	if err != nil {
		return i, true, err
	}
	defer f.Close()
	release, err := c.archives.enter(ctx)
	if err != nil {
		return i, false, err
	}
	defer release()
	a, err := archive.Read(f)
	if err != nil {
		return i, !errors.Is(err, engine.ErrConflict), err
	}
	a.Disown()
	i, err = c.restore(ctx, account, a)
	return i, true, err
}

// restore matches the SBOM of an archive against the active data before it
// becomes an image. Where that data is not on this host the image is queued to
// be matched.
func (c *Core) restore(ctx context.Context, account string, a *archive.Contents) (engine.Image, error) {
	// Said early, and for certain when it is stored.
	if i, err := c.store.Image(ctx, account, a.Image.Digest); err == nil && string(i.Digest) == a.Image.Digest && i.Status == engine.ImageActive {
		return engine.Image{}, fmt.Errorf("restore image: %w", engine.ErrConflict)
	}
	matches, data, err := c.match(ctx, a.Documents[engine.DocSBOM])
	if err != nil {
		return engine.Image{}, c.catalog.RestoreFailed(ctx, account, a.Image.Digest, err)
	}
	return c.catalog.RestoreImage(ctx, account, a, matches, data)
}

// match is the matcher's answer; a panic of it over a foreign document is an
// error.
func (c *Core) match(ctx context.Context, doc []byte) (list []engine.Match, data string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = engine.Invalidf("The SBOM of the archive cannot be matched.")
			c.log.ErrorContext(ctx, "match panic", "panic", fmt.Sprint(p))
		}
	}()
	return c.matcher.MatchJSON(ctx, doc)
}
