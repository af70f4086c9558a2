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
	IDs          []string  // only these
	Except       []string  // all but these
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

// States of a clear. Running marks events until all that match are hidden;
// undoing shows them again; purging deletes them when the grace for an undo
// has ended.
const (
	ClearRunning   = "running"
	ClearDone      = "done"
	ClearCancelled = "cancelled" // stopped on request; what it cleared stays cleared
	ClearUndoing   = "undoing"
	ClearUndone    = "undone"
	ClearPurging   = "purging"
	ClearPurged    = "purged"
)

// EventClear is a bulk clearing of events.
type EventClear struct {
	ID        int64
	Account   string
	Filter    EventFilter
	Total     int64 // counted when it was asked for
	Done      int64 // cleared so far; falls again while undoing
	Status    string
	StartedAt time.Time
	EndedAt   time.Time
	UndoUntil time.Time
	By        string
}

// Working reports whether the clear still moves events.
func (c EventClear) Working() bool {
	return c.Status == ClearRunning || c.Status == ClearUndoing || c.Status == ClearPurging
}

// Undoable reports whether an undo would still be taken.
func (c EventClear) Undoable(now time.Time) bool {
	switch c.Status {
	case ClearRunning:
		return true
	case ClearDone, ClearCancelled:
		return now.Before(c.UndoUntil)
	}
	return false
}
