package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"windlass/internal/engine"
)

const ruleColumns = `id, account, transition, system_global, registry, repository, tag, age_days, versions_newer,
	exclude_registry, exclude_repository, exclude_tag, exclude_days, COALESCE(max_images, 0), created_at, updated_at`

func scanRule(r pgx.CollectableRow) (a engine.ArchiveRule, err error) {
	err = r.Scan(&a.ID, &a.Account, &a.Transition, &a.SystemGlobal, &a.Selector.Registry, &a.Selector.Repository, &a.Selector.Tag,
		&a.AgeDays, &a.VersionsNewer, &a.Exclude.Registry, &a.Exclude.Repository, &a.Exclude.Tag, &a.ExcludeDays, &a.MaxImages,
		&a.CreatedAt, &a.UpdatedAt)
	return a, err
}

// maxRules bounds the rules of one account: every run weighs every tag against
// each of them.
const maxRules = 1000

// AddArchiveRule stores a rule. engine.ErrConflict when it would be the second
// that bounds the images of accounts.
func (s *Store) AddArchiveRule(ctx context.Context, a engine.ArchiveRule) (engine.ArchiveRule, error) {
	const count = `SELECT count(*) FROM archive_rules WHERE account = $1`
	const add = `
		INSERT INTO archive_rules (id, account, transition, system_global, registry, repository, tag, age_days, versions_newer,
		       exclude_registry, exclude_repository, exclude_tag, exclude_days, max_images)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULLIF($14, 0))
		RETURNING ` + ruleColumns

	var made engine.ArchiveRule
	err := s.inTx(ctx, "add archive rule", func(tx pgx.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, count, a.Account).Scan(&n); err != nil {
			return err
		}
		if n >= maxRules {
			return engine.Conflictf("account %s has %d archive rules", a.Account, n)
		}
		rows, err := tx.Query(ctx, add, engine.NewID(), a.Account, a.Transition, a.SystemGlobal, a.Selector.Registry, a.Selector.Repository,
			a.Selector.Tag, a.AgeDays, a.VersionsNewer, a.Exclude.Registry, a.Exclude.Repository, a.Exclude.Tag, a.ExcludeDays, a.MaxImages)
		if err != nil {
			return err
		}
		made, err = pgx.CollectExactlyOneRow(rows, scanRule)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.ConstraintName == "archive_rules_max" {
			return engine.Conflictf("there is a rule with max_images_per_account already: only one may exist")
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeArchive, a.Account, made.ID, nil)
	})
	return made, err
}

// ArchiveRules lists an account's rules and, where asked, all that are for
// every account, oldest first.
func (s *Store) ArchiveRules(ctx context.Context, account string, global bool) ([]engine.ArchiveRule, error) {
	const q = `SELECT ` + ruleColumns + ` FROM archive_rules WHERE account = $1 OR $2 AND system_global ORDER BY created_at, id`

	rows, err := s.pool.Query(ctx, q, account, global)
	if err != nil {
		return nil, fmt.Errorf("archive rules: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return nil, fmt.Errorf("archive rules: %w", domain(err))
	}
	return list, nil
}

// ArchiveRule finds a rule of an account, or one for all.
func (s *Store) ArchiveRule(ctx context.Context, account, id string) (engine.ArchiveRule, error) {
	const q = `SELECT ` + ruleColumns + ` FROM archive_rules WHERE id = $2 AND (account = $1 OR system_global)`

	rows, err := s.pool.Query(ctx, q, account, id)
	if err != nil {
		return engine.ArchiveRule{}, fmt.Errorf("archive rule: %w", domain(err))
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanRule)
	if err != nil {
		return a, fmt.Errorf("archive rule: %w", domain(err))
	}
	return a, nil
}

// RemoveArchiveRule removes a rule of an account, or one for all: whether the
// caller may is for others to say.
func (s *Store) RemoveArchiveRule(ctx context.Context, account, id string) error {
	const q = `DELETE FROM archive_rules WHERE id = $2 AND (account = $1 OR system_global) RETURNING account`

	return s.inTx(ctx, "remove archive rule", func(tx pgx.Tx) error {
		var owner string
		if err := tx.QueryRow(ctx, q, account, id).Scan(&owner); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeArchive, owner, id, nil)
	})
}
