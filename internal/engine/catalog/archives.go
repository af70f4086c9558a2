package catalog

import (
	"context"
	"errors"
	"iter"

	"windlass/internal/engine"
	"windlass/internal/engine/archive"
	"windlass/internal/engine/store"
)

// ArchiveStore is what the archive asks of the database.
type ArchiveStore interface {
	ArchiveImage(ctx context.Context, account, digest, msg string, src engine.Source) error
	DeleteArchived(ctx context.Context, account, digest, msg string, src engine.Source) error
	RestoreImage(ctx context.Context, account string, c *archive.Contents, matches []engine.Match, data, msg string, src engine.Source) error
	ArchiveRules(ctx context.Context, account string, global bool) ([]engine.ArchiveRule, error)
	TagRecords(ctx context.Context, account string) iter.Seq2[store.TagRecord, error]
	ArchivedTagRecords(ctx context.Context, account string) iter.Seq2[store.TagRecord, error]
	ImagesBeyond(ctx context.Context, account string, maxImages, limit int) ([]int64, error)
	LockArchiveRules(ctx context.Context) (release func(), ok bool, err error)
	Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error)
}

// ArchiveImages archives the analyses of images, one after the other, and
// reports what became of each. The images stay.
func (c *Catalog) ArchiveImages(ctx context.Context, account string, digests []string) ([]engine.ArchiveResult, error) {
	results := make([]engine.ArchiveResult, 0, len(digests))
	for _, d := range digests {
		r := engine.ArchiveResult{Digest: d, Status: string(engine.Archived), Detail: "Completed successfully"}
		err := c.archive(ctx, account, d, "Archived by API request")
		var f *engine.Fault
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, err
		case errors.Is(err, engine.ErrConflict) && errors.As(err, &f):
			r.Status, r.Detail = or(f.Detail["status"], "error"), f.Message
		default:
			r.Status, r.Detail = "error", engine.MessageOf(err, "the image could not be archived")
		}
		results = append(results, r)
	}
	return results, nil
}

func or(v any, otherwise string) string {
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	return otherwise
}

// archive archives one image and tells of a failure that is not the request's
// own.
func (c *Catalog) archive(ctx context.Context, account, digest, msg string) error {
	err := c.Store.ArchiveImage(ctx, account, digest, msg, c.Source)
	var f *engine.Fault
	switch {
	case err == nil:
		c.Log.InfoContext(ctx, "image archived", "account", account, "digest", digest)
		return nil
	case errors.As(err, &f), ctx.Err() != nil:
		return err
	}
	c.Log.ErrorContext(ctx, "image archive failed", "account", account, "digest", digest, "err", err)
	return c.told(ctx, engine.EvImageArchiveFailed, account, digest, err)
}

// DeleteArchived removes an image from the archive.
func (c *Catalog) DeleteArchived(ctx context.Context, account, digest, msg string) error {
	err := c.Store.DeleteArchived(ctx, account, digest, msg, c.Source)
	var f *engine.Fault
	switch {
	case err == nil:
		c.Log.InfoContext(ctx, "archived image deleted", "account", account, "digest", digest)
		return nil
	case errors.Is(err, engine.ErrNotFound), errors.As(err, &f), ctx.Err() != nil:
		return err
	}
	return c.told(ctx, engine.EvArchivedDeleteFailed, account, digest, err)
}

// RestoreImage makes an analyzed image of an archive, with matches found in
// the data of that id.
func (c *Catalog) RestoreImage(ctx context.Context, account string, a *archive.Contents, matches []engine.Match, data string) (engine.Image, error) {
	err := c.Store.RestoreImage(ctx, account, a, matches, data, "Restored by API request", c.Source)
	switch {
	case errors.Is(err, engine.ErrConflict), err != nil && ctx.Err() != nil:
		return engine.Image{}, err
	case err != nil:
		return engine.Image{}, c.RestoreFailed(ctx, account, a.Image.Digest, err)
	}
	c.Log.InfoContext(ctx, "image restored", "account", account, "digest", a.Image.Digest, "matches", len(matches), "feed_data", data)
	return c.Store.Image(ctx, account, a.Image.Digest)
}

// RestoreFailed records why an archived image did not come back, and gives the
// error back.
func (c *Catalog) RestoreFailed(ctx context.Context, account, digest string, err error) error {
	c.Log.ErrorContext(ctx, "image restore failed", "account", account, "digest", digest, "err", err)
	return c.told(ctx, engine.EvRestoreFailed, account, digest, err)
}

// told records the event of a failure and gives the error back.
func (c *Catalog) told(ctx context.Context, event, account, id string, err error) error {
	e := engine.NewEvent(event, account, id, map[string]any{"error": engine.MessageOf(err, "an error of this program; the catalog's log says more")}, c.Source)
	if also := c.Store.AddEvent(context.WithoutCancel(ctx), e); also != nil {
		return errors.Join(err, also)
	}
	return err
}
