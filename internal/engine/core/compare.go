package core

import (
	"context"
	"errors"

	"windlass/internal/engine"
	"windlass/internal/engine/compare"
)

// wholeHands bounds how many lists of files and whole SBOMs are in memory at
// once: each may have some hundred megabytes.
const wholeHands = 2

// CompareImages tells what changed from one analyzed image to another of the
// same account. Files are compared when withFiles says so: their lists are long.
func (c *Core) CompareImages(ctx context.Context, before, after engine.Image, withFiles bool) (engine.Comparison, error) {
	if withFiles {
		leave, err := c.wholes.enter(ctx)
		if err != nil {
			return engine.Comparison{}, err
		}
		defer leave()
	}
	verdicts, err := c.store.ImageVerdicts(ctx, after.Account, []engine.Digest{before.Digest, after.Digest})
	if err != nil {
		return engine.Comparison{}, err
	}
	var sides [2]compare.Side
	for n, i := range []engine.Image{before, after} {
		if i.State != engine.Analyzed {
			return engine.Comparison{}, engine.NotFoundf("image is not analyzed - analysis_status: %s", i.State)
		}
		if sides[n], err = c.side(ctx, i, withFiles); err != nil {
			return engine.Comparison{}, err
		}
		sides[n].Verdict = verdictOf(i, verdicts)
	}
	return compare.Images(sides[0], sides[1], withFiles), nil
}

func (c *Core) side(ctx context.Context, i engine.Image, withFiles bool) (compare.Side, error) {
	s := compare.Side{Image: i}
	digest := string(i.Digest)
	var err error
	if s.Packages, err = c.store.Packages(ctx, i.Account, digest, ""); err != nil {
		return s, err
	}
	if s.Matches, _, err = c.Matches(ctx, i.Account, digest); err != nil {
		return s, err
	}
	if s.Config, err = c.store.Document(ctx, i.Account, engine.DocConfig, digest); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return s, err
	}
	if withFiles { // an imported image has none
		if s.Files, err = c.store.Files(ctx, i.Account, digest); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return s, err
		}
	}
	return s, nil
}

// verdictOf is the verdict under the image's newest tag that has one.
func verdictOf(i engine.Image, list []engine.ImageVerdict) *engine.ImageVerdict {
	for _, t := range i.Tags {
		for n := range list {
			if list[n].Digest == i.Digest && list[n].Tag == t.Full() {
				return &list[n]
			}
		}
	}
	return nil
}
