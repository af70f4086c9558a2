package policy

import (
	"slices"
	"strings"

	"windlass/internal/engine"
)

// severities are the words of rules, from least to worst.
var severities = []string{"unknown", "negligible", "low", "medium", "high", "critical"}

// trait packs what most rules ask of a match into one byte, so that a rule's
// answer for every kind of match is a table of 128.
type trait uint8

const (
	traitOS trait = 1 << (iota + 3) // the three bits below hold the severity
	traitWillNotFix
	traitFixable
	traitExploited

	traits = 1 << 7
)

func (t trait) severity() int    { return int(t & 7) }
func (t trait) os() bool         { return t&traitOS != 0 }
func (t trait) willNotFix() bool { return t&traitWillNotFix != 0 }
func (t trait) fixable() bool    { return t&traitFixable != 0 }
func (t trait) exploited() bool  { return t&traitExploited != 0 }

// matchView is the matches of an image as the rules look at them.
type matchView struct {
	list   []Match
	traits []trait
	asked  []asked
	judged []*judged        // made when a rule fires on a match: see at
	byID   map[string]int32 // the place in links, plus 1, of the first match of an id; made when a rule asks: see named
	links  []link
}

// asked is what rules ask of a match beside its trait. It is kept small and
// apart, since hundreds of rules go over thousands of matches.
type asked struct {
	seen, fix   int64      // seconds of the epoch; fix 0: unknown
	nvd, vendor [3]float64 // base, exploitability, impact; -1: none
}

// judged is a match that a rule has fired on, with what is the same for every
// such rule.
type judged struct {
	*Match
	*asked
	triggerID  string
	lead, tail string // of the message
	why        Why
}

func (c *context) vulnerabilities() *matchView {
	if c.matches == nil {
		v := &matchView{list: c.image.Matches, traits: make([]trait, len(c.image.Matches)), asked: make([]asked, len(c.image.Matches))}
		for i := range v.list {
			m := &v.list[i]
			v.traits[i] = traitOf(m)
			a := &v.asked[i]
			a.seen, a.nvd, a.vendor = m.FirstSeen.Unix(), highest(m.NVD), highest(m.Vendor)
			if !m.FixAt.IsZero() {
				a.fix = m.FixAt.Unix()
			}
		}
		c.matches = v
	}
	return c.matches
}

// at is the i-th match.
func (v *matchView) at(i int) *judged {
	if v.judged == nil {
		v.judged = make([]*judged, len(v.list))
	}
	if v.judged[i] == nil {
		v.judged[i] = judge(&v.list[i], &v.asked[i])
	}
	return v.judged[i]
}

// named are the matches of a record's id, or of a CVE the record refers to.
func (v *matchView) named(id string) []*Match {
	if v.byID == nil {
		v.byID = make(map[string]int32, len(v.list))
		for i := len(v.list) - 1; i >= 0; i-- {
			m := &v.list[i]
			v.chain(m.Vuln, m)
			for _, cve := range m.CVEs {
				if cve != m.Vuln {
					v.chain(cve, m)
				}
			}
		}
	}
	var list []*Match
	for at := v.byID[id]; at > 0; at = v.links[at-1].next {
		list = append(list, v.links[at-1].Match)
	}
	return list
}

// chain puts a match before those that have the same id.
func (v *matchView) chain(id string, m *Match) {
	v.links = append(v.links, link{m, v.byID[id]})
	v.byID[id] = int32(len(v.links))
}

// link is one match of an id and the place of the next, plus 1; 0: none.
type link struct {
	*Match
	next int32
}

func traitOf(m *Match) trait {
	t := trait(max(0, slices.Index(severities, strings.ToLower(m.Severity))))
	if engine.OSPackage(m.PackageType) {
		t |= traitOS
	}
	if m.WillNotFix {
		t |= traitWillNotFix
	}
	if len(m.Fixes) > 0 {
		t |= traitFixable
	}
	if m.KnownExploited {
		t |= traitExploited
	}
	return t
}

func judge(m *Match, a *asked) *judged {
	j := &judged{Match: m, asked: a, triggerID: m.Vuln + "+" + triggerName(m)}
	class, name := "os", m.Package
	if !engine.OSPackage(m.PackageType) {
		class = "non-os"
		if m.Path != "" {
			name = m.Path
		}
	}
	fixes := strings.Join(m.Fixes, ", ")
	severity := strings.ToUpper(severities[traitOf(m).severity()])
	j.lead = severity + " vulnerability in " + class + " package (" + m.PackageType + ") " + name
	if fixes != "" {
		j.lead += " (fixed in " + fixes + ")"
	}
	j.tail = " (" + m.Vuln
	if m.URL != "" {
		j.tail += " - " + m.URL
	}
	j.tail += ")"
	j.why = Why{Record: m.Vuln, Namespace: m.Namespace, Package: m.Package, Path: m.Path, Version: m.Version, Against: m.Constraint, Fix: fixes, Matcher: m.Matcher}
	return j
}

// triggerName is what stands after the vulnerability in a trigger id.
func triggerName(m *Match) string {
	if engine.OSPackage(m.PackageType) {
		return m.Package
	}
	parts := strings.Split(m.Path, "/")
	name := ""
	switch m.PackageType {
	case "java", "gem":
		name = parts[len(parts)-1]
	case "npm":
		if len(parts) > 1 {
			name = parts[len(parts)-2]
		}
	}
	if name == "" {
		return m.Package + "-" + m.Version
	}
	return name
}

// highest is the highest of each CVSS v3 score.
func highest(list []engine.CVSSData) [3]float64 {
	best := [3]float64{-1, -1, -1}
	for _, d := range list {
		best[0] = max(best[0], d.V3.Base)
		best[1] = max(best[1], d.V3.Exploitability)
		best[2] = max(best[2], d.V3.Impact)
	}
	return best
}
