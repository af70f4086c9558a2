package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// repairBatch is how many images one look for those in need takes on.
const repairBatch = 100

// RepairImages leaves no image in a state without a way out: one that waits or
// is being analyzed with no job to do it is enqueued again, and one whose
// worker was lost as often as is allowed has failed. It reports how many it
// found.
func (s *Store) RepairImages(ctx context.Context, src engine.Source) (int, error) {
	const stray = `
		SELECT i.account, i.digest FROM images i
		 WHERE i.status = 'active' AND i.state IN ('not_analyzed', 'analyzing')
		   AND NOT EXISTS (SELECT FROM jobs j WHERE j.queue = $1 AND j.account = i.account AND j.subject = i.digest)
		 LIMIT $2`
	const spent = `
		SELECT account, subject FROM jobs
		 WHERE queue = $1 AND leased_until < now() AND attempt >= max_attempts LIMIT $2`

	type found struct{ Account, Digest string }
	list := func(q string) ([]found, error) {
		rows, err := s.pool.Query(ctx, q, engine.QueueAnalyze, repairBatch)
		if err != nil {
			return nil, domain(err)
		}
		l, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
		return l, domain(err)
	}
	strays, err := list(stray)
	if err != nil {
		return 0, err
	}
	for _, f := range strays {
		if err := s.RequeueImage(ctx, f.Account, f.Digest); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return 0, err
		}
	}
	dead, err := list(spent)
	if err != nil {
		return 0, err
	}
	for _, f := range dead {
		if err := s.failSpent(ctx, f.Account, f.Digest, src); err != nil {
			return 0, err
		}
	}
	return len(strays) + len(dead), nil
}

// failSpent ends the analysis of an image whose worker was lost in the last
// attempt allowed.
func (s *Store) failSpent(ctx context.Context, account, digest string, src engine.Source) error {
	// Asked anew under the lock of the image, which whoever renews the job
	// holds too.
	const job = `
		SELECT attempt, max_attempts FROM jobs
		 WHERE queue = $1 AND account = $2 AND subject = $3 AND leased_until < now() AND attempt >= max_attempts FOR UPDATE`
	const where = `SELECT stage FROM images WHERE pk = $1`

	return s.inTx(ctx, "give up image", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, account, digest)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err != nil || i.status != engine.ImageActive || i.digest != digest {
			return dropJobs(ctx, tx, account, digest)
		}
		f := engine.Failure{
			Cause: engine.CauseWorkerLost, At: time.Now().UTC(),
			Message: "The analyzer went away at this image in every attempt: it may need more memory than the host has.",
		}
		err = tx.QueryRow(ctx, job, engine.QueueAnalyze, account, digest).Scan(&f.Attempt, &f.Attempts)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if i.state != engine.NotAnalyzed && i.state != engine.Analyzing {
			return dropJobs(ctx, tx, account, digest)
		}
		if err := tx.QueryRow(ctx, where, i.pk).Scan(&f.Stage); err != nil {
			return err
		}
		if err := dropJobs(ctx, tx, account, digest); err != nil {
			return err
		}
		if err := endAttempt(ctx, tx, i, engine.Failed, f, "worker lost"); err != nil {
			return err
		}
		if err := tellFailed(ctx, tx, i, account, f, src); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, account, i.digest, nil)
	})
}
