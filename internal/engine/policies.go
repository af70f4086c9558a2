package engine

import "time"

// PolicyBundle is one stored bundle of an account. At most one of an account
// is active: the one that images are checked against when none is named.
type PolicyBundle struct {
	Account     string
	ID          string
	Name        string // as in the document, where it has one
	Description string
	Source      string // local
	Active      bool
	Digest      string // of the document, 64 hex
	Document    []byte // JSON as posted; nil in lists that do not ask for it
	DocumentAt  time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time // of the record or of its document, whichever is later
}

// Final actions of an evaluation, from best to worst.
const (
	ActionGo   = "go"
	ActionWarn = "warn"
	ActionStop = "stop"
)

// PolicySet is the bundles that an account begins with.
type PolicySet struct {
	Bundles []PolicyBundle
	Active  string // id of the one that is made active
}

// Evaluation is what a bundle said of an image under one tag. Those of the same
// outcome that follow each other are one record, renewed each time.
type Evaluation struct {
	ID           string // v1's evalId
	Account      string
	Policy       string // id of the bundle
	Digest       Digest // of the image
	Tag          string // full; it need not be one of the image's
	Action       string // the final one
	Active       bool   // the bundle was the active one
	Facts        string // version of what was known of the image; see Store.PolicyFactsVersion
	BundleDigest string
	Bundle       []byte // the document it was made with
	Result       []byte // JSON; the evaluation package's to read
	At           time.Time
	Was          string // final action by the active bundle of before, of one just stored; empty: none
}

// PolicyFacts is what an evaluation may look at of one image, as it stood at
// one moment.
type PolicyFacts struct {
	Image     Image // without its tags
	Version   string
	Packages  []Package
	Matches   []SeenMatch
	Files     []File
	Documents map[string][]byte
	Groups    []FeedGroup // of feed vulnerabilities, for the names asked for
}

// PolicyFactsWanted says what of an image's facts is to be loaded: a large
// image has some hundred thousand of them.
type PolicyFactsWanted struct {
	Packages, Matches, Files bool
	Documents                []string
}

// SeenMatch is a match and since when it has been one.
type SeenMatch struct {
	Match
	FirstSeen time.Time // in this image
}

// EvaluationTag is a name under which an image is evaluated.
type EvaluationTag struct {
	Tag        string
	Subscribed bool // somebody wants to be told when the outcome changes
}

// PolicyTask is the payload of a job of QueueEvaluate, as JSON; the job's
// subject is the image digest.
type PolicyTask struct {
	// AllTags evaluates each tag of the image, as after its analysis; without,
	// those that a subscription asks for.
	AllTags bool `json:"all_tags"`
}

// ImageVerdict is what the active bundle of an account said last of an image
// under a tag.
type ImageVerdict struct {
	Digest  Digest
	Tag     string
	Action  string // the final one
	At      time.Time
	Current bool // the bundle has the same document now
}

// Reevaluation is how far the evaluation of all images of an account has come
// that begins when another bundle is made active. One that another takes the
// place of ends before all is done.
type Reevaluation struct {
	Account   string
	Policy    string // id of the bundle
	Bundle    string // digest of its document
	Total     int64  // images there were when it began
	Done      int64
	Changed   int64 // whose final action is another than before
	Undecided int64 // that the bundle could not judge
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
}

// ReevaluationStep is one image of a re-evaluation, and its place among them.
type ReevaluationStep struct {
	Digest    Digest
	CreatedAt time.Time
	Key       int64
}
