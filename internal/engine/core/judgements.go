package core

import (
	"context"
	"errors"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/evaluation"
)

// Judgement asks a bundle of the image's account, the active one when policy is
// empty, about an analyzed image under a tag. Only with store is the answer
// kept and told of.
func (c *Core) Judgement(ctx context.Context, i engine.Image, tag, policy string, store bool) (engine.Judgement, error) {
	e, err := c.CheckImage(ctx, i, tag, policy, !store)
	if err != nil {
		return engine.Judgement{}, err
	}
	return evaluation.JudgementOf(e), nil
}

// StoredJudgement is the stored evaluation of a moment, as the history lists it.
func (c *Core) StoredJudgement(ctx context.Context, account, digest, tag string, at time.Time) (engine.Judgement, error) {
	var found *engine.Evaluation
	err := c.EachEvaluation(ctx, account, "", digest, tag, func(e engine.Evaluation) error {
		if e.At.Equal(at) {
			found = &e
		}
		if !e.At.After(at) {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return engine.Judgement{}, err
	}
	if found == nil {
		return engine.Judgement{}, engine.NotFoundf("This evaluation is no longer stored: a newer one of the same outcome has taken its place.")
	}
	return evaluation.JudgementOf(*found), nil
}

var errEnough = errors.New("enough")

// JudgementHistory lists stored evaluations of an image under a tag, newest
// first, by all bundles, and whether there are more than limit.
func (c *Core) JudgementHistory(ctx context.Context, account, digest, tag string, limit int) ([]engine.JudgementStep, bool, error) {
	var steps evaluation.Steps
	more := false
	err := c.EachEvaluation(ctx, account, "", digest, tag, func(e engine.Evaluation) error {
		shown := len(steps.List) < limit
		more = more || !shown
		if !shown && !steps.Waiting() {
			return errEnough
		}
		steps.Add(e, shown)
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, err
	}
	return steps.List, more, nil
}
