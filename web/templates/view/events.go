package view

// Events is the page of the event log.
type Events struct {
	Filter    EventsFilter
	Saved     EventsSaved
	Retention bool // there is a page of it
	List      EventsList
	Open      *EventDetail // in the drawer
	Same      SameBy
}

// EventsFilter is the form above the list.
type EventsFilter struct {
	Text, Host, Type, Resource string
	Since, Before              string // as datetime-local takes them
	Zone                       string // that those two are in
	Order, Fold                string
	Levels, Services           []Option
	ResourceTypes, Ranges      []Option
	Types                      []Option // to complete from
	More                       bool     // a rarer filter is set: show them
	Chips                      []Chip
}

// Chip is a filter that is set, and the address without it.
type Chip struct{ Name, Value, Remove string }

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

// EventsList is the part of the page that changes by itself.
type EventsList struct {
	Rows     []EventRow
	Count    string // "1,284 events", "10,000+ events"
	Note     string // what the list leaves out
	Fields   []Field
	Back     string // where a clear returns to
	All      string // "Clear 1,284 events"; empty: nothing to clear
	AllLink  string // where the exact number is counted first; empty: the form clears at once
	Match    string // "all 1,284 matching"
	CSV      string
	NDJSON   string
	Order    string // address of the other order
	Oldest   bool
	Folded   bool
	FoldHref string // address of the other way
	Live     bool   // new events belong on this page
	Clears   []EventClear
	Pager    Pager
	Empty    *EventsEmpty
}

// EventsEmpty says why there is no row, and what to do.
type EventsEmpty struct {
	Title, Text string
	Href, Label string // of the way out; empty: none
}

// EventRow is one event in the table.
type EventRow struct {
	DOMID, ID, Short string
	Href             string
	Error            bool
	At               Time
	Service, Host    string
	ServiceHref      string
	Event, Dotted    string
	TypeHref         string
	Resource         string
	ResourceHref     string
	Message          string
	Count            string // repeats; empty: one
	Pick, PickValue  string // field by which a form names it
	Events           int64  // that it stands for
	Fold             *EventFold
	Member           bool // of the run above
}

// EventFold is what a row of repeats says beside its newest event.
type EventFold struct {
	Count          string
	More           string
	Newest, Oldest Time
	Open           bool
	Href           string // opens or closes it
	Members        []EventRow
	Rest, RestHref string // the members that are not shown
}

// EventsSaved are the saved filters of the user.
type EventsSaved struct {
	List  []SavedFilter
	Query string // to save; empty: nothing is set, or it is saved already
	Full  bool
	Back  string
}

// SavedFilter is one of them.
type SavedFilter struct {
	ID, Name, Href string
	Current        bool // the list shows it
	Rename, Delete string
}

// EventRetention is the page of how long events are kept.
type EventRetention struct {
	Rules    []RetentionRule
	May      bool // alter them
	Next     string
	NextAt   Time
	Anything bool // a rule is on
	Plan     *RetentionPlan
	Running  *RetentionRun
	Runs     []RetentionRun
	Same     SameBy
}

// RetentionRule is the rule of a level.
type RetentionRule struct {
	Level, Name string
	Error       bool
	Enabled     bool
	Days        string
	Says        string // in words
	By          string
	At          Time
}

// RetentionPlan is the answer to a dry run.
type RetentionPlan struct {
	Title string
	Rows  []RetentionPlanRow
	Saved bool // the rules are the stored ones
	On    bool // one of them is on
}

// RetentionPlanRow is what one rule would delete.
type RetentionPlanRow struct {
	Level   string
	Error   bool
	Enabled bool
	Keeps   string
	Events  string
	Before  Time
	Oldest  Time
}

// RetentionRun is one application of the rules.
type RetentionRun struct {
	ID      string
	State   Pill
	At      Time
	Took    string
	Why     string
	Deleted string
	Rules   string
	Host    string
	Meter   Meter
	Cancel  string
}

// EventDetail is one event with everything known of it.
type EventDetail struct {
	EventRow
	Stored       Time
	BaseURL      string
	ResourceType string
	Request      string
	Cause        string
	YAML, JSON   string
	Log          string // address of the service's log at that moment
	LogText      string
	Delete       string
	Back         string // where the deletion returns to
	Close        string
	Prev, Next   string
	Same         SameBy
}

// EventClear is a bulk clearing: its progress and what can still be done.
type EventClear struct {
	ID           string
	Title        string
	What         string // the filter in words
	State        Pill
	Meter        Meter
	Working      bool
	Undo, Cancel string // addresses of POST forms
	UndoUntil    Time
	Href         string // its own page
	Back         string // the list it was asked for from
	By           string
	Started      Time
}

// EventsClear is the page that counts before a large clear.
type EventsClear struct {
	What   string
	Count  string
	None   bool
	Fields []Field
	Back   string
}
