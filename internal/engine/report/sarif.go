package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// SARIF 2.1.0 as code scanning takes it: a rule for each vulnerability, with a
// help text and a severity, and a result for each package that has it, in the
// file by which the package is known. A container has no lines, so each result
// is at the first.

// maxResults is how many results of one run code scanning takes; the worst come
// first, and a report that was cut says so.
const maxResults = 25_000

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations,omitempty"`
	Automation  sarifAutomation   `json:"automationDetails"`
	ColumnKind  string            `json:"columnKind"`
	Results     []sarifResult     `json:"results"`
	Properties  map[string]any    `json:"properties"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	Version         string      `json:"version"`
	SemanticVersion string      `json:"semanticVersion"`
	Rules           []sarifRule `json:"rules"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Short      sarifText      `json:"shortDescription"`
	Full       sarifText      `json:"fullDescription"`
	HelpURI    string         `json:"helpUri,omitempty"`
	Help       sarifText      `json:"help"`
	Default    sarifDefault   `json:"defaultConfiguration"`
	Properties map[string]any `json:"properties"`
}

type sarifDefault struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   map[string]any     `json:"properties"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Status        string `json:"status"`
	Justification string `json:"justification,omitempty"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Full string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

func (r Report) sarif(w io.Writer) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "Windlass", Version: engine.Version, SemanticVersion: engine.Version, Rules: []sarifRule{}}},
		Automation: sarifAutomation{"windlass/" + r.repository() + "/"},
		ColumnKind: "utf16CodeUnits", Results: []sarifResult{},
		Properties: map[string]any{"image": r.name(), "imageDigest": string(r.Image.Digest), "matchedWith": r.Image.MatchedWith, "matchedAt": r.at()},
	}
	list := r.Matches
	if len(list) > maxResults {
		run.Invocations = []sarifInvocation{{Successful: true, Notifications: []sarifNotification{
			{"warning", sarifText{Text: fmt.Sprintf("Of %d results the worst %d are listed.", len(list), maxResults)}},
		}}}
		list = list[:maxResults]
	}
	index := map[string]int{}
	byRule := map[string][]engine.Match{}
	for _, m := range list {
		byRule[m.Vuln] = append(byRule[m.Vuln], m)
	}
	for _, m := range list {
		at, ok := index[m.Vuln]
		if !ok {
			at = len(run.Tool.Driver.Rules)
			index[m.Vuln] = at
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule(byRule[m.Vuln]))
		}
		run.Results = append(run.Results, r.result(m, at))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// repository tells the runs of one repository from those of another: results
// of a new image of it take the place of those of the one before.
func (r Report) repository() string {
	if len(r.Image.Tags) == 0 {
		return string(r.Image.Digest)
	}
	return r.Image.Tags[0].Registry + "/" + r.Image.Tags[0].Repository
}

// rule describes a vulnerability by the matches of it, worst first.
func rule(list []engine.Match) sarifRule {
	worst := slices.MinFunc(list, func(a, b engine.Match) int { return rank(a) - rank(b) })
	severity := engine.SeverityName(worst.Severity)
	first := firstSentence(worst.Description)
	ru := sarifRule{
		ID: worst.Vuln, Name: ruleName(severity), HelpURI: link(worst.URL), Default: sarifDefault{level(severity)},
		Short:      sarifText{Text: worst.Vuln + ": " + severity + " vulnerability in " + strings.Join(names(list), ", ")},
		Full:       sarifText{Text: cut(first, 1000)},
		Help:       help(worst, list),
		Properties: map[string]any{"tags": tags(worst), "precision": "high"},
	}
	if n := securitySeverity(worst); n > 0 {
		ru.Properties["security-severity"] = strconv.FormatFloat(n, 'f', 1, 64)
	}
	if ru.Full.Text == "" {
		ru.Full.Text = ru.Short.Text
	}
	ru.Short.Text = cut(ru.Short.Text, 1000)
	return ru
}

func tags(m engine.Match) []string {
	list := []string{"security", "vulnerability", strings.ToLower(engine.SeverityName(m.Severity))}
	if m.KnownExploited {
		list = append(list, "known-exploited")
	}
	return list
}

func (r Report) result(m engine.Match, rule int) sarifResult {
	where := r.place(m)
	res := sarifResult{
		RuleID: m.Vuln, RuleIndex: rule, Level: level(engine.SeverityName(m.Severity)), Message: sarifText{Text: r.message(m, where)},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{sarifArtifact{uri(where.Path)}, sarifRegion{1, 1, 1, 1}},
			Logical:  []sarifLogical{{Name: m.Package, Full: r.name() + "@" + string(r.Image.Digest) + ":" + where.Path, Kind: "module"}},
		}},
		Fingerprints: map[string]string{"primaryLocationLineHash": fingerprint(m, where)},
		Properties: map[string]any{
			"package": m.Package, "version": m.Version, "type": m.PackageType, "purl": r.PURLs[m.PackageKey], "fixes": m.Fixes,
			"severity": engine.SeverityName(m.Severity),
		},
	}
	if where.Layer != "" {
		res.Properties["layer"] = where.Layer
	}
	if v := m.VEX; v != nil && v.Status.Clears() {
		why := strings.TrimSpace(strings.Join([]string{string(v.Status), v.Justification, v.Impact}, " "))
		res.Suppressions = []sarifSuppression{{Kind: "external", Status: "accepted", Justification: why}}
	}
	return res
}

// place is where a package stands, or where its kind is registered.
func (r Report) place(m engine.Match) Place {
	if p, ok := r.Places[m.PackageKey]; ok && p.Path != "" {
		return p
	}
	if m.Path != "" && m.Path != "pkgdb" {
		return Place{Path: m.Path}
	}
	switch m.PackageType {
	case "dpkg":
		return Place{Path: "/var/lib/dpkg/status"}
	case "apkg":
		return Place{Path: "/lib/apk/db/installed"}
	case "rpm":
		return Place{Path: "/var/lib/rpm"}
	}
	return Place{Path: "/"}
}

// uri is a path as a relative reference: nothing in it is a scheme, a query or
// a way up.
func uri(path string) string {
	var parts []string
	for p := range strings.SplitSeq(strings.ToValidUTF8(path, "\uFFFD"), "/") {
		if p != "" && p != "." && p != ".." {
			parts = append(parts, strings.ReplaceAll(url.PathEscape(p), ":", "%3A"))
		}
	}
	if len(parts) == 0 {
		return "image"
	}
	return strings.Join(parts, "/")
}

// fingerprint knows a result again in the next image, where versions and
// layers may be others.
func fingerprint(m engine.Match, p Place) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{m.Vuln, m.Package, m.PackageType, p.Path}, "\x00")))
	return hex.EncodeToString(sum[:16]) + ":1"
}
