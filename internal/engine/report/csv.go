package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

var columns = []string{
	"id", "severity", "package", "version", "type", "path", "fix", "fix_state", "cvss", "epss", "known_exploited", "feed", "feed_group", "url",
	"aliases", "purl", "vex_status", "vex_justification", "vex_impact",
}

func (r Report) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, m := range r.Matches {
		row := r.row(m)
		for n, cell := range row {
			row[n] = engine.SheetCell(cell)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (r Report) row(m engine.Match) []string {
	score, epss := "", ""
	if n, _ := m.Score(); n >= 0 {
		score = strconv.FormatFloat(n, 'f', 1, 64)
	}
	if m.EPSS > 0 {
		epss = strconv.FormatFloat(m.EPSS, 'f', 5, 64)
	}
	v := engine.VEX{}
	if m.VEX != nil {
		v = *m.VEX
	}
	return []string{
		m.Vuln, engine.SeverityName(m.Severity), m.Package, m.Version, m.PackageType, m.Path, strings.Join(m.Fixes, " "), m.FixState,
		score, epss, strconv.FormatBool(m.KnownExploited), m.Feed, m.Group, link(m.URL),
		strings.Join(m.CVEs, " "), r.PURLs[m.PackageKey], string(v.Status), v.Justification, v.Impact,
	}
}
