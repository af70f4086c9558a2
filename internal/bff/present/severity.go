package present

import (
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Sev is a severity by name, for a badge without a count.
func Sev(name string) view.Sev {
	switch strings.ToLower(name) {
	case "critical":
		return view.Sev{Name: "Critical", Class: "c", Letter: "C"}
	case "high":
		return view.Sev{Name: "High", Class: "h", Letter: "H"}
	case "medium":
		return view.Sev{Name: "Medium", Class: "m", Letter: "M"}
	case "low":
		return view.Sev{Name: "Low", Class: "l", Letter: "L"}
	case "negligible":
		return view.Sev{Name: "Negligible", Class: "n", Letter: "N"}
	}
	return view.Sev{Name: "Unknown", Class: "u", Letter: "U"}
}

// SevBar shapes counts by severity. href, when it is not nil, gives the
// address of the list behind a severity.
func SevBar(s engine.Severities, href func(name string) string) view.SevBar {
	bar := view.SevBar{Total: s.Total()}
	var words []string
	counts := []int{s.Critical, s.High, s.Medium, s.Low, s.Negligible, s.Unknown}
	for i, name := range engine.SeverityNames {
		v := Sev(name)
		v.N, v.Count = counts[i], Count(counts[i])
		if href != nil {
			v.Href = href(name)
		}
		if v.N > 0 {
			words = append(words, v.Count+" "+strings.ToLower(name))
		}
		bar.List = append(bar.List, v)
	}
	bar.Text = strings.Join(words, ", ")
	if bar.Text == "" {
		bar.Text = "no vulnerabilities"
	}
	return bar
}
