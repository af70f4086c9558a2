// Package engine is the vocabulary of the scanner: images, events, feeds,
// services, log lines, and the errors callers may test for. It holds no
// behaviour that needs a database, a network or a goroutine, and imports the
// standard library only: the v1 wire format lives in apiv1, the row format in
// store.
package engine

import "time"

// Names of the five services, in the order in which lists show them.
const (
	APIExt       = "apiext"
	Catalog      = "catalog"
	PolicyEngine = "policy_engine"
	SimpleQueue  = "simplequeue"
	Analyzer     = "analyzer"
)

// ServiceNames lists every service kind that a complete engine runs.
var ServiceNames = []string{APIExt, Catalog, PolicyEngine, SimpleQueue, Analyzer}

// Versions as the v1 API reports them; clients compare the first two.
const (
	Version   = "1.1.0"  // software version shown in service_detail
	DBVersion = "0.0.16" // schema version shown beside it
	APIVer    = "v1"
)

// AdminAccount owns feed and service events and cannot be disabled.
const AdminAccount = "admin"

// Identity is an authenticated user and the account it belongs to.
type Identity struct {
	User    string
	Account string
	Admin   bool // account of type admin: every permission in every account
	// Disabled: the account is not enabled. Its users authenticate, and may do
	// nothing.
	Disabled bool
	// Rights tell what else the user may do, or may not; nil: nothing else.
	Rights *Rights
}

// Change is one numbered announcement of a committed change. Numbers only
// grow; a reader that holds one can ask for all that follow.
type Change struct {
	Seq     int64
	Kind    ChangeKind
	Account string // empty: visible to every account
	ID      string // what changed: event id, image digest, service "name/host", feed name, job id
	Body    []byte // small JSON of the kind's own shape, may be empty
	At      time.Time
}

// ChangeKind names what a change is about.
type ChangeKind string

// Kinds of change. The comment gives what ID holds.
const (
	ChangeService       ChangeKind = "service"             // name/host; record added, altered or removed
	ChangeEvent         ChangeKind = "event"               // event id; added
	ChangeEventDeleted  ChangeKind = "event.deleted"       // event id
	ChangeEventsCleared ChangeKind = "events.cleared"      // clear id; body EventClear; progress, end, undo
	ChangeRetention     ChangeKind = "events.retention"    // run id or empty; rules altered, progress of a run
	ChangeFeeds         ChangeKind = "feeds"               // feed name or empty; feed, group or active data altered
	ChangeFeedSync      ChangeKind = "feeds.sync"          // sync id; progress of a running sync
	ChangeRematch       ChangeKind = "feeds.rematch"       // data id; progress of rematching after a switch
	ChangeImage         ChangeKind = "image"               // digest; added or altered, progress of its analysis
	ChangeImageRemoved  ChangeKind = "image.removed"       // digest
	ChangeRegistry      ChangeKind = "registry"            // registry name
	ChangeJob           ChangeKind = "job"                 // job id; queue depth altered
	ChangeAccount       ChangeKind = "account"             // user or account name; credentials, roles, tokens or state altered
	ChangeSession       ChangeKind = "session"             // user name; a console login of the user was ended
	ChangeSubscription  ChangeKind = "subscription"        // subscription id; added, altered, removed or checked
	ChangeNotification  ChangeKind = "notification"        // notification id; an attempt at its delivery has ended, or it was queued again
	ChangeWebhook       ChangeKind = "webhook"             // webhook id; added, altered or removed
	ChangePolicy        ChangeKind = "policy"              // bundle id; added, altered, activated or removed
	ChangeReevaluation  ChangeKind = "policy.reevaluation" // bundle id; progress of evaluating all images by it
	ChangeEvaluation    ChangeKind = "evaluation"          // image digest; a stored policy evaluation of it was added
	ChangeArchive       ChangeKind = "archive"             // image digest, or rule id; archived, removed from the archive, or a rule altered
	ChangeVEX           ChangeKind = "vex"                 // VEX document id; added, enabled, disabled or removed
	ChangeSample        ChangeKind = "sample"              // sample images or starter data added or removed
)
