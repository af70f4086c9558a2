package evaluation

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"windlass/internal/engine"
)

// Another active bundle may say something else of every image of its account,
// of which there may be a hundred thousand. They are walked through in the
// background by one hand, newest first, in pages: after each page the place is
// stored with what was done, so that a crash costs one page, and a bundle made
// active meanwhile is seen before the next.

// reevaluationPage is how many images are evaluated between two looks.
const reevaluationPage = 25

// restPart is the part of the time a page took that is rested after it, so
// that those who wait for an answer find the database and a core free.
const restPart = 4

// Reevaluate goes on with the re-evaluation of an account until it is done, or
// another bundle was made active: it handles the jobs of
// engine.QueueReevaluate. An error that may pass leaves the job to be offered
// again.
func (w *Worker) Reevaluate(ctx context.Context, j engine.Job) error {
	began := time.Now()
	var all engine.Reevaluation
	for {
		list, err := w.Queue.ReevaluationPage(ctx, j.Account, reevaluationPage)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		at := time.Now()
		done, err := w.page(ctx, j.Account, list)
		if err != nil {
			return err
		}
		if err := w.Queue.MoveReevaluation(ctx, j, list[len(list)-1], done); err != nil {
			return err
		}
		all.Done, all.Changed, all.Undecided = all.Done+done.Done, all.Changed+done.Changed, all.Undecided+done.Undecided
		if err := rest(ctx, time.Since(at)/restPart); err != nil {
			return err
		}
	}
	if err := w.Queue.EndReevaluation(ctx, j); err != nil {
		return err
	}
	w.Log.InfoContext(ctx, "re-evaluation done", "account", j.Account, "images", all.Done, "changed", all.Changed,
		"undecided", all.Undecided, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// page evaluates images under all their tags. One that cannot be evaluated must
// not stand in the way of those that follow: only what has nothing to do with
// the image itself is an error.
func (w *Worker) page(ctx context.Context, account string, list []engine.ReevaluationStep) (done engine.Reevaluation, err error) {
	for _, step := range list {
		out, err := w.guarded(ctx, account, string(step.Digest))
		switch {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, engine.ErrUnavailable), errors.Is(err, engine.ErrConflict):
			return done, err
		default:
			out.undecided = true
			w.Log.ErrorContext(ctx, "evaluation failed", "account", account, "image", step.Digest, "err", err)
		}
		done.Done++
		if out.changed {
			done.Changed++
		}
		if out.undecided {
			done.Undecided++
		}
	}
	return done, nil
}

// guarded turns a panic into an error of its image.
func (w *Worker) guarded(ctx context.Context, account, digest string) (out outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.image(ctx, account, digest, true)
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
