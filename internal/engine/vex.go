package engine

import "time"

// VEXStatus is what a statement of an exploitability document (VEX) says of a
// product and a vulnerability. The words are OpenVEX's.
type VEXStatus string

// The four there are.
const (
	VEXNotAffected   VEXStatus = "not_affected"
	VEXFixed         VEXStatus = "fixed"
	VEXAffected      VEXStatus = "affected"
	VEXInvestigating VEXStatus = "under_investigation"
)

// Clears reports whether a match of this status is set aside: it is still
// listed, and policies do not fire on it.
func (s VEXStatus) Clears() bool { return s == VEXNotAffected || s == VEXFixed }

// VEX is the statement that counts for one match: the latest of those in the
// account's documents that are in use.
type VEX struct {
	Document      string // id of the document
	Statement     int    // its place in the document, from 1
	Status        VEXStatus
	Justification string    // a word of the document's format; may be empty
	Impact        string    // the author's own words; may be empty
	Author        string    // of the document; may be empty
	At            time.Time // since when it has been said
}

// Cleared reports whether a VEX document sets the match aside.
func (m Match) Cleared() bool { return m.VEX != nil && m.VEX.Status.Clears() }

// Ways to look at matches by their marks, for a MatchFilter.
const (
	VEXHide    = "hide"    // without those set aside
	VEXCleared = "cleared" // those set aside alone
	VEXMarked  = "marked"  // those that a document speaks of, whatever it says
)

// Formats of exploitability documents.
const (
	VEXOpen      = "openvex"
	VEXCycloneDX = "cyclonedx"
)

// VEXDocument is an exploitability document that an account has uploaded. Its
// content never changes; another version of it is another document.
type VEXDocument struct {
	Account string
	ID      string
	Image   Digest // the only image it speaks of; empty: every one its statements name
	Enabled bool   // its statements count

	Format   string    // VEXOpen or VEXCycloneDX
	Name     string    // its own id: @id, serialNumber; may be empty
	Version  string    // as it says itself; may be empty
	Author   string    // may be empty
	IssuedAt time.Time // zero: it does not say

	Statements int
	Unplaced   int // statements whose products are neither an image nor a package, as far as their names tell
	SHA256     string
	Bytes      int
	UploadedAt time.Time
	UploadedBy string
	UpdatedAt  time.Time // when it was last enabled or disabled

	Marks VEXMarks // what it marks in the account's images, as last counted
}

// VEXMarks counts matches that carry a mark, by what it says.
type VEXMarks struct {
	Images                                      int
	NotAffected, Fixed, Affected, Investigating int
}

// Cleared counts the matches that are set aside.
func (m VEXMarks) Cleared() int { return m.NotAffected + m.Fixed }

// Total counts all.
func (m VEXMarks) Total() int { return m.Cleared() + m.Affected + m.Investigating }

// VEXImage is an image whose matches a document marks.
type VEXImage struct {
	Digest Digest
	Tag    string // full, the latest it was seen under; may be empty
	Marks  VEXMarks
}

// VEXStatement is one statement of a document.
type VEXStatement struct {
	Place         int      // in the document, from 1
	Vulns         []string // ids of the vulnerability, its aliases included
	Status        VEXStatus
	Justification string
	Impact        string
	At            time.Time
	Products      []VEXProduct
}

// VEXProduct is what a statement speaks of, under all its names: package URLs,
// digests, image names. With parts, it speaks of those parts of the product.
type VEXProduct struct {
	IDs   []string
	Parts [][]string // the names of each
}

// VEXFilter selects documents of an account. Zero fields select all.
type VEXFilter struct {
	Image  Digest // those that are only about this image
	Offset int
	Limit  int // 1 to 1000; 0: 100
}

// VEXUpload is a document as it came.
type VEXUpload struct {
	Body  []byte
	Image Digest // the only image it speaks of; empty: every one its statements name
	By    string // who uploads it
}
