package policy

import (
	"time"

	"windlass/internal/engine"
)

// Facts is a set of kinds of facts, so that a caller loads only what the rules
// to be run look at (Bundle.Needs).
type Facts uint16

const (
	FactDockerfile Facts = 1 << iota // Dockerfile, Mode
	FactFiles                        // Files
	FactPackages                     // Packages
	FactMatches                      // Matches
	FactVulnData                     // VulnData
	FactRetrieved                    // Retrieved
	FactSecrets                      // Secrets
	FactContent                      // Content
	FactMalware                      // Malware
	FactVerify                       // Records
	FactFeeds                        // Feeds
)

// Image is what evaluation may know of an image. Nothing in it is changed.
type Image struct {
	Digest string // of the image record
	ID     string

	// of the image as a whole
	OS, Arch              string
	Distro, DistroVersion string
	Like                  string // ID_LIKE of the distribution, joined with commas
	Size                  int64
	Layers                int

	Dockerfile string // plain text
	Mode       string // Actual, Guessed or ""

	Packages  []engine.Package
	Matches   []Match
	VulnData  VulnData
	Files     []engine.File // quicker when sorted by path
	Retrieved []Retrieved
	Secrets   []Finding // of the secret search
	Content   []Finding // of the file content search
	Malware   []Scan
	Records   []Record
	Feeds     map[string]PackageFeed // by group of the packages feed: gem, npm
}

// Match is a match with what else a rule may ask of it.
type Match struct {
	engine.Match           // with FixAt
	FirstSeen    time.Time // first detected in this image
	VEX          *VEX      // nil: no statement speaks of it
}

// VEX is a statement of an exploitability document on one match. Those that
// say the image is not affected, or fixed, set the match aside.
type VEX struct {
	Document      string // id of the document
	Statement     string // id of the statement
	Status        string // not_affected, fixed, affected, under_investigation
	Justification string
}

// VulnData says what vulnerability data there is for the distribution of the
// image.
type VulnData struct {
	Exists bool
	Oldest time.Time // oldest sync among its groups; zero: unknown
}

// Retrieved is a file kept whole at analysis.
type Retrieved struct {
	Path string
	Body []byte
}

// Finding is an expression that a search found in a file.
type Finding struct {
	Path  string
	Name  string
	Regex string
	Lines []int // zero based
}

// Scan is the result of one malware scanner; without findings it was clean.
type Scan struct {
	Scanner  string
	Findings []Malware
}

// Malware is one finding of a scanner.
type Malware struct{ Path, Signature string }

// Record is what a package database says of a file it installed.
type Record struct {
	Package   string
	Path      string
	Algorithm string // of Digest: sha256, sha1, md5; empty: none recorded
	Digest    string
	Mode      string // octal; empty: not recorded
	Size      int64  // -1: not recorded
	Config    bool   // a configuration file, which may change
	Ghost     bool   // a file that need not be there, and is made by the program itself
	Found     string // the file's digest by the same algorithm, where it is known to differ
}

// PackageFeed is what the packages feed knows of one kind of packages.
type PackageFeed struct {
	Synced   bool
	Packages map[string]FeedPackage
}

// FeedPackage is one package of the feed.
type FeedPackage struct {
	Latest   string
	Versions []string
}
