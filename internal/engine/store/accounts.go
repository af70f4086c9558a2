package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// Login finds a user with its account and password hash.
func (s *Store) Login(ctx context.Context, user string) (engine.Login, error) {
	const q = `
		SELECT u.name, u.uuid::text, COALESCE(u.password_hash, ''), u.created_at, u.updated_at,
		       a.name, COALESCE(a.email, ''), a.type, a.state, a.created_at, a.updated_at
		  FROM users u JOIN accounts a ON a.name = u.account
		 WHERE u.name = $1`

	var l engine.Login
	err := s.pool.QueryRow(ctx, q, user).Scan(&l.User.Name, &l.User.UUID, &l.Hash, &l.User.CreatedAt, &l.User.UpdatedAt,
		&l.Account.Name, &l.Account.Email, &l.Account.Type, &l.Account.State, &l.Account.CreatedAt, &l.Account.UpdatedAt)
	if err != nil {
		return engine.Login{}, fmt.Errorf("login: %w", domain(err))
	}
	l.User.Account = l.Account.Name
	return l, nil
}

// Account finds an account by name.
func (s *Store) Account(ctx context.Context, name string) (engine.Account, error) {
	const q = `SELECT name, COALESCE(email, ''), type, state, created_at, updated_at FROM accounts WHERE name = $1`

	var a engine.Account
	err := s.pool.QueryRow(ctx, q, name).Scan(&a.Name, &a.Email, &a.Type, &a.State, &a.CreatedAt, &a.UpdatedAt)
	if err != nil {
		return engine.Account{}, fmt.Errorf("account: %w", domain(err))
	}
	return a, nil
}

// FirstAccounts makes the account and user admin and the system's own account
// and user where they are missing. It reports whether the user admin was: a
// user that exists keeps its password.
func (s *Store) FirstAccounts(ctx context.Context, email, hash string) (bool, error) {
	const accounts = `
		INSERT INTO accounts (name, email, type)
		VALUES ($1, NULLIF($2, ''), 'admin'), ($3, NULL, 'service')
		ON CONFLICT (name) DO NOTHING`
	const system = `INSERT INTO users (name, account) VALUES ($1, $1) ON CONFLICT (name) DO NOTHING`
	const admin = `INSERT INTO users (name, account, password_hash) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`

	var created bool
	err := s.inTx(ctx, "first accounts", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, accounts, engine.AdminAccount, email, engine.SystemAccount); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, system, engine.SystemAccount); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, admin, engine.AdminUser, engine.AdminAccount, hash)
		if err != nil {
			return err
		}
		if created = tag.RowsAffected() == 1; !created {
			return nil
		}
		return record(ctx, tx, engine.ChangeAccount, engine.AdminAccount, engine.AdminUser, nil)
	})
	return created, err
}

// SetPassword replaces a user's password hash.
func (s *Store) SetPassword(ctx context.Context, user, hash string) error {
	const q = `UPDATE users SET password_hash = $2, updated_at = clock_timestamp() WHERE name = $1 RETURNING account`

	return s.inTx(ctx, "set password", func(tx pgx.Tx) error {
		var account string
		if err := tx.QueryRow(ctx, q, user, hash).Scan(&account); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, account, user, nil)
	})
}

// SettingOnce gives a setting that all processes of one engine share. The
// first to ask stores value; all others get that one.
func (s *Store) SettingOnce(ctx context.Context, key, value string) (string, error) {
	const add = `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`
	const get = `SELECT value FROM settings WHERE key = $1`

	// Two statements: one with RETURNING would not see a row that a racing
	// process commits meanwhile.
	if _, err := s.pool.Exec(ctx, add, key, value); err != nil {
		return "", fmt.Errorf("setting %s: %w", key, domain(err))
	}
	if err := s.pool.QueryRow(ctx, get, key).Scan(&value); err != nil {
		return "", fmt.Errorf("setting %s: %w", key, domain(err))
	}
	return value, nil
}
