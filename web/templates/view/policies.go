package view

// Policies is the list of bundles.
type Policies struct {
	Sub     string
	Rows    []BundleRow
	Posture *PolicyPosture // of the active one; nil: none is active
	May     bool           // change bundles
	Upload  PolicyUpload
	Same    SameBy
}

// BundleRow is one bundle of the list.
type BundleRow struct {
	DOMID, ID, Name, Href string
	Description           string
	Active                bool
	Counts                []Fact // policies, rules, mappings, exceptions
	Broken                string // why it cannot be read; empty: it can
	Source                string
	Updated               Time
	Size                  string
	Activate, Delete      string // addresses; empty: not offered
	Duplicate, Download   string
}

// PolicyPosture is how the images stand with the active bundle.
type PolicyPosture struct {
	Name, Href string
	List       []PolicyShare
	Waiting    string // images that it has not judged yet; empty: none
	Progress   *Meter // while all images are judged by it; nil: they are not
	Empty      string // said in place of numbers when no image is analyzed
	At         Time
	Text       string // for those who do not see the bar
}

// PolicyShare is the images of one final action; N of Total.
type PolicyShare struct {
	Class, Text, Count string
	Tone               string
	N, Total           int
}

// PolicyUpload is the form that takes a bundle's file.
type PolicyUpload struct{ Fault string }

// PolicyBundle is the page of one bundle.
type PolicyBundle struct {
	ID, Name, Path string
	Description    string
	Digest, Short  string
	Active         bool
	May            bool // change bundles
	MayTry         bool
	Crumbs         []Crumb
	Tab            string
	Tabs           []Tab
	Updated        Time
	Same           SameBy

	Overview *PolicyOverview
	Edit     *PolicyEdit
	Try      *PolicyTry
	Diff     *PolicyDiff
}

// PolicyOverview is a bundle as a person reads it.
type PolicyOverview struct {
	Broken     string // why it cannot be read
	Mappings   []PolicyMapping
	Policies   []PolicyRules
	Whitelists []PolicyExceptions
	Passing    []PolicyImages // whitelisted images
	Failing    []PolicyImages // blacklisted images
	Facts      []Fact
}

// PolicyMapping says for which images which policies count.
type PolicyMapping struct {
	N          string
	Name       string
	Images     string // the pattern, as one text
	All        bool   // it takes every image
	Policies   []Fact // name and address on the page; Text "missing" where there is none
	Whitelists []Fact
}

// PolicyRules is one policy of a bundle.
type PolicyRules struct {
	DOMID, ID, Name, Comment string
	Used                     string // by which mappings, in words
	Unused                   bool
	Rules                    []PolicyRule
	Count                    string
}

// PolicyRule is a rule as a sentence.
type PolicyRule struct {
	DOMID, ID     string
	Tone, Action  string // Stop, Warn, Go
	Gate, Trigger string
	Says          []PolicyPhrase // the conditions
	About         string         // what the trigger asks
	Href          string         // in the gate reference
	Ended         string         // past its life: it does not run
	Unknown       bool
}

// PolicyPhrase is one condition: Name, an operator or "", and a value or "".
type PolicyPhrase struct{ Name, Op, Value string }

// PolicyExceptions is one whitelist of a bundle.
type PolicyExceptions struct {
	DOMID, ID, Name, Comment string
	Used                     string
	Unused                   bool
	Count                    string
	Items                    []BundleException
	More                     string // that are not shown
}

// BundleException is one item of a whitelist.
type BundleException struct {
	ID, Gate, Trigger string
	Reason            string
	Expiry            Pill // with words for never
	Expires           Time
	Expired           bool
}

// PolicyImages is a rule of the lists of images that always pass or fail.
type PolicyImages struct{ Name, Images string }

// PolicyEdit is the editor of a bundle's text.
type PolicyEdit struct {
	New      bool
	Action   string // where the form goes, with its token
	Check    string // where the script asks for faults
	Text     string
	Rows     int
	Seen     string // digest of the version that is edited
	Faults   []PolicyFault
	Refused  bool   // there are faults that keep it from being saved
	Checked  bool   // the faults are those of this text
	Unread   string // why there are none to show
	Conflict string // somebody else changed it; the sentence that says so
	Theirs   string // digest of the version that is stored now
	Fault    string // what else was wrong with saving
	Lines    []PolicyLine
	Active   bool
	May      bool
	Cancel   string
	Gates    []PolicyGateName // for the select beside the editor
}

// PolicyLine is a line that a fault stands at, with its neighbours.
type PolicyLine struct {
	N     string
	Text  string
	Fault string // empty: a neighbour
	Warn  bool
}

// PolicyFault is one fault of the text.
type PolicyFault struct {
	Line, Column int
	Where        string // "line 12, column 4"
	Type         string
	Text         string
	Warning      bool
	Excerpt      []PolicyLine
}

// PolicyConfirm asks before a bundle is activated or deleted.
type PolicyConfirm struct {
	Title, Name, ID  string
	Action, Back     string
	Seen             string
	Text             []string
	Button           string
	Danger           bool
	Now              string // name of the active bundle
	Trials           *PolicyTrials
	Refused          string // why it cannot be done; empty: it can
	Download         string
	Crumbs           []Crumb
	DiffHref, TryAll string
}
