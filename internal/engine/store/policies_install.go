package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// SetPolicies gives the bundles that every new account begins with.
func (s *Store) SetPolicies(set engine.PolicySet) { s.policies = set }

// installPolicies gives an account its first bundles, within the transaction
// that makes the account. An account is given them once: what it has removed
// since stays removed.
func (s *Store) installPolicies(ctx context.Context, tx pgx.Tx, account string) error {
	const mark = `INSERT INTO policy_installs (account) VALUES ($1) ON CONFLICT DO NOTHING`
	const some = `SELECT EXISTS (SELECT FROM policies WHERE account = $1)`
	const activate = `UPDATE policies SET active = true WHERE account = $1 AND id = $2`

	tag, err := tx.Exec(ctx, mark, account)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	var has bool
	if err := tx.QueryRow(ctx, some, account).Scan(&has); err != nil || has {
		return err
	}
	for _, b := range s.policies.Bundles {
		b.Account = account
		if err := putPolicy(ctx, tx, b); err != nil {
			return fmt.Errorf("policy %s: %w", b.ID, err)
		}
	}
	_, err = tx.Exec(ctx, activate, account, s.policies.Active)
	return err
}

// InstallPolicies gives the first bundles to the accounts that were made
// before this program knew bundles, or by the first start.
func (s *Store) InstallPolicies(ctx context.Context) error {
	const bare = `
		SELECT name FROM accounts a
		 WHERE type <> 'service' AND state <> 'deleting'
		   AND NOT EXISTS (SELECT FROM policy_installs i WHERE i.account = a.name)
		 ORDER BY name`

	rows, err := s.pool.Query(ctx, bare)
	if err != nil {
		return fmt.Errorf("install policies: %w", domain(err))
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("install policies: %w", domain(err))
	}
	for _, name := range names {
		err := s.inTx(ctx, "install policies", func(tx pgx.Tx) error {
			if err := s.installPolicies(ctx, tx, name); err != nil {
				return err
			}
			return record(ctx, tx, engine.ChangePolicy, name, s.policies.Active, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
