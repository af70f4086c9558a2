package core

import (
	"context"

	"windlass/internal/engine"
	"windlass/internal/engine/evaluation"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/supervise"
)

// CheckImage asks a bundle of the image's account, the active one when policy
// is empty, about an analyzed image under a tag, which need not be one of the
// image's. Interactive checks leave no trace.
func (c *Core) CheckImage(ctx context.Context, i engine.Image, tag, policy string, interactive bool) (engine.Evaluation, error) {
	full, err := fullTag(tag)
	if err != nil {
		return engine.Evaluation{}, err
	}
	return c.evaluator.Check(ctx, evaluation.Request{Image: i, Tag: full, Policy: policy, Interactive: interactive})
}

// EachEvaluation calls each with every stored evaluation of an image under a
// tag, newest first: by one bundle, or by all when policy is empty.
func (c *Core) EachEvaluation(ctx context.Context, account, policy, digest, tag string, each func(engine.Evaluation) error) error {
	full, err := fullTag(tag)
	if err != nil {
		return err
	}
	return c.store.EachEvaluation(ctx, account, policy, digest, full, each)
}

// ImageVerdicts lists what the active bundle of an account said last of images.
func (c *Core) ImageVerdicts(ctx context.Context, account string, digests []engine.Digest) ([]engine.ImageVerdict, error) {
	return c.store.ImageVerdicts(ctx, account, digests)
}

// Reevaluation is how far the evaluation of all images of an account by its
// active bundle has come; engine.ErrNotFound when there never was one.
func (c *Core) Reevaluation(ctx context.Context, account string) (engine.Reevaluation, error) {
	return c.store.Reevaluation(ctx, account)
}

// fullTag is a tag as clients write it, in full.
func fullTag(tag string) (string, error) {
	ref, err := registry.ParseReference(tag)
	if err != nil {
		return "", err
	}
	if ref.Repository == "" || ref.Tag == "" {
		return "", engine.Invalidf("tag %q is not the name of an image with a tag", tag)
	}
	return ref.Full(), nil
}

// evaluations makes the worker of the queue of images to evaluate.
func (c *Core) evaluations(s *supervise.Service) *evaluation.Worker {
	return &evaluation.Worker{Queue: c.store, Evaluator: c.evaluator, Log: s.Log}
}
