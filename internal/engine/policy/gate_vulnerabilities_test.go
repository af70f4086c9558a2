package policy

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"windlass/internal/engine"
)

// exampleMatches are an OS package, a will-not-fix, and one of each language
// with a trigger id of its own form.
func exampleMatches() *Image {
	v3 := func(base, exploitability, impact float64) []engine.CVSSData {
		return []engine.CVSSData{
			{V2: engine.CVSS{Base: 9.9, Exploitability: 9.9, Impact: 9.9}, V3: engine.NoCVSS},
			{V2: engine.NoCVSS, V3: engine.CVSS{Base: base, Exploitability: exploitability, Impact: impact}},
		}
	}
	match := func(m engine.Match, seen, fix int) Match {
		out := Match{Match: m, FirstSeen: days(seen)}
		if fix > 0 {
			out.FixAt = days(fix)
		}
		return out
	}
	return &Image{Distro: "debian", DistroVersion: "12", VulnData: VulnData{Exists: true, Oldest: days(3)}, Matches: []Match{
		match(engine.Match{Vuln: "CVE-1", Severity: "High", Package: "openssl", Version: "3.0.11-1", PackageType: "dpkg", Path: "pkgdb",
			Fixes: []string{"3.0.12", "3.1"}, URL: "https://example.test/CVE-1", NVD: v3(7.5, 3.9, 3.6), Vendor: v3(5.0, 2.0, 1.0),
			EPSS: 0.5, KnownExploited: true, Namespace: "debian:distro:debian:12", Constraint: "< 3.0.12", Matcher: "dpkg-matcher"}, 10, 5),
		match(engine.Match{Vuln: "CVE-2", Severity: "Critical", Package: "bash", Version: "5", PackageType: "dpkg", Path: "pkgdb", WillNotFix: true}, 1, 0),
		match(engine.Match{Vuln: "GHSA-3", CVEs: []string{"CVE-3"}, Severity: "Medium", Package: "log4j-core", Version: "2.14", PackageType: "java", Path: "/app/outer.jar:WEB-INF/log4j.jar", Fixes: []string{"2.15"}}, 30, 0),
		match(engine.Match{Vuln: "GHSA-4", Severity: "Low", Package: "rails", Version: "6", PackageType: "gem", Path: "/gems/test/rails.gemspec"}, 30, 0),
		match(engine.Match{Vuln: "GHSA-5", Severity: "Negligible", Package: "left-pad", Version: "1.3.0", PackageType: "npm", Path: "/app/node_modules/left-pad/package.json"}, 30, 0),
		match(engine.Match{Vuln: "CVE-6", Severity: "odd", Package: "six", Version: "1.0", PackageType: "python", Path: "/usr/lib/python3"}, 30, 0),
	}}
}

func TestVulnerabilityTriggerIDs(t *testing.T) {
	img := exampleMatches()
	img.Matches = append(img.Matches,
		Match{Match: engine.Match{Vuln: "CVE-7", Package: "top", Version: "1", PackageType: "npm", Path: "package.json"}},
		Match{Match: engine.Match{Vuln: "CVE-8", Package: "dir", Version: "2", PackageType: "java", Path: "/lib/"}},
		Match{Match: engine.Match{Vuln: "CVE-9", Package: "stdlib", Version: "1.21", PackageType: "go", Path: "/bin/app"}})
	v := evaluate(t, parse(t, doc(t, []map[string]any{
		rule("r1", "STOP", "vulnerabilities", "package", "package_type", "all", "severity_comparison", ">=", "vendor_only", "false"),
	})), img)
	want := []string{"CVE-1+openssl", "CVE-2+bash", "GHSA-3+log4j.jar", "GHSA-4+rails.gemspec", "GHSA-5+left-pad", "CVE-6+six-1.0", "CVE-7+top-1", "CVE-8+dir-2", "CVE-9+stdlib-1.21"}
	if len(v.Rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(v.Rows), len(want))
	}
	for i, r := range v.Rows {
		if r.TriggerID != want[i] {
			t.Errorf("trigger id %q, want %q", r.TriggerID, want[i])
		}
	}
	wantWhy := Why{RuleID: "r1", Ruled: Stop, Record: "CVE-1", Namespace: "debian:distro:debian:12", Package: "openssl", Path: "pkgdb",
		Version: "3.0.11-1", Against: "< 3.0.12", Fix: "3.0.12, 3.1", Matcher: "dpkg-matcher"}
	if got := v.Rows[0].Why; got != wantWhy {
		t.Errorf("why\n got %+v\nwant %+v", got, wantWhy)
	}
}

func tryVulnerabilitiesPackage(t *testing.T, run runner) {
	const (
		m1 = "HIGH vulnerability in os package (dpkg) openssl (fixed in 3.0.12, 3.1)"
		e1 = " (CVE-1 - https://example.test/CVE-1)"
		m2 = "CRITICAL vulnerability in os package (dpkg) bash (CVE-2)"
		m3 = "MEDIUM vulnerability in non-os package (java) /app/outer.jar:WEB-INF/log4j.jar (fixed in 2.15)"
		e3 = " (GHSA-3)"
		m4 = "LOW vulnerability in non-os package (gem) /gems/test/rails.gemspec (GHSA-4)"
		m5 = "NEGLIGIBLE vulnerability in non-os package (npm) /app/node_modules/left-pad/package.json (GHSA-5)"
		m6 = "UNKNOWN vulnerability in non-os package (python) /usr/lib/python3 (CVE-6)"
	)
	all := func(more ...string) []string { return append([]string{"package_type", "all"}, more...) }
	run(t, "vulnerabilities", "package", exampleMatches(), map[string]check{
		"more than unknown":        {params: all(), want: []string{m1 + e1, m3 + e3, m4, m5}},
		"os":                       {params: []string{"package_type", "os"}, want: []string{m1 + e1}},
		"non-os":                   {params: []string{"package_type", "non-os"}, want: []string{m3 + e3, m4, m5}},
		"severity equals":          {params: all("severity", "low", "severity_comparison", "="), want: []string{m4}},
		"severity differs":         {params: all("severity", "low", "severity_comparison", "!="), want: []string{m1 + e1, m3 + e3, m5, m6}},
		"severity below":           {params: all("severity", "low", "severity_comparison", "<"), want: []string{m5, m6}},
		"severity above":           {params: all("severity", "low"), want: []string{m1 + e1, m3 + e3}},
		"severity at most":         {params: all("severity", "negligible", "severity_comparison", "<="), want: []string{m5, m6}},
		"severity at least":        {params: all("severity", "high", "severity_comparison", ">="), want: []string{m1 + e1}},
		"will not fix too":         {params: all("severity", "high", "severity_comparison", ">=", "vendor_only", "False"), want: []string{m1 + e1, m2}},
		"will not fix, asked":      {params: all("severity", "critical", "severity_comparison", "=", "vendor_only", "true")},
		"fix available":            {params: all("fix_available", "true"), want: []string{m1 + e1, m3 + e3}},
		"no fix available":         {params: all("fix_available", "false"), want: []string{m4, m5}},
		"base score":               {params: all("cvss_v3_base_score", "7"), want: []string{m1 + " (CVSS v3 base score 7.5 >= 7)" + e1}},
		"base score compared":      {params: all("cvss_v3_base_score", "7.5", "cvss_v3_base_score_comparison", ">")},
		"no base score is -1":      {params: all("cvss_v3_base_score", "0", "cvss_v3_base_score_comparison", "<", "severity", "medium", "severity_comparison", "="), want: []string{m3 + " (CVSS v3 base score -1.0 < 0)" + e3}},
		"exploitability score":     {params: all("cvss_v3_exploitability_score", "3.9", "cvss_v3_exploitability_score_comparison", "="), want: []string{m1 + " (CVSS v3 exploitability score 3.9 = 3.9)" + e1}},
		"exploitability, other":    {params: all("cvss_v3_exploitability_score", "4")},
		"impact score":             {params: all("cvss_v3_impact_score", " 3.5"), want: []string{m1 + " (CVSS v3 impact score 3.6 >= 3.5)" + e1}},
		"impact score, other":      {params: all("cvss_v3_impact_score", "3.5", "cvss_v3_impact_score_comparison", "<", "severity", "high", "severity_comparison", ">=")},
		"vendor base score":        {params: all("vendor_cvss_v3_base_score", "5"), want: []string{m1 + " (vendor CVSS v3 base score 5.0 >= 5)" + e1}},
		"vendor base, other":       {params: all("vendor_cvss_v3_base_score", "5", "vendor_cvss_v3_base_score_comparison", ">")},
		"vendor exploitability":    {params: all("vendor_cvss_v3_exploitability_score", "2", "vendor_cvss_v3_exploitability_score_comparison", "<=", "severity", "high", "severity_comparison", ">="), want: []string{m1 + " (vendor CVSS v3 exploitability score 2.0 <= 2)" + e1}},
		"vendor impact":            {params: all("vendor_cvss_v3_impact_score", ".5", "vendor_cvss_v3_impact_score_comparison", "!=", "severity", "high", "severity_comparison", ">="), want: []string{m1 + " (vendor CVSS v3 impact score 1.0 != .5)" + e1}},
		"found long ago":           {params: all("max_days_since_creation", "20", "severity", "medium", "severity_comparison", "="), want: []string{m3 + " (found since 2026-02-08)" + e3}},
		"found lately":             {params: all("max_days_since_creation", "20", "severity", "high", "severity_comparison", "=")},
		"found that day":           {params: all("max_days_since_creation", "10", "severity", "high", "severity_comparison", "="), want: []string{m1 + " (found since 2026-02-28)" + e1}},
		"fix known long":           {params: all("max_days_since_fix", "5", "fix_available", "true", "severity", "high", "severity_comparison", "="), want: []string{m1 + " (fix known since 2026-03-05)" + e1}},
		"fix known lately":         {params: all("max_days_since_fix", "6", "fix_available", "true", "severity", "high", "severity_comparison", "=")},
		"fix not asked":            {params: all("max_days_since_fix", "6", "severity", "high", "severity_comparison", "="), want: []string{m1 + e1}},
		"fix known at no time":     {params: all("max_days_since_fix", "600", "fix_available", "true", "severity", "medium", "severity_comparison", "="), want: []string{m3 + e3}},
		"path excluded":            {params: all("package_path_exclude", ".*/test/"), want: []string{m1 + e1, m3 + e3, m5}},
		"path, from the start":     {params: all("package_path_exclude", "test/"), want: []string{m1 + e1, m3 + e3, m4, m5}},
		"no path of an os package": {params: []string{"package_type", "os", "package_path_exclude", ".*"}, want: []string{m1 + e1}},
		"known exploited":          {params: all("known_exploited", "true"), want: []string{m1 + e1}},
		"not known exploited":      {params: all("known_exploited", "false"), want: []string{m3 + e3, m4, m5}},
		"epss":                     {params: all("epss_score", "0.1"), want: []string{m1 + " (EPSS 0.50000 >= 0.1)" + e1}},
		"epss compared":            {params: all("epss_score", "0.1", "epss_score_comparison", "<", "severity", "low", "severity_comparison", "="), want: []string{"LOW vulnerability in non-os package (gem) /gems/test/rails.gemspec (EPSS 0.00000 < 0.1) (GHSA-4)"}},
		"no matches":               {params: all(), image: &Image{}},
	})
}

// Every comparison of every score, with less, with as much and with more than
// the match has.
func tryVulnerabilityScores(t *testing.T, run runner) {
	holds := map[string][3]bool{ // whether the score compares so with one that is less, the same, more
		"=": {false, true, false}, "!=": {true, false, true}, "<": {false, false, true},
		">": {true, false, false}, "<=": {false, true, true}, ">=": {true, true, false},
	}
	scores := []struct {
		param, says string
		has         float64
	}{
		{"cvss_v3_base_score", "(CVSS v3 base score 7.5", 7.5},
		{"cvss_v3_exploitability_score", "(CVSS v3 exploitability score 3.9", 3.9},
		{"cvss_v3_impact_score", "(CVSS v3 impact score 3.6", 3.6},
		{"vendor_cvss_v3_base_score", "(vendor CVSS v3 base score 5.0", 5},
		{"vendor_cvss_v3_exploitability_score", "(vendor CVSS v3 exploitability score 2.0", 2},
		{"vendor_cvss_v3_impact_score", "(vendor CVSS v3 impact score 1.0", 1},
		{"epss_score", "(EPSS 0.50000", 0.5},
	}
	cases := map[string]check{}
	for _, score := range scores {
		for op, fires := range holds {
			for i, with := range []float64{score.has - 0.25, score.has, score.has + 0.25} {
				asked := strconv.FormatFloat(with, 'g', 3, 64)
				c := check{params: []string{"package_type", "os", score.param, asked, score.param + "_comparison", op}}
				if fires[i] {
					c.want = []string{fmt.Sprintf("HIGH vulnerability in os package (dpkg) openssl (fixed in 3.0.12, 3.1) %s %s %s) (CVE-1 - https://example.test/CVE-1)", score.says, op, asked)}
				}
				cases[fmt.Sprintf("%s %s %s", score.param, op, asked)] = c
			}
		}
	}
	run(t, "vulnerabilities", "package", exampleMatches(), cases)
}

// Every comparison with every severity: the matches have one each, in the order
// high, critical, medium, low, negligible and one that nobody knows.
func tryVulnerabilitySeverities(t *testing.T, run runner) {
	names := []string{"unknown", "negligible", "low", "medium", "high", "critical"}
	img := exampleMatches()
	all := evaluate(t, parse(t, doc(t, []map[string]any{
		rule("r1", "STOP", "vulnerabilities", "package", "package_type", "all", "severity_comparison", ">=", "vendor_only", "false"),
	})), img)
	has := []int{4, 5, 3, 2, 1, 0}
	if len(all.Rows) != len(has) {
		t.Fatalf("%d rows", len(all.Rows))
	}
	holds := map[string]func(a, b int) bool{
		"=": func(a, b int) bool { return a == b }, "!=": func(a, b int) bool { return a != b }, "<": func(a, b int) bool { return a < b },
		">": func(a, b int) bool { return a > b }, "<=": func(a, b int) bool { return a <= b }, ">=": func(a, b int) bool { return a >= b },
	}
	cases := map[string]check{}
	for with, name := range names {
		for op, fires := range holds {
			c := check{params: []string{"package_type", "all", "vendor_only", "false", "severity", name, "severity_comparison", op}}
			for i, r := range all.Rows {
				if fires(has[i], with) {
					c.want = append(c.want, r.Output)
				}
			}
			cases[op+" "+name] = c
		}
	}
	run(t, "vulnerabilities", "package", img, cases)
}

func tryVulnerabilityData(t *testing.T, run runner) {
	img := exampleMatches()
	never := &Image{Distro: "alpine", DistroVersion: "3.19"}
	run(t, "vulnerabilities", "stale_feed_data", img, map[string]check{
		"stale":     {params: []string{"max_days_since_sync", "2"}, want: []string{"The vulnerability data for the distribution of the image are older than 2 days"}},
		"not stale": {params: []string{"max_days_since_sync", "3"}},
		"never":     {params: []string{"max_days_since_sync", "2"}, image: never, want: []string{"It is not known when the vulnerability data for the distribution of the image were fetched: alpine:3.19"}},
		"for ever":  {params: []string{"max_days_since_sync", "99999999999999999999999"}},
	})
	run(t, "vulnerabilities", "vulnerability_data_unavailable", img, map[string]check{
		"there":  {},
		"absent": {image: never, want: []string{"There are no vulnerability data for the distribution of the image: alpine:3.19"}},
	})
	run(t, "vulnerabilities", "blacklist", img, map[string]check{
		"once, in the order asked":  {params: []string{"vulnerability_ids", "GHSA-4, CVE-1,CVE-404"}, want: []string{"The image has unwanted vulnerabilities: GHSA-4, CVE-1"}},
		"none":                      {params: []string{"vulnerability_ids", "CVE-404"}},
		"will not fix":              {params: []string{"vulnerability_ids", "CVE-2"}},
		"will not fix, left out":    {params: []string{"vulnerability_ids", "CVE-2", "vendor_only", "true"}},
		"will not fix, asked":       {params: []string{"vulnerability_ids", "CVE-2", "vendor_only", "false"}, want: []string{"The image has unwanted vulnerabilities: CVE-2"}},
		"by the CVE it stands for":  {params: []string{"vulnerability_ids", "CVE-3"}, want: []string{"The image has unwanted vulnerabilities: CVE-3"}},
		"by part of an id, no more": {params: []string{"vulnerability_ids", "CVE"}},
	})
}

func TestVEX(t *testing.T) {
	tests := map[string]struct {
		status string
		action Action
	}{
		"not affected":        {"not_affected", Go},
		"fixed":               {"fixed", Go},
		"affected":            {"affected", Stop},
		"under investigation": {"under_investigation", Stop},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			img := exampleMatches()
			img.Matches = img.Matches[:1]
			img.Matches[0].VEX = &VEX{Document: "d1", Statement: "s1", Status: tc.status, Justification: "code not reached"}
			v := evaluate(t, parse(t, doc(t, []map[string]any{rule("r1", "STOP", "vulnerabilities", "package", "package_type", "all")})), img)
			if v.Action != tc.action || len(v.Rows) != 1 || v.Rows[0].Action != tc.action || v.Rows[0].Why.Ruled != Stop {
				t.Errorf("%s: %+v", v.Action, v.Rows)
			}
			want := Exception{WhitelistID: "d1", WhitelistName: "VEX", ItemID: "s1", Reason: "code not reached"}
			if e := v.Rows[0].Exception; tc.action == Go && (e == nil || *e != want) || tc.action == Stop && e != nil {
				t.Errorf("exception %+v", e)
			}
		})
	}
}

func TestDaysBetween(t *testing.T) {
	if got := daysBetween(time.Time{}, now); got < 700_000 {
		t.Errorf("from no time: %v days", got)
	}
}
