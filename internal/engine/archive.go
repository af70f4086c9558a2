package engine

import "time"

// ArchiveStatus is where an archived analysis stands.
type ArchiveStatus string

const (
	Archiving       ArchiveStatus = "archiving"
	Archived        ArchiveStatus = "archived"
	ArchiveDeleting ArchiveStatus = "deleting"
)

// MaxArchiveRequest is how many images one request may archive.
const MaxArchiveRequest = 100

// ArchivedImage is the record of an archived analysis.
type ArchivedImage struct {
	Account      string
	Digest       Digest
	ParentDigest Digest
	Status       ArchiveStatus
	Annotations  map[string]any
	Tags         []ImageTag // newest detection first
	Size         int64      // bytes of the archive
	AnalyzedAt   time.Time
	CreatedAt    time.Time // when it was archived
	UpdatedAt    time.Time
}

// ArchiveResult is the outcome of one requested archiving.
type ArchiveResult struct {
	Digest string
	Status string // archived, error, or that of the record there was
	Detail string
}

// ArchiveSummary counts what is archived: images of the whole system, rules of
// one account.
type ArchiveSummary struct {
	Images, Tags, Bytes int64
	ImagesAt            time.Time // zero: none
	Rules               int64
	RulesAt             time.Time // zero: none
}

// Transition is what an archive rule does with an image it selects.
type Transition string

const (
	ToArchive   Transition = "archive" // out of the working set into the archive
	FromArchive Transition = "delete"  // out of the archive
)

// ImageSelector selects images by the three parts of a tag's name. * stands for
// any text.
type ImageSelector struct{ Registry, Repository, Tag string }

// ArchiveRule says when images move to the archive or out of it.
type ArchiveRule struct {
	ID            string // 32 hex
	Account       string
	Transition    Transition
	SystemGlobal  bool // an archive rule for all accounts
	Selector      ImageSelector
	AgeDays       int // only what is older; negative: any
	VersionsNewer int // only what has at least so many newer ones of its tag; negative: any
	Exclude       ImageSelector
	ExcludeDays   int // how long the exclusion holds after an analysis; -1: for ever
	MaxImages     int // above 0: all beyond the newest so many of an account, and nothing else counts
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// ArchiveRun is what a run of the archive rules did, or would do, to one
// account.
type ArchiveRun struct {
	Task     string // 32 hex; named in the events
	Account  string
	DryRun   bool
	Archived []ArchiveMove
	Deleted  []ArchiveMove
}

// ArchiveMove is one image that rules selected.
type ArchiveMove struct {
	Digest string
	Error  string // why it stays; empty: it moved, or would
}
