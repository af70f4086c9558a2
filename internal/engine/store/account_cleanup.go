package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// cleanup is one step of removing what an account owns: at most $2 things of
// the account $1.
type cleanup struct {
	table string
	sql   string
}

// remove deletes rows of a table that belong to the account.
func remove(table string) cleanup { return removeWhere(table, `account = $1`) }

func removeWhere(table, where string) cleanup {
	return cleanup{table, `DELETE FROM ` + table + ` WHERE ctid = ANY (ARRAY(SELECT ctid FROM ` + table + ` WHERE ` + where + ` LIMIT $2))`}
}

// cleanups are all steps, in order: what makes new things goes before what it
// makes, and what refers to something goes before that. A test holds the
// tables against those that have a column account.
var cleanups = []cleanup{
	remove("user_roles"),
	remove("api_tokens"),
	remove("subscriptions"),
	remove("webhooks"),
	remove("notifications"),
	remove("registries"),
	remove("reevaluations"),
	remove("policy_evaluations"),
	remove("policy_documents"),
	remove("policies"),
	// Each may hold many statements.
	{"vex_documents", `
		DELETE FROM vex_documents WHERE pk IN (
			SELECT pk FROM vex_documents WHERE account = $1 ORDER BY pk LIMIT least($2, 10))`},
	remove("policy_installs"),
	remove("jobs"),
	remove("queue_drops"),
	// The collector of images removes them, with their tags.
	{"images", `
		UPDATE images SET status = 'deleting', updated_at = now()
		 WHERE pk IN (SELECT pk FROM images WHERE account = $1 AND status <> 'deleting' ORDER BY pk LIMIT $2)`},
	{"import_operations", `
		DELETE FROM import_operations WHERE uuid IN (
			SELECT uuid FROM import_operations WHERE account = $1 ORDER BY created_at LIMIT least($2, 100))`},
	remove("archive_rules"),
	// Each may stand for hundreds of megabytes.
	{"archived_images", `
		DELETE FROM archived_images WHERE pk IN (
			SELECT pk FROM archived_images WHERE account = $1 ORDER BY pk LIMIT least($2, 20))`},
	remove("documents"),
	removeWhere("events", `account = $1 AND cleared_by IS NULL`),
	remove("event_clears"),
	remove("event_filters"),
}

// cleanedElsewhere are the other tables with a column account, and why.
var cleanedElsewhere = map[string]string{
	"users":           "gone when the deletion began",
	"image_tags":      "go with their images",
	"image_counts":    "are kept by triggers and come to nothing with the images",
	"tag_counts":      "likewise",
	"vex_vulns":       "go with their documents",
	"import_contents": "go with their operations",
	"archived_tags":   "go with their archived images",
	"changes":         "announcements, which are trimmed by age",
	"audit_log":       "outlives what it tells of, and is trimmed by age",
}

// DeletingAccounts lists accounts whose deletion has begun.
func (s *Store) DeletingAccounts(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT name FROM accounts WHERE state = 'deleting' ORDER BY updated_at LIMIT 100`)
	if err != nil {
		return nil, fmt.Errorf("deleting accounts: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("deleting accounts: %w", domain(err))
	}
	return list, nil
}

// CleanAccount removes at most limit things of each kind that an account in
// deletion owns, each kind in a transaction of its own, and reports how many
// there were. When there is nothing left, the account goes too.
func (s *Store) CleanAccount(ctx context.Context, name string, limit int) (removed int, gone bool, err error) {
	const deleting = `SELECT EXISTS (SELECT FROM accounts WHERE name = $1 AND state = 'deleting')`
	const images = `SELECT EXISTS (SELECT FROM images WHERE account = $1)`

	var ok bool
	if err := s.pool.QueryRow(ctx, deleting, name).Scan(&ok); err != nil {
		return 0, false, fmt.Errorf("clean account: %w", domain(err))
	}
	if !ok {
		return 0, true, nil // another catalog was here
	}
	for _, c := range cleanups {
		tag, err := s.pool.Exec(ctx, c.sql, name, limit)
		if err != nil {
			return removed, false, fmt.Errorf("clean account: %s: %w", c.table, domain(err))
		}
		removed += int(tag.RowsAffected())
	}
	var left bool
	if err := s.pool.QueryRow(ctx, images, name).Scan(&left); err != nil {
		return removed, false, fmt.Errorf("clean account: %w", domain(err))
	}
	if removed > 0 || left {
		return removed, false, s.Announce(ctx, engine.ChangeAccount, name, name, nil)
	}
	return 0, true, s.dropAccount(ctx, name)
}

func (s *Store) dropAccount(ctx context.Context, name string) error {
	const q = `DELETE FROM accounts WHERE name = $1 AND state = 'deleting'`

	return s.inTx(ctx, "drop account", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, name)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeAccount, name, name, nil)
	})
}
