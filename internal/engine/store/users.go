package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// grantsOfUser gives the roles of the user u as JSON.
const grantsOfUser = `
	COALESCE((SELECT jsonb_agg(jsonb_build_object('Account', r.account, 'Role', r.role, 'Enabled', ra.state = 'enabled'))
	            FROM user_roles r JOIN accounts ra ON ra.name = r.account
	           WHERE r.user_name = u.name), '[]')`

const loginColumns = `
	u.name, u.uuid::text, COALESCE(u.password_hash, ''), u.created_at, u.updated_at,
	a.name, COALESCE(a.email, ''), a.type, a.state, a.created_at, a.updated_at, ` + grantsOfUser

func scanLogin(r pgx.CollectableRow) (l engine.Login, err error) {
	err = r.Scan(&l.User.Name, &l.User.UUID, &l.Hash, &l.User.CreatedAt, &l.User.UpdatedAt,
		&l.Account.Name, &l.Account.Email, &l.Account.Type, &l.Account.State, &l.Account.CreatedAt, &l.Account.UpdatedAt, &l.Grants)
	l.User.Account = l.Account.Name
	return l, err
}

// Login finds a user with its account, roles and password hash.
func (s *Store) Login(ctx context.Context, user string) (engine.Login, error) {
	const q = `SELECT ` + loginColumns + ` FROM users u JOIN accounts a ON a.name = u.account WHERE u.name = $1`
	return s.login(ctx, q, user)
}

// LoginByUUID is Login by what never is another user's again.
func (s *Store) LoginByUUID(ctx context.Context, uuid string) (engine.Login, error) {
	const q = `SELECT ` + loginColumns + ` FROM users u JOIN accounts a ON a.name = u.account WHERE u.uuid = $1::uuid`
	return s.login(ctx, q, uuid)
}

func (s *Store) login(ctx context.Context, q string, args ...any) (engine.Login, error) {
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return engine.Login{}, fmt.Errorf("login: %w", domain(err))
	}
	l, err := pgx.CollectExactlyOneRow(rows, scanLogin)
	if err != nil {
		return engine.Login{}, fmt.Errorf("login: %w", domain(err))
	}
	return l, nil
}

// User finds a user of an account.
func (s *Store) User(ctx context.Context, account, name string) (engine.Login, error) {
	const q = `
		SELECT ` + loginColumns + ` FROM users u JOIN accounts a ON a.name = u.account
		 WHERE u.account = $1 AND u.name = $2`

	if !isStorable(account) || !isStorable(name) {
		return engine.Login{}, fmt.Errorf("user: %w", engine.ErrNotFound)
	}
	return s.login(ctx, q, account, name)
}

// Users lists one page of an account's users by name and the cursor of the
// next page; empty when there is none.
func (s *Store) Users(ctx context.Context, account string, f engine.UserFilter) (list []engine.Login, next string, err error) {
	const q = `
		SELECT ` + loginColumns + ` FROM users u JOIN accounts a ON a.name = u.account
		 WHERE u.account = $1 AND u.name > $2 ORDER BY u.name LIMIT $3`

	limit := pageSize(f.Limit)
	rows, err := s.pool.Query(ctx, q, account, f.After, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("users: %w", domain(err))
	}
	if list, err = pgx.CollectRows(rows, scanLogin); err != nil {
		return nil, "", fmt.Errorf("users: %w", domain(err))
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].User.Name
	}
	return list, next, nil
}

// AddUser makes a user of an account: engine.ErrNotFound without that account,
// engine.ErrConflict when any account has a user of that name.
func (s *Store) AddUser(ctx context.Context, account, name, hash string) error {
	// The account's row is held, so that its deletion cannot pass by.
	const lock = `SELECT state FROM accounts WHERE name = $1 FOR SHARE`
	const add = `INSERT INTO users (name, account, password_hash) VALUES ($1, $2, $3)`

	return s.inTx(ctx, "add user", func(tx pgx.Tx) error {
		var state engine.AccountState
		if err := tx.QueryRow(ctx, lock, account).Scan(&state); err != nil {
			return err
		}
		if state == engine.AccountDeleting {
			return engine.Invalidf("Account %s is being deleted", account)
		}
		if _, err := tx.Exec(ctx, add, name, account, hash); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, account, name, nil)
	})
}

// RemoveUser deletes a user of an account with its sessions, roles and tokens.
func (s *Store) RemoveUser(ctx context.Context, account, name string) error {
	const q = `DELETE FROM users WHERE account = $1 AND name = $2`
	return s.alterUser(ctx, "remove user", account, name, q, account, name)
}

// SetPassword replaces a user's password hash; empty: the user cannot log in
// by password any more. Console logins by the old one end.
func (s *Store) SetPassword(ctx context.Context, account, user, hash string) error {
	const q = `
		WITH ended AS (
			DELETE FROM sessions WHERE user_name IN (SELECT name FROM users WHERE account = $1 AND name = $2))
		UPDATE users SET password_hash = NULLIF($3, ''), updated_at = clock_timestamp()
		 WHERE account = $1 AND name = $2`
	return s.alterUser(ctx, "set password", account, user, q, account, user, hash)
}

// alterUser runs a statement about one user and announces it; engine.ErrNotFound
// when it found nobody.
func (s *Store) alterUser(ctx context.Context, what, account, user, q string, args ...any) error {
	return s.inTx(ctx, what, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, args...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.ErrNotFound
		}
		return record(ctx, tx, engine.ChangeAccount, account, user, nil)
	})
}
