package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// A re-evaluation is one row and one job of an account. The job is leased and
// fenced like any other; the row has the place of the image that was done last,
// so that whoever leases the job next goes on from there. Making another bundle
// active begins anew: it renews the job, which fences off whoever holds it.

// reevaluationSubject is the subject of the one job that an account has.
const reevaluationSubject = "all"

// startReevaluation has every analyzed image of an account evaluated, newest
// first, within the transaction that makes a bundle the active one.
func startReevaluation(ctx context.Context, tx pgx.Tx, b engine.PolicyBundle) error {
	const start = `
		INSERT INTO reevaluations AS r (account, policy, bundle, total)
		SELECT $1, $2, $3, count(*) FROM images WHERE account = $1 AND state = 'analyzed' AND status = 'active'
		ON CONFLICT (account) DO UPDATE
		   SET policy = excluded.policy, bundle = excluded.bundle, total = excluded.total, done = 0, changed = 0, undecided = 0,
		       after_at = DEFAULT, after_pk = DEFAULT, started_at = now(), ended_at = NULL`

	job := engine.Job{Queue: engine.QueueReevaluate, Account: b.Account, Subject: reevaluationSubject, MaxAttempts: evaluateAttempts}
	if err := enqueue(ctx, tx, job); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, start, b.Account, b.ID, b.Digest); err != nil {
		return fmt.Errorf("start re-evaluation: %w", err)
	}
	return nil
}

// ReevaluationPage lists the next images of a running re-evaluation, at most
// limit: none when it is done, or when its bundle is not the active one, or not
// as it was, any more.
func (s *Store) ReevaluationPage(ctx context.Context, account string, limit int) ([]engine.ReevaluationStep, error) {
	const q = `
		SELECT i.digest, i.created_at, i.pk
		  FROM reevaluations r
		  JOIN policies p ON p.account = r.account AND p.id = r.policy AND p.active AND p.digest = r.bundle
		  JOIN images i ON i.account = r.account AND i.state = 'analyzed' AND i.status = 'active'
		 WHERE r.account = $1 AND r.ended_at IS NULL AND (i.created_at, i.pk) < (r.after_at, r.after_pk)
		 ORDER BY i.created_at DESC, i.pk DESC LIMIT $2`

	rows, err := s.pool.Query(ctx, q, account, limit)
	if err != nil {
		return nil, fmt.Errorf("re-evaluation: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (st engine.ReevaluationStep, err error) {
		err = r.Scan(&st.Digest, &st.CreatedAt, &st.Key)
		return st, err
	})
	if err != nil {
		return nil, fmt.Errorf("re-evaluation: %w", domain(err))
	}
	return list, nil
}

// MoveReevaluation notes that images were done, the last of them at.
// engine.ErrLeaseLost when the job is another's by now.
func (s *Store) MoveReevaluation(ctx context.Context, j engine.Job, at engine.ReevaluationStep, done engine.Reevaluation) error {
	const q = `
		UPDATE reevaluations SET done = done + $2, changed = changed + $3, undecided = undecided + $4, after_at = $5, after_pk = $6
		 WHERE account = $1 RETURNING policy`

	return s.inTx(ctx, "move re-evaluation", func(tx pgx.Tx) error {
		if err := holdJob(ctx, tx, j); err != nil {
			return err
		}
		var policy string
		err := tx.QueryRow(ctx, q, j.Account, done.Done, done.Changed, done.Undecided, at.CreatedAt, at.Key).Scan(&policy)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.ErrLeaseLost // the account is going
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeReevaluation, j.Account, policy, nil)
	})
}

// EndReevaluation finishes the job of a re-evaluation that has no more to do.
func (s *Store) EndReevaluation(ctx context.Context, j engine.Job) error {
	const q = `UPDATE reevaluations SET ended_at = now() WHERE account = $1 AND ended_at IS NULL RETURNING policy`

	return s.inTx(ctx, "end re-evaluation", func(tx pgx.Tx) error {
		if err := finishJob(ctx, tx, j); err != nil {
			return err
		}
		var policy string
		err := tx.QueryRow(ctx, q, j.Account).Scan(&policy)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeReevaluation, j.Account, policy, nil)
	})
}

// Reevaluation is the newest re-evaluation of an account, running or ended;
// engine.ErrNotFound before the first.
func (s *Store) Reevaluation(ctx context.Context, account string) (engine.Reevaluation, error) {
	const q = `
		SELECT account, policy, bundle, total, done, changed, undecided, started_at, ended_at FROM reevaluations WHERE account = $1`

	var r engine.Reevaluation
	var ended *time.Time
	err := s.pool.QueryRow(ctx, q, account).Scan(&r.Account, &r.Policy, &r.Bundle, &r.Total, &r.Done, &r.Changed, &r.Undecided, &r.StartedAt, &ended)
	if err != nil {
		return r, fmt.Errorf("re-evaluation: %w", domain(err))
	}
	r.StartedAt, r.EndedAt = r.StartedAt.UTC(), zero(ended)
	return r, nil
}

// TimedPolicies lists the active bundles that hold exceptions which end, without
// their documents, of accounts that are enabled.
func (s *Store) TimedPolicies(ctx context.Context) ([]engine.PolicyBundle, error) {
	const q = `SELECT ` + policyColumnsBare + policyTables + `JOIN accounts a ON a.name = p.account AND a.state = 'enabled'
		WHERE p.active AND position('"expires_on"' IN d.body) > 0 ORDER BY p.account`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("timed policies: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanPolicy)
	if err != nil {
		return nil, fmt.Errorf("timed policies: %w", domain(err))
	}
	return list, nil
}

// ReevaluateAfter begins a re-evaluation by an active bundle because something
// ended at a moment, unless one has begun since. It reports whether it did:
// hosts that ask at once begin one.
func (s *Store) ReevaluateAfter(ctx context.Context, b engine.PolicyBundle, ended time.Time) (bool, error) {
	const hold = `SELECT FROM policies WHERE account = $1 AND id = $2 AND digest = $3 AND active FOR UPDATE`
	const begun = `SELECT EXISTS (SELECT FROM reevaluations WHERE account = $1 AND policy = $2 AND bundle = $3 AND started_at >= $4)`

	did := false
	err := s.inTx(ctx, "re-evaluate", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, hold, b.Account, b.ID, b.Digest)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		var since bool
		if err := tx.QueryRow(ctx, begun, b.Account, b.ID, b.Digest, ended).Scan(&since); err != nil || since {
			return err
		}
		did = true
		if err := startReevaluation(ctx, tx, b); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeReevaluation, b.Account, b.ID, nil)
	})
	return did, err
}
