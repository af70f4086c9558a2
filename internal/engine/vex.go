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
