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
	w := ofAccount(account)
	if err := s.shown(ctx, w, account); err != nil {
		return nil, err
	}
	w.and("at >= %s", since)
	rows, err := s.pool.Query(ctx, eventHours(w)+" GROUP BY hour ORDER BY hour", w.planned()...)
	if err != nil {
		return nil, fmt.Errorf("event hours: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanEventHour)
	if err != nil {
		return nil, fmt.Errorf("event hours: %w", domain(err))
	}
	return list, nil
}

// eventHours begins the statement that counts by hour.
func eventHours(w *eventWhere) string {
	return `
		SELECT date_trunc('hour', at) AS hour,
		       count(*) FILTER (WHERE level = 'info'), count(*) FILTER (WHERE level = 'error')
		  FROM events
		 WHERE ` + w.String()
}

func scanEventHour(r pgx.CollectableRow) (h engine.EventHour, err error) {
	err = r.Scan(&h.At, &h.Info, &h.Error)
	h.At = h.At.UTC()
	return h, err
}

// EventsOfServices lists the newest events that each service instance emitted,
// at most each of them, newest first within a service.
func (s *Store) EventsOfServices(ctx context.Context, account string, each int) ([]engine.Event, error) {
	const instances = `SELECT host, name FROM services ORDER BY host, name`

	rows, err := s.pool.Query(ctx, instances)
	if err != nil {
		return nil, fmt.Errorf("events of services: %w", domain(err))
	}
	services, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (f engine.EventFilter, err error) {
		return f, r.Scan(&f.Host, &f.Service)
	})
	if err != nil {
		return nil, fmt.Errorf("events of services: %w", domain(err))
	}
	var list []engine.Event
	for _, of := range services {
		page, err := s.Events(ctx, account, of, engine.EventPage{Limit: each})
		if err != nil {
			return nil, fmt.Errorf("events of services: %w", err)
		}
		list = append(list, page.Events...)
	}
	return list, nil
}
