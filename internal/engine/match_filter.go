package engine

import (
	"slices"
	"strings"
)

// MatchFilter selects matches of one image. Zero fields select all.
type MatchFilter struct {
	Text     string // part of an id, a name, a version, a path or the description; in any case
	Severity string // in any case
	Fixable  bool   // has a fixed version
	Known    bool   // known to be exploited
	VEX      string // one of VEXHide ... by what VEX documents say
}

// Select gives the matches of a list that the filter asks for, in their order.
func (f MatchFilter) Select(list []Match) []Match {
	f.Text = strings.ToLower(strings.TrimSpace(f.Text))
	var out []Match
	for _, m := range list {
		if f.keeps(m) {
			out = append(out, m)
		}
	}
	return out
}

func (f MatchFilter) keeps(m Match) bool {
	return (f.Severity == "" || strings.EqualFold(SeverityName(m.Severity), f.Severity)) &&
		(!f.Fixable || len(m.Fixes) > 0) && (!f.Known || m.KnownExploited) && f.marked(m) && (f.Text == "" || m.mentions(f.Text))
}

func (f MatchFilter) marked(m Match) bool {
	switch f.VEX {
	case VEXHide:
		return !m.Cleared()
	case VEXCleared:
		return m.Cleared()
	case VEXMarked:
		return m.VEX != nil
	}
	return true
}

func (m Match) mentions(lower string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), lower) }
	return has(m.Vuln) || has(m.Package) || has(m.Version) || has(m.Path) || has(m.Description) || slices.ContainsFunc(m.CVEs, has)
}

// SeverityName is the name of a severity as v1 writes it; Unknown for a word
// that names none.
func SeverityName(s string) string {
	for _, n := range SeverityNames {
		if strings.EqualFold(n, s) {
			return n
		}
	}
	return "Unknown"
}

// Score is the CVSS base score by which a match is ranked: the highest of the
// newest CVSS version that has one, the database's before the vendor's; -1:
// none. The vector is that of the same source, where it gives one.
func (m Match) Score() (base float64, vector string) {
	for _, list := range [][]CVSSData{m.NVD, m.Vendor} {
		for _, of := range []func(CVSSData) CVSS{func(d CVSSData) CVSS { return d.V3 }, func(d CVSSData) CVSS { return d.V2 }} {
			base, vector = -1, ""
			for _, d := range list {
				if s := of(d).Base; s > base {
					base, vector = s, d.Vector
				}
			}
			if base >= 0 {
				return base, vector
			}
		}
	}
	return -1, ""
}
