package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const accountColumns = `name, COALESCE(email, ''), type, state, created_at, updated_at`

func scanAccount(r pgx.CollectableRow) (a engine.Account, err error) {
	err = r.Scan(&a.Name, &a.Email, &a.Type, &a.State, &a.CreatedAt, &a.UpdatedAt)
	return a, err
}

// Account finds an account by name.
func (s *Store) Account(ctx context.Context, name string) (engine.Account, error) {
	const q = `SELECT ` + accountColumns + ` FROM accounts WHERE name = $1`

	if !isStorable(name) { // a name from a header or path, which nothing has checked
		return engine.Account{}, fmt.Errorf("account: %w", engine.ErrNotFound)
	}
	rows, err := s.pool.Query(ctx, q, name)
	if err != nil {
		return engine.Account{}, fmt.Errorf("account: %w", domain(err))
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if err != nil {
		return engine.Account{}, fmt.Errorf("account: %w", domain(err))
	}
	return a, nil
}

// Accounts lists one page of accounts by name, without those of type service,
// and the cursor of the next page; empty when there is none.
func (s *Store) Accounts(ctx context.Context, f engine.AccountFilter) (list []engine.Account, next string, err error) {
	const q = `
		SELECT ` + accountColumns + ` FROM accounts
		 WHERE type <> 'service' AND name > $1 AND ($2 = '' OR state = $2)
		   AND ($4 = '' OR strpos(lower(name), lower($4)) > 0 OR strpos(lower(COALESCE(email, '')), lower($4)) > 0)
		 ORDER BY name LIMIT $3`

	limit := pageSize(f.Limit)
	rows, err := s.pool.Query(ctx, q, f.After, string(f.State), limit+1, f.Text)
	if err != nil {
		return nil, "", fmt.Errorf("accounts: %w", domain(err))
	}
	if list, err = pgx.CollectRows(rows, scanAccount); err != nil {
		return nil, "", fmt.Errorf("accounts: %w", domain(err))
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Name
	}
	return list, next, nil
}

// pageSize is how many rows of a page are read.
func pageSize(asked int) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(asked, maxPage)
}

// furnish gives a new account, in the transaction that makes it, what every
// account begins with.
func (s *Store) furnish(ctx context.Context, tx pgx.Tx, account string) error {
	return s.installPolicies(ctx, tx, account)
}

// AddAccount makes an account; engine.ErrConflict when there is one of that
// name, which includes one that is being deleted.
func (s *Store) AddAccount(ctx context.Context, a engine.Account) (engine.Account, error) {
	const q = `INSERT INTO accounts (name, email, type) VALUES ($1, NULLIF($2, ''), $3) RETURNING ` + accountColumns

	var made engine.Account
	err := s.inTx(ctx, "add account", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, q, a.Name, a.Email, a.Type)
		if err != nil {
			return err
		}
		if made, err = pgx.CollectExactlyOneRow(rows, scanAccount); err != nil {
			return err
		}
		if err := s.furnish(ctx, tx, a.Name); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, a.Name, a.Name, nil)
	})
	return made, err
}

// SetAccountState moves an account to a state, if the table of moves allows
// it. Moved to deleting, it loses its users, and whoever else was given a role
// or a token there loses that, at once; see CleanAccount for the rest.
func (s *Store) SetAccountState(ctx context.Context, name string, to engine.AccountState) error {
	const lock = `SELECT type, state FROM accounts WHERE name = $1 FOR UPDATE`
	const set = `UPDATE accounts SET state = $2, updated_at = clock_timestamp() WHERE name = $1`

	return s.inTx(ctx, "account state", func(tx pgx.Tx) error {
		a := engine.Account{Name: name}
		if err := tx.QueryRow(ctx, lock, name).Scan(&a.Type, &a.State); err != nil {
			return err
		}
		if err := a.Becomes(to); err != nil {
			return err
		}
		if a.State == to {
			return nil
		}
		if _, err := tx.Exec(ctx, set, name, string(to)); err != nil {
			return err
		}
		if to == engine.AccountDeleting {
			for _, q := range accessOf {
				if _, err := tx.Exec(ctx, q, name); err != nil {
					return err
				}
			}
		}
		return record(ctx, tx, engine.ChangeAccount, name, name, nil)
	})
}

// accessOf removes every way into an account; sessions, tokens and roles of its
// users go with them.
var accessOf = []string{
	`DELETE FROM users WHERE account = $1`,
	`DELETE FROM user_roles WHERE account = $1`,
	`DELETE FROM api_tokens WHERE account = $1`,
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
		for _, name := range []string{engine.AdminAccount, engine.SystemAccount} {
			if err := s.furnish(ctx, tx, name); err != nil {
				return err
			}
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
