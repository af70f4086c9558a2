package catalog

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// maxDockerfile bounds a submitted Dockerfile, decoded.
const maxDockerfile = 1 << 20

// AddImage finds an image in its registry and records it; its analysis is
// enqueued when it is new, forced, failed or was being deleted. Adding an
// analyzed image is idempotent. A registry that does not give the image is a
// Fault with a REGISTRY_* code, and an event.
func (c *Catalog) AddImage(ctx context.Context, a engine.AddImage) (engine.Image, error) {
	ref, tag, err := names(a)
	if err != nil {
		return engine.Image{}, err
	}
	if err := checkDockerfile(a.Dockerfile); err != nil {
		return engine.Image{}, err
	}
	found, err := c.resolve(ctx, a.Account, ref)
	if err != nil {
		return engine.Image{}, err
	}
	if err := c.admit(ctx, a, found); err != nil {
		return engine.Image{}, err
	}
	source := a.Source
	if source == "" {
		source = engine.FromRegistry
	}
	n := newImage(a.Account, ref, tag, found)
	n.Task.Source = source
	n.Dockerfile, n.Annotations, n.CreatedAt = a.Dockerfile, a.Annotations, a.CreatedAt
	n.Force, n.AutoSubscribe = a.Force, a.AutoSubscribe
	return c.record(ctx, n)
}

// newImage is the record of an image that was found in a registry.
func newImage(account string, ref registry.Reference, tag string, found registry.Resolved) store.NewImage {
	return store.NewImage{
		Account: account, Digest: found.Digest, ParentDigest: found.ParentDigest, ID: found.ImageID,
		Tag:      engine.ImageTag{Registry: ref.Registry, Repository: ref.Repository, Tag: tag, Digest: found.Digest},
		Manifest: found.Manifest,
		Task:     engine.AnalyzeTask{Source: engine.FromRegistry, Pull: ref.Registry + "/" + ref.Repository + "@" + string(found.Digest)},
	}
}

// AddResolved records an image whose bytes are already held by this host, such
// as an upload.
func (c *Catalog) AddResolved(ctx context.Context, n store.NewImage) (engine.Image, error) {
	n.Host = c.Host
	return c.record(ctx, n)
}

func (c *Catalog) record(ctx context.Context, n store.NewImage) (engine.Image, error) {
	n.Source = c.Source
	enqueued, err := c.Store.PutImage(ctx, n)
	if err != nil {
		return engine.Image{}, err
	}
	c.Log.InfoContext(ctx, "image added", "account", n.Account, "digest", n.Digest, "tag", n.Tag.Full(), "enqueued", enqueued)
	return c.Store.Image(ctx, n.Account, string(n.Digest))
}

// names reads the pull strings of a request: what to ask the registry for and
// the tag to record.
func names(a engine.AddImage) (registry.Reference, string, error) {
	if a.Digest == "" {
		ref, err := registry.ParseReference(a.Tag)
		if err != nil {
			return ref, "", err
		}
		if ref.Repository == "" || ref.Digest != "" {
			return ref, "", engine.Invalidf("tag: %q is not an image name with a tag", a.Tag)
		}
		return ref, ref.Tag, nil
	}
	ref, err := registry.ParseReference(a.Digest)
	if err != nil {
		return ref, "", err
	}
	byTag, err := registry.ParseReference(a.Tag)
	if err != nil {
		return ref, "", err
	}
	switch {
	case ref.Digest == "":
		return ref, "", engine.Invalidf("digest: %q holds no digest", a.Digest)
	case byTag.Repository == "" || byTag.Digest != "":
		return ref, "", engine.Invalidf("tag: %q is not an image name with a tag", a.Tag)
	case ref.Repository == "":
		ref.Registry, ref.Repository = byTag.Registry, byTag.Repository
	case ref.Registry != byTag.Registry || ref.Repository != byTag.Repository:
		return ref, "", engine.Invalidf("tag: %q and digest %q name different repositories", a.Tag, a.Digest)
	}
	return ref, byTag.Tag, nil
}

func checkDockerfile(b64 string) error {
	if b64 == "" {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return engine.Invalidf("dockerfile: not base64: %v", err)
	}
	if len(text) > maxDockerfile {
		return engine.Invalidf("dockerfile: %d bytes, at most %d are taken", len(text), maxDockerfile)
	}
	return nil
}

func (c *Catalog) resolve(ctx context.Context, account string, ref registry.Reference) (registry.Resolved, error) {
	creds, err := c.Credentials(ctx, account)
	if err != nil {
		return registry.Resolved{}, err
	}
	found, err := c.Registry.Resolve(ctx, ref, creds)
	if err == nil {
		return found, nil
	}
	var f *engine.Fault
	if !errors.As(err, &f) || ctx.Err() != nil {
		return found, err
	}
	if isTooLarge(err) {
		return found, err
	}
	c.Log.WarnContext(ctx, "image lookup failed", "account", account, "image", ref.String(), "err", err)
	e := c.lookupFailed(account, ref, err)
	if err := c.Store.AddEvent(ctx, e); err != nil {
		return found, fmt.Errorf("%w (and the event was not stored: %w)", f, err)
	}
	return found, err
}

// lookupFailed is the event of a registry that did not give an image.
func (c *Catalog) lookupFailed(account string, ref registry.Reference, err error) engine.Event {
	return engine.NewEvent(engine.EvRegistryLookupFailed, account, ref.String(), failureDetails(err), c.Source)
}

// failureDetails is what events tell of a registry's failure.
func failureDetails(err error) map[string]any {
	var f *engine.Fault
	if !errors.As(err, &f) {
		return nil
	}
	return map[string]any{"cause": f.Message, "error_codes": f.Codes}
}

// admit applies the rules that depend on whether the image is known already.
func (c *Catalog) admit(ctx context.Context, a engine.AddImage, found registry.Resolved) error {
	if a.Dockerfile == "" && (a.Digest == "" || !a.Force) {
		return nil
	}
	_, err := c.Store.Image(ctx, a.Account, string(found.Digest))
	known := err == nil
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	switch {
	case a.Dockerfile != "" && known && !a.Force:
		return &engine.Fault{
			Kind:    engine.ErrInvalid,
			Message: "Cannot provide dockerfile content when re-adding an image without force=true for re-analysis",
			Detail:  map[string]any{"digest": string(found.Digest), "tag": a.Tag},
		}
	case a.Digest != "" && a.Force && !known:
		return engine.Invalidf("image digest must already exist to force re-analyze using tag+digest")
	}
	return nil
}
