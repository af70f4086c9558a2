package engine

import (
	"slices"
	"time"
)

// CheckStatus is how a check of the troubleshooting guide ended.
type CheckStatus string

const (
	CheckPass    CheckStatus = "pass"
	CheckWarn    CheckStatus = "warn"    // works, and will not for long, or not for all
	CheckFail    CheckStatus = "fail"    // something does not work
	CheckUnknown CheckStatus = "unknown" // could not be looked at, or nobody has asked for it
)

// Gravity orders the statuses: pass, unknown, warn, fail.
func (s CheckStatus) Gravity() int {
	return slices.Index([]CheckStatus{CheckPass, CheckUnknown, CheckWarn, CheckFail}, s)
}

// WorstCheck is the gravest status of a list.
func WorstCheck(list []Check) CheckStatus {
	worst := CheckPass
	for _, c := range list {
		if c.Status.Gravity() > worst.Gravity() {
			worst = c.Status
		}
	}
	return worst
}

// Ids of the checks, which never change.
const (
	CheckAPI         = "api"
	CheckCredentials = "credentials"
	CheckDatabase    = "database"
	CheckServices    = "services"
	CheckHeartbeats  = "heartbeats"
	CheckClocks      = "clocks"
	CheckQueue       = "queue"
	CheckFeeds       = "feeds"
	CheckFeedFailure = "feed_failure"
	CheckDisk        = "disk"
	CheckRegistries  = "registries"
	CheckImages      = "images"
	CheckErrors      = "errors"
)

// Check is one question of the troubleshooting guide with its answer.
type Check struct {
	ID      string
	Title   string // the question as a statement: "The API answers"
	Status  CheckStatus
	Summary string // the answer in a sentence
	Facts   []CheckFact
	Steps   []CheckStep // what to do next; none when nothing has to be done
	At      time.Time
	Took    time.Duration
}

// CheckFact is one piece of the evidence.
type CheckFact struct {
	Name   string
	Value  string
	At     time.Time   // follows Value where the fact is of a moment
	Status CheckStatus // of this piece; empty: it says nothing by itself
	Place  CheckPlace  // where more of it is seen; zero: nowhere
}

// CheckPlace is where in a console something is seen: a page and what it is
// asked for.
type CheckPlace struct {
	Page string // services, events, feeds, images, logs, registries, queue
	Of   string // one thing of that page: "analyzer/host-1", a digest; empty: the list
	Args map[string]string
}

// CheckStep is something to do: to look at a place, or to have something done.
type CheckStep struct {
	Text  string
	Place CheckPlace
	Do    CheckAction // empty: only to be looked at, or read
	Arg   string      // what it is done to
}

// CheckAction is what a console can do about a finding.
type CheckAction string

const (
	DoSyncFeeds       CheckAction = "sync_feeds"
	DoRetryImages     CheckAction = "retry_images"     // Arg: the cause of their failure
	DoCheckRegistries CheckAction = "check_registries" // log in to each with its stored credential
)

// CheckQuery says what is checked, and for whom.
type CheckQuery struct {
	Who     Identity
	Account string
	System  bool     // also what concerns the whole engine and its hosts
	Only    []string // ids; empty: all
	Fresh   bool     // run now, whatever is known from a moment ago
	Reach   bool     // also ask the registries, which costs a login to each
}

// HostReport is what a host says of itself with its heartbeats.
type HostReport struct {
	Clock   time.Time // there, when the heartbeat was sent
	Folders []HostFolder
}

// HostFolder is a folder that the program writes to, with the room there is.
type HostFolder struct {
	Use         string // data, log, temp
	Path        string
	Free, Total int64
	Fault       string // why it cannot be written to; empty: it can
}

// DatabaseState is what the database says of itself.
type DatabaseState struct {
	Server      string // version in words
	Schema      int64  // newest migration applied
	SchemaWant  int64  // newest that this program has
	Connections int    // of clients, ours and others'
	Limit       int    // of them, without those kept for the superuser
	Ours        int    // connections of this process
	OursLimit   int
	Bytes       int64
	Longest     time.Duration // age of the oldest open transaction
	ReadOnly    bool
	Now         time.Time     // its clock
	Skew        time.Duration // this host's clock less its, for the middle of the question
	Took        time.Duration
}

// QueueState is a queue as one looks for what is stuck in it.
type QueueState struct {
	Queue    string
	Due      int64 // could be taken now
	Leased   int64
	Resting  int64     // wait for their next attempt
	Oldest   time.Time // since when the oldest that is due has been so
	Lapsed   int64     // of those due: held by a worker that went away
	LapsedAt time.Time // when the first of their leases ended
	Stranded int64     // of those due: for a host alone on which no analyzer is up
}

// FailedGroup is the images whose analysis failed of one cause.
type FailedGroup struct {
	Cause  string
	Images int64
	Last   time.Time // newest failure
	Digest Digest    // of the image it is of
	Name   string    // a tag of it, or its digest
	Text   string    // what it says
}

// ErrorGroup is the error events of one type.
type ErrorGroup struct {
	Type   string
	Events int64
	Last   time.Time
	Text   string // of the newest
	ID     string // of the newest
}
