package engine

import "time"

// Judgement is an evaluation as people look at it: why it came out as it did,
// with the rule behind each row.
type Judgement struct {
	Policy, PolicyName string // the bundle
	Digest             Digest // of the image
	Tag                string // full
	Action             string // the final one
	PolicyAction       string // of the policies alone, before the image lists
	Reason             string // policy_evaluation, whitelisted or blacklisted
	Active             bool   // the bundle was the active one
	At                 time.Time
	Mapping            *JudgementRule // nil: none matched, so that no policy was run
	Policies           []NamedID      // that the mapping selects
	Whitelists         []NamedID
	Whitelisted        *JudgementRule // the rules of the image lists that matched; nil: none
	Blacklisted        *JudgementRule
	Rows               []JudgementRow
	Problems           []JudgementProblem
}

// NamedID is an object of a bundle.
type NamedID struct{ ID, Name string }

// JudgementRule is a rule that chooses images.
type JudgementRule struct {
	ID, Name string
	Images   string // registry/repository:tag or @digest, as patterns
}

// JudgementRow is one firing of a trigger.
type JudgementRow struct {
	TriggerID, Gate, Trigger string
	Message                  string
	Action                   string // go when an exception applied
	Policy                   NamedID
	Rule                     string // its id
	Ruled                    string // the action that the rule asks for
	Params                   []JudgementParam
	Exception                *JudgementException // that set the row aside
	Lapsed                   *JudgementException // that would have, had it not expired
	Why                      JudgementWhy
}

// JudgementParam is a parameter of a rule.
type JudgementParam struct{ Name, Value string }

// JudgementException is a whitelist item or, with VEX, a statement of a VEX document.
type JudgementException struct {
	List    NamedID
	Item    string // its id
	Reason  string
	Expires time.Time // zero: never
	VEX     bool
}

// JudgementWhy is what made a rule fire; what has no meaning for its trigger is empty.
type JudgementWhy struct {
	Record, Namespace      string // vulnerability, file, user, licence ...
	Package, Version, Path string
	Against                string // what the version was compared with
	Fix, Matcher           string
}

// JudgementProblem is a fault of the bundle.
type JudgementProblem struct{ Severity, Type, Details string }

// JudgementStep is one entry of an image's stored evaluations and how it differs
// from the one before by the same bundle.
type JudgementStep struct {
	At                 time.Time // when it was last found to be so
	Policy, PolicyName string
	Action             string
	Active             bool
	Rows, Stop, Warn   int            // Rows that are not set aside; Stop and Warn of them
	First              bool           // there is none before
	Document           bool           // the bundle's document had changed since
	More, Fewer        int            // rows that came and that went
	Came, Went         []JudgementRow // the first of them, the worst first
}
