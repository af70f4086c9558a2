package catalog

import (
	"context"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// checkTag looks which image a tag names now. Only when the registry gives
// another digest than before is the manifest fetched; a new image is added
// with the annotations of the one before it, and who subscribes is told.
func (c *Catalog) checkTag(ctx context.Context, w store.Watched) (store.WatchResult, error) {
	ref, err := registry.ParseReference(w.Key)
	if err != nil || ref.Repository == "" || ref.Digest != "" {
		return store.WatchResult{Error: "the key is not the full name of a tag"}, nil
	}
	creds, err := c.Credentials(ctx, w.Account)
	if err != nil {
		return store.WatchResult{}, err
	}
	missing := func(err error) (store.WatchResult, error) {
		return c.failed(ctx, w, ref, creds, err, c.lookupFailed(w.Account, ref, err))
	}
	head, err := c.Registry.Head(ctx, ref, creds)
	if err != nil {
		return missing(err)
	}
	if head != "" && string(head) == w.Seen {
		return store.WatchResult{}, nil
	}
	newest, err := c.newest(ctx, w.Account, ref)
	if err != nil {
		return store.WatchResult{}, err
	}
	if newest != nil && head != "" && (head == newest.Digest || head == newest.ParentDigest) {
		return store.WatchResult{Seen: string(head)}, nil
	}
	found, err := c.Registry.Resolve(ctx, ref, creds)
	switch {
	case isTooLarge(err):
		// Nothing is seen, so that it is looked at again: the limit may be
		// raised, the image may shrink.
		return store.WatchResult{Error: engine.MessageOf(err, "the image is too large")}, nil
	case err != nil:
		return missing(err)
	}
	result := store.WatchResult{Seen: string(found.ParentDigest)}
	if newest != nil && newest.Digest == found.Digest {
		return result, nil // another index around the same image
	}
	add := newImage(w.Account, ref, ref.Tag, found)
	add.Watch = &w
	if newest != nil {
		add.Annotations = newest.Annotations
	}
	if _, err := c.record(ctx, add); err != nil {
		return store.WatchResult{}, err
	}
	c.Log.InfoContext(ctx, "tag moved", "account", w.Account, "tag", w.Key, "digest", found.Digest)
	return result, nil
}

// newest is the image that a tag was last seen at; nil when there is none.
func (c *Catalog) newest(ctx context.Context, account string, ref registry.Reference) (*engine.Image, error) {
	tag := engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag}
	list, _, err := c.Watches.ImagesByTag(ctx, account, tag, engine.ImageFilter{Limit: 1})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// isTooLarge reports whether an image was found and is beyond the limit.
func isTooLarge(err error) bool {
	return err != nil && strings.HasPrefix(engine.MessageOf(err, ""), "Image size is too large")
}
