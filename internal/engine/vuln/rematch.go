package vuln

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"windlass/internal/engine"
)

// Results is what rematching asks of the store.
type Results interface {
	Document(ctx context.Context, account, bucket, key string) ([]byte, error)
	SaveRematch(ctx context.Context, j engine.Job, data string, list []engine.Match) error
	DropRematch(ctx context.Context, j engine.Job) error
}

// Rematcher works off the queue of images to match again (engine.QueueMatch):
// its Handle is a queue.Worker's.
type Rematcher struct {
	Matcher *Matcher
	Store   Results
	Log     *slog.Logger
}

// Handle matches the stored SBOM of one image with the data in use and stores
// the result with the end of the job. Data that changes meanwhile renews the
// job, which fences this result off.
func (r *Rematcher) Handle(ctx context.Context, j engine.Job) error {
	began := time.Now()
	doc, err := r.Store.Document(ctx, j.Account, engine.DocSBOM, j.Subject)
	if errors.Is(err, engine.ErrNotFound) {
		return r.Store.DropRematch(ctx, j) // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("rematch: %w", err)
	}
	list, data, err := r.Matcher.match(ctx, doc)
	switch {
	case errors.Is(err, engine.ErrInvalid), errors.Is(err, engine.ErrNotFound):
		r.Log.WarnContext(ctx, "rematch skipped", "image", j.Subject, "err", err)
		return r.Store.DropRematch(ctx, j)
	case err != nil:
		return fmt.Errorf("rematch: %w", err)
	}
	if err := r.Store.SaveRematch(ctx, j, data, list); err != nil {
		return err
	}
	r.Log.DebugContext(ctx, "rematch done", "image", j.Subject, "data", data, "matches", len(list), "took", time.Since(began).Round(time.Millisecond))
	return nil
}
