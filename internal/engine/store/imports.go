package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const importColumns = `uuid, account, status, digest, created_at, updated_at, expires_at`

func scanImport(r pgx.CollectableRow) (o engine.Import, err error) {
	err = r.Scan(&o.ID, &o.Account, &o.Status, &o.Digest, &o.CreatedAt, &o.UpdatedAt, &o.ExpiresAt)
	return o, err
}

// AddImport begins an import.
func (s *Store) AddImport(ctx context.Context, account string) (engine.Import, error) {
	const open = `SELECT count(*) FROM import_operations WHERE account = $1 AND status IN ('pending', 'processing')`
	const add = `INSERT INTO import_operations (uuid, account, expires_at) VALUES ($1, $2, now() + $3::interval) RETURNING ` + importColumns

	var o engine.Import
	err := s.inTx(ctx, "add import", func(tx pgx.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, open, account).Scan(&n); err != nil {
			return err
		}
		if n >= engine.MaxOpenImports {
			return engine.Conflictf("account %s has %d open imports: finish or delete some", account, n)
		}
		rows, err := tx.Query(ctx, add, engine.NewID(), account, engine.ImportLife)
		if err != nil {
			return err
		}
		o, err = pgx.CollectExactlyOneRow(rows, scanImport)
		return err
	})
	return o, err
}

func (s *Store) oneImport(ctx context.Context, q string, args ...any) (engine.Import, error) {
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return engine.Import{}, domain(err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, scanImport)
	return o, domain(err)
}

// Import finds one import. engine.ErrNotFound when there is none.
func (s *Store) Import(ctx context.Context, account, id string) (engine.Import, error) {
	o, err := s.oneImport(ctx, `SELECT `+importColumns+` FROM import_operations WHERE account = $1 AND uuid = $2`, account, id)
	if err != nil {
		return o, fmt.Errorf("import: %w", err)
	}
	return o, nil
}

// importPage is how many imports a walk takes at once.
const importPage = 500

// Imports walks an account's imports, newest first.
func (s *Store) Imports(ctx context.Context, account string) iter.Seq2[engine.Import, error] {
	const q = `
		SELECT ` + importColumns + ` FROM import_operations
		 WHERE account = $1 AND created_at <= $2 AND (created_at < $2 OR uuid > $3)
		 ORDER BY created_at DESC, uuid LIMIT $4`

	return func(yield func(engine.Import, error) bool) {
		var last engine.Import
		err := inPages("imports", importPage, func() (pgx.Rows, error) {
			return s.pool.Query(ctx, q, account, orEndless(last.CreatedAt), last.ID, importPage)
		}, scanImport, func(o engine.Import) error {
			last = o
			if !yield(o, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(engine.Import{}, err)
		}
	}
}

// InvalidateImport gives an import up. One that has ended already, or of which
// an image is being made, stays as it is.
func (s *Store) InvalidateImport(ctx context.Context, account, id string) (engine.Import, error) {
	const q = `
		UPDATE import_operations SET status = 'invalidated', updated_at = now()
		 WHERE account = $1 AND uuid = $2 AND status NOT IN ('invalidated', 'complete', 'processing')`

	if _, err := s.pool.Exec(ctx, q, account, id); err != nil {
		return engine.Import{}, fmt.Errorf("invalidate import: %w", domain(err))
	}
	return s.Import(ctx, account, id)
}

// settleImports ends the import that an image is made of, within the
// transaction that ends its analysis.
func settleImports(ctx context.Context, tx pgx.Tx, account, digest string, to engine.ImportStatus) error {
	const q = `
		UPDATE import_operations SET status = $3, updated_at = now()
		 WHERE account = $1 AND digest = $2 AND status = 'processing'`

	_, err := tx.Exec(ctx, q, account, digest, to)
	return err
}

// CollectImports ends imports whose time is over or whose image has come to an
// end by another way than its analysis (cancelled, deleted, its worker lost),
// and removes at most limit of those that ended longer than keep ago, with
// what was uploaded for them. It reports how many went.
func (s *Store) CollectImports(ctx context.Context, keep time.Duration, limit int) (int, error) {
	const expire = `
		UPDATE import_operations SET status = 'expired', updated_at = now()
		 WHERE status IN ('pending', 'processing') AND expires_at < now()`
	const settle = `
		UPDATE import_operations o SET updated_at = now(),
		       status = CASE WHEN EXISTS (SELECT FROM images i WHERE i.account = o.account AND i.digest = o.digest
				AND i.state = 'analyzed' AND i.status = 'active') THEN 'complete' ELSE 'failed' END
		 WHERE o.status = 'processing'
		   AND NOT EXISTS (SELECT FROM images i WHERE i.account = o.account AND i.digest = o.digest
				AND i.state IN ('not_analyzed', 'analyzing') AND i.status = 'active')`
	const remove = `
		DELETE FROM import_operations WHERE uuid IN (
			SELECT uuid FROM import_operations
			 WHERE status IN ('complete', 'failed', 'expired', 'invalidated') AND updated_at < now() - $1::interval
			 ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED)`

	for _, q := range []string{expire, settle} {
		if _, err := s.pool.Exec(ctx, q); err != nil {
			return 0, fmt.Errorf("collect imports: %w", domain(err))
		}
	}
	tag, err := s.pool.Exec(ctx, remove, keep, limit)
	if err != nil {
		return 0, fmt.Errorf("collect imports: %w", domain(err))
	}
	return int(tag.RowsAffected()), nil
}

// lockImport locks an import for a change. engine.ErrNotFound, in words, when
// the account has none of that id.
func lockImport(ctx context.Context, tx pgx.Tx, account, id string) (engine.ImportStatus, error) {
	const q = `SELECT status FROM import_operations WHERE account = $1 AND uuid = $2 FOR UPDATE`

	var status engine.ImportStatus
	err := tx.QueryRow(ctx, q, account, id).Scan(&status)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", engine.NotFoundf("no import operation with id %s found", id)
	}
	return status, err
}
