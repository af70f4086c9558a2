package evaluation

import (
	"context"
	"errors"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// kept is what the bundle said of the image before, when it would say the same
// now.
func (e *Evaluator) kept(ctx context.Context, q Request, record engine.PolicyBundle, bundle *policy.Bundle) (engine.Evaluation, bool, error) {
	if e.always {
		return engine.Evaluation{}, false, nil
	}
	began := time.Now()
	last, err := e.store.LastEvaluation(ctx, q.Image.Account, record.ID, string(q.Image.Digest), q.Tag)
	outcome := "hit"
	switch {
	case errors.Is(err, engine.ErrNotFound):
		outcome = "notfound"
	case err != nil:
		return last, false, err
	case last.BundleDigest != record.Digest || bundle == nil || !intact(last):
		outcome = "invalid"
	default:
		version, err := e.store.PolicyFactsVersion(ctx, q.Image.Account, string(q.Image.Digest))
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return last, false, err
		}
		if last.Facts != e.stamped(version, bundle, e.now()) || expired(bundle, last.At, e.now()) {
			outcome = "stale"
		}
	}
	if e.meter != nil {
		e.meter.EvaluationCache(outcome, time.Since(began))
	}
	return last, outcome == "hit", nil
}

func intact(e engine.Evaluation) bool {
	_, ok := read(e)
	return ok
}

// stamped is the version of the facts, with the hour when the bundle asks for
// the age of something.
func (e *Evaluator) stamped(version string, b *policy.Bundle, now time.Time) string {
	if b == nil || !timed(b) {
		return version
	}
	return version + " " + now.UTC().Format("2006-01-02T15")
}

func timed(b *policy.Bundle) bool {
	for _, p := range b.Policies {
		for _, r := range p.Rules {
			for _, param := range r.Params {
				if strings.HasPrefix(param.Name, "max_days") {
					return true
				}
			}
		}
	}
	return false
}

// expired reports whether an exception of the bundle ended between two moments.
func expired(b *policy.Bundle, from, to time.Time) bool {
	for i := range b.Whitelists {
		for _, item := range b.Whitelists[i].Items {
			if at := item.Expires(); at.After(from) && !at.After(to) {
				return true
			}
		}
	}
	return false
}
