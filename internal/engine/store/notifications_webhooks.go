package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const webhookColumns = `id, account, type, url, user_name, password, verify, enabled, empty, created_at, updated_at`

func (s *Store) scanWebhook(r pgx.CollectableRow) (engine.Webhook, error) {
	var w engine.Webhook
	var box []byte
	err := r.Scan(&w.ID, &w.Account, &w.Type, &w.URL, &w.User, &box, &w.Verify, &w.Enabled, &w.Empty, &w.CreatedAt, &w.UpdatedAt)
	if err != nil {
		return w, err
	}
	w.CreatedAt, w.UpdatedAt = w.CreatedAt.UTC(), w.UpdatedAt.UTC()
	var ok bool
	if w.Password, ok = s.unseal(box); !ok {
		s.log.Warn("webhook password unreadable", "webhook", w.ID, "account", w.Account)
	}
	return w, nil
}

// SetWebhookSettings makes the webhooks of the settings and the levels of
// events that are told of those that are given. Every process goes by them.
func (s *Store) SetWebhookSettings(ctx context.Context, hooks []engine.Webhook, levels []string) error {
	const put = `
		INSERT INTO webhooks (id, account, type, url, user_name, password, verify, empty)
		VALUES ($1, '', $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE
		   SET url = excluded.url, user_name = excluded.user_name, password = excluded.password, verify = excluded.verify,
		       empty = excluded.empty, updated_at = now()`
	const gone = `DELETE FROM webhooks WHERE account = '' AND id <> ALL($1) RETURNING id`
	const add = `INSERT INTO notification_levels SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`

	return s.inTx(ctx, "webhook settings", func(tx pgx.Tx) error {
		// Two catalogs may start at once.
		if _, err := tx.Exec(ctx, `LOCK webhooks IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		ids := make([]string, 0, len(hooks))
		for _, w := range hooks {
			box, err := s.seal(w.Password)
			if err != nil {
				return err
			}
			id := engine.WebhookSetting + w.Type
			if _, err := tx.Exec(ctx, put, id, w.Type, w.URL, w.User, box, w.Verify, w.Empty); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		rows, err := tx.Query(ctx, gone, ids)
		if err != nil {
			return err
		}
		removed, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if err := orphan(ctx, tx, removed...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM notification_levels WHERE level <> ALL($1)`, text(levels)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, add, text(levels))
		return err
	})
}

// orphan gives up what waits for webhooks that are no more.
func orphan(ctx context.Context, tx pgx.Tx, webhooks ...string) error {
	const q = `
		UPDATE notifications SET state = 'failed', error = 'its webhook was removed', ended_at = now()
		 WHERE webhook = ANY($1) AND state = 'pending'`

	if len(webhooks) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, q, webhooks)
	return err
}

// Webhooks lists the webhooks of an account, oldest first; of the settings for
// the empty name.
func (s *Store) Webhooks(ctx context.Context, account string) ([]engine.Webhook, error) {
	const q = `SELECT ` + webhookColumns + ` FROM webhooks WHERE account = $1 ORDER BY created_at, id`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, s.scanWebhook)
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", domain(err))
	}
	return list, nil
}

// Webhook finds one webhook of an account; of the settings for the empty name.
func (s *Store) Webhook(ctx context.Context, account, id string) (engine.Webhook, error) {
	const q = `SELECT ` + webhookColumns + ` FROM webhooks WHERE account = $1 AND id = $2`
	return s.webhook(ctx, q, account, id)
}

// Receiver finds the webhook that a notification goes to, whose ever it is.
func (s *Store) Receiver(ctx context.Context, id string) (engine.Webhook, error) {
	const q = `SELECT ` + webhookColumns + ` FROM webhooks WHERE id = $1`
	return s.webhook(ctx, q, id)
}

func (s *Store) webhook(ctx context.Context, q string, args ...any) (engine.Webhook, error) {
	for _, a := range args {
		if !isStorable(a.(string)) {
			return engine.Webhook{}, fmt.Errorf("webhook: %w", engine.ErrNotFound)
		}
	}
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return engine.Webhook{}, fmt.Errorf("webhook: %w", domain(err))
	}
	w, err := pgx.CollectExactlyOneRow(rows, s.scanWebhook)
	if err != nil {
		return w, fmt.Errorf("webhook: %w", domain(err))
	}
	return w, nil
}

// AddWebhook stores a webhook of an account, unless the account has max of them.
func (s *Store) AddWebhook(ctx context.Context, w engine.Webhook, max int) (engine.Webhook, error) {
	const count = `SELECT count(*) FROM webhooks WHERE account = $1`
	const q = `
		INSERT INTO webhooks (id, account, type, url, user_name, password, verify, enabled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

	w.ID = engine.NewID()
	box, err := s.seal(w.Password)
	if err != nil {
		return w, fmt.Errorf("add webhook: %w", err)
	}
	err = s.inTx(ctx, "add webhook", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK webhooks IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, count, w.Account).Scan(&n); err != nil {
			return err
		}
		if n >= max {
			return engine.Conflictf("the account has %d webhooks already: remove one first", n)
		}
		if _, err := tx.Exec(ctx, q, w.ID, w.Account, w.Type, w.URL, w.User, box, w.Verify, w.Enabled); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeWebhook, w.Account, w.ID, nil)
	})
	if err != nil {
		return w, err
	}
	return s.Webhook(ctx, w.Account, w.ID)
}

// UpdateWebhook stores all fields of a webhook of an account anew.
func (s *Store) UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	const q = `
		UPDATE webhooks SET type = $3, url = $4, user_name = $5, password = $6, verify = $7, enabled = $8, updated_at = now()
		 WHERE account = $1 AND id = $2 AND account <> ''`

	box, err := s.seal(w.Password)
	if err != nil {
		return w, fmt.Errorf("update webhook: %w", err)
	}
	err = s.inTx(ctx, "update webhook", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, w.Account, w.ID, w.Type, w.URL, w.User, box, w.Verify, w.Enabled)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.ErrNotFound
		}
		return record(ctx, tx, engine.ChangeWebhook, w.Account, w.ID, nil)
	})
	if err != nil {
		return w, err
	}
	return s.Webhook(ctx, w.Account, w.ID)
}

// RemoveWebhook forgets a webhook of an account and gives up what waits for it.
func (s *Store) RemoveWebhook(ctx context.Context, account, id string) error {
	const q = `DELETE FROM webhooks WHERE account = $1 AND id = $2 AND account <> '' RETURNING id`

	if !isStorable(id) {
		return fmt.Errorf("remove webhook: %w", engine.ErrNotFound)
	}
	return s.inTx(ctx, "remove webhook", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, q, account, id).Scan(&id); err != nil {
			return err
		}
		if err := orphan(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeWebhook, account, id, nil)
	})
}
