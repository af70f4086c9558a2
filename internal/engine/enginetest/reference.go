package enginetest

import (
	"encoding/json"
	"os"
	"testing"
)

// ReferenceMatch is one match of a report that the upstream command line tool
// made: what of it must agree.
type ReferenceMatch struct {
	ID, Severity     string
	Package, Version string
	FixState         string
	Fixes            []string
	Exploited        bool    // is known to be
	EPSS             float64 // 0: the data has none
}

// ReferenceMatches reads such a report.
func ReferenceMatches(t testing.TB, file string) []ReferenceMatch {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Matches []struct {
			Vulnerability struct {
				ID, Severity   string
				KnownExploited []struct{ CVE string }
				EPSS           []struct{ EPSS float64 }
				Fix            struct {
					State    string
					Versions []string
				}
			}
			Artifact struct{ Name, Version string }
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	list := make([]ReferenceMatch, 0, len(doc.Matches))
	for _, m := range doc.Matches {
		v := m.Vulnerability
		epss := 0.0
		for _, e := range v.EPSS {
			epss = max(epss, e.EPSS)
		}
		list = append(list, ReferenceMatch{
			v.ID, v.Severity, m.Artifact.Name, m.Artifact.Version, v.Fix.State, v.Fix.Versions, len(v.KnownExploited) > 0, epss,
		})
	}
	return list
}
