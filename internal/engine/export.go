package engine

import (
	"context"
	"io"
	"strings"
)

// ExportFormat is a form in which what is known of an image leaves the engine.
type ExportFormat struct {
	Name   string // in addresses: cyclonedx-json
	Title  string
	Media  string // Content-Type
	Suffix string // of a file's name
	For    string // what it is for, in a sentence
}

// Names of the formats of an SBOM and of matches.
const (
	SyftJSON      = "syft-json"
	CycloneDXJSON = "cyclonedx-json"
	CycloneDXXML  = "cyclonedx-xml"
	SPDXJSON      = "spdx-json"
	SPDXTagValue  = "spdx-tag-value"

	MatchesJSON  = "json"
	MatchesCSV   = "csv"
	MatchesVEX   = "cyclonedx-vex"
	MatchesSARIF = "sarif"
)

// SBOMFormats lists the forms of an SBOM; the first is the one that is stored.
var SBOMFormats = []ExportFormat{
	{SyftJSON, "Syft JSON", "application/json", ".syft.json",
		"Everything the analysis found, file ownership included. What Syft and Grype read, and what can be imported again."},
	{CycloneDXJSON, "CycloneDX JSON", "application/vnd.cyclonedx+json", ".cdx.json",
		"For Dependency-Track and other tools that follow components and their vulnerabilities over time."},
	{CycloneDXXML, "CycloneDX XML", "application/vnd.cyclonedx+xml", ".cdx.xml",
		"The same for tools that want XML."},
	{SPDXJSON, "SPDX JSON", "application/spdx+json", ".spdx.json",
		"An ISO standard (5962), asked for where licences and the origin of software have to be shown: customers, audits, authorities."},
	{SPDXTagValue, "SPDX tag-value", "text/spdx; charset=utf-8", ".spdx",
		"The same as lines of text that a person can read and compare."},
}

// MatchFormats lists the forms of a list of matches.
var MatchFormats = []ExportFormat{
	{MatchesCSV, "CSV", "text/csv; charset=utf-8", ".csv", "For spreadsheets."},
	{MatchesJSON, "JSON", "application/json", ".json", "Every field, for scripts."},
	{MatchesVEX, "CycloneDX VEX", "application/vnd.cyclonedx+json", ".vex.cdx.json",
		"Vulnerabilities with what was found out about each, for those who receive the image."},
	{MatchesSARIF, "SARIF", "application/sarif+json", ".sarif", "For code scanning pages and editors."},
}

// FormatOf finds a format by its name.
func FormatOf(list []ExportFormat, name string) (ExportFormat, bool) {
	for _, f := range list {
		if f.Name == name {
			return f, true
		}
	}
	return ExportFormat{}, false
}

// Export is a document made of what is known of an image, about to be sent.
type Export struct {
	ExportFormat
	File string // name to save it under
	// Tag changes whenever the content does, and not otherwise.
	Tag string
	// Open makes the document, compressed by gzip, and gives how many bytes
	// that is. Nothing is made before, so that asking whether it has changed
	// costs nothing.
	Open func(ctx context.Context) (body io.ReadCloser, size int64, err error)
}

// DocumentInfo tells of a stored document without its text.
type DocumentInfo struct {
	Size int64  // of the text; documents of more than 4 GiB there are none
	Tag  string // changes whenever the document is written
}

// ExportFile is the name under which a document of an image is saved: its
// repository, its tag and the beginning of its digest.
func ExportFile(i Image, suffix string) string {
	var parts []string
	if len(i.Tags) > 0 {
		t := i.Tags[0]
		parts = append(parts, t.Repository[strings.LastIndexByte(t.Repository, '/')+1:], t.Tag)
	}
	name := strings.Join(append(parts, i.Digest.Short()), "-")
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			return r
		}
		return '_'
	}, name) + suffix
}
