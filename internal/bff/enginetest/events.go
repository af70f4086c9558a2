package enginetest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// EventLog is an event log in memory, for a Fake. Clears of more than Large
// events do not end by themselves: the test ends them with EndClear.
type EventLog struct {
	Large int

	list    []engine.Event
	cleared map[string]int64 // by event
	clears  []engine.EventClear
}

// Put stores an event without a word, while the fake is being Set.
func (l *EventLog) Put(e engine.Event) { l.list = append(l.list, e) }

// AddEvent stores an event and announces it.
func (f *Fake) AddEvent(e engine.Event) {
	f.mu.Lock()
	f.Log.list = append(f.Log.list, e)
	f.mu.Unlock()
	f.Change(engine.ChangeEvent, e.Account, e.ID)
}

// EndClear brings a clear to its end.
func (f *Fake) EndClear(id int64) {
	f.mu.Lock()
	f.endClear(&f.Log.clears[id-1])
	f.mu.Unlock()
	f.Change(engine.ChangeEventsCleared, "", strconv.FormatInt(id, 10))
}

func (f *Fake) endClear(c *engine.EventClear) {
	for _, e := range f.matching(c.Account, c.Filter) {
		f.Log.cleared[e.ID] = c.ID
		c.Done++
	}
	c.Status, c.EndedAt, c.UndoUntil = engine.ClearDone, time.Now(), time.Now().Add(time.Minute)
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
	n := len(f.matching(account, filter))
	c := engine.EventClear{
		ID: int64(len(f.Log.clears) + 1), Account: account, Filter: filter, Total: int64(n), Status: engine.ClearRunning,
		StartedAt: time.Now(), By: by,
	}
	if f.Log.cleared == nil {
		f.Log.cleared = map[string]int64{}
	}
	if f.Log.Large == 0 || n <= f.Log.Large {
		f.endClear(&c)
	}
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
	if c.Status != engine.ClearRunning {
		return *c, engine.Conflictf("This clear has already ended.")
	}
	c.Status, c.EndedAt, c.UndoUntil = engine.ClearCancelled, time.Now(), time.Now().Add(time.Minute)
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
	c.Status, c.Done = engine.ClearUndone, 0
	undone := *c
	f.mu.Unlock()
	f.Change(engine.ChangeEventsCleared, account, strconv.FormatInt(id, 10))
	return undone, nil
}
