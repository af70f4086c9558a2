package engine

import "time"

// VulnQuery asks which images a vulnerability affects. Empty fields select all;
// texts are compared exactly.
type VulnQuery struct {
	Vuln       string // id of the record
	Namespace  string // feed group, or the record's namespace in the database
	Package    string // name
	Severity   string
	VendorOnly bool // leave out what the vendor will not fix
	Page       QueryPage
}

// PackageQuery asks which images hold a package. Empty fields select all; texts
// are compared exactly, but a name that only a CPE knows in any case.
type PackageQuery struct {
	Name    string
	Type    string
	Version string
	Page    QueryPage
}

// QueryPage is a page of an answer, counted from 1. Limit 0 is one page of all.
type QueryPage struct{ Number, Limit int }

// ImageHit is one image id in the answer to a query. Several images of an
// account may share one: the packages and tags are those of all of them.
type ImageHit struct {
	Digest     Digest // first of those that share the id
	ImageID    string
	AnalyzedAt time.Time // zero: unknown
	Tags       []ImageTag
	Packages   []PackageHit
}

// PackageHit is why an image is in the answer.
type PackageHit struct {
	Name, Version, Type string
	Namespace, Severity string // of the record; empty in queries by package
}

// RecordQuery asks for records of the vulnerability data.
type RecordQuery struct {
	IDs        []string
	Namespaces []string // feed groups, or namespaces in the database; empty: any
	Package    string   // affects a package of this name
	Version    string   // in this version
	Page       QueryPage
}

// VulnRecord is one vulnerability as one namespace describes it.
type VulnRecord struct {
	ID          string
	Namespace   string // feed group
	Severity    string
	Link        string
	Description string
	References  []VulnReference
	Affected    []AffectedPackage
	NVD, Vendor []RecordScores
}

// VulnReference is an address that a record points to.
type VulnReference struct{ Source, URL string }

// AffectedPackage is a package that a record is about.
type AffectedPackage struct {
	Name       string
	Version    string // range that is affected; * for every version
	Type       string
	WillNotFix bool
}

// RecordScores are the scores one source gives a vulnerability; nil where it
// gives none of that CVSS version.
type RecordScores struct {
	ID     string
	V2, V3 *VectorScore
}

// VectorScore is a CVSS score with the vector it comes from.
type VectorScore struct {
	Version, Vector string
	Severity        string
	CVSS
}
