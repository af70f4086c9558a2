package policy_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/policy"
)

// explained says of each image why the default bundle judges it as it does.
var explained = map[string]string{
	"debian12": "Debian's records have no severity in these data: they are Unknown, so no rule on\n" +
		"vulnerabilities fires, however many there are. What is left is the dockerfile: it was guessed\n" +
		"from the history, and has no HEALTHCHECK.",
	"debian12-app": "The same base, with packages of languages of old versions on it: of those, many severities\n" +
		"are known. Trigger ids of gems, npm and Java packages are made of their paths, the others of\n" +
		"name and version.",
	"alpine-synthetic": "Alpine's own records have a fixed version; those found by CPE (unknown) have none, as nobody\n" +
		"at Alpine says when they were mended. Either fires by its severity alone.",
	"multiarch":       "The image for amd64 of an index that has the packages of alpine-synthetic for two architectures.",
	"multiarch-arm64": "The image for arm64 of the same index: what is affected does not depend on the architecture.",
}

// ruled says what the rules of the default bundle ask for.
var ruled = map[string]string{
	"ce7b8000-829b-4c27-8122-69cd59018400": "port 22 is exposed",
	"312d9e41-1c05-4e2f-ad89-b7d34b0855bb": "HEALTHCHECK does not exist",
	"6b5c14e7-a6f7-48cc-99d2-959273a2c6fa": "data older than 2 days",
	"3e79ea94-18c4-4d26-9e29-3b9172a62c2e": "no data",
	"6063fdde-b1c5-46af-973a-915739451ac4": "severity = medium",
	"b30e8abc-444f-45b1-8a37-55be1b8c8bb5": "severity > medium",
}

// exploitedBundle asks for what the data tell beside severities.
const exploitedBundle = `{"id":"b","version":"1_0","policies":[{"id":"p","version":"1_0","rules":[
	{"id":"exploited","gate":"vulnerabilities","trigger":"package","action":"STOP","params":[
		{"name":"package_type","value":"all"},{"name":"severity_comparison","value":">="},{"name":"known_exploited","value":"true"}]},
	{"id":"likely","gate":"vulnerabilities","trigger":"package","action":"WARN","params":[
		{"name":"package_type","value":"all"},{"name":"severity_comparison","value":">="},{"name":"epss_score","value":"0.1"}]}]}],
	"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":[]}]}`

// TestDefaultBundleOnReferenceImages writes down what the default bundle says
// of real images, with the matches that the reference tool finds in them, and
// why. Of the later build of the data only what differs is written. That the
// rows are those which the severities ask for is counted here once more, from
// the report alone.
func TestDefaultBundleOnReferenceImages(t *testing.T) {
	archives := map[string][2]string{ // and the architecture within an index
		"debian12": {"debian12"}, "debian12-app": {"debian12-app"}, "alpine-synthetic": {"alpine-synthetic"},
		"multiarch": {"multiarch", "amd64"}, "multiarch-arm64": {"multiarch", "arm64"},
	}
	like := map[string]string{"multiarch": "alpine-synthetic", "multiarch-arm64": "alpine-synthetic"}
	for name, from := range archives {
		t.Run(name, func(t *testing.T) {
			first, later := judged(t, name, from[0], from[1], "feed"), judged(t, name, from[0], from[1], "feed-next")
			var out strings.Builder
			fmt.Fprintf(&out, "%s, judged by the default bundle.\n\n%s\n\n%s", name, explained[name], first.tally(t))
			if other := like[name]; other != "" {
				fmt.Fprintf(&out, "\n%sIts rows are those of %s, one by one, with the later data too.\n", first.outcome, other)
				for feed, v := range map[string]judgedImage{"feed": first, "feed-next": later} {
					if !slices.Equal(v.rows, judged(t, other, other, "", feed).rows) {
						t.Errorf("with the data %s it is judged otherwise than %s", feed, other)
					}
				}
				golden(t, filepath.Join("testdata", "reference", name+".txt"), out.String())
				return
			}
			later.tally(t)
			fmt.Fprintf(&out, "\n%s%s\nWith the later data these are gone (-) or new (+):\n\n", first.outcome, strings.Join(first.rows, ""))
			before, after := append([]string{first.outcome}, first.rows...), append([]string{later.outcome}, later.rows...)
			for _, row := range before {
				if !slices.Contains(after, row) {
					out.WriteString("- " + row)
				}
			}
			for _, row := range after {
				if !slices.Contains(before, row) {
					out.WriteString("+ " + row)
				}
			}
			golden(t, filepath.Join("testdata", "reference", name+".txt"), out.String())
		})
	}
}

// TestExploitedOnReferenceImages asks for what is known to be exploited, and for
// what is likely to be: the data has none of the latter's figures.
func TestExploitedOnReferenceImages(t *testing.T) {
	bundle, err := policy.Parse([]byte(exploitedBundle))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("What is known to be exploited stops, what is so with a probability of 0.1 warns. The data list the\n" +
		"former, of whatever severity; they have no probabilities, which counts as 0.\n")
	for _, name := range []string{"alpine-synthetic", "debian12", "debian12-app", "multiarch", "multiarch-arm64"} {
		img := reference(t, filepath.Join(enginetest.Shared(t, "data/reference"), "feed", name+".grype.json"))
		v, err := policy.Evaluate(bundle, "docker.io/library/"+name+":latest", img, time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, m := range img.Matches {
			if m.KnownExploited {
				known++
			}
		}
		if len(v.Rows) != known {
			t.Errorf("%s: %d rows, the report says of %d that they are exploited", name, len(v.Rows), known)
		}
		fmt.Fprintf(&out, "\n%s: %s\n", name, v.Action)
		for _, r := range v.Rows {
			fmt.Fprintf(&out, "  %s %s, rule %s\n    %s\n", r.Action, r.TriggerID, r.Why.RuleID, r.Output)
		}
	}
	golden(t, filepath.Join("testdata", "reference", "exploited.txt"), out.String())
}

// judgedImage is a verdict by the default bundle in lines.
type judgedImage struct {
	image   *policy.Image
	verdict policy.Verdict
	outcome string
	rows    []string // each with why it fired
}

func judged(t *testing.T, image, archive, arch, feed string) judgedImage {
	t.Helper()
	bundle, err := policy.Parse(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	img := reference(t, filepath.Join(enginetest.Shared(t, "data/reference"), feed, image+".grype.json"))
	img.Mode, img.Dockerfile = "Guessed", dockerfile(t, enginetest.Untar(t, enginetest.Shared(t, "data/images/"+archive+".oci.tar")), arch)
	img.VulnData = policy.VulnData{Exists: true, Oldest: now.AddDate(0, 0, -1)}
	v, err := policy.Evaluate(bundle, "docker.io/library/"+image+":latest", img, now)
	if err != nil {
		t.Fatal(err)
	}
	j := judgedImage{image: img, verdict: v,
		outcome: fmt.Sprintf("%d matches, %d rows, final action %s (%s), status %s\n", len(img.Matches), len(v.Rows), v.Action, v.Reason, v.Status())}
	for _, r := range v.Rows {
		line := fmt.Sprintf("%-4s %s/%s %s\n     %s\n     rule %s: %s", r.Action, r.Gate, r.Trigger, r.TriggerID, r.Output, r.Why.RuleID[:8], ruled[r.Why.RuleID])
		if w := r.Why; w.Package != "" {
			line += fmt.Sprintf("; %s has version %s, affected are %s", w.Package, w.Version, w.Against)
		}
		j.rows = append(j.rows, line+"\n")
	}
	return j
}

// tally counts the matches of the report by severity, with what the default
// bundle must make of them, and holds the rows against that.
func (j judgedImage) tally(t *testing.T) string {
	t.Helper()
	key := func(vuln, pkg, version string) string { return vuln + " " + pkg + " " + version }
	made := map[string]map[policy.Action]int{}
	for _, r := range j.verdict.Rows {
		if r.Trigger == "package" {
			k := key(r.Why.Record, r.Why.Package, r.Why.Version)
			if made[k] == nil {
				made[k] = map[policy.Action]int{}
			}
			made[k][r.Action]++
		}
	}
	asks := map[string]policy.Action{"Critical": policy.Stop, "High": policy.Stop, "Medium": policy.Warn}
	says := map[string]string{
		"Critical": "stop: above medium", "High": "stop: above medium", "Medium": "warn: medium",
		"Low": "nothing: below medium", "Negligible": "nothing: below medium", "Unknown": "nothing: below all others",
	}
	counts := map[string][2]int{}
	for _, m := range j.image.Matches {
		n := counts[m.Severity]
		if m.WillNotFix {
			n[1]++
		} else {
			n[0]++
		}
		counts[m.Severity] = n
		if want := asks[m.Severity]; want != "" && !m.WillNotFix {
			if made[key(m.Vuln, m.Package, m.Version)][want]--; made[key(m.Vuln, m.Package, m.Version)][want] < 0 {
				t.Errorf("%s of severity %s in %s has no row that says %s", m.Vuln, m.Severity, m.Package, want)
			}
		}
	}
	for k, actions := range made {
		for action, n := range actions {
			if n > 0 {
				t.Errorf("%s: %d rows too many say %s", k, n, action)
			}
		}
	}
	var out strings.Builder
	for _, severity := range engine.SeverityNames {
		if n := counts[severity]; n[0] > 0 {
			fmt.Fprintf(&out, "%4d matches %-10s %s\n", n[0], severity, says[severity])
		}
		if n := counts[severity]; n[1] > 0 {
			fmt.Fprintf(&out, "%4d matches %-10s nothing: the vendor will not fix them\n", n[1], severity)
		}
	}
	return out.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is said now: run with -update and read the difference", path)
	}
}

// reference reads the matches of a report of the reference tool.
func reference(t *testing.T, file string) *policy.Image {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Distro  struct{ Name, Version string }
		Matches []struct {
			Vulnerability struct {
				ID, DataSource, Namespace, Severity string
				KnownExploited                      []struct{ CVE string }
				EPSS                                []struct{ EPSS float64 }
				Fix                                 struct {
					Versions []string
					State    string
				}
			}
			MatchDetails []struct {
				Matcher string
				Found   struct{ VersionConstraint string }
			}
			Artifact struct {
				Name, Version, Type string
				Locations           []struct {
					Path        string
					Annotations map[string]string
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{"deb": "dpkg", "apk": "apkg", "java-archive": "java", "go-module": "go"}
	img := &policy.Image{OS: "linux", Distro: report.Distro.Name, DistroVersion: report.Distro.Version}
	for _, m := range report.Matches {
		v, a := m.Vulnerability, m.Artifact
		match := engine.Match{
			Vuln: v.ID, Severity: v.Severity, URL: v.DataSource, Namespace: v.Namespace, Fixes: v.Fix.Versions, WillNotFix: v.Fix.State == "wont-fix",
			Package: a.Name, Version: a.Version, PackageType: a.Type,
			KnownExploited: len(v.KnownExploited) > 0, Matcher: m.MatchDetails[0].Matcher, Constraint: m.MatchDetails[0].Found.VersionConstraint,
		}
		for _, e := range v.EPSS {
			match.EPSS = max(match.EPSS, e.EPSS)
		}
		if known, ok := types[a.Type]; ok {
			match.PackageType = known
		}
		for _, l := range a.Locations {
			if match.Path == "" || l.Annotations["evidence"] == "primary" {
				match.Path = l.Path
			}
		}
		img.Matches = append(img.Matches, policy.Match{Match: match})
	}
	return img
}

// dockerfile guesses the dockerfile of an image in an OCI layout from its
// history, as the analyzer does.
func dockerfile(t *testing.T, layout, arch string) string {
	t.Helper()
	type descriptor struct {
		Digest   string
		Platform struct{ Architecture string }
	}
	read := func(path string, into any) {
		raw, err := os.ReadFile(filepath.Join(layout, path))
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	blob := func(d descriptor) string {
		return filepath.Join("blobs", filepath.Join(strings.Split(d.Digest, ":")...))
	}
	var index struct{ Manifests []descriptor }
	var manifest struct {
		Manifests []descriptor
		Config    descriptor
	}
	read("index.json", &index)
	at := index.Manifests[0]
	for read(blob(at), &manifest); len(manifest.Manifests) > 0; read(blob(at), &manifest) {
		for _, m := range manifest.Manifests {
			if m.Platform.Architecture == arch {
				at = m
			}
		}
		manifest.Manifests = nil
	}
	var config struct {
		History []struct {
			CreatedBy string `json:"created_by"`
		}
	}
	read(blob(manifest.Config), &config)
	lines := []string{"FROM scratch"}
	for _, h := range config.History {
		if text, ok := strings.CutPrefix(h.CreatedBy, "/bin/sh -c #(nop) "); ok {
			lines = append(lines, strings.TrimSpace(text))
		} else if h.CreatedBy != "" {
			lines = append(lines, "RUN "+h.CreatedBy)
		}
	}
	return strings.Join(lines, "\n")
}
