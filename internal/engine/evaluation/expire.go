package evaluation

import (
	"context"
	"errors"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Expire has every image of an account evaluated once an exception of its
// active bundle has ended: what lists show would go on without it otherwise,
// until somebody asks.
func (w *Worker) Expire(ctx context.Context) error {
	list, err := w.Queue.TimedPolicies(ctx)
	if err != nil {
		return err
	}
	for _, b := range list {
		bundle, err := w.Evaluator.timedBundle(ctx, b)
		if err != nil {
			return err
		}
		ended := lastEnd(bundle, w.Evaluator.now())
		if ended.IsZero() {
			continue
		}
		did, err := w.Queue.ReevaluateAfter(ctx, b, ended)
		if err != nil {
			return err
		}
		if did {
			w.Log.InfoContext(ctx, "exception ended", "account", b.Account, "policy", b.ID, "at", ended)
		}
	}
	return nil
}

// timedBundle gives a bundle that a list had without its document; nil when it
// is gone, or none.
func (e *Evaluator) timedBundle(ctx context.Context, b engine.PolicyBundle) (*policy.Bundle, error) {
	e.mu.Lock()
	known := e.parsed[b.Digest]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	b, err := e.store.Policy(ctx, b.Account, b.ID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if err != nil {
		return nil, err
	}
	bundle, _ := e.parse(b)
	return bundle, nil
}

// lastEnd is when an exception of a bundle ended last; zero: none has.
func lastEnd(b *policy.Bundle, now time.Time) (last time.Time) {
	if b == nil {
		return last
	}
	for i := range b.Whitelists {
		for _, item := range b.Whitelists[i].Items {
			if end := item.Expires(); !end.IsZero() && !end.After(now) && end.After(last) {
				last = end
			}
		}
	}
	return last
}
