package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const grantColumns = `r.user_name, u.account, r.account, r.role, r.granted_by, r.created_at`

func scanGrant(row pgx.CollectableRow) (g engine.RoleGrant, err error) {
	err = row.Scan(&g.User, &g.UserAccount, &g.Account, &g.Role, &g.GrantedBy, &g.CreatedAt)
	g.CreatedAt = g.CreatedAt.UTC()
	return g, err
}

// maxGrants bounds the list of roles given in one account. A page shows them
// whole; whoever gives more to more people wants accounts.
const maxGrants = 10_000

// RoleGrants lists the roles that were given in an account, by user; of one
// user where one is named.
func (s *Store) RoleGrants(ctx context.Context, account, user string) ([]engine.RoleGrant, error) {
	const q = `
		SELECT ` + grantColumns + ` FROM user_roles r JOIN users u ON u.name = r.user_name
		 WHERE r.account = $1 AND ($2 = '' OR r.user_name = $2) ORDER BY r.user_name, r.role LIMIT $3`

	rows, err := s.pool.Query(ctx, q, account, user, maxGrants)
	if err != nil {
		return nil, fmt.Errorf("roles: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanGrant)
	if err != nil {
		return nil, fmt.Errorf("roles: %w", domain(err))
	}
	return list, nil
}

// SetRoles makes roles those of a user in an account, and no others. The
// change is announced as the user's.
func (s *Store) SetRoles(ctx context.Context, account, user string, roles []engine.Role, by string) error {
	const lock = `SELECT account FROM users WHERE name = $1 FOR UPDATE`
	const state = `SELECT state FROM accounts WHERE name = $1 FOR SHARE`
	const drop = `DELETE FROM user_roles WHERE account = $1 AND user_name = $2 AND role <> ALL($3)`
	const add = `
		INSERT INTO user_roles (user_name, account, role, granted_by)
		SELECT $2, $1, role, $4 FROM unnest($3::text[]) AS role
		ON CONFLICT DO NOTHING`

	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return s.inTx(ctx, "set roles", func(tx pgx.Tx) error {
		var home string
		var st engine.AccountState
		if err := tx.QueryRow(ctx, state, account).Scan(&st); err != nil {
			return err
		}
		if st == engine.AccountDeleting {
			return engine.Invalidf("Account %s is being deleted", account)
		}
		if err := tx.QueryRow(ctx, lock, user).Scan(&home); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, drop, account, user, names); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, add, account, user, names, by); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, home, user, nil)
	})
}
