package present

import (
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// VulnCSV is a table of matches with its head, for spreadsheets.
func VulnCSV(list []engine.Match) [][]string {
	rows := [][]string{{"id", "severity", "package", "version", "type", "path", "fix", "fix_state", "cvss", "epss", "known_exploited", "feed", "feed_group", "url"}}
	for _, m := range list {
		score, epss := "", ""
		if n := cvss(m); n >= 0 {
			score = strconv.FormatFloat(n, 'f', 1, 64)
		}
		if m.EPSS > 0 {
			epss = strconv.FormatFloat(m.EPSS, 'f', 5, 64)
		}
		row := []string{m.Vuln, severityOf(m), m.Package, m.Version, m.PackageType, m.Path, strings.Join(m.Fixes, " "), m.FixState,
			score, epss, strconv.FormatBool(m.KnownExploited), m.Feed, m.Group, SafeLink(m.URL)}
		for n, cell := range row {
			row[n] = plainCell(cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// plainCell keeps a spreadsheet from taking a cell for a formula: names of
// packages and paths are whatever the image's author wrote.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Vulns is the export of an image's vulnerabilities as JSON.
type Vulns struct {
	Image           string      `json:"image"`
	Digest          string      `json:"digest"`
	MatchedWith     string      `json:"matched_with"`
	MatchedAt       string      `json:"matched_at,omitempty"`
	Sample          bool        `json:"sample_data"` // matched with the built-in starter data
	Vulnerabilities []VulnEntry `json:"vulnerabilities"`
}

// VulnEntry is one match of the export.
type VulnEntry struct {
	ID             string   `json:"id"`
	Severity       string   `json:"severity"`
	Package        string   `json:"package"`
	Version        string   `json:"version"`
	Type           string   `json:"type"`
	Path           string   `json:"path,omitempty"`
	Fixes          []string `json:"fixes"`
	FixState       string   `json:"fix_state,omitempty"`
	CVSS           *float64 `json:"cvss,omitempty"`
	EPSS           float64  `json:"epss,omitempty"`
	KnownExploited bool     `json:"known_exploited"`
	Aliases        []string `json:"aliases,omitempty"`
	Feed           string   `json:"feed"`
	Group          string   `json:"feed_group"`
	URL            string   `json:"url,omitempty"`
	Description    string   `json:"description,omitempty"`
}

// VulnJSON shapes the export.
func VulnJSON(i engine.Image, list []engine.Match) Vulns {
	v := Vulns{Image: imageName(i), Digest: string(i.Digest), MatchedWith: i.MatchedWith, Sample: i.Starter, Vulnerabilities: make([]VulnEntry, len(list))}
	if !i.MatchedAt.IsZero() {
		v.MatchedAt = i.MatchedAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	for n, m := range list {
		e := VulnEntry{
			ID: m.Vuln, Severity: severityOf(m), Package: m.Package, Version: m.Version, Type: m.PackageType, Path: m.Path,
			Fixes: m.Fixes, FixState: m.FixState, EPSS: m.EPSS, KnownExploited: m.KnownExploited, Aliases: m.CVEs,
			Feed: m.Feed, Group: m.Group, URL: SafeLink(m.URL), Description: m.Description,
		}
		if e.Fixes == nil {
			e.Fixes = []string{}
		}
		if score := cvss(m); score >= 0 {
			e.CVSS = &score
		}
		v.Vulnerabilities[n] = e
	}
	return v
}
