package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// maxEventText bounds the texts of an event: messages and resource names may
// come from a registry's answer.
const maxEventText = 4096

// emit stores an event and announces it, within the transaction whose change
// of state it tells of. Its announcement belongs last in that transaction.
func emit(ctx context.Context, tx pgx.Tx, e engine.Event) error {
	const q = `
		INSERT INTO events (id, account, type, level, message, details, at, resource_type, resource_id,
		                    service, host, base_url, request_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

	details, err := json.Marshal(storable(e.Details, 0))
	if err != nil {
		return fmt.Errorf("event details: %w", err)
	}
	if e.Details == nil {
		details = []byte(`{}`)
	}
	var b pgx.Batch
	b.Queue(q, e.ID, e.Account, e.Type, e.Level, storableText(e.Message), details, e.At,
		e.ResourceType, storableText(e.ResourceID), e.Service, e.Host, e.BaseURL, storableText(e.RequestID))
	queueEvent(&b, e)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	return record(ctx, tx, engine.ChangeEvent, e.Account, e.ID, map[string]string{"level": e.Level, "type": e.Type})
}

// AddEvent stores an event that has no other state to commit with.
func (s *Store) AddEvent(ctx context.Context, e engine.Event) error {
	return s.inTx(ctx, "add event", func(tx pgx.Tx) error { return emit(ctx, tx, e) })
}

// storableText is what PostgreSQL takes of a text: valid, without NUL, bounded.
// An event must never fail the transaction that it tells of.
func storableText(s string) string {
	if len(s) > maxEventText {
		s = s[:maxEventText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// isStorable reports whether PostgreSQL takes a text as it is.
func isStorable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// storable drops from details what jsonb refuses: NUL in texts and nesting
// without end.
func storable(v any, depth int) any {
	if depth > 32 {
		return nil
	}
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[strings.ReplaceAll(k, "\x00", "")] = storable(e, depth+1)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = storable(e, depth+1)
		}
		return l
	case []string:
		l := make([]string, len(v))
		for i, e := range v {
			l[i] = strings.ReplaceAll(e, "\x00", "")
		}
		return l
	}
	return v
}

// eventColumns are those that scanEvent reads, of events as e.
const eventColumns = `e.id, e.account, e.type, e.level, e.message, e.details, e.at, e.stored_at, e.resource_type,
	e.resource_id, e.service, e.host, e.base_url, e.request_id, e.count`

func scanEvent(r pgx.CollectableRow) (e engine.Event, err error) {
	err = r.Scan(&e.ID, &e.Account, &e.Type, &e.Level, &e.Message, &e.Details, &e.At, &e.StoredAt, &e.ResourceType,
		&e.ResourceID, &e.Service, &e.Host, &e.BaseURL, &e.RequestID, &e.Count)
	e.At, e.StoredAt = e.At.UTC(), e.StoredAt.UTC()
	return e, err
}

// Event finds one event of an account.
func (s *Store) Event(ctx context.Context, account, id string) (engine.Event, error) {
	w, err := s.oneEvent(ctx, account, id)
	if err != nil {
		return engine.Event{}, err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+eventColumns+` FROM events e WHERE `+w.String(), w.planned()...)
	if err != nil {
		return engine.Event{}, fmt.Errorf("event %s: %w", id, domain(err))
	}
	e, err := pgx.CollectExactlyOneRow(rows, scanEvent)
	if err != nil {
		return e, eventError(id, err)
	}
	return e, nil
}

// oneEvent is the condition on one event, if it is shown.
func (s *Store) oneEvent(ctx context.Context, account, id string) (*eventWhere, error) {
	if !isStorable(id) {
		return nil, eventError(id, pgx.ErrNoRows)
	}
	w := ofAccount(account)
	w.and("id = %s", id)
	return w, s.shown(ctx, w, account)
}

// DeleteEvent deletes one event of an account for good.
func (s *Store) DeleteEvent(ctx context.Context, account, id string) error {
	w, err := s.oneEvent(ctx, account, id)
	if err != nil {
		return err
	}
	err = s.inTx(ctx, "delete event", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `DELETE FROM events WHERE `+w.String()+` RETURNING id`, w.planned()...).Scan(&id); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeEventDeleted, account, id, nil)
	})
	if err != nil {
		return eventError(id, err)
	}
	return nil
}

// eventError gives a missing event the words that v1 clients know.
func eventError(id string, err error) error {
	if err = domain(err); isNotFound(err) {
		return &engine.Fault{Kind: engine.ErrNotFound, Message: "Event not found", Cause: fmt.Errorf("event %s", id)}
	}
	return fmt.Errorf("event %s: %w", id, err)
}
