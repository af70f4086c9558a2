package core

import (
	"context"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/catalog"
)

// Events lists one page of an account's events.
func (c *Core) Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	return c.store.Events(ctx, account, f, p)
}

// CountEvents counts those that match and reports whether the number is exact:
// with a bound above 0 it is not beyond that.
func (c *Core) CountEvents(ctx context.Context, account string, f engine.EventFilter, bound int64) (int64, bool, error) {
	return c.store.CountEvents(ctx, account, f, bound)
}

// Event finds one event.
func (c *Core) Event(ctx context.Context, account, id string) (engine.Event, error) {
	return c.store.Event(ctx, account, id)
}

// DeleteEvent deletes one event for good.
func (c *Core) DeleteEvent(ctx context.Context, account, id string) error {
	return c.store.DeleteEvent(ctx, account, id)
}

// DeleteEvents deletes for good all that match and tells each the ids of every
// chunk that is gone.
func (c *Core) DeleteEvents(ctx context.Context, account string, f engine.EventFilter, each func(ids []string) error) error {
	return c.store.DeleteEvents(ctx, account, f, each)
}

// EventHours counts events since a moment by hour and level.
func (c *Core) EventHours(ctx context.Context, account string, since time.Time) ([]engine.EventHour, error) {
	return c.store.EventHours(ctx, account, since)
}

// EventsOfServices lists the newest events of every service instance.
func (c *Core) EventsOfServices(ctx context.Context, account string, each int) ([]engine.Event, error) {
	return c.store.EventsOfServices(ctx, account, each)
}

// ClearEvents clears the events that match; RunPurges deletes them when they
// cannot be brought back any more.
func (c *Core) ClearEvents(ctx context.Context, account string, f engine.EventFilter, by string) (engine.EventClear, error) {
	return c.store.StartClear(ctx, account, f, by)
}

// EventClear finds one clear.
func (c *Core) EventClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	return c.store.Clear(ctx, account, id)
}

// EventClears lists the newest clears.
func (c *Core) EventClears(ctx context.Context, account string, limit int) ([]engine.EventClear, error) {
	return c.store.Clears(ctx, account, limit)
}

// CancelClear stops the deletion of cleared events; those that are left are back.
func (c *Core) CancelClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	return c.store.CancelClear(ctx, account, id)
}

// UndoClear shows the events of a clear again.
func (c *Core) UndoClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	return c.store.UndoClear(ctx, account, id)
}

// RunPurges deletes what was cleared until ctx ends. Any number of processes may
// run it on one database.
func (c *Core) RunPurges(ctx context.Context) error {
	return catalog.RunPurges(ctx, c.store.PurgeStep)
}

// SavedFilters lists a user's filters of an account's events.
func (c *Core) SavedFilters(ctx context.Context, account, user string) ([]engine.SavedFilter, error) {
	return c.store.SavedFilters(ctx, account, user)
}

// SaveFilter keeps a filter under a name.
func (c *Core) SaveFilter(ctx context.Context, account, user, name, query string) (engine.SavedFilter, error) {
	return c.store.SaveFilter(ctx, account, user, name, query)
}

// RenameFilter gives a saved filter another name.
func (c *Core) RenameFilter(ctx context.Context, account, user string, id int64, name string) error {
	return c.store.RenameFilter(ctx, account, user, id, name)
}

// DeleteFilter forgets a saved filter.
func (c *Core) DeleteFilter(ctx context.Context, account, user string, id int64) error {
	return c.store.DeleteFilter(ctx, account, user, id)
}
