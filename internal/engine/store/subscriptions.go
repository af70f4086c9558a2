package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// subscriptionColumns are those that scanSubscription reads, of subscriptions as s.
const subscriptionColumns = `s.account, s.id, s.key, s.type, s.value, s.active, s.created_at, s.updated_at,
	s.checked_at, s.next_check, s.last_error`

// scanSubscription reads a row; more takes the columns behind.
func scanSubscription(r pgx.CollectableRow, more ...any) (v engine.Subscription, err error) {
	var checked *time.Time
	err = r.Scan(append([]any{&v.Account, &v.ID, &v.Key, &v.Type, &v.Value, &v.Active, &v.CreatedAt, &v.UpdatedAt,
		&checked, &v.NextCheck, &v.LastError}, more...)...)
	v.CreatedAt, v.UpdatedAt, v.CheckedAt, v.NextCheck = v.CreatedAt.UTC(), v.UpdatedAt.UTC(), zero(checked), v.NextCheck.UTC()
	if !v.Active || v.Type != engine.SubTagUpdate && v.Type != engine.SubRepoUpdate {
		v.NextCheck = time.Time{} // no watcher looks
	}
	return v, err
}

// Subscription finds one by its id; engine.ErrNotFound when there is none.
func (s *Store) Subscription(ctx context.Context, account, id string) (engine.Subscription, error) {
	const q = `SELECT ` + subscriptionColumns + ` FROM subscriptions s WHERE account = $1 AND id = $2`

	if !isStorable(id) {
		return engine.Subscription{}, fmt.Errorf("subscription: %w", engine.ErrNotFound)
	}
	rows, err := s.pool.Query(ctx, q, account, id)
	if err != nil {
		return engine.Subscription{}, fmt.Errorf("subscription: %w", domain(err))
	}
	v, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (engine.Subscription, error) { return scanSubscription(r) })
	if err != nil {
		return v, fmt.Errorf("subscription: %w", domain(err))
	}
	return v, nil
}

// AddSubscription stores one; engine.ErrConflict when the account has one of
// that key and type.
func (s *Store) AddSubscription(ctx context.Context, v engine.Subscription) (engine.Subscription, error) {
	const q = `
		INSERT INTO subscriptions (account, id, key, type, value, active) VALUES ($1, $2, $3, $4, $5, $6)`

	if err := checkSubscription(v); err != nil {
		return v, err
	}
	v.ID = engine.SubscriptionID(v.Account, v.Key, v.Type)
	err := s.inTx(ctx, "add subscription", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, q, v.Account, v.ID, v.Key, v.Type, v.Value, v.Active); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeSubscription, v.Account, v.ID, nil)
	})
	if err != nil {
		return v, err
	}
	return s.Subscription(ctx, v.Account, v.ID)
}

func checkSubscription(v engine.Subscription) error {
	switch {
	case !v.Type.Valid():
		return engine.Invalidf("%s is not a supported subscription type", v.Type)
	case v.Key == "":
		return engine.Invalidf("subscription_key is empty")
	case len(v.Key) > engine.MaxSubscriptionKey:
		return engine.Invalidf("subscription_key has %d bytes, at most %d are taken", len(v.Key), engine.MaxSubscriptionKey)
	}
	return checkSubscriptionValue(v.Value)
}

func checkSubscriptionValue(v *string) error {
	if v != nil && len(*v) > engine.MaxSubscriptionValue {
		return engine.Invalidf("subscription_value has %d bytes, at most %d are taken", len(*v), engine.MaxSubscriptionValue)
	}
	return nil
}

// UpdateSubscription changes what u gives; engine.ErrNotFound when there is no
// such subscription. A watched one is looked at soon.
func (s *Store) UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error) {
	const q = `
		UPDATE subscriptions SET active = COALESCE($3, active), value = CASE WHEN $4 THEN $5 ELSE value END,
		       -- What is switched on starts afresh: much may have happened.
		       seen = CASE WHEN $3 AND NOT active THEN '' ELSE seen END,
		       next_check = now(), updated_at = now()
		 WHERE account = $1 AND id = $2`

	var value *string
	if u.Value != nil {
		value = *u.Value
	}
	if err := checkSubscriptionValue(value); err != nil {
		return engine.Subscription{}, err
	}
	err := s.inTx(ctx, "update subscription", func(tx pgx.Tx) error {
		if !isStorable(id) {
			return engine.ErrNotFound
		}
		tag, err := tx.Exec(ctx, q, account, id, u.Active, u.Value != nil, value)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.ErrNotFound
		}
		return record(ctx, tx, engine.ChangeSubscription, account, id, nil)
	})
	if err != nil {
		return engine.Subscription{}, err
	}
	return s.Subscription(ctx, account, id)
}

// RemoveSubscription forgets one; what is not there is forgotten already.
func (s *Store) RemoveSubscription(ctx context.Context, account, id string) error {
	if !isStorable(id) {
		return nil
	}
	return s.inTx(ctx, "remove subscription", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `DELETE FROM subscriptions WHERE account = $1 AND id = $2`, account, id)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeSubscription, account, id, nil)
	})
}

// ActiveSubscription reports whether an account wants to be told of what
// happens to a key.
func (s *Store) ActiveSubscription(ctx context.Context, account, key string, t engine.SubscriptionType) (bool, error) {
	const q = `SELECT active FROM subscriptions WHERE account = $1 AND key = $2 AND type = $3`

	var active bool
	err := s.pool.QueryRow(ctx, q, account, key, t).Scan(&active)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("active subscription: %w", domain(err))
	}
	return active, nil
}
