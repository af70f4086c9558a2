package report

import (
	"fmt"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// helpPackages is how many packages the help of a rule names.
const helpPackages = 50

func rank(m engine.Match) int {
	return slices.Index(engine.SeverityNames, engine.SeverityName(m.Severity))
}

// level is SARIF's word for a severity.
func level(severity string) string {
	switch severity {
	case "Critical", "High":
		return "error"
	case "Medium":
		return "warning"
	}
	return "note"
}

// bands are the scores between which code scanning calls a result by a
// severity, and the one that stands for it.
var bands = map[string]struct{ from, to, mean float64 }{
	"Critical": {9, 10, 9.5}, "High": {7, 8.9, 8}, "Medium": {4, 6.9, 5.5}, "Low": {0.1, 3.9, 2}, "Negligible": {0.1, 0.1, 0.1},
}

// securitySeverity is the CVSS score where it agrees with the severity that the
// console shows, and else the score that stands for that severity: a vendor
// that has looked at its own package is not overruled by a general score. 0:
// nobody has said anything.
func securitySeverity(m engine.Match) float64 {
	score, _ := m.Score()
	b, rated := bands[engine.SeverityName(m.Severity)]
	if !rated || score >= b.from && score <= b.to {
		return max(score, 0)
	}
	return b.mean
}

func ruleName(severity string) string { return severity + "Vulnerability" }

// names are the packages of matches, each once.
func names(list []engine.Match) []string {
	var out []string
	for _, m := range list {
		if !slices.Contains(out, m.Package) {
			out = append(out, m.Package)
		}
	}
	if len(out) > 5 {
		out = append(out[:5], "and others")
	}
	return out
}

func (r Report) message(m engine.Match, where Place) string {
	text := fmt.Sprintf("%s %s (%s) in %s is affected by %s (%s).", m.Package, m.Version, m.PackageType, r.name(), m.Vuln, engine.SeverityName(m.Severity))
	switch {
	case len(m.Fixes) > 0:
		text += " Fixed in " + strings.Join(m.Fixes, ", ") + "."
	case m.WillNotFix || m.FixState == "wont-fix":
		text += " It will not be fixed."
	default:
		text += " No fix is known."
	}
	if m.KnownExploited {
		text += " It is known to be exploited."
	}
	if where.Layer != "" {
		text += " The package is registered in " + where.Path + " of layer " + where.Layer + "."
	}
	return text
}

// help tells of a vulnerability, as plain text and as Markdown.
func help(m engine.Match, list []engine.Match) sarifText {
	var text, mark strings.Builder
	facts := [][2]string{{"Vulnerability", m.Vuln}, {"Severity", engine.SeverityName(m.Severity)}}
	if score, vector := m.Score(); score >= 0 {
		facts = append(facts, [2]string{"CVSS", strings.TrimSpace(fmt.Sprintf("%.1f %s", score, vector))})
	}
	if m.EPSS > 0 {
		facts = append(facts, [2]string{"EPSS", percent(m.EPSS)})
	}
	if m.KnownExploited {
		facts = append(facts, [2]string{"Known exploited", "yes"})
	}
	if len(m.CVEs) > 0 && (len(m.CVEs) > 1 || m.CVEs[0] != m.Vuln) {
		facts = append(facts, [2]string{"Also", strings.Join(m.CVEs, ", ")})
	}
	facts = append(facts, [2]string{"Data", m.Namespace})
	mark.WriteString("| | |\n| --- | --- |\n")
	for _, f := range facts {
		fmt.Fprintf(&text, "%s: %s\n", f[0], f[1])
		fmt.Fprintf(&mark, "| %s | %s |\n", f[0], cell(f[1]))
	}
	mark.WriteString("\n| Package | Version | Fixed in |\n| --- | --- | --- |\n")
	for n, p := range list {
		if n == helpPackages {
			fmt.Fprintf(&text, "and %d more\n", len(list)-n)
			fmt.Fprintf(&mark, "| and %d more | | |\n", len(list)-n)
			break
		}
		fix := strings.Join(p.Fixes, ", ")
		if fix == "" {
			fix = "no fix known"
		}
		fmt.Fprintf(&text, "%s %s: %s\n", p.Package, p.Version, fix)
		fmt.Fprintf(&mark, "| %s | %s | %s |\n", cell(p.Package), cell(p.Version), cell(fix))
	}
	if d := strings.TrimSpace(m.Description); d != "" {
		d = cut(d, 4000)
		fmt.Fprintf(&text, "\n%s\n", d)
		fmt.Fprintf(&mark, "\n%s\n", plainMarkdown(d))
	}
	if u := link(m.URL); u != "" {
		fmt.Fprintf(&text, "\n%s\n", u)
		fmt.Fprintf(&mark, "\n<%s>\n", u)
	}
	return sarifText{Text: text.String(), Markdown: mark.String()}
}

// cell is a text within a table of Markdown.
func cell(s string) string {
	return strings.ReplaceAll(plainMarkdown(strings.Join(strings.Fields(s), " ")), "|", `\|`)
}

// plainMarkdown keeps a text from being taken for markup: package names and
// descriptions come from anywhere.
var plainMarkdown = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "!", `\!`).Replace

func firstSentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if n := strings.Index(s, ". "); n > 0 {
		return s[:n+1]
	}
	return s
}

// cut shortens a text to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "..."
}
