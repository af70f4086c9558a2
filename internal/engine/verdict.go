package engine

import "time"

// Verdict is what a bundle says of an image, for those who show it.
type Verdict struct {
	Action       string // the final one
	Reason       string // policy_evaluation, whitelisted or blacklisted
	PolicyAction string // of the policies alone, before the image lists
	Mapping      string // name of the mapping that was followed; empty: none matched
	Whitelisted  string // name of the image list's rule that matched; empty: none
	Blacklisted  string
	Rows         []VerdictRow
	Problems     []string
}

// VerdictRow is one firing of a trigger.
type VerdictRow struct {
	TriggerID string
	Gate      string
	Trigger   string
	Output    string
	Action    string // go when an exception applies
	PolicyID  string
	Exception *VerdictException // nil: none applies
	Why       VerdictWhy
}

// VerdictException is the whitelist item, or the VEX statement, that set a row
// aside.
type VerdictException struct {
	WhitelistID, WhitelistName string
	ItemID                     string
	Reason                     string
	ExpiresAt                  time.Time // zero: never
}

// VerdictWhy says what made a rule fire. Fields that have no meaning for a
// trigger are empty.
type VerdictWhy struct {
	RuleID    string
	Ruled     string // what the rule asks for, whatever set the row aside
	Record    string
	Namespace string
	Package   string
	Path      string
	Version   string // found in the image
	Against   string // what it was compared with
	Fix       string
	Matcher   string
}

// PolicyTry asks what a bundle that is not stored, or not active, would say.
type PolicyTry struct {
	Account  string
	Document []byte // the bundle to try
	// Against is the id of the stored bundle to compare with; empty: the active
	// one, where there is any.
	Against string
	// Images are asked about by digest; empty: the newest that are analyzed, at
	// most Newest of them.
	Images []string
	Newest int
	// Tag is the name under which they are judged; empty: each under its newest.
	Tag string
}

// PolicyTrial is the outcome for one image.
type PolicyTrial struct {
	Image Digest
	Tag   string
	Tried Verdict  // with its rows only when one image alone was asked about
	Now   *Verdict // by the bundle compared with, without rows; nil: there is none, or no verdict
	Fault string   // why there is no verdict by the tried bundle; then Tried is zero
	// NowFault is why there is none by the other.
	NowFault string

	TriedRows, NowRows VerdictRows
	Changes            []VerdictChange // what differs, the worst first; at most MaxVerdictChanges
	MoreChanges        int             // that are not in the list
	Same               int             // findings of both
}

// PolicyTrials is what came of a try.
type PolicyTrials struct {
	Against string // id of the bundle compared with; empty: none
	Trials  []PolicyTrial
	// Left is how many of the images were not looked at, since time was up.
	Left int
	// Analyzed is how many images the account has that could be asked about.
	Analyzed int
}

// VerdictCounts is how the images of an account stand with its active bundle.
type VerdictCounts struct {
	Go, Warn, Stop int       // images, by the worst action under any of their tags
	Waiting        int       // analyzed images that it has not judged, as it now is
	At             time.Time // newest evaluation; zero: none
}
