package view

import "time"

// History is a bar of what a service was, oldest first.
type History struct {
	Wide  int
	Spans []HistorySpan
	Share string // 99.98 %
	Text  string // for those who do not see the bar
	From  string // where it begins
}

// HistorySpan is a stretch of the bar: ok, m (some of several instances down),
// info (starting), c (down), off (did not run) or none (no record).
type HistorySpan struct {
	X, W         int
	Class, Title string
}

// Incidents is the list of what went wrong.
type Incidents struct {
	List     []Incident
	Filtered bool
	Pager    Pager
}

// Incident is one or several outages that belong together.
type Incident struct {
	ID                string
	Start             time.Time // for the pager, not shown
	Pill              Pill
	At, Ago, End      Time // End without text: it goes on
	Took, What, Cause string
	Parts             []IncidentPart
	EventsHref        string
	LogHref, LogText  string
}

// IncidentPart is what one instance did in it.
type IncidentPart struct {
	Name, Host, Href, Out string
}
