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
	traits []trait
	judged []judged
	byID   map[string][]*Match // by id of the record and by the CVEs it refers to
}

// judged is a match with what is the same for every rule that fires on it.
type judged struct {
	*Match
	os          bool
	nvd, vendor [3]float64 // base, exploitability, impact; -1: none
	triggerID   string
	lead, tail  string // of the message
	why         Why
}

func (c *context) vulnerabilities() *matchView {
	if c.matches != nil {
		return c.matches
	}
	list := c.image.Matches
	v := &matchView{traits: make([]trait, len(list)), judged: make([]judged, len(list)), byID: make(map[string][]*Match, len(list))}
	for i := range list {
		m := &list[i]
		v.judged[i] = judge(m)
		v.traits[i] = traitOf(m)
		v.byID[m.Vuln] = append(v.byID[m.Vuln], m)
		for _, id := range m.CVEs {
			if id != m.Vuln {
				v.byID[id] = append(v.byID[id], m)
			}
		}
	}
	c.matches = v
	return v
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

func judge(m *Match) judged {
	j := judged{Match: m, os: engine.OSPackage(m.PackageType), nvd: highest(m.NVD), vendor: highest(m.Vendor), triggerID: m.Vuln + "+" + triggerName(m)}
	class, name := "os", m.Package
	if !j.os {
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
