package evaluation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Trial asks a bundle that need not be stored about stored images, and another
// beside it, from the same facts at the same moment. Nothing is kept.
type Trial struct {
	Tried   *policy.Bundle
	Against *policy.Bundle // nil: none
}

// Try asks about one image under a tag. A bundle that cannot decide is told in
// the outcome; an error is that nothing could be asked.
func (e *Evaluator) Try(ctx context.Context, t Trial, img engine.Image, tag string) (engine.PolicyTrial, error) {
	out := engine.PolicyTrial{Image: img.Digest, Tag: tag}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	want := wanted(t.Tried, tag, img)
	if t.Against != nil {
		want = both(want, wanted(t.Against, tag, img))
	}
	facts, err := e.load(ctx, Request{Image: img, Tag: tag}, want)
	if err != nil {
		return out, fmt.Errorf("try %s: %w", img.Digest.Short(), err)
	}
	now := e.now().UTC()
	if out.Tried, out.Fault, err = say(ctx, t.Tried, tag, &facts.image, now); err != nil {
		return out, err
	}
	if t.Against != nil {
		v, fault, err := say(ctx, t.Against, tag, &facts.image, now)
		if err != nil {
			return out, err
		}
		if out.NowFault = fault; fault == "" {
			out.Now = &v
		}
	}
	if out.Fault == "" {
		out.Compare()
	}
	if out.Now != nil {
		out.Now.Rows = nil
	}
	return out, nil
}

// say is a verdict, or why there is none.
func say(ctx context.Context, b *policy.Bundle, tag string, img *policy.Image, now time.Time) (engine.Verdict, string, error) {
	v, err := policy.Evaluate(b, tag, img, now)
	switch {
	case ctx.Err() != nil:
		return engine.Verdict{}, "", ctx.Err()
	case err != nil:
		return engine.Verdict{}, err.Error(), nil
	}
	return VerdictOf(v), "", nil
}

// both is all that either of two bundles looks at.
func both(a, b engine.PolicyFactsWanted) engine.PolicyFactsWanted {
	w := engine.PolicyFactsWanted{Packages: a.Packages || b.Packages, Matches: a.Matches || b.Matches, Files: a.Files || b.Files}
	w.Documents = append(slices.Clone(a.Documents), b.Documents...)
	slices.Sort(w.Documents)
	w.Documents = slices.Compact(w.Documents)
	return w
}

// Parse reads a stored bundle, which is not read anew each time.
func (e *Evaluator) Parse(b engine.PolicyBundle) (*policy.Bundle, error) { return e.parse(b) }

// Active is the bundle that an account's images are checked against, ready to
// be asked; its id is empty where none is active.
func (e *Evaluator) Active(ctx context.Context, account string) (engine.PolicyBundle, error) {
	b, err := e.store.ActivePolicy(ctx, account)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.PolicyBundle{}, nil
	}
	return b, err
}

// VerdictOf is a verdict in the engine's vocabulary.
func VerdictOf(v policy.Verdict) engine.Verdict {
	out := engine.Verdict{Action: string(v.Action), Reason: v.Reason, PolicyAction: string(v.PolicyAction)}
	if v.Mapping != nil {
		out.Mapping = named(&v.Mapping.Selector)
	}
	out.Whitelisted, out.Blacklisted = named(v.Whitelisted), named(v.Blacklisted)
	for _, p := range v.Problems {
		out.Problems = append(out.Problems, p.Details)
	}
	out.Rows = make([]engine.VerdictRow, len(v.Rows))
	for i := range v.Rows {
		out.Rows[i] = rowOf(&v.Rows[i])
	}
	return out
}

func rowOf(r *policy.Row) engine.VerdictRow {
	row := engine.VerdictRow{
		TriggerID: r.TriggerID, Gate: r.Gate, Trigger: r.Trigger, Output: r.Output, Action: string(r.Action), PolicyID: r.PolicyID,
		Why: engine.VerdictWhy{
			RuleID: r.Why.RuleID, Ruled: string(r.Why.Ruled), Record: r.Why.Record, Namespace: r.Why.Namespace, Package: r.Why.Package,
			Path: r.Why.Path, Version: r.Why.Version, Against: r.Why.Against, Fix: r.Why.Fix, Matcher: r.Why.Matcher,
		},
	}
	if x := r.Exception; x != nil {
		row.Exception = &engine.VerdictException{
			WhitelistID: x.WhitelistID, WhitelistName: x.WhitelistName, ItemID: x.ItemID, Reason: x.Reason, ExpiresAt: x.ExpiresAt,
		}
	}
	return row
}

// named is what a rule that chooses images is called.
func named(s *policy.Selector) string {
	switch {
	case s == nil:
		return ""
	case s.Name != "":
		return s.Name
	case s.ID != "":
		return s.ID
	}
	return s.Registry + "/" + s.Repository + " " + s.Type + " " + s.Value
}
