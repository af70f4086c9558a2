package engine

import (
	"fmt"
	"strings"
	"time"
)

// CheckReport writes checks down as a person would paste them into a ticket:
// Markdown that reads well as plain text.
func CheckReport(list []Check, now time.Time) string {
	const layout = "2006-01-02 15:04:05 UTC"
	line := strings.NewReplacer("\n", " ", "\r", " ").Replace
	var b strings.Builder
	fmt.Fprintf(&b, "# Checks of Windlass %s, %s\n\n", Version, now.UTC().Format(layout))
	var counts []string
	for _, s := range []CheckStatus{CheckFail, CheckWarn, CheckUnknown, CheckPass} {
		n := 0
		for _, c := range list {
			if c.Status == s {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
	}
	fmt.Fprintf(&b, "%s.\n", strings.Join(counts, ", "))
	for _, c := range list {
		fmt.Fprintf(&b, "\n## [%s] %s\n\n%s\n", strings.ToUpper(string(c.Status)), c.Title, line(c.Summary))
		for i, f := range c.Facts {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- %s: %s", line(f.Name), line(f.Value))
			if !f.At.IsZero() {
				fmt.Fprintf(&b, " %s", f.At.UTC().Format(layout))
			}
			if f.Status != "" && f.Status != CheckPass {
				fmt.Fprintf(&b, " [%s]", f.Status)
			}
			b.WriteString("\n")
		}
		for i, s := range c.Steps {
			if i == 0 {
				b.WriteString("\nNext:\n")
			}
			fmt.Fprintf(&b, "- %s\n", line(s.Text))
		}
		fmt.Fprintf(&b, "\nChecked %s, took %d ms.\n", c.At.UTC().Format(layout), c.Took.Milliseconds())
	}
	return b.String()
}
