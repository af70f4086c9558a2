// Package vex says which statement of exploitability documents counts for a
// match of an image. It is pure: statements, an image and its matches in, marks
// out. Reading documents is package decode's.
//
// A statement applies to a match when it names the vulnerability and one of
// its products takes the match in:
//
//   - Vulnerabilities are told by id, and an alias is as good as the name: a
//     statement on a CVE counts for a match of the GHSA that is that CVE. A
//     record that stands for several CVEs, as an erratum does, is set aside
//     only when each of them is.
//   - A product that names an image takes in that image: by digest, whatever it
//     is called; by name and tag while no newer image has the tag; by name alone
//     in every version. All matches of the image then, or those on the parts
//     that the statement lists.
//   - A product that names a package takes in that package in every image. What
//     a package URL leaves out (version, qualifiers) is not asked for.
//   - A package that is part of another is not marked by what is said of the
//     other: nothing in an image tells whose copy it is.
//   - A document that was uploaded for one image speaks of no other; and there
//     a product whose name says nothing, or names the software in the image, is
//     that image.
//
// Of those that apply the latest counts, of whichever document: an "affected"
// of today ends a "not affected" of yesterday.
package vex

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Statement is a statement with what counts of the document it stands in.
type Statement struct {
	engine.VEXStatement
	Document   string // id
	Author     string
	UploadedAt time.Time
	Bound      bool // the document speaks of one image only, and this is it
}

// Image is an image under the names that statements may use.
type Image struct {
	Digests []string // sha256:<64 hex>: of the manifest, of the index, of the configuration
	Names   []Name
	Arch    string
}

// Name is one name of an image.
type Name struct {
	Registry, Repository, Tag string
	Newest                    bool // no newer image of the account has it
}

// Mark sets the mark of every match that a statement applies to; purl gives the
// package URL of a match's package, or nothing.
func Mark(img Image, list []Statement, matches []engine.Match, purl func(packageKey string) string) {
	if len(list) == 0 {
		return
	}
	m := marker{scope: newScope(img), byID: make(map[string][]*statement, len(list)), purl: purl, packages: map[string]*packageURL{}}
	for i := range list {
		m.add(&list[i])
	}
	for _, l := range m.byID {
		slices.SortFunc(l, (*statement).newestFirst)
	}
	for i := range matches {
		matches[i].VEX = m.of(&matches[i])
	}
}

// marker looks for the statements of one image's matches.
type marker struct {
	scope    scope
	byID     map[string][]*statement // by id of a vulnerability
	purl     func(string) string
	packages map[string]*packageURL // those asked for so far; nil: none, or not one
}

// statement is a statement that has to do with the image.
type statement struct {
	*Statement
	whole bool         // it speaks of all that is in the image
	parts []packageURL // else of these packages
}

// newestFirst orders statements by which counts.
func (s *statement) newestFirst(o *statement) int {
	return cmp.Or(o.At.Compare(s.At), o.UploadedAt.Compare(s.UploadedAt), cmp.Compare(o.Document, s.Document), cmp.Compare(o.Place, s.Place))
}

func (m *marker) add(of *Statement) {
	s := &statement{Statement: of}
	for i := range of.Products {
		whole, parts := m.scope.takesIn(&of.Products[i], of.Bound)
		s.whole = s.whole || whole
		s.parts = append(s.parts, parts...)
	}
	if !s.whole && len(s.parts) == 0 {
		return
	}
	for i, id := range of.Vulns {
		if id = VulnID(id); !slices.Contains(of.Vulns[:i], id) {
			m.byID[id] = append(m.byID[id], s)
		}
	}
}

// of is the mark of a match; nil: none.
func (m *marker) of(match *engine.Match) *engine.VEX {
	best := m.latest(match.Vuln, match)
	if by := m.throughCVEs(match); by != nil && (best == nil || by.newestFirst(best) < 0) {
		best = by
	}
	if best == nil {
		return nil
	}
	return &engine.VEX{
		Document: best.Document, Statement: best.Place, Status: best.Status,
		Justification: best.Justification, Impact: best.Impact, Author: best.Author, At: best.At,
	}
}

// throughCVEs is what is said of the CVEs that a record refers to. One that
// sets aside counts when all of them are.
func (m *marker) throughCVEs(match *engine.Match) *statement {
	var clears, warns *statement
	open := false
	for _, id := range match.CVEs {
		s := m.latest(id, match)
		switch {
		case s == nil:
			open = true
		case s.Status.Clears():
			clears = newer(clears, s)
		default:
			warns = newer(warns, s)
		}
	}
	if warns != nil {
		return warns
	}
	if open {
		return nil
	}
	return clears
}

func newer(a, b *statement) *statement {
	if a == nil || b.newestFirst(a) < 0 {
		return b
	}
	return a
}

// latest is the statement on a vulnerability that counts for a match.
func (m *marker) latest(id string, match *engine.Match) *statement {
	for _, s := range m.byID[VulnID(id)] {
		if s.whole || len(s.parts) > 0 && m.names(s.parts, match.PackageKey) {
			return s
		}
	}
	return nil
}

func (m *marker) names(parts []packageURL, key string) bool {
	p, asked := m.packages[key]
	if !asked {
		if u, ok := parsePackage(m.purl(key)); ok {
			p = &u
		}
		m.packages[key] = p
	}
	return p != nil && slices.ContainsFunc(parts, func(general packageURL) bool { return general.takesIn(p) })
}

// VulnID is an id of a vulnerability as the data write it.
func VulnID(id string) string {
	upper := strings.ToUpper(id)
	if rest, ok := strings.CutPrefix(upper, "GHSA-"); ok {
		return "GHSA-" + strings.ToLower(rest)
	}
	if strings.HasPrefix(upper, "CVE-") {
		return upper
	}
	return id
}
