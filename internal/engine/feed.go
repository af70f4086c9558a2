package engine

import "time"

// Feed is one source of vulnerability records with its groups.
type Feed struct {
	Name      string
	Enabled   bool
	CreatedAt time.Time
	UpdatedAt time.Time
	LastSync  time.Time // end of the last complete sync; zero: never
	Groups    []FeedGroup
}

// FeedGroup is a distribution release, a year or an ecosystem of a feed.
type FeedGroup struct {
	Feed      string
	Name      string
	Enabled   bool
	CreatedAt time.Time
	UpdatedAt time.Time
	LastSync  time.Time
	Records   int64
	Before    int64 // records in the data before the active one; -1: group is new
}

// FeedData is one installed vulnerability database.
type FeedData struct {
	ID          string // hex of the archive's checksum, short
	Checksum    string // sha256:... of the archive
	Schema      string
	Built       time.Time
	Source      string // URL, or "upload", or "starter"
	Starter     bool   // the built-in sample database
	Bytes       int64  // of the archive
	Records     int64
	InstalledAt time.Time
	Active      bool
	Previous    bool   // kept to go back to
	SetAside    bool   // by a roll back: periodic syncs do not install it again
	Archive     string // id of the archive that is kept of it; empty: none
}

// FeedStage is a step of a feed sync, in order of FeedStages.
type FeedStage string

const (
	FeedCheck    FeedStage = "check"
	FeedDownload FeedStage = "download"
	FeedVerify   FeedStage = "verify"
	FeedUnpack   FeedStage = "unpack"
	FeedIndex    FeedStage = "index"
	FeedActivate FeedStage = "activate"
	// FeedRematch follows a sync: images are matched with its data.
	FeedRematch FeedStage = "rematch"
)

// FeedStages lists the steps of a sync in order.
var FeedStages = []FeedStage{FeedCheck, FeedDownload, FeedVerify, FeedUnpack, FeedIndex, FeedActivate, FeedRematch}

// FeedStep is how long a stage of a sync took.
type FeedStep struct {
	Stage FeedStage
	Took  time.Duration
}

// FeedSync is one run of a sync: running, or in the history.
type FeedSync struct {
	ID          int64
	Trigger     string // periodic, manual, upload, starter
	Status      string // running, success, unchanged, failure, cancelled
	Stage       FeedStage
	StageAt     time.Time // when Stage was entered
	Done, Total int64     // bytes of the stage; Total 0: unknown
	StartedAt   time.Time
	EndedAt     time.Time
	Cause       string // stable code: dns, connection, tls, proxy, http_4xx, http_5xx, checksum, disk, format, sanity
	Message     string // one sentence
	Source      string
	Data        string // id of the data made active
	Records     int64
	Delta       int64 // records against the data before
	NextTry     time.Time
	Host        string
	Steps       []FeedStep // the stages it has left
	Images      int64      // matched again with its data
	Changed     int64      // of them those whose matches changed
	MatchedAt   time.Time  // when the last of them was; zero: not yet, or none had to be
}

// Rematch is the progress of matching stored images against new data.
type Rematch struct {
	Data        string
	Done, Total int64
	StartedAt   time.Time
	EndedAt     time.Time
	Changed     int64 // images whose matches changed
}

// FeedSyncResult is what a synchronous sync reports of one feed.
type FeedSyncResult struct {
	Feed   string
	Failed bool
	Took   time.Duration
	Groups []FeedGroupSyncResult
}

// FeedGroupSyncResult is what a synchronous sync reports of one group.
type FeedGroupSyncResult struct {
	Group   string
	Failed  bool
	Updated int64 // records by which the group grew or shrank, or all of a new group
	Images  int64 // images to be matched again
	Took    time.Duration
}

// FeedStatus is the state of the vulnerability data as a whole.
type FeedStatus struct {
	Source   string        // address of the listing
	Interval time.Duration // of periodic syncs; 0: never
	Next     time.Time     // zero: none is due
	Active   *FeedData     // nil: no data yet
	Previous *FeedData     // nil: nothing to go back to
	Before   []FeedGroup   // groups of the previous data
	Syncs    []FeedSync    // newest first; the first may be running
	Archives []FeedArchive // uploads that are not installed, newest first
	Hosts    []FeedHost    // those that match images
	Rematch  Rematch       // newest; zero: none yet
}
