package store

import (
	"context"

	"windlass/internal/engine"
)

// EventsWithin is Events with a search that looks through fewer events.
func (s *Store) EventsWithin(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage, window int) (engine.EventList, error) {
	return s.events(ctx, account, f, p, window)
}
