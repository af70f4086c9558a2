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
				ID, Severity string
				Fix          struct {
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
		list = append(list, ReferenceMatch{v.ID, v.Severity, m.Artifact.Name, m.Artifact.Version, v.Fix.State, v.Fix.Versions})
	}
	return list
}
