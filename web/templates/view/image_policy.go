package view

// ImagePolicy is the tab of an image's policy evaluation.
type ImagePolicy struct {
	Path          string // of the image's page
	Tags, Bundles []Option
	Tag, Bundle   string // as chosen; Bundle empty: the active one
	Verdict       *Judgement
	None          *PolicyNone // in place of a verdict
	History       []JudgementStep
	HistoryMore   string
	Steps         string // how many entries there are
}

// PolicyNone says why there is no verdict.
type PolicyNone struct{ Title, Text, Href, Link string }

// Judgement is what a bundle says of the image.
type Judgement struct {
	Action   string // stop, warn, go
	Word     string // as it is shown
	Pill     Pill
	Because  string // the sentence
	Stored   string // it is an entry of the history: a sentence; NowHref leads back
	NowHref  string
	Facts    []Fact
	Counts   []PolicyCount
	Problems []PolicyProblem
	Gates    []PolicyCount
	Form     PolicyForm
	Groups   []PolicyGroup
	Pager    Pager
	NoRows   string // in place of rows
	Clear    string
	CSV      string
	JSON     string
	CanAsk   bool // evaluate now
	At       Time
}

// PolicyCount is a number with the link that shows what it counts.
type PolicyCount struct {
	Text, Count, Href, Class string
	Current                  bool
}

// PolicyProblem is a fault of the bundle.
type PolicyProblem struct{ Type, Text, Severity string }

// PolicyForm is the filter form as it was sent; Keep is what it sends along.
type PolicyForm struct {
	Keep                [][2]string
	Text                string
	Action, Gate, Aside []Option
}

// PolicyGroup is rows of one trigger.
type PolicyGroup struct {
	DOMID         string
	Gate, Trigger string
	Count         string
	Note          string // that it goes on from the page before
	Rows          []PolicyRow
}

// PolicyRow is one firing of a trigger.
type PolicyRow struct {
	DOMID     string
	Action    Pill
	Asked     string // what the rule asked for, when the row is set aside
	Message   string
	TriggerID string
	ShortID   string
	Summary   []Fact // the record and the versions, in short
	Rule      string
	Why       []Fact
	Params    []Fact
	Aside     *PolicyException
	Lapsed    *PolicyException
	Except    string // address of the form that adds an exception
}

// PolicyException is what set a row aside, or did.
type PolicyException struct {
	Text    string
	Href    string // of the VEX statement; empty: an item of a whitelist
	Reason  string
	Expires *Time // nil: never
}

// JudgementStep is an entry of the history.
type JudgementStep struct {
	DOMID      string
	At         Time
	Href       string
	Bundle     string
	Active     bool
	Action     Pill
	Rows       string
	Change     string
	Came, Went []StepRow
	CameMore   string
	WentMore   string
	Current    bool // shown above
}

// StepRow is a row that came or went.
type StepRow struct {
	Action Pill
	Text   string
	Gate   string
}
