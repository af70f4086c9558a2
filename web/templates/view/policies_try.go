package view

// PolicyTry is the tab that tries a bundle on images.
type PolicyTry struct {
	Action  string // where the form goes; with Text a POST with its token, else a GET
	Text    string // the edited text; empty: the stored one is tried
	Seen    string
	Image   string // as searched for
	Scope   string // newest or one
	Against []PolicyChoice
	Found   []PolicyFound // images to choose from
	None    string        // said when there is nothing to try on
	Fault   string
	Faults  []PolicyFault
	Trials  *PolicyTrials
	Edited  bool
	Back    string // to the editor with the same text; a form
}

// PolicyChoice is an option of a select.
type PolicyChoice struct {
	Value, Text string
	Chosen      bool
}

// PolicyFound is an image that a search found.
type PolicyFound struct{ Href, Digest, Name, Short string }

// PolicyTrials is what came of a try.
type PolicyTrials struct {
	Summary string
	Tone    string
	Left    string // what was not looked at
	Against string // name of the bundle beside it; empty: none
	Tried   string // what the tried one is called
	One     *PolicyTrial
	List    []PolicyTrial
}

// PolicyTrial is the outcome for one image.
type PolicyTrial struct {
	DOMID, Name, Href     string
	Short                 string
	Tried, Now            Pill
	TriedWhy, NowWhy      string // how each came about
	TriedRows, NowRows    string
	Changed               bool // the final action is another
	Same                  string
	Changes               []PolicyChange
	More                  string
	Fault                 string
	NewN, GoneN, ChangedN int
	Counts                string
	TryHref               string
	Rows                  []PolicyChange // all findings of the tried bundle, when one image was asked about
	RowsMore              string
}

// PolicyChange is a finding, and what became of it.
type PolicyChange struct {
	Kind      string // new, gone, changed, empty
	Mark      string // +, -, ~
	KindText  string
	Was, Now  Pill // Now is empty for one that is gone
	Gate      string
	Trigger   string
	TriggerID string
	Output    string
	Why       []Fact
	Excepted  string
	Except    string // address of the form that makes an exception; empty: not offered
}

// PolicyDiff compares two bundles.
type PolicyDiff struct {
	Action  string
	Left    string // name of what is compared with
	Right   string
	With    []PolicyChoice
	None    string // said when there is nothing to compare with
	Same    bool
	Groups  []PolicyDiffGroup
	Hunks   []PolicyHunk
	Added   int
	Removed int
	Text    string // edited text that is compared; empty: the stored one
	Seen    string
	Back    string
	Cut     string // that not all is shown
	Fault   string
}

// PolicyDiffGroup is the changes of one part of a bundle.
type PolicyDiffGroup struct {
	Title string
	List  []PolicyDiffItem
}

// PolicyDiffItem is one thing that was added, removed, changed or moved.
type PolicyDiffItem struct {
	Kind, Mark, KindText string
	Text                 string
	Details              []string
}

// PolicyHunk is a piece of the texts' difference.
type PolicyHunk struct {
	Title string
	Lines []PolicyDiffLine
}

// PolicyDiffLine is one line: Kind is add, del or empty.
type PolicyDiffLine struct{ Kind, Mark, Left, Right, Text string }

// PolicyNewException is the form that sets a finding aside.
type PolicyNewException struct {
	Crumbs       []Crumb
	Bundle       string // name
	BundleHref   string
	Active       bool
	Action, Back string
	Image, Tag   string
	Output       string // the finding's message, when it is known
	Gate         string
	TriggerID    string
	Reason       string
	Expires      string // date, as the form has it
	Lists        []PolicyChoice
	Seen         string
	Fault        string
	Preview      string // the item as JSON
	Effect       *PolicyTrials
	Previewed    bool
	MinDate      string
	MayNot       bool
}
