package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// PutPolicy stores a bundle, in place of the one of the same id. It is
// inactive afterwards, whatever it was: v1 has it so, and a client that adds
// the active bundle again has to activate it again.
func (s *Store) PutPolicy(ctx context.Context, b engine.PolicyBundle) (engine.PolicyBundle, error) {
	err := s.inTx(ctx, "add policy", func(tx pgx.Tx) error {
		if err := putPolicy(ctx, tx, b); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangePolicy, b.Account, b.ID, nil)
	})
	if err != nil {
		return b, err
	}
	return s.Policy(ctx, b.Account, b.ID)
}

func putPolicy(ctx context.Context, tx pgx.Tx, b engine.PolicyBundle) error {
	const q = `
		INSERT INTO policies (account, id, name, description, digest)
		VALUES ($1, $2, NULLIF($3, ''), NULLIF($4, ''), $5)
		ON CONFLICT (account, id) DO UPDATE
		   SET name = excluded.name, description = excluded.description, digest = excluded.digest,
		       active = false, updated_at = now()`

	if _, err := tx.Exec(ctx, q, b.Account, b.ID, b.Name, b.Description, b.Digest); err != nil {
		return err
	}
	return putPolicyDocument(ctx, tx, b)
}

// putPolicyDocument stores the document of a bundle whose row is locked, and
// forgets those of its former ones that no evaluation shows.
func putPolicyDocument(ctx context.Context, tx pgx.Tx, b engine.PolicyBundle) error {
	const put = `
		INSERT INTO policy_documents (account, policy, digest, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, policy, digest) DO UPDATE SET stored_at = now()`
	const trim = `
		DELETE FROM policy_documents d
		 WHERE account = $1 AND policy = $2 AND digest <> $3
		   AND NOT EXISTS (SELECT FROM policy_evaluations e WHERE (e.account, e.policy, e.bundle) = (d.account, d.policy, d.digest))`

	if _, err := tx.Exec(ctx, put, b.Account, b.ID, b.Digest, string(b.Document)); err != nil {
		return fmt.Errorf("policy document: %w", err)
	}
	_, err := tx.Exec(ctx, trim, b.Account, b.ID, b.Digest)
	return err
}

// errDeactivate is worded as clients know it.
var errDeactivate = &engine.Fault{Kind: engine.ErrConflict, Message: "cannot deactivate an active policy - can only activate an inactive policy"}

// UpdatePolicy stores a bundle in place of the one of its id, active when
// b.Active says so: all others are inactive then. engine.ErrNotFound when there
// is none, engine.ErrConflict when it would deactivate the active one.
func (s *Store) UpdatePolicy(ctx context.Context, b engine.PolicyBundle, src engine.Source) (engine.PolicyBundle, error) {
	err := s.inTx(ctx, "update policy", func(tx pgx.Tx) error {
		was, last, err := lockPolicies(ctx, tx, b.Account, b.ID)
		if err != nil {
			return err
		}
		if was.Active && !b.Active {
			return errDeactivate
		}
		return replacePolicy(ctx, tx, was, b, last, src)
	})
	if err != nil {
		return b, err
	}
	return s.Policy(ctx, b.Account, b.ID)
}

// replacePolicy puts a bundle in place of what it was, whose row is locked with
// all of the account; last is the id of the active one.
func replacePolicy(ctx context.Context, tx pgx.Tx, was, b engine.PolicyBundle, last *string, src engine.Source) error {
	const q = `
		UPDATE policies SET name = NULLIF($3, ''), description = NULLIF($4, ''), digest = $5, active = $6, updated_at = now()
		 WHERE account = $1 AND id = $2`

	if b.Active && last != nil && *last != b.ID {
		if err := deactivate(ctx, tx, b.Account); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, q, b.Account, b.ID, b.Name, b.Description, b.Digest, b.Active); err != nil {
		return err
	}
	if err := putPolicyDocument(ctx, tx, b); err != nil {
		return err
	}
	// The jobs before the announcements, whose lock comes last.
	if b.Active && (!was.Active || was.Digest != b.Digest) {
		if err := startReevaluation(ctx, tx, b); err != nil {
			return err
		}
		if err := enqueueSubscribed(ctx, tx, b.Account); err != nil {
			return err
		}
	}
	if err := emitPolicy(ctx, tx, was, b, last, src); err != nil {
		return err
	}
	return record(ctx, tx, engine.ChangePolicy, b.Account, b.ID, nil)
}

// lockPolicies locks all bundles of an account, so that no two are made active
// at once, and gives the one of an id as it stands and the id of the active
// one; nil: none is.
func lockPolicies(ctx context.Context, tx pgx.Tx, account, id string) (was engine.PolicyBundle, active *string, err error) {
	const q = `SELECT id, active, digest FROM policies WHERE account = $1 ORDER BY id FOR UPDATE`

	rows, err := tx.Query(ctx, q, account)
	if err != nil {
		return was, nil, err
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (b engine.PolicyBundle, err error) {
		err = r.Scan(&b.ID, &b.Active, &b.Digest)
		return b, err
	})
	if err != nil {
		return was, nil, err
	}
	err = engine.ErrNotFound
	for _, b := range list {
		if b.ID == id {
			was, err = b, nil
		}
		if b.Active {
			active = &b.ID
		}
	}
	return was, active, err
}

func deactivate(ctx context.Context, tx pgx.Tx, account string) error {
	_, err := tx.Exec(ctx, `UPDATE policies SET active = false, updated_at = now() WHERE account = $1 AND active`, account)
	return err
}

// emitPolicy tells that another bundle is active, or that the active one says
// something else.
func emitPolicy(ctx context.Context, tx pgx.Tx, was, now engine.PolicyBundle, last *string, src engine.Source) error {
	switch {
	case now.Active && !was.Active:
		return emit(ctx, tx, engine.NewEvent(engine.EvPolicyActivated, now.Account, now.ID, map[string]any{
			"last_policy_bundle_id": last, "current_policy_bundle_id": now.ID,
		}, src))
	case now.Active && was.Digest != now.Digest:
		return emit(ctx, tx, engine.NewEvent(engine.EvPolicyContentChanged, now.Account, now.ID, map[string]any{
			"policy_id": now.ID, "last_policy_bundle_digest": was.Digest, "current_policy_bundle_digest": now.Digest,
		}, src))
	}
	return nil
}

// DeletePolicy forgets a bundle and what was evaluated with it.
// engine.ErrNotFound when there is none, engine.ErrConflict while it is active.
func (s *Store) DeletePolicy(ctx context.Context, account, id string) error {
	return s.inTx(ctx, "delete policy", func(tx pgx.Tx) error {
		if !isStorable(id) {
			return engine.ErrNotFound
		}
		was, _, err := lockPolicies(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if was.Active {
			return engine.Conflictf("cannot delete an active policy - activate a different policy then delete this one")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM policies WHERE account = $1 AND id = $2`, account, id); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangePolicy, account, id, nil)
	})
}
