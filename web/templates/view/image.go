package view

// Image is the page of one image.
type Image struct {
	Title     string // newest tag
	Crumbs    []Crumb
	Digest    string
	Short     string
	State     Pill
	Sample    bool
	Starter   bool // matched with starter data
	CanRetry  bool
	CanCancel bool
	Path      string // address of the page without query
	Tabs      []Tab
	Tab       string
	Kinds     string // of changes that alter the tab
	Same      SameBy
	Waiting   string // why a tab is empty; empty when it is not
}

// Tab is one of the tabs of a page.
type Tab struct {
	Key, Text, Count, Href string
	Current                bool
}

// ImageOverview is the first tab.
type ImageOverview struct {
	Progress *ImageProgress
	Failure  *ImageFailure
	Sevs     *SevBar
	Summary  []Fact // counts under the bar
	Facts    []Fact
	Config   []Fact
	Env      []Fact
	Labels   []Fact
	Tags     []ImageTag
	Notes    []Fact // annotations
	Layers   []ImageLayer
	Layered  string // how many layers, how large
	Docker   string // text of the Dockerfile
	Guessed  bool
	Given    bool // it was sent along
	Timeline []TimelineStep
	Elapsed  string // how long the newest analysis took
	Policy   *Pill  // what the active bundle said last
}

// Fact is a name and what is known under it.
type Fact struct {
	Name, Text string
	Href       string
	Copy       string // offered to copy
	Mono       bool
	Time       *Time
}

// ImageProgress is a running analysis, stage by stage.
type ImageProgress struct {
	Stages  []StageStep
	Meter   Meter
	Worker  string
	Attempt string
	Since   Time
}

// StageStep is one stage: done, now or todo.
type StageStep struct{ Text, State string }

// ImageFailure is why an analysis failed and what to do.
type ImageFailure struct {
	Title, Message string
	Cause, Stage   string
	Means          string // the cause, in a sentence
	Attempt        string
	Host           string
	Run            string // what it took
	At             Time
	Again          bool   // another attempt follows
	Next           *Time  // at this time
	NotAgain       string // why none follows
	Try            string
	TryHref        string
	TryText        string
	Log            []LogLine
	LogHref        string
	CanRetry       bool
}

// LogLine is a line of a log; Bad: the one that tells what went wrong.
type LogLine struct {
	N, Text string
	Bad     bool
}

// ImageTag is a name under which the image was seen.
type ImageTag struct {
	Full     string
	Href     string // images under this name
	Detected Time
}

// ImageLayer is one entry of the history.
type ImageLayer struct {
	N, Command, Size, Digest string
	Short                    string
	Created                  Time
	Empty                    bool
}

// TimelineStep is one state that the image was in.
type TimelineStep struct {
	State Pill
	At    Time
	Took  string // how long it was in it
	Note  string
}

// ImageVulns is the tab of vulnerabilities.
type ImageVulns struct {
	Bar      SevBar
	Text     string // what of all is shown
	Rows     []VulnRow
	Groups   []VulnGroup
	GroupBy  string
	Form     VulnForm
	Pager    Pager
	Exports  []Download // of what is shown
	Matched  Time
	Starter  bool
	None     string // in place of rows
	ClearRef string

	Cleared    string // how many VEX documents set aside; empty: none
	ClearedRef string
	Upload     string // where a VEX document for this image is uploaded
}

// VulnForm is the filter form as it was sent.
type VulnForm struct {
	Text            string
	Severity, Group []Option
	Sort            []Option
	VEX             []Option // nil: no match has a mark
	Fixable, Known  bool
	SevLinks        []Sev
}

// VulnRow is one match.
type VulnRow struct {
	DOMID            string
	ID, Href         string
	Sev              Sev
	Package, Version string
	Type, Path       string
	Fix, FixState    string
	CVSS, EPSS       string
	EPSSTitle        string
	Known            bool
	WontFix          bool
	Sample           bool
	Title            string // description
	Why              []Fact // why the match was made
	Mark             *VulnMark
	Cleared          bool   // set aside by its mark
	Related          string // CVE ids of an advisory
}

// VulnGroup is the matches of one package, or of one vulnerability.
type VulnGroup struct {
	DOMID      string
	Name, Sub  string
	Href       string
	Bar        SevBar
	Worst      Sev
	Count, Fix string
	Rows       []VulnRow
}

// ImageEvent is an event of this image.
type ImageEvent struct {
	DOMID, Href string
	At          Time
	Level       string
	Type, Title string
	Service     string
	Message     string
	Resource    string
}
