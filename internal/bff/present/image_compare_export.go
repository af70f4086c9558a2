package present

import (
	"strings"

	"windlass/internal/engine"
)

// CompareCSV is one table of a comparison, as the page's filter has it.
func CompareCSV(r engine.Comparison, q CompareQuery) [][]string {
	var rows [][]string
	switch q.Part {
	case "packages":
		rows = append(rows, []string{"change", "package", "type", "version_before", "version_after", "paths"})
		for _, p := range packageChanges(r, q) {
			rows = append(rows, []string{string(p.Difference), p.Name, p.Type, strings.Join(p.Before, " "), strings.Join(p.After, " "), strings.Join(p.Paths, " ")})
		}
	case "configuration":
		rows = append(rows, []string{"change", "field", "key", "before", "after"})
		for _, s := range configChanges(r, q) {
			rows = append(rows, []string{string(s.Difference), s.Field, s.Key, s.Before, s.After})
		}
	case "files":
		rows = append(rows, []string{"change", "path", "what", "before", "after"})
		for _, f := range fileChanges(r, q) {
			row := fileDiffRow(f)
			rows = append(rows, []string{string(f.Difference), f.Path, row.What, row.Before, row.After})
		}
	default:
		rows = append(rows, []string{"change", "id", "severity", "severity_before", "package", "type", "version", "fix", "known_exploited", "why", "vex_status", "url"})
		for _, m := range matchChanges(r, q) {
			known, vex := "", ""
			if m.KnownExploited {
				known = "true"
			}
			if m.VEX != nil {
				vex = string(m.VEX.Status)
			}
			rows = append(rows, []string{
				string(m.Difference), m.Vuln, severityOf(m.Match), m.Was, m.Package, m.PackageType, m.Version, strings.Join(m.Fixes, " "),
				known, changeReason(m), vex, SafeLink(m.URL),
			})
		}
	}
	for _, row := range rows {
		for n, cell := range row {
			row[n] = engine.SheetCell(cell)
		}
	}
	return rows
}
