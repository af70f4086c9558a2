package engine

import (
	"strings"
	"time"
)

// Package is one software package found in an image.
type Package struct {
	Key      string // identity within the image: syft's package id, which a stored SBOM keeps (package ident)
	Name     string
	Version  string
	Type     string // v1 content class: os packages dpkg, rpm, apkg; npm, gem, python, java, go, binary, ...
	Class    string // content type that lists it: os, npm, gem, python, java, go, binary
	Path     string // "pkgdb" for OS packages
	Licenses []string
	Origin   string
	Source   string // source package of an OS package
	Size     int64
	CPEs     []string
	PURL     string
	Extra    map[string]any // java: specification-version, implementation-version, maven-version, metadata
}

// OSPackage reports whether packages of a type come from the distribution. v1
// lists the types that do not; naming those that do keeps ecosystems that are
// younger than it out of the operating system.
func OSPackage(packageType string) bool {
	switch strings.ToLower(packageType) {
	case "dpkg", "deb", "rpm", "apkg", "apk", "alpm", "portage", "kb":
		return true
	}
	return false
}

// PackageFilter selects packages of one image. Zero fields select all.
type PackageFilter struct {
	Class         string
	Text          string // part of name, version or path; case-insensitive
	Key           string
	Offset, Limit int  // 1 to 1000; 0: 100
	All           bool // no paging
}

// Match says that a package is affected by a vulnerability record.
type Match struct {
	PackageKey     string
	Package        string
	Version        string
	PackageType    string
	Path           string
	Vuln           string // id of the record: CVE-..., GHSA-..., ...
	Severity       string // Critical ... Negligible, Unknown
	Fixes          []string
	FixState       string // fixed, not-fixed, wont-fix, unknown
	URL            string
	Feed, Group    string // as /system/feeds lists them
	Namespace      string // of the record in the database
	Description    string
	CVEs           []string // the CVE ids the record refers to
	CPE, CPE23     string
	WillNotFix     bool
	NVD, Vendor    []CVSSData
	EPSS           float64 // probability 0..1; 0: none
	KnownExploited bool
	Matcher        string // which matcher found it
	Constraint     string // the version range that matched
	Sample         bool   // made with starter data

	FixAt time.Time // when a fix was first known, where the data say; not in every list
	VEX   *VEX      // what an exploitability document says of it; nil: none does
}

// CVSSData is the scores one source gives a vulnerability; -1 where missing.
type CVSSData struct {
	ID     string
	V2, V3 CVSS
	Vector string
}

// CVSS holds the three v1 scores of one CVSS version.
type CVSS struct{ Base, Exploitability, Impact float64 }

// NoCVSS is the absent score of the v1 API.
var NoCVSS = CVSS{-1, -1, -1}

// SeverityNames lists severities from worst to least, as v1 writes them.
var SeverityNames = []string{"Critical", "High", "Medium", "Low", "Negligible", "Unknown"}

// File is one entry of an image's squashed file system.
type File struct {
	Path   string
	Link   string // target of a link
	Size   int64
	Mode   string // octal, at least five digits: 00755
	SHA256 string // empty where unread
	Type   string // file, dir, slink, hlink, ...
	UID    int
	GID    int
}

// Analysis is all that an analyzer found in one image, ready to be stored in
// one transaction.
type Analysis struct {
	Meta       ImageMeta
	Packages   []Package
	Files      []File
	SBOM       []byte            // syft JSON
	Manifest   []byte            // raw, as served by the registry
	History    []byte            // docker_history JSON
	Dockerfile string            // plain text: actual or guessed
	Documents  map[string][]byte // further documents by name
	Run        Run               // what finding it took
	Unscanned  string            // why files were not scanned for malware, or not all, although they were to be
}

// Names of an image's stored documents.
const (
	DocSBOM       = "syft_sbom"
	DocListing    = "file_listing" // the files once more, to be read a page at a time; not compressed as a whole
	DocFiles      = "files"
	DocManifest   = "manifest"
	DocHistory    = "docker_history"
	DocDockerfile = "dockerfile"
	DocConfig     = "image_config"

	// What the analyzer's settings asked it to look for; images that were
	// described and not analyzed have none of them.
	DocRetrieved     = "retrieved_files"
	DocSecrets       = "secret_search"
	DocContentSearch = "file_content_search"
	DocMalware       = "malware"
	DocDigests       = "file_digests" // of files that are not as a package database recorded them

	DocParentManifest = "parent_manifest"
)
