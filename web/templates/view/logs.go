package view

// Logs is the log viewer.
type Logs struct {
	Services  []Choice
	Hosts     []Choice
	HostsText string // those chosen, in words
	Levels    []Choice
	Contexts  []Choice
	Jumps     []LogLink
	Text      string
	Regex     bool
	Invert    bool
	OneLine   bool   // lines are cut at the edge, not wrapped
	At        string // value of the field "jump to a time"
	Since     string
	Before    string
	Fault     string // what is wrong with the search

	Sub      string // beside the title
	Rows     []LogRow
	Line     *LogDetail // the line that the address is of
	Socket   string     // address to follow on; empty: this page shows the past
	After    string     // position behind Rows
	Past     string     // address of the lines from a position on, which stands there as "-"
	Missed   bool       // the position of the address is in files that are gone
	Gone     bool       // the line of the address is
	Failed   []LogFault
	Searched *Time  // how far a search that gave up came
	Older    string // addresses
	Newer    string
	Newest   string
	Clear    string
	Download string
	NDJSON   string
	Files    string
	Same     SameBy
}

// LogLink leads to a place in the log.
type LogLink struct{ Href, Text string }

// LogFault says why the log of a host is not shown.
type LogFault struct{ Host, Reason string }

// Choice is one value of a field.
type Choice struct {
	Value, Text string
	On          bool
}

// LogRow is one line. Day, when given, begins a new day above it.
type LogRow struct {
	ID     string
	Day    string
	Time   Time
	Href   string // this line among its neighbours
	Level  string
	Letter string
	Tone   string // E, W, I or D
	Source string // service, with its host when hosts have to be told apart
	Title  string // where in the program it was logged
	Text   []Part
	Cut    string // how much of it is not shown
	Near   bool   // it stands beside a hit
	Aim    bool   // it is the line of the page's address
}

// Part is a run of text: mark for what was searched, key for the name of a value.
type Part struct {
	Text string
	Kind string // mark, key or empty
}

// LogDetail is a line taken apart.
type LogDetail struct {
	ID, Href, Copy                         string
	At                                     Time
	Source, Level, Component, Module, File string
	Position                               string
	Message                                string
	Fields                                 []LogField
}

// LogField is a value of a line. Find is a search for it, Href what it names.
type LogField struct {
	Name, Value, Find, Href string
	Block                   bool // it has several lines
}

// LogFiles are the files of all hosts.
type LogFiles struct {
	Sub    string
	Hosts  []LogHostFiles
	Failed []LogFault
}

// LogHostFiles are the files of one host.
type LogHostFiles struct {
	Name  string
	Files []LogFile
}

// LogFile is one file to look into or to download.
type LogFile struct {
	Service, Name, Size string
	Changed             Time
	Current             bool
	Href, Open          string
}
