package enginetest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// EventLog is an event log in memory, for a Fake.
type EventLog struct {
	list    []engine.Event
	cleared map[string]int64 // by event
	clears  []engine.EventClear
}

// Put stores an event without a word, while the fake is being Set; in place of
// the one of that id, if there is one.
func (l *EventLog) Put(e engine.Event) {
	if i := slices.IndexFunc(l.list, func(o engine.Event) bool { return o.ID == e.ID }); i >= 0 {
		l.list[i] = e
		return
	}
	l.list = append(l.list, e)
}

// AddEvent stores an event and announces it.
func (f *Fake) AddEvent(e engine.Event) {
	f.mu.Lock()
	f.Log.list = append(f.Log.list, e)
	f.mu.Unlock()
	f.Change(engine.ChangeEvent, e.Account, e.ID)
}

// Purge has the events of a clear on their way out for good, so far of them gone.
func (f *Fake) Purge(id, gone int64) {
	f.mu.Lock()
	c := &f.Log.clears[id-1]
	c.Status, c.Purged, c.UndoUntil = engine.ClearPurging, gone, time.Now().Add(-time.Second)
	if gone >= c.Total {
		c.Status, c.EndedAt = engine.ClearPurged, time.Now()
	}
	f.mu.Unlock()
	f.Change(engine.ChangeEventsCleared, "", strconv.FormatInt(id, 10))
}

// matching lists what a filter selects, newest first.
func (f *Fake) matching(account string, filter engine.EventFilter) []engine.Event {
	var list []engine.Event
	for _, e := range f.Log.list {
		if e.Account == account && f.Log.cleared[e.ID] == 0 && filter.Matches(e) {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b engine.Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID)) })
	return list
}

func (f *Fake) Events(_ context.Context, account string, filter engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.matching(account, filter)
	if p.Oldest {
		slices.Reverse(list)
	}
	from := slices.IndexFunc(list, func(e engine.Event) bool { return e.ID == p.Cursor }) + 1
	list = list[from:]
	if len(list) <= p.Limit {
		return engine.EventList{Events: list}, nil
	}
	return engine.EventList{Events: list[:p.Limit], Next: list[p.Limit-1].ID}, nil
}

func (f *Fake) CountEvents(_ context.Context, account string, filter engine.EventFilter, bound int64) (int64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := int64(len(f.matching(account, filter)))
	if bound > 0 && n > bound {
		return bound, false, nil
	}
	return n, true, nil
}

func (f *Fake) Event(_ context.Context, account, id string) (engine.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.matching(account, engine.EventFilter{IDs: []string{id}}) {
		return e, nil
	}
	return engine.Event{}, engine.NotFoundf("Event not found")
}

func (f *Fake) ClearEvents(_ context.Context, account string, filter engine.EventFilter, by string) (engine.EventClear, error) {
	f.mu.Lock()
	c := engine.EventClear{
		ID: int64(len(f.Log.clears) + 1), Account: account, Filter: filter, Status: engine.ClearDone,
		StartedAt: time.Now(), UndoUntil: time.Now().Add(time.Minute), By: by,
	}
	if f.Log.cleared == nil {
		f.Log.cleared = map[string]int64{}
	}
	for _, e := range f.matching(account, filter) {
		f.Log.cleared[e.ID] = c.ID
		c.Total++
	}
	c.Done = c.Total
	f.Log.clears = append(f.Log.clears, c)
	f.mu.Unlock()
	f.Change(engine.ChangeEventsCleared, account, strconv.FormatInt(c.ID, 10))
	return c, nil
}

func (f *Fake) EventClears(_ context.Context, account string, limit int) ([]engine.EventClear, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(f.Log.clears), func(c engine.EventClear) bool { return c.Account != account })
	slices.Reverse(list)
	return list[:min(limit, len(list))], nil
}

func (f *Fake) EventClear(_ context.Context, account string, id int64) (engine.EventClear, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.clearOf(account, id)
	if err != nil {
		return engine.EventClear{}, err
	}
	return *c, nil
}

func (f *Fake) clearOf(account string, id int64) (*engine.EventClear, error) {
	if id < 1 || id > int64(len(f.Log.clears)) || f.Log.clears[id-1].Account != account {
		return nil, engine.ErrNotFound
	}
	return &f.Log.clears[id-1], nil
}

func (f *Fake) CancelClear(_ context.Context, account string, id int64) (engine.EventClear, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.clearOf(account, id)
	if err != nil {
		return engine.EventClear{}, err
	}
	if c.Status != engine.ClearPurging {
		return *c, engine.Conflictf("No events of this clear are being deleted.")
	}
	c.Status, c.Done, c.EndedAt = engine.ClearCancelled, c.Purged, time.Now()
	return *c, nil
}

func (f *Fake) UndoClear(_ context.Context, account string, id int64) (engine.EventClear, error) {
	f.mu.Lock()
	c, err := f.clearOf(account, id)
	if err == nil && !c.Undoable(time.Now()) {
		err = engine.Conflictf("The time to undo this clear is over.")
	}
	if err != nil {
		f.mu.Unlock()
		return engine.EventClear{}, err
	}
	for id, by := range f.Log.cleared {
		if by == c.ID {
			delete(f.Log.cleared, id)
		}
	}
	c.Status, c.Done, c.EndedAt = engine.ClearUndone, 0, time.Now()
	undone := *c
	f.mu.Unlock()
	f.Change(engine.ChangeEventsCleared, account, strconv.FormatInt(id, 10))
	return undone, nil
}
