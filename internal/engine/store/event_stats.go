package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// EventHours counts an account's events since a moment by hour and level. An
// hour without events is missing.
func (s *Store) EventHours(ctx context.Context, account string, since time.Time) ([]engine.EventHour, error) {
	const q = `
		SELECT date_trunc('hour', at) AS hour,
		       count(*) FILTER (WHERE level = 'info'), count(*) FILTER (WHERE level = 'error')
		  FROM events
		 WHERE account = $1 AND cleared_by IS NULL AND at >= $2
		 GROUP BY hour ORDER BY hour`

	rows, err := s.pool.Query(ctx, q, account, since)
	if err != nil {
		return nil, fmt.Errorf("event hours: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h engine.EventHour, err error) {
		err = r.Scan(&h.At, &h.Info, &h.Error)
		h.At = h.At.UTC()
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("event hours: %w", domain(err))
	}
	return list, nil
}

// EventsOfServices lists the newest events that each service instance emitted,
// at most each of them, newest first within a service.
func (s *Store) EventsOfServices(ctx context.Context, account string, each int) ([]engine.Event, error) {
	const q = `
		SELECT ` + eventColumns + `
		  FROM services s
		 CROSS JOIN LATERAL (
			SELECT * FROM events
			 WHERE account = $1 AND cleared_by IS NULL AND service = s.name AND host = s.host
			 ORDER BY at DESC, seq DESC LIMIT $2) e
		 ORDER BY s.host, s.name, e.at DESC, e.seq DESC`

	rows, err := s.pool.Query(ctx, q, account, min(each, maxEventPage))
	if err != nil {
		return nil, fmt.Errorf("events of services: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("events of services: %w", domain(err))
	}
	return list, nil
}
