package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// entered is an account that a request found when it began: by its name and
// since when there is this one of that name.
type entered struct {
	name  string
	since time.Time
}

type enteredKey struct{}

// Enter notes which account a request begins in: all that it writes is refused
// once that account is on its way out. A request may outlast an account, and
// what it left behind would be that of the next one with the name. An account
// that there is not is let be: an administrator may name any.
func (s *Store) Enter(ctx context.Context, account string) (context.Context, error) {
	if in, ok := ctx.Value(enteredKey{}).(entered); ok && in.name == account {
		return ctx, nil
	}
	a, err := s.Account(ctx, account)
	if errors.Is(err, engine.ErrNotFound) {
		return ctx, nil
	}
	if err != nil {
		return ctx, fmt.Errorf("enter: %w", err)
	}
	return context.WithValue(ctx, enteredKey{}, entered{a.Name, a.CreatedAt}), nil
}

// stillThere keeps the account that was entered from being deleted until the
// transaction ends. It stands first: whoever deletes it takes its row first too.
func stillThere(ctx context.Context, tx pgx.Tx) error {
	const q = `SELECT FROM accounts WHERE name = $1 AND created_at = $2 AND state <> 'deleting' FOR SHARE`

	in, ok := ctx.Value(enteredKey{}).(entered)
	if !ok {
		return nil
	}
	err := tx.QueryRow(ctx, q, in.name, in.since).Scan()
	if errors.Is(err, pgx.ErrNoRows) {
		return engine.Forbiddenf("Not authorized. Account %s not enabled.", in.name)
	}
	return err
}
