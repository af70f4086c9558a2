package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// AddAudit appends an entry to the audit log.
func (s *Store) AddAudit(ctx context.Context, e engine.AuditEntry) error {
	const q = `
		INSERT INTO audit_log (user_name, user_account, token, peer, account, action, subject, details, status, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

	details := []byte(`{}`)
	if e.Details != nil {
		var err error
		if details, err = json.Marshal(storable(e.Details, 0)); err != nil {
			return fmt.Errorf("audit details: %w", err)
		}
	}
	_, err := s.pool.Exec(ctx, q, e.User, e.UserAccount, e.Token, storableText(e.Peer), storableText(e.Account), e.Action,
		storableText(e.Subject), details, e.Status, storableText(e.RequestID))
	if err != nil {
		return fmt.Errorf("audit: %w", domain(err))
	}
	return nil
}

// Audit lists one page of the audit log, the newest first, and the cursor of
// the next page; 0 when there is none.
func (s *Store) Audit(ctx context.Context, f engine.AuditFilter) (list []engine.AuditEntry, next int64, err error) {
	const q = `
		SELECT id, at, user_name, user_account, token, peer, account, action, subject, details, status, request_id
		  FROM audit_log
		 WHERE ($1 = '' OR account = $1)
		   AND ($2 = '' OR user_name = $2)
		   AND ($3 = '' OR action = $3)
		   AND ($4 = '' OR subject = $4)
		   AND ($5::boolean IS NULL OR (status >= 400) = $5)
		   AND ($6::timestamptz IS NULL OR at >= $6)
		   AND ($7::timestamptz IS NULL OR at < $7)
		   AND ($8 = 0 OR id < $8)
		 ORDER BY id DESC LIMIT $9`

	limit := pageSize(f.Limit)
	for _, text := range []string{f.Account, f.User, f.Action, f.Subject} {
		if !isStorable(text) {
			return nil, 0, nil // no entry holds it
		}
	}
	rows, err := s.pool.Query(ctx, q, f.Account, f.User, f.Action, f.Subject, f.Failed, null(f.Since), null(f.Before), f.After, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", domain(err))
	}
	list, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (e engine.AuditEntry, err error) {
		err = r.Scan(&e.ID, &e.At, &e.User, &e.UserAccount, &e.Token, &e.Peer, &e.Account, &e.Action, &e.Subject, &e.Details, &e.Status, &e.RequestID)
		e.At = e.At.UTC()
		return e, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("audit: %w", domain(err))
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}

// TrimAudit removes a bounded number of entries that are older than keep and
// reports how many. The table refuses to lose any of the last day.
func (s *Store) TrimAudit(ctx context.Context, keep time.Duration, limit int) (int, error) {
	const q = `
		DELETE FROM audit_log WHERE id IN (
			SELECT id FROM audit_log WHERE at < now() - $1::interval AND at < now() - interval '1 day' ORDER BY at LIMIT $2)`

	tag, err := s.pool.Exec(ctx, q, keep, limit)
	if err != nil {
		return 0, fmt.Errorf("trim audit: %w", domain(err))
	}
	return int(tag.RowsAffected()), nil
}
