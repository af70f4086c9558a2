// Package policy judges images by policy bundles: a bundle, an image's facts
// and its matches go in, a verdict with every rule that fired and every
// exception that applied comes out. It reads no clock, no file and no network,
// so a verdict can be had again from the same facts.
//
// A bundle is read once (Parse) into a form that any number of evaluations may
// share: rules have their parameters checked and their expressions compiled,
// exceptions are indexed. An evaluation prepares each gate's view of the image
// at most once, whatever the number of rules.
//
// The gates stand in one table (gates.go). Validation, evaluation and the
// document that describes them to clients (Spec) all read that table, so they
// cannot disagree. Messages are part of the contract: most trigger ids, which
// exceptions name, are hashes of them. A test holds them.
//
// The package may import the engine's vocabulary and nothing else of it.
package policy

import "time"

// Action is what a rule asks for, in the lower case that v1 answers with.
type Action string

const (
	Go   Action = "go"
	Warn Action = "warn"
	Stop Action = "stop"
)

// severity orders actions: stop > warn > go.
func (a Action) severity() int {
	switch a {
	case Stop:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// worse is the more severe of two actions.
func worse(a, b Action) Action {
	if b.severity() > a.severity() {
		return b
	}
	return a
}

// Why the final action is what it is.
const (
	ReasonPolicy      = "policy_evaluation"
	ReasonWhitelisted = "whitelisted"
	ReasonBlacklisted = "blacklisted"
)

// Problem is one fault of a bundle, as v1 reports it.
type Problem struct {
	Severity string `json:"severity"`
	Type     string `json:"problem_type"`
	Details  string `json:"details"`

	// Path is the place in the document as a JSON pointer; empty: the whole of
	// it. What is missing has the place where it belongs.
	Path string `json:"-"`
}

// Problem types.
const (
	ProblemVersion    = "UnsupportedVersionError"
	ProblemReference  = "ReferencedObjectNotFoundError"
	ProblemDuplicate  = "DuplicateIdentifierFoundError"
	ProblemGate       = "GateNotFoundError"
	ProblemTrigger    = "TriggerNotFoundError"
	ProblemValue      = "ParameterValueInvalidError"
	ProblemParameter  = "InvalidParameterError"
	ProblemEndOfLife  = "EndOfLifedError"
	ProblemValidation = "ValidationError"
)

// Verdict is the outcome of one evaluation.
type Verdict struct {
	Action       Action    // the final one
	Reason       string    // ReasonPolicy, ReasonWhitelisted or ReasonBlacklisted
	PolicyAction Action    // of the policies alone, before the image lists
	Mapping      *Mapping  // nil: no rule matched, no policy was run
	Whitelisted  *Selector // the image list rules that matched; nil: none
	Blacklisted  *Selector
	Rows         []Row
	Problems     []Problem
}

// Status is v1's word for the final action: "pass" or "fail".
func (v *Verdict) Status() string {
	if v.Action == Stop {
		return "fail"
	}
	return "pass"
}

// Row is one firing of a trigger.
type Row struct {
	TriggerID string
	Gate      string
	Trigger   string
	Output    string // the message
	Action    Action // go when an exception applied
	PolicyID  string
	Exception *Exception // nil: none applied
	Why       Why
}

// Exception is the whitelist item, or the VEX statement, that set a row aside.
type Exception struct {
	WhitelistID   string
	WhitelistName string
	ItemID        string
	Reason        string    // given with the item; may be empty
	ExpiresAt     time.Time // zero: never
}

// Why says what made a rule fire: the rule, the record and the versions that
// were compared. Fields that have no meaning for a trigger are empty.
type Why struct {
	RuleID    string
	Ruled     Action // what the rule asks for, whatever set the row aside
	Record    string // vulnerability, file, user, licence, signature ...
	Namespace string // of the record
	Package   string
	Path      string
	Version   string // found in the image
	Against   string // what Version was compared with: a range, a wanted version
	Fix       string // versions that fix it
	Matcher   string
}

// Header names the cells of a row in v1's result table.
var Header = []string{"Image_Id", "Repo_Tag", "Trigger_Id", "Gate", "Trigger", "Check_Output", "Gate_Action", "Whitelisted", "Policy_Id"}

// Cells is the row as v1's result table has it. A client of v1 reads the three
// keys of an exception it knows and skips reason and expiry.
func (r *Row) Cells(imageID, tag string) []any {
	var exception any = false
	if e := r.Exception; e != nil {
		cell := map[string]any{"whitelist_name": e.WhitelistName, "whitelist_id": e.WhitelistID, "matched_rule_id": e.ItemID}
		if e.Reason != "" {
			cell["reason"] = e.Reason
		}
		if !e.ExpiresAt.IsZero() {
			cell["expires_on"] = e.ExpiresAt.UTC().Format(time.RFC3339)
		}
		exception = cell
	}
	return []any{imageID, tag, r.TriggerID, r.Gate, r.Trigger, r.Output, string(r.Action), exception, r.PolicyID}
}
