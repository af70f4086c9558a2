package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// emit stores an event and announces it, within the transaction whose change
// of state it tells of. Its announcement belongs last in that transaction.
func emit(ctx context.Context, tx pgx.Tx, e engine.Event) error {
	const q = `
		INSERT INTO events (id, account, type, level, message, details, at, resource_type, resource_id,
		                    service, host, base_url, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

	details, err := json.Marshal(e.Details)
	if err != nil {
		return fmt.Errorf("event details: %w", err)
	}
	_, err = tx.Exec(ctx, q, e.ID, e.Account, e.Type, e.Level, e.Message, details, e.At, e.ResourceType, e.ResourceID,
		e.Service, e.Host, e.BaseURL, e.RequestID)
	if err != nil {
		return fmt.Errorf("event: %w", err)
	}
	return record(ctx, tx, engine.ChangeEvent, e.Account, e.ID, map[string]string{"level": e.Level, "type": e.Type})
}

// AddEvent stores an event that has no other state to commit with.
func (s *Store) AddEvent(ctx context.Context, e engine.Event) error {
	return s.inTx(ctx, "add event", func(tx pgx.Tx) error { return emit(ctx, tx, e) })
}
