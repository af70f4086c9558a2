package evaluation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/supervise"
)

// Queue is what evaluations that nobody waits for ask of the database.
type Queue interface {
	Image(ctx context.Context, account, digest string) (engine.Image, error)
	CountVEX(ctx context.Context, account, digest string) error
	EvaluationTags(ctx context.Context, account, digest string, all bool) ([]engine.EvaluationTag, error)
	FinishJob(ctx context.Context, j engine.Job) error
	EnqueueEvaluations(ctx context.Context, every time.Duration) (bool, error)
	ReevaluationPage(ctx context.Context, account string, limit int) ([]engine.ReevaluationStep, error)
	MoveReevaluation(ctx context.Context, j engine.Job, at engine.ReevaluationStep, done engine.Reevaluation) error
	EndReevaluation(ctx context.Context, j engine.Job) error
	TimedPolicies(ctx context.Context) ([]engine.PolicyBundle, error)
	ReevaluateAfter(ctx context.Context, b engine.PolicyBundle, ended time.Time) (bool, error)
}

// Worker works off the queue of images to evaluate (engine.QueueEvaluate): its
// Handle is a queue.Worker's. A job says that an image was analyzed, that its
// matches are others, or that the active bundle or a VEX document is. What the bundle says now
// goes into the history, for lists to show, and where somebody subscribed an
// event tells when it is something else.
type Worker struct {
	Queue     Queue
	Evaluator *Evaluator
	Log       *slog.Logger
}

// Handle evaluates one image under the tags that its job is about.
func (w *Worker) Handle(ctx context.Context, j engine.Job) error {
	err := w.evaluate(ctx, j)
	switch {
	case err == nil:
	case ctx.Err() != nil || j.Attempt < j.MaxAttempts:
		return err
	default:
		w.Log.ErrorContext(ctx, "evaluation given up", "account", j.Account, "image", j.Subject, "err", err)
	}
	return w.Queue.FinishJob(ctx, j)
}

func (w *Worker) evaluate(ctx context.Context, j engine.Job) error {
	var task engine.PolicyTask
	if err := json.Unmarshal(j.Payload, &task); err != nil {
		return fmt.Errorf("job payload: %w", err)
	}
	_, err := w.image(ctx, j.Account, j.Subject, task.AllTags)
	return err
}

// outcome is what came of evaluating an image.
type outcome struct {
	changed   bool // the final action under one of its tags is another than before
	undecided bool // there is none under one of them
}

// image evaluates one image under the tags that somebody subscribed to, or
// under all that it has.
func (w *Worker) image(ctx context.Context, account, digest string, all bool) (out outcome, err error) {
	img, err := w.Queue.Image(ctx, account, digest)
	if errors.Is(err, engine.ErrNotFound) {
		return out, nil // deleted meanwhile
	}
	if err != nil {
		return out, err
	}
	if string(img.Digest) != digest || img.State != engine.Analyzed || img.Status != engine.ImageActive {
		return out, nil // an analysis that ends asks again
	}
	if err := w.Queue.CountVEX(ctx, account, digest); err != nil {
		return out, err
	}
	tags, err := w.Queue.EvaluationTags(ctx, account, digest, all)
	if err != nil {
		return out, err
	}
	facts := &loaded{}
	for _, t := range tags {
		e, err := w.Evaluator.Check(ctx, Request{Image: img, Tag: t.Tag, Quiet: !t.Subscribed, facts: facts})
		switch {
		case errors.Is(err, engine.ErrNotFound): // no bundle is active, or it cannot decide
			out.undecided = true
			w.Log.DebugContext(ctx, "evaluation skipped", "account", account, "image", img.Digest.Short(), "tag", t.Tag, "err", err)
		case err != nil:
			return out, err
		default:
			out.changed = out.changed || e.Was != "" && e.Was != e.Action
			w.Log.DebugContext(ctx, "evaluation done", "account", account, "image", img.Digest.Short(), "tag", t.Tag, "policy", e.Policy, "action", e.Action)
		}
	}
	return out, nil
}

// watchEvery is the time between evaluations for subscriptions when nothing
// happens: v1's shipped period of its watcher.
const watchEvery = time.Hour

// lookEvery is how often a host looks whether that time has passed.
const lookEvery = time.Minute

// Watch has subscribed images evaluated now and then, since time alone can
// change what a bundle says, and all images when exceptions have ended.
func (w *Worker) Watch(ctx context.Context) error {
	return supervise.Every(ctx, lookEvery, func(ctx context.Context) error {
		done, err := w.Queue.EnqueueEvaluations(ctx, watchEvery)
		if err != nil {
			return err
		}
		if done {
			w.Log.DebugContext(ctx, "policy watch done")
		}
		return w.Expire(ctx)
	})
}
