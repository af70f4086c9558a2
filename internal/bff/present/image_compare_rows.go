package present

import (
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// compareRows shapes one page of the chosen table.
func compareRows(v *view.CompareResult, r engine.Comparison, q CompareQuery, href func(int) string) {
	switch q.Part {
	case "packages":
		list, pager := page(packageChanges(r, q), q.Page, href, "package", "packages")
		v.Pager = pager
		for _, p := range list {
			v.Packages = append(v.Packages, view.PackageDiffRow{
				Diff: diff(p.Difference, false), Name: p.Name, Type: orDash(p.Type), Before: versions(p.Before), After: versions(p.After), Path: path(strings.Join(p.Paths, ", ")),
			})
		}
	case "configuration":
		list, pager := page(configChanges(r, q), q.Page, href, "setting", "settings")
		v.Pager = pager
		for _, s := range list {
			v.Config = append(v.Config, view.ConfigDiffRow{
				Diff: diff(s.Difference, false), Field: s.Field, Key: printable([]byte(s.Key), 300),
				Before: printable([]byte(s.Before), 2000), After: printable([]byte(s.After), 2000),
			})
		}
	case "files":
		list, pager := page(fileChanges(r, q), q.Page, href, "file", "files")
		v.Pager = pager
		for _, f := range list {
			v.Files = append(v.Files, fileDiffRow(f))
		}
	default:
		list, pager := page(matchChanges(r, q), q.Page, href, "vulnerability", "vulnerabilities")
		v.Pager = pager
		for _, m := range list {
			v.Vulns = append(v.Vulns, vulnDiffRow(m))
		}
	}
}

func matchChanges(r engine.Comparison, q CompareQuery) []engine.MatchChange {
	var out []engine.MatchChange
	for _, m := range r.Matches {
		if (q.Severity == "" || severityOf(m.Match) == q.Severity) && q.keeps(m.Difference, append([]string{m.Vuln, m.Package, m.Version}, m.CVEs...)...) {
			out = append(out, m)
		}
	}
	return out
}

func packageChanges(r engine.Comparison, q CompareQuery) []engine.PackageChange {
	var out []engine.PackageChange
	for _, p := range r.Packages {
		if q.keeps(p.Difference, p.Name, p.Type, strings.Join(p.Before, " "), strings.Join(p.After, " "), strings.Join(p.Paths, " ")) {
			out = append(out, p)
		}
	}
	return out
}

func configChanges(r engine.Comparison, q CompareQuery) []engine.ConfigChange {
	var out []engine.ConfigChange
	for _, s := range r.Config {
		if q.keeps(s.Difference, s.Field, s.Key, s.Before, s.After) {
			out = append(out, s)
		}
	}
	return out
}

func fileChanges(r engine.Comparison, q CompareQuery) []engine.FileChange {
	var out []engine.FileChange
	for _, f := range r.Files {
		if q.keeps(f.Difference, f.Path) {
			out = append(out, f)
		}
	}
	return out
}

// diff is the mark of a difference. What is removed is good news of a
// vulnerability, and no news of anything else.
func diff(d engine.Difference, vuln bool) view.Diff {
	switch {
	case d == engine.Added && vuln:
		return view.Diff{Letter: "+", Word: "new", Tone: "bad"}
	case d == engine.Removed && vuln:
		return view.Diff{Letter: "\u2212", Word: "gone", Tone: "ok"}
	case d == engine.Added:
		return view.Diff{Letter: "+", Word: "added", Tone: "ok"}
	case d == engine.Removed:
		return view.Diff{Letter: "\u2212", Word: "removed", Tone: "bad"}
	case d == engine.Changed:
		return view.Diff{Letter: "~", Word: "changed", Tone: "warn"}
	}
	return view.Diff{Letter: "=", Word: "unchanged", Tone: "off"}
}

func versions(list []string) string {
	if len(list) == 1 && list[0] == "" {
		return "no version"
	}
	return strings.Join(list, ", ")
}

func vulnDiffRow(m engine.MatchChange) view.VulnDiffRow {
	r := view.VulnDiffRow{
		Diff: diff(m.Difference, true), Sev: Sev(m.Severity), ID: m.Vuln, Href: SafeLink(m.URL), Title: printable([]byte(m.Description), 600),
		Known: m.KnownExploited, Package: m.Package, Type: orDash(m.PackageType), Version: orDash(m.Version), Fix: strings.Join(m.Fixes, ", "),
		Reason: changeReason(m),
	}
	if m.Was != "" {
		was := Sev(m.Was)
		r.Was = &was
	}
	if m.VEX != nil {
		r.VEX = strings.ReplaceAll(string(m.VEX.Status), "_", " ")
	}
	return r
}

// changeReason says in a sentence why a vulnerability came, went or stayed.
func changeReason(m engine.MatchChange) string {
	gone := m.Difference == engine.Removed
	switch {
	case m.Was != "":
		return "its severity was " + strings.ToLower(m.Was)
	case m.Reason == engine.ReasonPackage && gone:
		return "the package is gone"
	case m.Reason == engine.ReasonPackage:
		return "the package is new"
	case m.Reason == engine.ReasonVersion && gone:
		return "fixed: now " + m.Other
	case m.Reason == engine.ReasonVersion:
		return "the package was " + m.Other
	case m.Reason == engine.ReasonData && gone:
		return "no longer in the data"
	case m.Reason == engine.ReasonData:
		return "newly known"
	}
	return ""
}

func fileDiffRow(f engine.FileChange) view.FileDiffRow {
	r := view.FileDiffRow{Diff: diff(f.Difference, false), Path: f.Path, What: strings.Join(f.What, ", ")}
	if f.Difference != engine.Added {
		r.Before = fileText(f.Before)
	}
	if f.Difference != engine.Removed {
		r.After = fileText(f.After)
	}
	return r
}

// fileText is a file in a few words.
func fileText(f engine.File) string {
	parts := []string{orDash(f.Mode), strconv.Itoa(f.UID) + ":" + strconv.Itoa(f.GID)}
	if f.Type == "file" {
		parts = append(parts, Bytes(f.Size))
		if f.SHA256 != "" {
			parts = append(parts, f.SHA256[:min(12, len(f.SHA256))])
		}
	} else {
		parts = append([]string{fileType(f.Type)}, parts...)
	}
	if f.Link != "" {
		parts = append(parts, "\u2192 "+f.Link)
	}
	return strings.Join(parts, " ")
}

func compareForm(q CompareQuery) view.CompareForm {
	f := view.CompareForm{With: q.With, Text: q.Text, WithSeverity: q.Part == "vulnerabilities"}
	words := []view.Option{{Text: "All changes"}, {Value: string(engine.Added), Text: "Added"}, {Value: string(engine.Removed), Text: "Removed"}, {Value: string(engine.Changed), Text: "Changed"}}
	if f.WithSeverity {
		words = []view.Option{
			{Text: "All changes"}, {Value: string(engine.Added), Text: "New"}, {Value: string(engine.Removed), Text: "Gone"},
			{Value: string(engine.Changed), Text: "Of another severity"}, {Value: string(engine.Same), Text: "Unchanged"},
		}
		f.Severity = []view.Option{{Text: "Any severity", Selected: q.Severity == ""}}
		for _, s := range engine.SeverityNames {
			f.Severity = append(f.Severity, view.Option{Value: s, Text: s, Selected: s == q.Severity})
		}
	}
	for _, o := range words {
		o.Selected = o.Value == string(q.Change)
		f.Change = append(f.Change, o)
	}
	return f
}

// compareNone says why a table is empty.
func compareNone(v *view.CompareResult, n engine.Differences, q CompareQuery) string {
	switch {
	case len(v.Packages)+len(v.Vulns)+len(v.Config)+len(v.Files) > 0:
		return ""
	case q.filtered():
		return "Nothing matches this filter."
	}
	switch q.Part {
	case "packages":
		return "Both images have the same packages: " + Count(n.Same) + " of them."
	case "configuration":
		return "Both images are configured the same."
	case "files":
		if n.Same == 0 {
			return "The files of these images are not known: their analyses were imported."
		}
		return "All " + Count(n.Same) + " files are the same."
	}
	if n.Same > 0 {
		return "Nothing came and nothing went: both have the same " + Plural(n.Same, "vulnerability", "vulnerabilities") + "."
	}
	return "Nothing known to the vulnerability data affects either image."
}
