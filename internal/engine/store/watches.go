package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// Watched is a subscription in the hands of a watcher. Its lease keeps all
// others from it and is proven with all that is written of it, so that a
// watcher that was too slow, or whose subscription was switched off meanwhile,
// changes nothing any more.
type Watched struct {
	engine.Subscription
	Seen    string   // digest the registry gave last for the tag
	Pending []string // tags of a repository that were found and are yet to be added
	lease   string
}

// LeaseWatch takes the subscription of a type that is due for longest, of an
// enabled account. False when none is.
func (s *Store) LeaseWatch(ctx context.Context, t engine.SubscriptionType, holder string, ttl time.Duration) (Watched, bool, error) {
	const q = `
		WITH due AS (
			SELECT s.account, s.key, s.type
			  FROM subscriptions s JOIN accounts a ON a.name = s.account AND a.state = 'enabled' AND a.type <> 'service'
			 WHERE s.type = $1 AND s.active AND s.next_check <= now() AND s.leased_until < now()
			 ORDER BY s.next_check LIMIT 1
			   FOR UPDATE OF s SKIP LOCKED)
		UPDATE subscriptions s SET lease = $2, leased_until = now() + $3::interval
		  FROM due WHERE (s.account, s.key, s.type) = (due.account, due.key, due.type)
		RETURNING ` + subscriptionColumns + `, s.seen, s.pending`

	w := Watched{lease: holder + "/" + engine.NewID()[:16]}
	rows, err := s.pool.Query(ctx, q, t, w.lease, ttl)
	if err != nil {
		return w, false, fmt.Errorf("lease watch: %w", domain(err))
	}
	w.Subscription, err = pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (engine.Subscription, error) {
		return scanSubscription(r, &w.Seen, &w.Pending)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return w, false, nil
	}
	if err != nil {
		return w, false, fmt.Errorf("lease watch: %w", domain(err))
	}
	return w, true, nil
}

// WatchResult is what a look at a subscription came to.
type WatchResult struct {
	Next  time.Duration // from now to the next look
	Seen  string        // digest of the tag; empty: as before
	Error string        // empty: all went well
	// Event tells of the error. It is stored when the look before went well:
	// a registry that is down makes one event and not one a look.
	Event *engine.Event
	// Change gives the value and the tags still to be added, from those stored
	// now; nil: as they are.
	Change func(value *string, pending []string) (*string, []string)
}

// FinishWatch stores what a look came to and gives the lease back;
// engine.ErrLeaseLost when it was no longer held.
func (s *Store) FinishWatch(ctx context.Context, w Watched, r WatchResult) error {
	const find = `
		SELECT value, pending, last_error FROM subscriptions
		 WHERE account = $1 AND key = $2 AND type = $3 AND lease = $4 FOR UPDATE`
	const done = `
		UPDATE subscriptions SET lease = '', leased_until = '-infinity', checked_at = now(), last_error = $4,
		       -- Somebody who asked for a look meanwhile gets another.
		       next_check = CASE WHEN next_check > $5 THEN next_check ELSE now() + $6::interval END,
		       seen = CASE WHEN $7 = '' THEN seen ELSE $7 END
		 WHERE account = $1 AND key = $2 AND type = $3`
	const change = `
		UPDATE subscriptions SET value = $4, pending = $5, updated_at = now() WHERE account = $1 AND key = $2 AND type = $3`

	return s.inTx(ctx, "finish watch", func(tx pgx.Tx) error {
		var value *string
		var pending []string
		var before string
		err := tx.QueryRow(ctx, find, w.Account, w.Key, w.Type, w.lease).Scan(&value, &pending, &before)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.ErrLeaseLost
		}
		if err != nil {
			return err
		}
		text := storableText(r.Error)
		if _, err := tx.Exec(ctx, done, w.Account, w.Key, w.Type, text, w.NextCheck, r.Next, r.Seen); err != nil {
			return err
		}
		if r.Change != nil {
			value, pending = r.Change(value, pending)
			if pending == nil {
				pending = []string{}
			}
			if _, err := tx.Exec(ctx, change, w.Account, w.Key, w.Type, value, pending); err != nil {
				return err
			}
		}
		if r.Event != nil && text != "" && before == "" {
			if err := emit(ctx, tx, *r.Event); err != nil {
				return err
			}
		}
		if r.Change == nil && text == before {
			return nil // nothing that anybody looks at
		}
		return record(ctx, tx, engine.ChangeSubscription, w.Account, w.ID, nil)
	})
}

// ReleaseWatch gives a lease back, as if nobody had looked.
func (s *Store) ReleaseWatch(ctx context.Context, w Watched) error {
	const q = `
		UPDATE subscriptions SET lease = '', leased_until = '-infinity'
		 WHERE account = $1 AND key = $2 AND type = $3 AND lease = $4`

	if _, err := s.pool.Exec(ctx, q, w.Account, w.Key, w.Type, w.lease); err != nil {
		return fmt.Errorf("release watch: %w", domain(err))
	}
	return nil
}

// ReleaseWatches gives back every lease of a type that processes of a host hold
// but the one whose name is given: when that starts, the others are dead.
func (s *Store) ReleaseWatches(ctx context.Context, t engine.SubscriptionType, host, holder string) error {
	const q = `
		UPDATE subscriptions SET lease = '', leased_until = '-infinity'
		 WHERE type = $1 AND active AND lease LIKE $2 || '/%' AND lease NOT LIKE $3 || '/%' AND leased_until >= now()`

	if _, err := s.pool.Exec(ctx, q, t, escapeLike(host), escapeLike(holder)); err != nil {
		return fmt.Errorf("release watches: %w", domain(err))
	}
	return nil
}

// PostponeWatches leaves alone, for a while, all of an account whose keys begin
// with prefix: the registry or the credential they share has just failed.
func (s *Store) PostponeWatches(ctx context.Context, account string, t engine.SubscriptionType, prefix string, pause time.Duration) error {
	// Spread, so that they do not come back all at once.
	const q = `
		UPDATE subscriptions SET next_check = now() + $4::interval * (1 + random() / 2)
		 WHERE account = $1 AND type = $2 AND active AND starts_with(key, $3) AND next_check < now() + $4::interval
		   AND leased_until < now()`

	if _, err := s.pool.Exec(ctx, q, account, t, prefix, pause); err != nil {
		return fmt.Errorf("postpone watches: %w", domain(err))
	}
	return nil
}

// CheckNow makes a subscription due. engine.ErrNotFound when there is none, and
// engine.ErrConflict when no watcher looks at it.
func (s *Store) CheckNow(ctx context.Context, account, id string) (engine.Subscription, error) {
	const q = `UPDATE subscriptions SET next_check = now() WHERE account = $1 AND id = $2`

	v, err := s.Subscription(ctx, account, id)
	switch {
	case err != nil:
		return v, err
	case v.Type != engine.SubTagUpdate && v.Type != engine.SubRepoUpdate:
		return v, engine.Conflictf("subscriptions of type %s wait for what happens here: there is nothing to look at", v.Type)
	case !v.Active:
		return v, engine.Conflictf("the subscription is not active")
	}
	if _, err := s.pool.Exec(ctx, q, account, id); err != nil {
		return v, fmt.Errorf("check now: %w", domain(err))
	}
	return s.Subscription(ctx, account, id)
}

// holdWatch keeps a subscription as it is until the transaction ends: in the
// hands of this watcher and active. Else engine.ErrLeaseLost.
func holdWatch(ctx context.Context, tx pgx.Tx, w *Watched) error {
	const q = `
		SELECT 1 FROM subscriptions
		 WHERE account = $1 AND key = $2 AND type = $3 AND lease = $4 AND active FOR UPDATE`

	var one int
	err := tx.QueryRow(ctx, q, w.Account, w.Key, w.Type, w.lease).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		return engine.ErrLeaseLost
	}
	return err
}

// tagMoved queues the notification that a tag names another image now. It
// stands before the tag is recorded.
func tagMoved(ctx context.Context, tx pgx.Tx, n NewImage) error {
	const q = `
		SELECT i.digest, i.annotations FROM image_tags t JOIN images i ON i.pk = t.image
		 WHERE t.account = $1 AND t.registry = $2 AND t.repository = $3 AND t.tag = $4 AND i.status = 'active'
		 ORDER BY t.detected_at DESC, i.pk DESC LIMIT 1`

	before := []string{}
	var digest string
	var annotations map[string]any
	err := tx.QueryRow(ctx, q, n.Account, n.Tag.Registry, n.Tag.Repository, n.Tag.Tag).Scan(&digest, &annotations)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return err
	case digest == string(n.Digest):
		return nil
	default:
		before = append(before, digest)
	}
	payload := map[string]any{"last_eval": before, "curr_eval": []string{string(n.Digest)}}
	if len(annotations) > 0 {
		payload["annotations"] = annotations
	}
	return notify(ctx, tx, engine.Notification{
		Account: n.Account, Type: string(engine.SubTagUpdate), Key: n.Tag.Full(), Payload: payload,
	})
}

// PutRepository subscribes to a repository: a new one is active, and pending
// are its tags that are to be added. Of one that exists only the value is
// changed, as change gives it from the one stored; nil is given where there is
// none yet. The watcher looks at once.
func (s *Store) PutRepository(ctx context.Context, v engine.Subscription, pending []string, change func(value *string) string) (engine.Subscription, error) {
	const add = `
		INSERT INTO subscriptions (account, id, key, type, value, active, pending) VALUES ($1, $2, $3, $4, $5, true, $6)
		ON CONFLICT (account, key, type) DO NOTHING`
	const find = `SELECT value FROM subscriptions WHERE account = $1 AND key = $2 AND type = $3 FOR UPDATE`
	const update = `
		UPDATE subscriptions SET value = $4, next_check = now(), updated_at = now() WHERE account = $1 AND key = $2 AND type = $3`

	err := s.inTx(ctx, "add repository", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, add, v.Account, v.ID, v.Key, v.Type, change(nil), pending)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			var value *string
			if err := tx.QueryRow(ctx, find, v.Account, v.Key, v.Type).Scan(&value); err != nil {
				return err
			}
			if value == nil {
				value = new(string)
			}
			if _, err := tx.Exec(ctx, update, v.Account, v.Key, v.Type, change(value)); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeSubscription, v.Account, v.ID, nil)
	})
	if err != nil {
		return v, err
	}
	return s.Subscription(ctx, v.Account, v.ID)
}
