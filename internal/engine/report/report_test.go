package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

var matchedAt = time.Date(2026, 11, 22, 13, 4, 5, 0, time.UTC)

// someReport has a match of each kind, and what a hostile image would put in.
func someReport() Report {
	score := func(v3 float64, vector string) []engine.CVSSData {
		return []engine.CVSSData{{ID: "x", V2: engine.NoCVSS, V3: engine.CVSS{Base: v3, Exploitability: 1, Impact: 1}, Vector: vector}}
	}
	digest := engine.Digest("sha256:" + strings.Repeat("a", 64))
	return Report{
		Image: engine.Image{
			Digest: digest, MatchedWith: "data-1", MatchedAt: matchedAt, Meta: &engine.ImageMeta{Distro: "debian", DistroVersion: "12", Arch: "amd64"},
			Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "team/shop", Tag: "1.0", Digest: digest}},
		},
		Matches: []engine.Match{
			{PackageKey: "k1", Package: "openssl", Version: "3.0.11-1", PackageType: "dpkg", Path: "pkgdb", Vuln: "CVE-2024-5535", Severity: "Critical", Fixes: []string{"3.0.14-1"},
				FixState: "fixed", URL: "https://example.test/CVE-2024-5535", Feed: "vulnerabilities", Group: "debian:12", Namespace: "debian:distro:debian:12",
				Description: "Reads too far. Much too far.", CVEs: []string{"CVE-2024-5535"}, NVD: score(9.1, "CVSS:3.1/AV:N"), EPSS: 0.0123, KnownExploited: true},
			{PackageKey: "k2", Package: "libssl3", Version: "3.0.11-1", PackageType: "dpkg", Path: "pkgdb", Vuln: "CVE-2024-5535", Severity: "Critical",
				Namespace: "debian:distro:debian:12", VEX: &engine.VEX{Document: "d", Statement: 1, Status: engine.VEXNotAffected, Justification: "vulnerable_code_not_in_execute_path", Impact: "never called", At: matchedAt}},
			{PackageKey: "k3", Package: "=cmd|calc", Version: "-1", PackageType: "npm", Path: "/srv/a b/%2e/../node_modules/@x/y:z?q#f/package.json", Vuln: "GHSA-aaaa-bbbb-cccc",
				Severity: "low", URL: "javascript:alert(1)", Description: "<script>`x`</script> | *a* [b](c)", CVEs: []string{"CVE-1"}, Namespace: "github:language:javascript", NVD: score(9.8, "CVSS:4.0/AV:N")},
			{PackageKey: "k4", Package: "odd", Version: "", PackageType: "java-archive", Path: "/app.jar", Vuln: "CVE-2020-1", Severity: "dreadful", FixState: "wont-fix", WillNotFix: true,
				Namespace: "nvd:cpe", Vendor: []engine.CVSSData{{ID: "v", V2: engine.CVSS{Base: 5, Exploitability: -1, Impact: -1}, V3: engine.NoCVSS, Vector: "AV:N/AC:L"}}},
			{PackageKey: "k5", Package: "none", Version: "1", PackageType: "rpm", Vuln: "CVE-2020-2", Severity: "Negligible", Namespace: "rhel",
				VEX: &engine.VEX{Document: "d", Status: engine.VEXInvestigating, Justification: "no such word"}},
		},
		PURLs:  map[string]string{"k1": "pkg:deb/debian/openssl@3.0.11-1?arch=amd64", "k2": "pkg:deb/debian/libssl3@3.0.11-1", "k3": "pkg:npm/%40x/y@1#sub"},
		Places: map[string]Place{"k1": {"/var/lib/dpkg/status", "sha256:layer"}},
	}
}

func written(t *testing.T, r Report, format string) []byte {
	t.Helper()
	var b, again bytes.Buffer
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(&again, format); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("%s is not the same twice: %v", format, err)
	}
	return b.Bytes()
}

func TestCSV(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(written(t, someReport(), engine.MatchesCSV))).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	col := func(row int, name string) string { return rows[row][slices.Index(columns, name)] }
	for _, tc := range []struct {
		row        int
		name, want string
	}{
		{1, "id", "CVE-2024-5535"}, {1, "cvss", "9.1"}, {1, "epss", "0.01230"}, {1, "known_exploited", "true"}, {1, "fix", "3.0.14-1"},
		{1, "purl", "pkg:deb/debian/openssl@3.0.11-1?arch=amd64"}, {1, "url", "https://example.test/CVE-2024-5535"},
		{2, "vex_status", "not_affected"}, {2, "vex_impact", "never called"},
		{3, "package", "'=cmd|calc"}, {3, "version", "'-1"}, {3, "url", ""}, {3, "severity", "Low"}, {4, "severity", "Unknown"}, {4, "cvss", "5.0"},
	} {
		if got := col(tc.row, tc.name); got != tc.want {
			t.Errorf("row %d %s = %q, want %q", tc.row, tc.name, got, tc.want)
		}
	}
}

func TestJSON(t *testing.T) {
	var d document
	if err := json.Unmarshal(written(t, someReport(), engine.MatchesJSON), &d); err != nil {
		t.Fatal(err)
	}
	if d.Image != "docker.io/team/shop:1.0" || d.MatchedWith != "data-1" || d.MatchedAt != "2026-11-22T13:04:05Z" || d.Distro != "debian:12" || len(d.Matches) != 5 {
		t.Errorf("%+v", d)
	}
	if e := d.Matches[1]; e.VEX == nil || e.VEX.Status != "not_affected" || e.Fixes == nil || *d.Matches[0].CVSS != 9.1 || d.Matches[4].CVSS != nil {
		t.Errorf("%+v", e)
	}
	var none document
	if err := json.Unmarshal(written(t, Report{}, engine.MatchesJSON), &none); err != nil || none.Matches == nil || none.Tags == nil {
		t.Errorf("of an image without anything: %+v, %v", none, err)
	}
}

func TestVEX(t *testing.T) {
	valid := enginetest.Schema(t, "github.com/CycloneDX/cyclonedx-go", "schema/bom-1.6.schema.json")
	for name, r := range map[string]Report{"some": someReport(), "none": {}} {
		if err := valid(written(t, r, engine.MatchesVEX)); err != nil {
			t.Errorf("%s: not valid: %v", name, err)
		}
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(written(t, someReport(), engine.MatchesVEX)), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{}
	for _, c := range *bom.Components {
		refs[c.BOMRef] = true
	}
	if len(refs) != 5 || !refs["pkg:deb/debian/openssl@3.0.11-1?arch=amd64&package-id=k1"] || !refs["pkg:npm/%40x/y@1?package-id=k3#sub"] || !refs["k4"] {
		t.Errorf("components %v", refs)
	}
	want := []string{
		"CVE-2024-5535 critical - ", "CVE-2024-5535 critical not_affected code_not_reachable", "GHSA-aaaa-bbbb-cccc low - ", "CVE-2020-1 unknown - ", "CVE-2020-2 info in_triage ",
	}
	var got []string
	for _, v := range *bom.Vulnerabilities {
		state, why := "-", ""
		if v.Analysis != nil {
			state, why = string(v.Analysis.State), string(v.Analysis.Justification)
		}
		got = append(got, strings.Join([]string{v.ID, string((*v.Ratings)[0].Severity), state, why}, " "))
		for _, a := range *v.Affects {
			if !refs[a.Ref] {
				t.Errorf("%s affects %s, which is no component", v.ID, a.Ref)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if rec := (*bom.Vulnerabilities)[0].Recommendation; rec != "Upgrade openssl to 3.0.14-1." {
		t.Errorf("recommends %q", rec)
	}
	other := someReport()
	other.Matches = other.Matches[:1]
	if strings.Contains(string(written(t, other, engine.MatchesVEX)), bom.SerialNumber) {
		t.Error("another content has the same serial number")
	}
}

// The matches of one vulnerability about which the same is said are one entry.
func TestVEXGathersPackages(t *testing.T) {
	r := someReport()
	r.Matches[1].VEX = nil
	var bom cyclonedx.BOM
	if err := json.Unmarshal(written(t, r, engine.MatchesVEX), &bom); err != nil {
		t.Fatal(err)
	}
	if v := (*bom.Vulnerabilities)[0]; len(*bom.Vulnerabilities) != 4 || len(*v.Affects) != 2 {
		t.Errorf("%d entries, the first of %d packages", len(*bom.Vulnerabilities), len(*v.Affects))
	}
}

func TestSARIF(t *testing.T) {
	valid := enginetest.Schema(t, "github.com/anchore/grype", "grype/presenter/sarif/testdata/sarif-schema-2.1.0.json")
	if err := valid(written(t, Report{}, engine.MatchesSARIF)); err != nil {
		t.Errorf("of nothing it is not valid: %v", err)
	}
	doc := written(t, someReport(), engine.MatchesSARIF)
	if err := valid(doc); err != nil {
		t.Fatalf("not valid: %v\n%s", err, doc)
	}
	var log sarifLog
	if err := json.Unmarshal(doc, &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Tool.Driver.Rules) != 4 || len(run.Results) != 5 {
		t.Fatalf("%d rules, %d results", len(run.Tool.Driver.Rules), len(run.Results))
	}
	prints := map[string]bool{}
	for n, res := range run.Results {
		if res.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
			t.Errorf("result %d: rule %d is not %s", n, res.RuleIndex, res.RuleID)
		}
		at := res.Locations[0].Physical.Artifact.URI
		if u, err := url.Parse(at); err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasPrefix(at, "/") || strings.Contains(u.Path, "..") {
			t.Errorf("result %d is at %q: %v", n, at, err)
		}
		print := res.Fingerprints["primaryLocationLineHash"]
		if prints[print] || print == "" {
			t.Errorf("result %d has the print of another", n)
		}
		prints[print] = true
	}
	for n, want := range []struct{ level, severity string }{{"error", "9.1"}, {"note", "2.0"}, {"note", "5.0"}, {"note", "0.1"}} {
		r := run.Tool.Driver.Rules[n]
		if r.Default.Level != want.level || r.Properties["security-severity"] != want.severity {
			t.Errorf("rule %s: %s %v, want %s %s", r.ID, r.Default.Level, r.Properties["security-severity"], want.level, want.severity)
		}
		if r.Help.Text == "" || strings.Contains(r.Help.Markdown, "<script") || r.Full.Text == "" {
			t.Errorf("rule %s helps with %+v", r.ID, r.Help)
		}
	}
	if s := run.Results[1].Suppressions; len(s) != 1 || !strings.Contains(s[0].Justification, "never called") || len(run.Results[4].Suppressions) != 0 {
		t.Errorf("suppressions %+v", s)
	}
	if m := run.Results[0].Message.Text; !strings.Contains(m, "Fixed in 3.0.14-1") || !strings.Contains(m, "of layer sha256:layer") {
		t.Errorf("message %q", m)
	}
	if run.Results[2].Locations[0].Physical.Artifact.URI != "srv/a%20b/%252e/node_modules/@x/y%3Az%3Fq%23f/package.json" {
		t.Errorf("location %+v", run.Results[2].Locations[0].Physical)
	}
}

// A severity nobody knows is no zero, which would read as harmless.
func TestSARIFWithoutSeverity(t *testing.T) {
	r := someReport()
	r.Matches = []engine.Match{{PackageKey: "k", Package: "p", Vuln: "CVE-1", Severity: "Unknown"}}
	if doc := string(written(t, r, engine.MatchesSARIF)); strings.Contains(doc, "security-severity") {
		t.Error(doc)
	}
}

func TestSARIFIsBounded(t *testing.T) {
	r := someReport()
	many := make([]engine.Match, maxResults+5)
	for n := range many {
		many[n] = engine.Match{PackageKey: strconv.Itoa(n), Package: "p" + strconv.Itoa(n), Vuln: "CVE-1-1", Severity: "High"}
	}
	r.Matches = many
	var log sarifLog
	if err := json.Unmarshal(written(t, r, engine.MatchesSARIF), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs[0].Results) != maxResults || !strings.Contains(log.Runs[0].Invocations[0].Notifications[0].Message.Text, "25005") {
		t.Errorf("%d results, %+v", len(log.Runs[0].Results), log.Runs[0].Invocations)
	}
	if n := len(log.Runs[0].Tool.Driver.Rules[0].Help.Text); n > 10_000 {
		t.Errorf("the help has %d bytes", n)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := someReport().Write(&bytes.Buffer{}, "pdf"); err == nil {
		t.Error("pdf was written")
	}
}

func TestPlaces(t *testing.T) {
	wanted := map[string]bool{"a": true, "b": true, "c": true, "e": true}
	for name, tc := range map[string]struct {
		doc  string
		want int
		bad  bool
	}{
		"two of four": {`{"x":[{"id":"a"}],"artifacts":[{"id":"a","locations":[{"path":"/1","layerID":"l"},{"path":"/2"}]},{"id":"b","locations":[]},{"id":"d","locations":[{"path":"/3"}]},{"id":"e","locations":[{"path":"/4"}]}],"y":1}`, 2, false},
		"odd shapes":  {`{"artifacts":[{"id":7},{"id":"c","locations":"everywhere"}]}`, 0, false},
		"null":        {`{"artifacts":null}`, 0, false},
		"cut off":     {`{"artifacts":[{"id":"a"`, 0, true},
		"nothing":     {``, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Places([]byte(tc.doc), wanted)
			if (err != nil) != tc.bad || len(got) != tc.want {
				t.Errorf("%v, %v", got, err)
			}
			if tc.want == 2 && got["a"] != (Place{"/1", "l"}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add([]byte(`{"artifacts":[{"id":"a","locations":[{"path":"/1","layerID":"l"}]}]}`))
	f.Add([]byte(`{"artifacts":{}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if places, err := Places(doc, map[string]bool{"a": true}); err == nil && len(places) > 1 {
			t.Errorf("%v", places)
		}
	})
}
