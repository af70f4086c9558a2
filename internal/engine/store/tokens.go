package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const tokenColumns = `id, user_name, name, role, account, created_by, created_at, expires_at, used_at`

func scanToken(r pgx.CollectableRow) (t engine.APIToken, err error) {
	var used *time.Time
	err = r.Scan(&t.ID, &t.User, &t.Name, &t.Scope.Role, &t.Scope.Account, &t.CreatedBy, &t.CreatedAt, &t.ExpiresAt, &used)
	t.CreatedAt, t.ExpiresAt, t.UsedAt = t.CreatedAt.UTC(), t.ExpiresAt.UTC(), zero(used)
	return t, err
}

// AddToken stores a token under its hash: engine.ErrNotFound without its user,
// engine.ErrConflict when the user has one of that name.
func (s *Store) AddToken(ctx context.Context, t engine.APIToken, hash []byte) (engine.APIToken, error) {
	const lock = `SELECT account FROM users WHERE name = $1 FOR UPDATE`
	const trim = `DELETE FROM api_tokens WHERE user_name = $1 AND expires_at < now() - $2::interval`
	const count = `SELECT count(*) FROM api_tokens WHERE user_name = $1`
	const add = `
		INSERT INTO api_tokens (id, user_name, name, hash, role, account, created_by, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ` + tokenColumns

	var made engine.APIToken
	err := s.inTx(ctx, "add token", func(tx pgx.Tx) error {
		var account string
		if err := tx.QueryRow(ctx, lock, t.User).Scan(&account); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, trim, t.User, engine.TokenMemory); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, count, t.User).Scan(&n); err != nil {
			return err
		}
		if n >= engine.MaxTokens {
			return engine.Invalidf("User %s has %d tokens already: revoke one", t.User, n)
		}
		rows, err := tx.Query(ctx, add, t.ID, t.User, t.Name, hash, string(t.Scope.Role), t.Scope.Account, t.CreatedBy, t.ExpiresAt)
		if err != nil {
			return err
		}
		if made, err = pgx.CollectExactlyOneRow(rows, scanToken); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, account, t.User, nil)
	})
	return made, err
}

// Tokens lists a user's tokens, the newest first.
func (s *Store) Tokens(ctx context.Context, user string) ([]engine.APIToken, error) {
	const q = `SELECT ` + tokenColumns + ` FROM api_tokens WHERE user_name = $1 ORDER BY created_at DESC, id LIMIT $2`

	rows, err := s.pool.Query(ctx, q, user, engine.MaxTokens)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", domain(err))
	}
	return list, nil
}

// TokenByHash finds a token, expired or not.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (engine.APIToken, error) {
	const q = `SELECT ` + tokenColumns + ` FROM api_tokens WHERE hash = $1`

	rows, err := s.pool.Query(ctx, q, hash)
	if err != nil {
		return engine.APIToken{}, fmt.Errorf("token: %w", domain(err))
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	if err != nil {
		return engine.APIToken{}, fmt.Errorf("token: %w", domain(err))
	}
	return t, nil
}

// RemoveToken revokes a user's token.
func (s *Store) RemoveToken(ctx context.Context, user, id string) error {
	const q = `
		DELETE FROM api_tokens t USING users u
		 WHERE u.name = t.user_name AND t.user_name = $1 AND t.id = $2 RETURNING u.account`

	if !isStorable(id) {
		return fmt.Errorf("remove token: %w", engine.ErrNotFound)
	}
	return s.inTx(ctx, "remove token", func(tx pgx.Tx) error {
		var account string
		if err := tx.QueryRow(ctx, q, user, id).Scan(&account); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, account, user, nil)
	})
}

// TokensUsed notes when tokens were last used. Nobody is told: what a token
// may do is the same as before.
func (s *Store) TokensUsed(ctx context.Context, at map[string]time.Time) error {
	const q = `
		UPDATE api_tokens t SET used_at = u.at
		  FROM unnest($1::text[], $2::timestamptz[]) AS u (id, at)
		 WHERE t.id = u.id AND (t.used_at IS NULL OR t.used_at < u.at)`

	ids, times := make([]string, 0, len(at)), make([]time.Time, 0, len(at))
	for id, when := range at {
		ids, times = append(ids, id), append(times, when)
	}
	if _, err := s.pool.Exec(ctx, q, ids, times); err != nil {
		return fmt.Errorf("tokens used: %w", domain(err))
	}
	return nil
}
