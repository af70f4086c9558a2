package core

import (
	"context"
	"io"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// UploadImage takes an OCI or docker archive and records its image under tag;
// without one, under the name that the archive gives. The archive stays in
// this host's spool, so the analysis is this host's to do. size is what the
// client announced, -1 when unknown.
func (c *Core) UploadImage(ctx context.Context, account, tag string, size int64, r io.Reader) (engine.Image, error) {
	ctx, err := c.store.Enter(ctx, account)
	if err != nil {
		return engine.Image{}, err
	}
	var ref registry.Reference
	if tag = strings.TrimSpace(tag); tag != "" {
		if ref, err = uploadName(tag); err != nil {
			return engine.Image{}, err
		}
		tag = ref.Full()
	}
	found, err := c.registry.OpenArchive(ctx, r, c.spool.Uploads(), tag)
	if err != nil {
		return engine.Image{}, err
	}
	if tag == "" {
		if ref, err = uploadName(found.Name); err != nil {
			return engine.Image{}, engine.Invalidf("The archive does not name its image: give it a tag.")
		}
	}
	c.log.InfoContext(ctx, "archive received", "account", account, "image", ref.Full(), "digest", found.Digest, "bytes", size)
	return c.catalog.AddResolved(ctx, store.NewImage{
		Account: account, Digest: found.Digest, ParentDigest: found.ParentDigest, ID: found.ImageID, Manifest: found.Manifest,
		Tag:  engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: ref.Tag, Digest: found.Digest},
		Task: engine.AnalyzeTask{Source: engine.FromUpload, Layout: strings.TrimPrefix(string(found.Digest), "sha256:")},
	})
}

func uploadName(tag string) (registry.Reference, error) {
	ref, err := registry.ParseReference(tag)
	if err != nil {
		return ref, err
	}
	if ref.Repository == "" || ref.Digest != "" {
		return ref, engine.Invalidf("tag: %q is not an image name with a tag", tag)
	}
	return ref, nil
}
