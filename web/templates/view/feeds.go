package view

// Feeds is the feeds page.
type Feeds struct {
	Admin   bool // may change anything
	Sub     string
	Starter bool
	Running *FeedRun
	Failure *FeedFailure
	Data    *FeedData // nil: none yet
	Before  *FeedData // nil: nothing to go back to
	Source  string    // address of the listing
	Next    Time
	Every   string
	Rematch *Rematch
	Limit   string // of an upload

	Filter  FeedFilter
	Feeds   []FeedBox
	Matches string // of the filter; empty: no filter
	History []FeedSyncRow
	Chart   []FeedBar
}

// FeedFilter is the search over groups.
type FeedFilter struct {
	Text  string
	Shows []Choice
	On    bool
}

// FeedRun is a sync under way.
type FeedRun struct {
	Title  string
	Source string
	Stages []FeedStage
	Meter  Meter
	Facts  string // rate, elapsed, rest
}

// FeedStage is one step of a sync: done, now or empty.
type FeedStage struct{ Name, State string }

// FeedFailure is the last sync's failure with what to try.
type FeedFailure struct {
	Cause, Message string
	At             Time
	Retry          Time // zero: none is due
	Tries          []string
	InUse          string // what is in use meanwhile
	Events, Log    string
}

// FeedData is one installed database.
type FeedData struct {
	Records, Schema      string
	Built, Installed     Time
	Fresh                Pill
	Sum, SumFull, Source string
	Size                 string
}

// Rematch is how far images are matched with new data.
type Rematch struct {
	Running bool
	Meter   Meter
	Text    string
}

// FeedBox is one feed with its groups.
type FeedBox struct {
	ID, Name        string
	Pill            Pill
	Enabled         bool
	Records, Groups string
	Change          Change
	Synced          Time
	Toggle, Delete  string // addresses
	DeleteAsk       string
	Open            bool
	Rows            []FeedGroupRow
	EnabledOf       string // "3 off"; empty: all on
}

// FeedGroupRow is one group.
type FeedGroupRow struct {
	ID, Name       string
	Pill           Pill
	Enabled, Gone  bool
	Records        string
	Change         Change
	Synced         Time
	Toggle, Delete string
	DeleteAsk      string
}

// Change is a difference with its direction: up, down, new, gone or empty.
type Change struct{ Text, Way string }

// FeedSyncRow is one line of the history.
type FeedSyncRow struct {
	ID       string
	At       Time
	Trigger  string
	Pill     Pill
	Took     string
	Records  string
	Change   Change
	Message  string
	Data     string
	DataFull string
	Host     string
}

// FeedBar is one sync in the chart.
type FeedBar struct{ X, Y, W, H, Class, Title string }
