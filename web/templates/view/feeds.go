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
	Rematch string // what the last one came to; empty: nothing
	Limit   string // of an upload
	Notices []FeedNotice
	Uploads []FeedUpload

	Filter  FeedFilter
	Feeds   []FeedBox
	Matches string // of the filter; empty: no filter
	History []FeedSyncRow
	Chart   *FeedChart // nil: too little to draw
	Pager   *Pager     // of the history; nil: it is all here
}

// FeedNotice is a sentence about the state of the data, with a link.
type FeedNotice struct{ Tone, Icon, Text, Href, Link string }

// FeedUpload is an uploaded archive that is not installed.
type FeedUpload struct {
	ID, Name, By, Size string
	Bytes, Have        int64
	Open               bool // the script may go on with it
	At                 Time
	Pill               Pill
	Meter              *Meter
	Message            string
	Install, Discard   string // addresses; Install empty: not complete
	Force              bool   // it is installed only if that is asked for
}

// FeedHost is a host and whether it has the data in use.
type FeedHost struct {
	Name string
	Pill Pill
}

// FeedRollback is the plan of going back to the data before.
type FeedRollback struct {
	To             string // id
	From, Back     FeedData
	Older          string // than what is in use
	Delta          Change
	Groups, Images string
	Rows           []FeedRollbackRow
	More           string // how many rows are not shown
}

// FeedRollbackRow is one group that would change.
type FeedRollbackRow struct {
	Feed, Name, Now, Then string
	Change                Change
}

// FeedDelete is the plan of deleting the data of a feed or a group.
type FeedDelete struct {
	Name, What               string // feed or group
	Records, Groups, Matches string
	Enabled                  bool // it must be disabled first
	Post, Disable            string
}

// FeedFilter is the search over groups.
type FeedFilter struct {
	Text  string
	Shows []Choice
	On    bool
}

// FeedRun is a sync under way, or the rematch after it.
type FeedRun struct {
	Title  string
	Source string
	Host   string
	Stages []FeedStage // empty: a rematch on its own
	Meter  Meter
	Facts  string // elapsed, rate, rest
	Pace   string // what holds meanwhile
	Cancel bool
	Queue  string // where a rematch can be paused; empty: it is no rematch
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
	Kept                 bool // its archive is, for other hosts
	Checked              Time // when the source was last asked
	Hosts                []FeedHost
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
	Fresh          Pill
	Toggle, Delete string
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
	Steps    string // what the stages took
	Images   string // how many changed when they were matched
	Matched  string // the same in words
	Records  string
	Change   Change
	Message  string
	Data     string
	DataFull string
	Host     string
}

// FeedChart is the durations of syncs and the changes they brought.
type FeedChart struct {
	Bars, Deltas     []FeedBar
	Longest, Largest string // Largest empty: nothing changed
}

// FeedBar is one sync in the chart.
type FeedBar struct{ X, Y, W, H, Class, Title string }
