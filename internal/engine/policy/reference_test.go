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

// TestDefaultBundleOnReferenceImages writes down what the default bundle says
// of real images, with the matches that the reference tool finds in them.
// explained says why that is right. Of the later build of the data only what
// differs is written.
func TestDefaultBundleOnReferenceImages(t *testing.T) {
	tests := map[string]string{
		"debian12": "Debian's records have no severity in these data: they are Unknown, so no rule on\n" +
			"vulnerabilities fires, however many there are. What is left is the dockerfile: it was guessed\n" +
			"from the history, and has no HEALTHCHECK.",
		"debian12-app": "The same base, with packages of languages of old versions on it: of those, many severities\n" +
			"are known: 32 matches are of medium severity and warn, 57 are above and stop. Trigger ids of\n" +
			"gems, npm and Java packages are made of their paths, the others of name and version.",
		"alpine-synthetic": "Of 235 matches 17 are of medium severity and warn, 29 are above and stop; the others are\n" +
			"Unknown or Low and fire nothing.",
	}
	for name, explained := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := judged(t, name, name, "", "feed"), judged(t, name, name, "", "feed-next")
			var out strings.Builder
			fmt.Fprintf(&out, "%s, judged by the default bundle.\n\n%s\n\n%s", name, explained, strings.Join(before, ""))
			out.WriteString("\nWith the later data these are gone (-) or new (+):\n\n")
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

// The same packages reached through an index, for either architecture, are
// judged the same.
func TestVerdictDoesNotDependOnTheIndex(t *testing.T) {
	plain := judged(t, "alpine-synthetic", "alpine-synthetic", "", "feed")
	for image, arch := range map[string]string{"multiarch": "amd64", "multiarch-arm64": "arm64"} {
		if got := judged(t, image, "multiarch", arch, "feed"); !slices.Equal(got, plain) {
			t.Errorf("%s is judged otherwise", image)
		}
	}
}

// judged is the verdict by the default bundle in lines: first the outcome, then
// each row with why it fired.
func judged(t *testing.T, image, archive, arch, feed string) []string {
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
	lines := []string{fmt.Sprintf("%d matches, %d rows, final action %s (%s), status %s\n", len(img.Matches), len(v.Rows), v.Action, v.Reason, v.Status())}
	for _, r := range v.Rows {
		line := fmt.Sprintf("%-4s %s/%s %s\n     %s\n", r.Action, r.Gate, r.Trigger, r.TriggerID, r.Output)
		if w := r.Why; w.Package != "" {
			line += fmt.Sprintf("     %s has version %s, affected are %s\n", w.Package, w.Version, w.Against)
		}
		lines = append(lines, line)
	}
	return lines
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
			Matcher: m.MatchDetails[0].Matcher, Constraint: m.MatchDetails[0].Found.VersionConstraint,
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
