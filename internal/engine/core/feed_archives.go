package core

import (
	"context"
	"io"
	"path"
	"regexp"
	"strings"

	"windlass/internal/engine"
)

var checksumText = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// ImportFeeds takes in an archive and installs it in the background. The name is
// for the history; checksum may be empty.
func (c *Core) ImportFeeds(ctx context.Context, archive io.Reader, name, checksum string, flush bool) error {
	a, err := uploadOf(engine.FeedArchive{Source: name, Checksum: checksum, Flush: flush})
	if err != nil {
		return err
	}
	return c.feeds.StartImport(ctx, archive, a)
}

// OpenFeedArchive begins an upload whose bytes are to come; a.Source is the
// file's name.
func (c *Core) OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error) {
	a, err := uploadOf(a)
	if err != nil {
		return a, err
	}
	if a.Size < 0 || a.Size > engine.MaxFeedArchive {
		return a, engine.Invalidf("The archive has %d bytes; no vulnerability database has more than %d.", a.Size, int64(engine.MaxFeedArchive))
	}
	return c.store.OpenFeedArchive(ctx, a)
}

// uploadOf names an upload for the history and checks what was said of it.
func uploadOf(a engine.FeedArchive) (engine.FeedArchive, error) {
	name := path.Base(strings.ReplaceAll(strings.ToValidUTF8(a.Source, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 200 {
		name = string(r[:200])
	}
	if name == "." || name == "/" {
		name = "archive"
	}
	a.Source = "upload: " + name
	if a.Checksum = strings.ToLower(strings.TrimSpace(a.Checksum)); a.Checksum != "" {
		a.Checksum = "sha256:" + strings.TrimPrefix(a.Checksum, "sha256:")
		if !checksumText.MatchString(a.Checksum) {
			return a, engine.Invalidf("A checksum is sha256: and 64 hexadecimal digits.")
		}
	}
	return a, nil
}

// FeedArchives lists the uploads that are not installed.
func (c *Core) FeedArchives(ctx context.Context) ([]engine.FeedArchive, error) {
	return c.store.FeedArchives(ctx)
}

// FeedArchive is one upload.
func (c *Core) FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error) {
	return c.store.FeedArchive(ctx, id)
}

// AppendFeedArchive takes in bytes of an upload from an offset on.
func (c *Core) AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error) {
	return c.store.AppendFeedArchive(ctx, id, at, r)
}

// InstallFeedArchive begins to install an upload that is complete.
func (c *Core) InstallFeedArchive(ctx context.Context, id string, flush bool) error {
	return c.feeds.StartArchive(ctx, id, flush)
}

// DropFeedArchive discards an upload, unless it is being installed.
func (c *Core) DropFeedArchive(ctx context.Context, id string) error {
	a, err := c.store.FeedArchive(ctx, id)
	if err != nil {
		return err
	}
	if a.State == engine.FeedArchiveInstalling {
		last, err := c.store.FeedSyncs(ctx, 1)
		if err != nil {
			return err
		}
		if len(last) > 0 && last[0].Status == "running" {
			return engine.Conflictf("The upload is being installed: cancel the sync first.")
		}
	}
	return c.store.DropFeedArchive(ctx, id)
}
