package view

// Overview is the start page.
type Overview struct {
	Empty    bool // no image yet: what to do instead of numbers
	Starter  bool // the active data is the built-in sample database
	Samples  string
	Ready    []Step
	Services []ServiceTile
	Hours    Hours
	Errors   []ErrorLine
	Images   ImageStates
	Posture  Posture
	Policy   []Counted // images by what the active bundle says
	// Incidents are the newest of a week.
	Incidents []Incident
	Feeds     FeedsCard
	CSRF      string
}

// Step is one of what has to be so before images are scanned, in order.
type Step struct {
	Name string
	Pill Pill
	Text string
	Time Time // follows Text where it has one
	Href string
	Link string
}

// ServiceTile is one kind of service over all hosts.
type ServiceTile struct {
	Name, Href string
	Pill       Pill
	History    History
}

// Hours is the chart of events per hour.
type Hours struct {
	Bars                      []HourBar
	Total, Errors             string
	HrefAll, HrefErrors, Text string
	Max                       string
}

// HourBar is one hour: lengths on a scale of 100.
type HourBar struct {
	Title, Href               string
	Info, Error               int
	At, InfoCount, ErrorCount string
}

// ErrorLine is one of the newest errors.
type ErrorLine struct {
	ID, Type, Text, Source, Href string
	At                           Time
}

// ImageStates counts images by state.
type ImageStates struct {
	Total    string
	States   []Counted
	Packages string

	Queue     []Counted // what is in the queue of analyses
	QueueHref string
	Oldest    Time   // of what waits
	Drain     string // when the queue will be empty, or why that is not known
	DrainWhy  string
}

// Counted is a number with its name and the list behind it.
type Counted struct{ Name, Count, Tone, Href string }

// Posture is the vulnerabilities of all images together.
type Posture struct {
	Unknown                   bool // no sums are known
	Bar                       SevBar
	Total, Exploited, Fixable string
	FixableShare              string

	TotalHref, ExploitedHref, FixableHref string
}

// FeedsCard is the state of the vulnerability data.
type FeedsCard struct {
	Pill      Pill
	Records   string
	Built     Time
	Installed Time
	Source    string
	Next      Time
	Last      string
	Fault     string
	Meter     *Meter
	Synced    string
}
