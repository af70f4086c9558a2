package engine

import "time"

// Level of an event. There are two.
const (
	LevelInfo  = "info"
	LevelError = "error"
)

// Event is one entry of the event log.
type Event struct {
	ID           string // 32 hex
	Account      string // owner: resource.user_id
	Type         string // dotted
	Level        string
	Message      string
	Details      map[string]any
	At           time.Time // when it happened
	StoredAt     time.Time
	ResourceType string
	ResourceID   string
	Service      string // source
	Host         string
	BaseURL      string
	RequestID    string
	Count        int // repeats folded into this record, at least 1
}

// EventFilter selects events of one account. Zero fields select all. The same
// filter lists, counts, exports and clears.
type EventFilter struct {
	Service      string
	Host         string
	Type         string // dotted, short legacy name, or with * as wildcard
	Level        string
	ResourceType string
	ResourceID   string
	Text         string    // part of message, type, resource or id; case-insensitive
	Since        time.Time // exclusive
	Before       time.Time // exclusive
	IDs          []string  // only these, and those of Runs
	Runs         []EventRun
	Except       []string // all but these
}

// EventRun is a stretch of the log in which one event repeats: all that say the
// same within two moments, both included.
type EventRun struct {
	Type         string
	Level        string
	Service      string
	Host         string
	ResourceType string
	ResourceID   string
	Since, Until time.Time
}

// RunOf is the run that begins with an event.
func RunOf(e Event) EventRun {
	return EventRun{
		Type: e.Type, Level: e.Level, Service: e.Service, Host: e.Host,
		ResourceType: e.ResourceType, ResourceID: e.ResourceID, Since: e.At, Until: e.At,
	}
}

// Repeats reports whether an event says what those of the run do.
func (r EventRun) Repeats(e Event) bool {
	o := RunOf(e)
	o.Since, o.Until = r.Since, r.Until
	return r == o
}

// Holds reports whether an event is one of the run.
func (r EventRun) Holds(e Event) bool {
	return r.Repeats(e) && !e.At.Before(r.Since) && !e.At.After(r.Until)
}

// EventPage asks for one page, by number (v1) or by cursor (console).
type EventPage struct {
	Page   int    // from 1; 0: by cursor
	Cursor string // of the row before; empty: first
	Limit  int    // 1 to 1000
	Oldest bool   // oldest first
}

// EventList is one page of events.
type EventList struct {
	Events []Event
	Next   string // cursor of the page that follows; empty: this is the last
	// Searched is how far back a search for text has looked for this page,
	// when that is not to the end: the next page looks further.
	Searched time.Time
}

// EventHour counts the events of one hour by level.
type EventHour struct {
	At          time.Time // the hour's start
	Info, Error int64
}

// States of a clear. What it is for is out of every list from its first moment,
// and back in them the moment it is undone. When the grace for an undo has ended
// its events are deleted in the background.
const (
	ClearDone      = "done"
	ClearUndone    = "undone"
	ClearPurging   = "purging"
	ClearCancelled = "cancelled" // the deletion was stopped: what was left is back
	ClearPurged    = "purged"
)

// EventClear is a bulk clearing of events.
type EventClear struct {
	ID        int64
	Account   string
	Filter    EventFilter
	Total     int64 // counted when it was asked for
	Done      int64 // cleared: all of them, none once it is undone
	Purged    int64 // of those, deleted for good so far
	Status    string
	StartedAt time.Time
	EndedAt   time.Time // of the deletion, or when it was undone
	UndoUntil time.Time
	By        string
}

// Working reports whether the events of the clear are being deleted.
func (c EventClear) Working() bool { return c.Status == ClearPurging }

// Undoable reports whether an undo would still be taken.
func (c EventClear) Undoable(now time.Time) bool {
	return c.Status == ClearDone && now.Before(c.UndoUntil)
}
