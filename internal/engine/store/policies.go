package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// policyColumns are those that scanPolicy reads, of policies p and of their
// documents d; policyColumnsBare leaves the document where it is.
const (
	policyColumns = `p.account, p.id, COALESCE(p.name, ''), COALESCE(p.description, ''), p.source, p.active, p.digest,
		p.created_at, greatest(p.updated_at, d.stored_at), d.stored_at, d.body`
	policyColumnsBare = `p.account, p.id, COALESCE(p.name, ''), COALESCE(p.description, ''), p.source, p.active, p.digest,
		p.created_at, greatest(p.updated_at, d.stored_at), d.stored_at, NULL`
	policyTables = ` FROM policies p JOIN policy_documents d ON (d.account, d.policy, d.digest) = (p.account, p.id, p.digest) `
)

func scanPolicy(r pgx.CollectableRow) (b engine.PolicyBundle, err error) {
	var body *string
	err = r.Scan(&b.Account, &b.ID, &b.Name, &b.Description, &b.Source, &b.Active, &b.Digest, &b.CreatedAt, &b.UpdatedAt, &b.DocumentAt, &body)
	b.CreatedAt, b.UpdatedAt, b.DocumentAt = b.CreatedAt.UTC(), b.UpdatedAt.UTC(), b.DocumentAt.UTC()
	if body != nil {
		b.Document = []byte(*body)
	}
	return b, err
}

// How many bundles a walk takes at once: with their documents, of megabytes
// each, a few.
const (
	policyPage         = 200
	policyDocumentPage = 4
)

// EachPolicy calls each with every bundle of an account, oldest first; with
// documents, when they are asked for.
func (s *Store) EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error {
	q, size := `SELECT `+policyColumnsBare, policyPage
	if documents {
		q, size = `SELECT `+policyColumns, policyDocumentPage
	}
	q += policyTables + `WHERE p.account = $1 AND (p.created_at, p.id) > ($2, $3) ORDER BY p.created_at, p.id LIMIT $4`

	var last engine.PolicyBundle
	return inPages("policies", size, func() (pgx.Rows, error) {
		return s.pool.Query(ctx, q, account, last.CreatedAt, last.ID, size)
	}, scanPolicy, func(b engine.PolicyBundle) error {
		last = b
		return each(b)
	})
}

// Policy is one bundle; engine.ErrNotFound when there is none of that id.
func (s *Store) Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error) {
	const q = `SELECT ` + policyColumns + policyTables + `WHERE p.account = $1 AND p.id = $2`

	if !isStorable(id) {
		return engine.PolicyBundle{}, fmt.Errorf("policy: %w", engine.ErrNotFound)
	}
	return s.policy(ctx, q, account, id)
}

// ActivePolicy is the active bundle; engine.ErrNotFound when none is.
func (s *Store) ActivePolicy(ctx context.Context, account string) (engine.PolicyBundle, error) {
	const q = `SELECT ` + policyColumns + policyTables + `WHERE p.account = $1 AND p.active`
	return s.policy(ctx, q, account)
}

func (s *Store) policy(ctx context.Context, q string, args ...any) (engine.PolicyBundle, error) {
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return engine.PolicyBundle{}, fmt.Errorf("policy: %w", domain(err))
	}
	b, err := pgx.CollectExactlyOneRow(rows, scanPolicy)
	if err != nil {
		return b, fmt.Errorf("policy: %w", domain(err))
	}
	return b, nil
}
