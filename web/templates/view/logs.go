package view

// Logs is the log viewer.
type Logs struct {
	Services []Choice
	Levels   []Choice
	Text     string
	Regex    bool
	Invert   bool
	OneLine  bool   // lines are cut at the edge, not wrapped
	Whole    bool   // all services are shown
	At       string // value of the field "jump to a time"
	Since    string
	Before   string
	Fault    string // what is wrong with the search

	Sub      string // beside the title
	Rows     []LogRow
	Socket   string // address to follow on; empty: this page shows the past
	After    string // position behind Rows
	Missed   bool   // the position of the address is in files that are gone
	Searched *Time  // how far a search that gave up came
	Older    string // addresses
	Newer    string
	Newest   string
	Clear    string
	Download string
	Files    []LogFile
}

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
	Source string // service
	Title  string // where in the program it was logged
	Text   []Part
}

// Part is a run of text: Mark for what was searched, Key for the name of a value.
type Part struct {
	Text string
	Kind string // mark, key or empty
}

// LogFile is one file to download.
type LogFile struct {
	Service, Name, Size string
	Changed             Time
	Current             bool
	Href                string
}
