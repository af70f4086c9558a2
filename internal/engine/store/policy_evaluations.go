package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const (
	evaluationColumns = `e.eval_id, e.account, e.policy, e.digest, e.tag, e.action, e.active, e.facts, e.bundle, d.body, e.encoding, e.result, e.evaluated_at`
	evaluationTables  = `
		  FROM policy_evaluations e
		  LEFT JOIN policy_documents d ON (d.account, d.policy, d.digest) = (e.account, e.policy, e.bundle) `
)

// scanEvaluation reads a row; before takes the columns in front.
func scanEvaluation(r pgx.CollectableRow, before ...any) (e engine.Evaluation, err error) {
	var bundle *string
	var encoding string
	err = r.Scan(append(before, &e.ID, &e.Account, &e.Policy, &e.Digest, &e.Tag, &e.Action, &e.Active, &e.Facts, &e.BundleDigest, &bundle, &encoding, &e.Result, &e.At)...)
	if err != nil {
		return e, err
	}
	e.At = e.At.UTC()
	if bundle != nil {
		e.Bundle = []byte(*bundle)
	}
	// One that cannot be unpacked, as an archive from elsewhere may bring,
	// must not stand in the way of those that follow it.
	if e.Result, err = unpack(e.Result, encoding); err != nil {
		e.Result = nil
	}
	return e, nil
}

func oneEvaluation(r pgx.CollectableRow) (engine.Evaluation, error) { return scanEvaluation(r) }

// LastEvaluation is the newest stored evaluation of an image under a tag by a
// bundle; engine.ErrNotFound when there is none.
func (s *Store) LastEvaluation(ctx context.Context, account, policy, digest, tag string) (engine.Evaluation, error) {
	const q = `SELECT ` + evaluationColumns + evaluationTables + `
		 WHERE e.account = $1 AND e.digest = $3 AND e.tag = $4 AND e.policy = $2
		 ORDER BY e.evaluated_at DESC, e.pk DESC LIMIT 1`

	rows, err := s.pool.Query(ctx, q, account, policy, digest, tag)
	if err != nil {
		return engine.Evaluation{}, fmt.Errorf("last evaluation: %w", domain(err))
	}
	e, err := pgx.CollectExactlyOneRow(rows, oneEvaluation)
	if err != nil {
		return e, fmt.Errorf("last evaluation: %w", domain(err))
	}
	return e, nil
}

// evaluationPage is how many evaluations a walk takes at once: a result may
// have megabytes.
const evaluationPage = 4

// EachEvaluation calls each with every stored evaluation of an image under a
// tag, newest first: by one bundle, or by all when policy is empty.
func (s *Store) EachEvaluation(ctx context.Context, account, policy, digest, tag string, each func(engine.Evaluation) error) error {
	const q = `SELECT e.pk, ` + evaluationColumns + evaluationTables + `
		 WHERE e.account = $1 AND e.digest = $3 AND e.tag = $4 AND ($2 = '' OR e.policy = $2)
		   AND (e.evaluated_at, e.pk) < ($5, $6)
		 ORDER BY e.evaluated_at DESC, e.pk DESC LIMIT $7`

	var at time.Time
	var pk int64
	return inPages("evaluations", evaluationPage, func() (pgx.Rows, error) {
		return s.pool.Query(ctx, q, account, policy, digest, tag, orEndless(at), pk, evaluationPage)
	}, func(r pgx.CollectableRow) (engine.Evaluation, error) {
		e, err := scanEvaluation(r, &pk)
		at = e.At
		return e, err
	}, each)
}

// SaveEvaluation stores an evaluation: in place of the newest of its bundle,
// image and tag when its final action is the same, else as a new entry of the
// history. When the active bundle says something else than an active one said
// last, tell makes the event, which commits with it; nil tells nobody.
//
// engine.ErrConflict when the bundle was replaced meanwhile: what it says now
// has to be found out anew.
func (s *Store) SaveEvaluation(ctx context.Context, e engine.Evaluation, tell func(last engine.Evaluation) (engine.Event, error)) (engine.Evaluation, error) {
	const bundle = `SELECT digest, active FROM policies WHERE account = $1 AND id = $2 FOR SHARE`

	packed, encoding := pack(e.Result)
	err := s.inTx(ctx, "save evaluation", func(tx pgx.Tx) error {
		var digest string
		if err := tx.QueryRow(ctx, bundle, e.Account, e.Policy).Scan(&digest, &e.Active); err != nil {
			return err
		}
		if digest != e.BundleDigest {
			return fmt.Errorf("%w: the bundle was replaced", engine.ErrConflict)
		}
		which := e.Account + " " + string(e.Digest) + " " + e.Tag
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext($2))`, evaluationLock, which); err != nil {
			return err
		}
		last, err := lastActive(ctx, tx, e)
		if err != nil {
			return err
		}
		if last != nil {
			e.Was = last.Action
		}
		added, err := putEvaluation(ctx, tx, &e, packed, encoding)
		if err != nil {
			return err
		}
		if tell != nil && e.Active && last != nil && last.Action != e.Action {
			event, err := tell(*last)
			if err != nil {
				return err
			}
			if err := emit(ctx, tx, event); err != nil {
				return err
			}
		}
		if !added {
			return nil
		}
		return record(ctx, tx, engine.ChangeEvaluation, e.Account, string(e.Digest), nil)
	})
	return e, err
}

// lastActive is what the active bundle of then said last of an image under a
// tag; nil: it was never asked.
func lastActive(ctx context.Context, tx pgx.Tx, e engine.Evaluation) (*engine.Evaluation, error) {
	const q = `SELECT ` + evaluationColumns + evaluationTables + `
		 WHERE e.account = $1 AND e.digest = $2 AND e.tag = $3 AND e.active
		 ORDER BY e.evaluated_at DESC, e.pk DESC LIMIT 1`

	rows, err := tx.Query(ctx, q, e.Account, e.Digest, e.Tag)
	if err != nil {
		return nil, err
	}
	last, err := pgx.CollectExactlyOneRow(rows, oneEvaluation)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	return &last, err
}

// putEvaluation renews the newest record or adds one, and reports which.
func putEvaluation(ctx context.Context, tx pgx.Tx, e *engine.Evaluation, packed []byte, encoding string) (added bool, err error) {
	const newest = `
		SELECT pk, action FROM policy_evaluations
		 WHERE account = $1 AND policy = $2 AND digest = $3 AND tag = $4
		 ORDER BY evaluated_at DESC, pk DESC LIMIT 1`
	const renew = `
		UPDATE policy_evaluations
		   SET active = $2, bundle = $3, facts = $4, encoding = $5, result = $6, evaluated_at = clock_timestamp()
		 WHERE pk = $1 RETURNING evaluated_at`
	const add = `
		INSERT INTO policy_evaluations (account, policy, digest, tag, eval_id, action, active, bundle, facts, encoding, result)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING evaluated_at`

	var pk int64
	var action string
	err = tx.QueryRow(ctx, newest, e.Account, e.Policy, e.Digest, e.Tag).Scan(&pk, &action)
	switch {
	case err == nil && action == e.Action:
		err = tx.QueryRow(ctx, renew, pk, e.Active, e.BundleDigest, e.Facts, encoding, packed).Scan(&e.At)
		return false, err
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return false, err
	}
	err = tx.QueryRow(ctx, add, e.Account, e.Policy, e.Digest, e.Tag, e.ID, e.Action, e.Active, e.BundleDigest, e.Facts,
		encoding, packed).Scan(&e.At)
	return true, err
}

// ImageVerdicts lists what the active bundle of an account said last of images,
// under each tag they were evaluated with. It asks no bundle: an image that was
// not evaluated since another was made active is not in the list.
func (s *Store) ImageVerdicts(ctx context.Context, account string, digests []engine.Digest) ([]engine.ImageVerdict, error) {
	const q = `
		SELECT DISTINCT ON (e.digest, e.tag) e.digest, e.tag, e.action, e.evaluated_at, e.bundle = p.digest
		  FROM policies p JOIN policy_evaluations e ON (e.account, e.policy) = (p.account, p.id)
		 WHERE p.account = $1 AND p.active AND e.digest = ANY($2)
		 ORDER BY e.digest, e.tag, e.evaluated_at DESC, e.pk DESC`

	rows, err := s.pool.Query(ctx, q, account, digests)
	if err != nil {
		return nil, fmt.Errorf("image verdicts: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.ImageVerdict, err error) {
		err = r.Scan(&v.Digest, &v.Tag, &v.Action, &v.At, &v.Current)
		v.At = v.At.UTC()
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("image verdicts: %w", domain(err))
	}
	return list, nil
}
