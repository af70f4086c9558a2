package report

import (
	"encoding/json"
	"io"

	"windlass/internal/engine"
)

type document struct {
	Image       string   `json:"image"`
	Digest      string   `json:"digest"`
	Tags        []string `json:"tags"`
	Distro      string   `json:"distro,omitempty"`
	MatchedWith string   `json:"matched_with"`
	MatchedAt   string   `json:"matched_at,omitempty"`
	Sample      bool     `json:"sample_data"` // matched with the built-in starter data
	Matches     []entry  `json:"vulnerabilities"`
}

type entry struct {
	ID             string     `json:"id"`
	Severity       string     `json:"severity"`
	Package        string     `json:"package"`
	Version        string     `json:"version"`
	Type           string     `json:"type"`
	Path           string     `json:"path,omitempty"`
	PURL           string     `json:"purl,omitempty"`
	CPE            string     `json:"cpe,omitempty"`
	Fixes          []string   `json:"fixes"`
	FixState       string     `json:"fix_state,omitempty"`
	WillNotFix     bool       `json:"will_not_fix"`
	CVSS           *float64   `json:"cvss,omitempty"`
	Vector         string     `json:"cvss_vector,omitempty"`
	EPSS           float64    `json:"epss,omitempty"`
	KnownExploited bool       `json:"known_exploited"`
	Aliases        []string   `json:"aliases,omitempty"`
	Feed           string     `json:"feed"`
	Group          string     `json:"feed_group"`
	Namespace      string     `json:"namespace,omitempty"`
	Matcher        string     `json:"matcher,omitempty"`
	Affects        string     `json:"affected_versions,omitempty"`
	URL            string     `json:"url,omitempty"`
	Description    string     `json:"description,omitempty"`
	VEX            *statement `json:"vex,omitempty"`
}

type statement struct {
	Status        string `json:"status"`
	Justification string `json:"justification,omitempty"`
	Impact        string `json:"impact,omitempty"`
	Author        string `json:"author,omitempty"`
	Document      string `json:"document"`
	At            string `json:"at,omitempty"`
}

func (r Report) json(w io.Writer) error {
	d := document{
		Image: r.name(), Digest: string(r.Image.Digest), Tags: []string{}, MatchedWith: r.Image.MatchedWith, MatchedAt: r.at(),
		Sample: r.Image.Starter, Matches: make([]entry, 0, len(r.Matches)),
	}
	for _, t := range r.Image.Tags {
		d.Tags = append(d.Tags, t.Full())
	}
	if m := r.Image.Meta; m != nil && m.Distro != "N/A" {
		d.Distro = m.Distro + ":" + m.DistroVersion
	}
	for _, m := range r.Matches {
		d.Matches = append(d.Matches, r.entry(m))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func (r Report) entry(m engine.Match) entry {
	e := entry{
		ID: m.Vuln, Severity: engine.SeverityName(m.Severity), Package: m.Package, Version: m.Version, Type: m.PackageType, Path: m.Path,
		PURL: r.PURLs[m.PackageKey], CPE: m.CPE23, Fixes: m.Fixes, FixState: m.FixState, WillNotFix: m.WillNotFix, EPSS: m.EPSS,
		KnownExploited: m.KnownExploited, Aliases: m.CVEs, Feed: m.Feed, Group: m.Group, Namespace: m.Namespace, Matcher: m.Matcher,
		Affects: m.Constraint, URL: link(m.URL), Description: m.Description,
	}
	if e.Fixes == nil {
		e.Fixes = []string{}
	}
	if score, vector := m.Score(); score >= 0 {
		e.CVSS, e.Vector = &score, vector
	}
	if v := m.VEX; v != nil {
		e.VEX = &statement{string(v.Status), v.Justification, v.Impact, v.Author, v.Document, stamp(v.At)}
	}
	return e
}
