package evaluation

import (
	"context"
	"reflect"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// judge loads the image's facts and asks the bundle.
func (e *Evaluator) judge(ctx context.Context, out *engine.Evaluation, q Request, b *policy.Bundle, broken error) error {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if b == nil {
		return put(out, q.Image, policy.Verdict{
			Action: policy.Stop, PolicyAction: policy.Stop, Reason: policy.ReasonPolicy,
			Problems: []policy.Problem{{Severity: "error", Type: policy.ProblemValidation, Details: engine.MessageOf(broken, "the document is no bundle")}},
		})
	}
	facts, err := e.load(ctx, q, wanted(b, out.Tag, q.Image))
	if err != nil {
		return err
	}
	out.Facts = e.stamped(facts.version, b, out.At)
	verdict, err := policy.Evaluate(b, out.Tag, &facts.image, out.At)
	if err != nil {
		e.log.WarnContext(ctx, "evaluation failed", "account", out.Account, "policy", out.Policy, "image", out.Digest, "tag", out.Tag, "err", err)
		return engine.NotFoundf("could not find any evaluations for input images")
	}
	return put(out, q.Image, verdict)
}

// loaded is an image as rules look at it.
type loaded struct {
	want    engine.PolicyFactsWanted
	version string
	image   policy.Image
}

// load gives what is wanted of an image; what was loaded for the tag before,
// when that is the same.
func (e *Evaluator) load(ctx context.Context, q Request, want engine.PolicyFactsWanted) (*loaded, error) {
	if q.facts != nil && q.facts.version != "" && reflect.DeepEqual(q.facts.want, want) {
		return q.facts, nil
	}
	facts, err := e.store.PolicyFacts(ctx, q.Image.Account, string(q.Image.Digest), want)
	if err != nil {
		return nil, err
	}
	l := loaded{want: want, version: facts.Version}
	if l.image, err = imageOf(facts); err != nil {
		return nil, err
	}
	if q.facts != nil {
		*q.facts = l
	}
	return &l, nil
}
