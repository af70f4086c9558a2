package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// lockImage finds the newest image of a digest, own or of its index, and locks
// its row.
const lockImage = `
	SELECT pk, digest, state, status, task, host FROM images
	 WHERE account = $1 AND (digest = $2 OR parent_digest = $2)
	 ORDER BY created_at DESC, pk DESC LIMIT 1 FOR UPDATE`

type lockedImage struct {
	pk     int64
	digest string
	state  engine.AnalysisState
	status engine.ImageStatus
	task   engine.AnalyzeTask
	host   string
}

func findLocked(ctx context.Context, tx pgx.Tx, account, digest string) (i lockedImage, err error) {
	err = tx.QueryRow(ctx, lockImage, account, digest).Scan(&i.pk, &i.digest, &i.state, &i.status, &i.task, &i.host)
	return i, err
}

// RequeueImage analyzes an image again, whatever its state; an analysis in
// hand is fenced off.
func (s *Store) RequeueImage(ctx context.Context, account, digest string) error {
	return s.inTx(ctx, "analyze again", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, account, digest)
		if err != nil {
			return err
		}
		if err := s.requeue(ctx, tx, i.pk, account, i.digest, i.task, i.host, false); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, account, i.digest, nil)
	})
}

// CancelImage ends a waiting or running analysis: the image becomes
// analysis_failed with the cause cancelled, and its worker finds its lease
// gone. engine.ErrConflict when there is nothing to cancel.
func (s *Store) CancelImage(ctx context.Context, account, digest, by string) error {
	return s.inTx(ctx, "cancel analysis", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, account, digest)
		if err != nil {
			return err
		}
		if i.state != engine.NotAnalyzed && i.state != engine.Analyzing {
			return engine.Conflictf("image %s is %s: there is no analysis to cancel", engine.Digest(i.digest).Short(), i.state)
		}
		return cancelLocked(ctx, tx, i, account, by)
	})
}

// cancelLocked cancels the analysis of an image that waits or is being
// analyzed. It belongs last in its transaction.
func cancelLocked(ctx context.Context, tx pgx.Tx, i lockedImage, account, by string) error {
	const q = `
		UPDATE images SET state = 'analysis_failed', failure = $2, stage = '', worker = '', updated_at = now()
		 WHERE pk = $1 AND state = ANY($3)`

	failure, err := json.Marshal(engine.Failure{Cause: engine.CauseCancelled, Message: "Cancelled by " + by + ".", At: time.Now().UTC()})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q, i.pk, failure, engine.Failed.Before()); err != nil {
		return err
	}
	if err := dropJobs(ctx, tx, account, i.digest); err != nil {
		return err
	}
	if err := noteState(ctx, tx, i.pk, engine.Failed, "cancelled by "+by); err != nil {
		return err
	}
	return record(ctx, tx, engine.ChangeImage, account, i.digest, nil)
}

func dropJobs(ctx context.Context, tx pgx.Tx, account, digest string) error {
	const q = `DELETE FROM jobs WHERE account = $1 AND subject = $2 AND queue = ANY($3)`
	_, err := tx.Exec(ctx, q, account, digest, []string{engine.QueueAnalyze, engine.QueueMatch, engine.QueueEvaluate})
	return err
}

// DeleteImage marks an image for deletion; it leaves the default lists at once
// and its data when the garbage is collected. The result is v1's: an image
// that is being analyzed is refused without force.
func (s *Store) DeleteImage(ctx context.Context, account, digest string, force bool) (engine.DeleteResult, error) {
	const q = `UPDATE images SET status = 'deleting', updated_at = now() WHERE pk = $1`

	result := engine.DeleteResult{Digest: digest, Status: "deleting"}
	err := s.inTx(ctx, "delete image", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, account, digest)
		if err != nil {
			return err
		}
		result.Digest = i.digest
		if i.status == engine.ImageDeleting {
			return nil
		}
		if i.state == engine.Analyzing && !force {
			result.Status, result.Detail = "delete_failed", "cannot delete image that is being analyzed"
			return nil
		}
		if !force {
			key, types, err := subscribed(ctx, tx, i.pk)
			if err != nil {
				return err
			}
			if key != "" {
				result.Status, result.Subscribed = "delete_failed", true
				result.Detail = fmt.Sprintf("cannot delete image that is the newest of %s, which has active subscriptions (%s): deactivate them or use force", key, types)
				return nil
			}
		} else if err := unsubscribe(ctx, tx, i.pk); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q, i.pk); err != nil {
			return err
		}
		if err := dropJobs(ctx, tx, account, i.digest); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImageRemoved, account, i.digest, nil)
	})
	if errors.Is(err, engine.ErrNotFound) {
		return engine.DeleteResult{Digest: digest, Status: "not_found"}, nil
	}
	return result, err
}

// CollectImages removes at most limit images that are marked for deletion,
// with all that hangs on them, and reports how many there were.
func (s *Store) CollectImages(ctx context.Context, limit int) (int, error) {
	const pick = `
		SELECT pk, account, digest, sample FROM images WHERE status = 'deleting'
		 ORDER BY updated_at LIMIT $1 FOR UPDATE SKIP LOCKED`

	n := 0
	err := s.inTx(ctx, "collect images", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, pick, limit)
		if err != nil {
			return err
		}
		type gone struct {
			PK              int64
			Account, Digest string
			Sample          bool
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[gone])
		if err != nil {
			return err
		}
		for _, g := range list {
			if g.Sample { // of which nothing stays
				if err := forgetSubscriptions(ctx, tx, g.PK); err != nil {
					return err
				}
			}
			if err := removeImage(ctx, tx, g.PK, g.Account, g.Digest); err != nil {
				return err
			}
		}
		if n = len(list); n == 0 {
			return nil
		}
		return record(ctx, tx, engine.ChangeImageRemoved, "", "", nil)
	})
	return n, err
}

// removeImage removes an image with all that hangs on it.
func removeImage(ctx context.Context, tx pgx.Tx, image int64, account, digest string) error {
	if err := unsubscribe(ctx, tx, image); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM documents WHERE account = $1 AND key = $2`, account, digest); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM images WHERE pk = $1`, image)
	return err
}

// ReleaseHost gives back every lease that earlier processes of a host hold: a
// process that starts knows that they are dead.
func (s *Store) ReleaseHost(ctx context.Context, host string) error {
	const q = `UPDATE jobs SET leased_until = '-infinity', leased_by = '' WHERE leased_by LIKE $1 || '/%' AND leased_until >= now()`
	if _, err := s.pool.Exec(ctx, q, escapeLike(host)); err != nil {
		return domain(err)
	}
	return nil
}
