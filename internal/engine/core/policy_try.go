package core

import (
	"context"
	"errors"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/evaluation"
	"windlass/internal/engine/policy"
)

// A try answers somebody who waits for it: it looks at so many images at most,
// and no longer than that. What is left is told.
const (
	maxTried   = 50
	tryTime    = 15 * time.Second
	tryNewest  = 20
	tryOneTime = 60 * time.Second // of a single image, however large it is
)

// TryPolicy asks a bundle that need not be stored about images, and the active
// one, or another stored one, beside it. Nothing is kept of it.
func (c *Core) TryPolicy(ctx context.Context, q engine.PolicyTry) (engine.PolicyTrials, error) {
	var out engine.PolicyTrials
	// What could not be stored is not tried either; it is told as it would be
	// told when it is stored.
	read, err := bundles.Read(q.Account, q.Document)
	if err != nil {
		return out, err
	}
	var t evaluation.Trial
	if t.Tried, err = policy.Parse(read.Document); err != nil {
		return out, err
	}
	against, err := c.against(ctx, q)
	if err != nil {
		return out, err
	}
	if out.Against = against.ID; against.ID != "" {
		if t.Against, err = c.evaluator.Parse(against); err != nil {
			t.Against, out.Against = nil, "" // from before bundles were read as now
		}
	}
	images, err := c.triedImages(ctx, q)
	if err != nil {
		return out, err
	}
	if out.Analyzed, err = c.store.CountImages(ctx, q.Account, engine.ImageFilter{State: engine.Analyzed}); err != nil {
		return out, err
	}
	limit := tryTime
	if len(images) == 1 {
		limit = tryOneTime
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for n, img := range images {
		tag := newestTag(img)
		if q.Tag != "" {
			if tag, err = fullTag(q.Tag); err != nil {
				return out, err
			}
		}
		trial, err := c.evaluator.Try(timed, t, img, tag)
		switch {
		case err == nil:
			if len(images) > 1 {
				trial.Tried.Rows = nil // of fifty images they would fill the memory
			}
			out.Trials = append(out.Trials, trial)
		case errors.Is(err, engine.ErrNotFound): // deleted meanwhile
		case timed.Err() != nil && ctx.Err() == nil:
			out.Left = len(images) - n
			return out, nil
		default:
			return out, err
		}
	}
	return out, nil
}

// against is the bundle that a try compares with; without an id, there is none.
func (c *Core) against(ctx context.Context, q engine.PolicyTry) (engine.PolicyBundle, error) {
	if q.Against == "" {
		return c.evaluator.Active(ctx, q.Account)
	}
	b, err := c.store.Policy(ctx, q.Account, q.Against)
	if errors.Is(err, engine.ErrNotFound) {
		return b, engine.NotFoundf("There is no bundle %s to compare with.", q.Against)
	}
	return b, err
}

// triedImages are the images that a try is about.
func (c *Core) triedImages(ctx context.Context, q engine.PolicyTry) ([]engine.Image, error) {
	if len(q.Images) > maxTried || q.Newest > maxTried || q.Newest < 0 {
		return nil, engine.Invalidf("a bundle is tried on %d images at most", maxTried)
	}
	if len(q.Images) == 0 {
		f := engine.ImageFilter{State: engine.Analyzed, Limit: q.Newest}
		if f.Limit == 0 {
			f.Limit = tryNewest
		}
		list, _, err := c.store.Images(ctx, q.Account, f)
		return list, err
	}
	var list []engine.Image
	for _, digest := range q.Images {
		i, err := c.store.Image(ctx, q.Account, digest)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return nil, engine.NotFoundf("There is no image %s.", engine.Digest(digest).Short())
		case err != nil:
			return nil, err
		case i.State != engine.Analyzed:
			return nil, engine.Conflictf("The image %s is not analyzed.", i.Digest.Short())
		}
		list = append(list, i)
	}
	return list, nil
}

// newestTag is the name that an image was given last.
func newestTag(i engine.Image) string {
	if len(i.Tags) == 0 {
		return ""
	}
	return i.Tags[0].Full()
}
