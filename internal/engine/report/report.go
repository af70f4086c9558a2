// Package report writes what an image is affected by in the forms that other
// tools read: JSON and CSV of our own, CycloneDX with what VEX documents say of
// each match, and SARIF.
//
// All of them are made of the same matches, which the caller has selected, and
// are the same bytes for the same matches: no clock and no random number goes
// in. What an image's author wrote (names, versions, paths) is data in each of
// them: formulas are disarmed in CSV, addresses are http or https, and paths are
// escaped where they become URIs.
package report

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"windlass/internal/engine"
)

// Report is the matches of one image.
type Report struct {
	Image   engine.Image
	Matches []engine.Match    // worst first
	PURLs   map[string]string // package URLs by package key, for CycloneDX and JSON; may be nil
	Places  map[string]Place  // where packages stand, by package key, for SARIF; may be nil
}

// Write writes the report in one of engine.MatchFormats.
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case engine.MatchesCSV:
		return r.csv(w)
	case engine.MatchesJSON:
		return r.json(w)
	case engine.MatchesVEX:
		return r.vex(w)
	case engine.MatchesSARIF:
		return r.sarif(w)
	}
	return engine.Invalidf("There is no format %q of vulnerabilities.", format)
}

// name is what a person calls the image.
func (r Report) name() string {
	if len(r.Image.Tags) > 0 {
		return r.Image.Tags[0].Full()
	}
	return string(r.Image.Digest)
}

// at is the time of the report: when the matches were made.
func (r Report) at() string { return stamp(r.Image.MatchedAt) }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// link is an address as it may be linked to.
func link(u string) string {
	if p, err := url.Parse(u); err != nil || p.Scheme != "https" && p.Scheme != "http" || p.Host == "" {
		return ""
	}
	return u
}

// percent is a probability for a person.
func percent(p float64) string { return fmt.Sprintf("%.2f %%", p*100) }
