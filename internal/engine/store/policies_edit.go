package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// EditPolicy stores a bundle in place of the version whose digest is seen;
// with no digest, a bundle whose id must be free. It stays active if it was, and
// with b.Active becomes so. Without a document the stored one stays.
// engine.ErrConflict when the stored version is another by now.
func (s *Store) EditPolicy(ctx context.Context, b engine.PolicyBundle, seen string, src engine.Source) (engine.PolicyBundle, error) {
	err := s.inTx(ctx, "edit policy", func(tx pgx.Tx) error {
		was, last, err := lockPolicies(ctx, tx, b.Account, b.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound) && seen == "":
			return addPolicy(ctx, tx, b, last, src)
		case err != nil:
			return err
		case seen == "":
			return engine.Conflictf("There is a bundle with the id %s already.", b.ID)
		case was.Digest != seen:
			return engine.Conflictf("This bundle was changed by somebody else in the meantime.")
		}
		if b.Document == nil {
			if b, err = storedPolicy(ctx, tx, b); err != nil {
				return err
			}
		}
		b.Active = b.Active || was.Active
		return replacePolicy(ctx, tx, was, b, last, src)
	})
	if err != nil {
		return b, err
	}
	return s.Policy(ctx, b.Account, b.ID)
}

// addPolicy stores a bundle whose id is free. No row of it could be locked, so
// the insert itself says whether the id still is.
func addPolicy(ctx context.Context, tx pgx.Tx, b engine.PolicyBundle, last *string, src engine.Source) error {
	const q = `
		INSERT INTO policies (account, id, name, description, digest)
		VALUES ($1, $2, NULLIF($3, ''), NULLIF($4, ''), $5) ON CONFLICT (account, id) DO NOTHING`

	if b.Document == nil {
		return engine.ErrNotFound
	}
	tag, err := tx.Exec(ctx, q, b.Account, b.ID, b.Name, b.Description, b.Digest)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return engine.Conflictf("There is a bundle with the id %s already.", b.ID)
	}
	return replacePolicy(ctx, tx, engine.PolicyBundle{ID: b.ID, Digest: b.Digest}, b, last, src)
}

// storedPolicy is the bundle with the document that is stored.
func storedPolicy(ctx context.Context, tx pgx.Tx, b engine.PolicyBundle) (engine.PolicyBundle, error) {
	const q = `SELECT ` + policyColumns + policyTables + `WHERE p.account = $1 AND p.id = $2`

	rows, err := tx.Query(ctx, q, b.Account, b.ID)
	if err != nil {
		return b, err
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanPolicy)
	stored.Active = b.Active
	return stored, err
}
