package engine

import "time"

// MaxFeedArchive bounds an uploaded archive of vulnerability data: real ones
// have a hundred megabytes.
const MaxFeedArchive = 2 << 30

// FeedArchiveState is how far an uploaded archive has come.
type FeedArchiveState string

const (
	FeedArchiveOpen       FeedArchiveState = "open" // its bytes come in
	FeedArchiveInstalling FeedArchiveState = "installing"
	FeedArchiveRefused    FeedArchiveState = "refused" // it was not installed; it may be tried again
	FeedArchiveKept       FeedArchiveState = "kept"    // for the hosts that lack its data
)

// FeedArchive is an archive of vulnerability data that came by hand. Its bytes
// are kept in the database, so that an upload goes on where it broke off and
// every host can bring the data onto itself.
type FeedArchive struct {
	ID        string
	Source    string // "upload: " and the file's name
	Size      int64  // announced; 0: not known before it ends
	Have      int64  // bytes that are here
	Checksum  string // announced; empty: it is not compared
	Flush     bool   // install it even if it is older or much smaller
	By        string // the user who sent it
	State     FeedArchiveState
	Tries     int // to install it
	Cause     string
	Message   string // why it was refused
	CreatedAt time.Time
	TouchedAt time.Time
}

// FeedHost is what a host that matches images has of the data in use.
type FeedHost struct {
	Host    string
	Data    string // id of the data it has; empty: none
	Message string // why it lacks the data in use
	At      time.Time
}

// FeedRollback is what going back to the data before would change.
type FeedRollback struct {
	From, To FeedData
	Groups   []FeedGroup // Records: what it would have, Before: what it has; only those that differ
	Images   int64       // that would be matched again
}

// FeedUse is what hangs on a feed or a group.
type FeedUse struct {
	Feed, Group string // Group empty: the whole feed
	Enabled     bool
	Groups      int
	Records     int64
	Matches     int64 // in images; below 0: nobody knows
	Images      int64 // that have them
}
