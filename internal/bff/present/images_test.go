package present

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

var noon = Clock{Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}

// texts collects every text of a view, however deep.
func texts(v any) []string {
	var out []string
	var walk func(reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			out = append(out, v.String())
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for n := range v.NumField() {
				walk(v.Field(n))
			}
		case reflect.Slice:
			for n := range v.Len() {
				walk(v.Index(n))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				walk(v.MapIndex(k))
			}
		}
	}
	walk(reflect.ValueOf(v))
	return out
}

// What is missing must never show as the machine's word for it, in any state
// and with nothing known.
func TestNoNonsense(t *testing.T) {
	images := map[string]engine.Image{"zero": {}}
	for _, s := range engine.AnalysisStates {
		images[string(s)] = engine.Image{Digest: "sha256:abc", State: s, Meta: &engine.ImageMeta{}, Progress: &engine.Progress{Done: 5}, Failure: &engine.Failure{}, MatchedWith: "x"}
		images[string(s)+" unknown"] = engine.Image{State: s, Meta: &engine.ImageMeta{Arch: "N/A", Distro: "Unknown", DistroVersion: "0"}, Progress: &engine.Progress{Stage: "odd", Done: -1, Total: -1}}
	}
	docs := []string{"", "null", "{}", "[]", `{"config":null,"created":"1970"}`, `[{"Created":null,"Size":0}]`, "\x00\xff", `{"config":{"Env":[""],"Labels":{"":""}}}`}
	for name, i := range images {
		var views []any
		views = append(views, ImageRow(i, nil, noon), Image(i, "overview", "http://h", "admin"))
		for _, d := range docs {
			raw := []byte(d)
			views = append(views, ImageOverview(OverviewIn{Image: i, Config: raw, History: raw, Dockerfile: []byte("FROM x\x00\xff"), Timeline: []engine.StateEntry{{State: i.State}}}, noon))
		}
		views = append(views, ImageVulns(i, []engine.Match{{}}, VulnQuery{Page: 1}, noon), ImageVulns(i, nil, VulnQuery{Page: 9, Group: "cve"}, noon),
			ImageContent(ContentIn{Image: i, Query: ContentQuery{Class: "os", Page: 3}, Packages: []engine.Package{{}}}),
			ImageContent(ContentIn{Image: i, Query: ContentQuery{Class: "files", Page: 1}, Files: engine.FilePage{Entries: []engine.FileEntry{{}}, Total: 1}}),
			Images(ImagesIn{Images: []engine.Image{i}, Query: url.Values{}}, noon))
		for _, v := range views {
			for _, text := range texts(v) {
				for _, bad := range []string{"0001-01-01", "NaN", "nil", "null", "%!", "N/A", "\x00"} {
					if strings.Contains(text, bad) {
						t.Errorf("%s shows %q in %T: %q", name, bad, v, text)
					}
				}
			}
		}
	}
}

func TestProgressMeter(t *testing.T) {
	tests := map[string]struct {
		in   engine.Progress
		want view.Meter
	}{
		"bytes":        {engine.Progress{Stage: engine.StagePull, Done: 1_500_000, Total: 3_000_000}, view.Meter{Label: "Pulling layers", Text: "Pulling layers 1.5 MB of 3.0 MB", Value: 1_500_000, Max: 3_000_000}},
		"steps":        {engine.Progress{Stage: engine.StageSBOM, Done: 2, Total: 5}, view.Meter{Label: "Reading packages", Text: "Reading packages 2 of 5", Value: 2, Max: 5}},
		"no end known": {engine.Progress{Stage: engine.StageMatch, Done: 7}, view.Meter{Label: "Matching vulnerabilities", Text: "Matching vulnerabilities"}},
		"beyond it":    {engine.Progress{Stage: engine.StageSave, Done: 9, Total: 5}, view.Meter{Label: "Saving", Text: "Saving 5 of 5", Value: 5, Max: 5}},
		"no stage yet": {engine.Progress{}, view.Meter{Label: "Starting", Text: "Starting"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := progressMeter(tc.in); got != tc.want {
				t.Errorf("\n got %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestVulnSelect(t *testing.T) {
	list := []engine.Match{
		{Vuln: "CVE-1", Package: "b", Severity: "Low", Fixes: []string{"2"}, NVD: []engine.CVSSData{{V2: engine.NoCVSS, V3: engine.CVSS{Base: 9.8}}}},
		{Vuln: "CVE-2", Package: "a", Severity: "Critical", EPSS: 0.1},
		{Vuln: "CVE-3", Package: "c", Severity: "odd", KnownExploited: true, CVEs: []string{"CVE-2021-44228"}},
		{Vuln: "CVE-4", Package: "a", Severity: "Critical", EPSS: 0.9, Vendor: []engine.CVSSData{{V2: engine.CVSS{Base: 5}, V3: engine.NoCVSS}}},
	}
	tests := map[string]struct{ query, want string }{
		"worst first":    {"", "CVE-4 CVE-2 CVE-1 CVE-3"},
		"likely":         {"sort=epss", "CVE-3 CVE-4 CVE-2 CVE-1"},
		"score":          {"sort=cvss", "CVE-1 CVE-4 CVE-2 CVE-3"},
		"package":        {"sort=package", "CVE-2 CVE-4 CVE-1 CVE-3"},
		"id":             {"sort=vuln", "CVE-1 CVE-2 CVE-3 CVE-4"},
		"severity":       {"severity=critical", "CVE-4 CVE-2"},
		"unknown":        {"severity=Unknown", "CVE-3"},
		"odd is ignored": {"severity=odd&sort=odd&group=odd&page=-4", "CVE-4 CVE-2 CVE-1 CVE-3"},
		"fixable":        {"fixable=1", "CVE-1"},
		"exploited":      {"known=1", "CVE-3"},
		"by alias":       {"q=44228", "CVE-3"},
		"none":           {"q=zzz", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			q, err := url.ParseQuery(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range ParseVulnQuery(q).Select(list) {
				got = append(got, m.Vuln)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("%s, want %s", s, tc.want)
			}
		})
	}
	if list[0].Vuln != "CVE-1" {
		t.Error("the list itself was altered")
	}
}

func TestVulnPages(t *testing.T) {
	var list []engine.Match
	for n := range 250 {
		list = append(list, engine.Match{PackageKey: fmt.Sprint(n), Vuln: fmt.Sprintf("CVE-2024-%04d", n), Package: fmt.Sprint("p", n%3), Severity: "High"})
	}
	i := engine.Image{Digest: "sha256:abc", MatchedWith: "x"}
	second := ImageVulns(i, list, VulnQuery{Page: 2, Severity: "High"}, noon)
	want := view.Pager{Text: "101 to 200 of 250 rows", First: "/images/sha256:abc?severity=High&tab=vulnerabilities&page=1",
		Prev: "/images/sha256:abc?severity=High&tab=vulnerabilities&page=1", Next: "/images/sha256:abc?severity=High&tab=vulnerabilities&page=3"}
	if len(second.Rows) != 100 || second.Pager != want {
		t.Errorf("%d rows, %+v", len(second.Rows), second.Pager)
	}
	past := ImageVulns(i, list, VulnQuery{Page: 99}, noon)
	if len(past.Rows) != 50 || past.Pager.Next != "" {
		t.Errorf("past the end: %d rows, %+v", len(past.Rows), past.Pager)
	}
	groups := ImageVulns(i, list, VulnQuery{Page: 1, Group: "package"}, noon)
	if len(groups.Groups) != 3 || len(groups.Rows) != 0 || groups.Groups[0].Bar.Total+groups.Groups[1].Bar.Total+groups.Groups[2].Bar.Total != 250 {
		t.Errorf("%d groups", len(groups.Groups))
	}
}

func TestSafeLink(t *testing.T) {
	for u, want := range map[string]bool{"https://a.test/x?y": true, "http://a.test": true, "javascript:alert(1)": false, "//a.test": false, "": false, "data:x": false, "https:": false, "HTTPS://a.test": true} {
		if got := SafeLink(u) != ""; got != want {
			t.Errorf("SafeLink(%q) links: %v, want %v", u, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"a/b:1": "a/b:1", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestBulk(t *testing.T) {
	v := view.BulkImages{Do: "delete", Count: 1284, Names: []string{"a", "b"}}
	if !Bulk(&v) || v.Button != "Delete 1,284 images" || v.More != "and 1,282 more" || !v.Danger {
		t.Errorf("%+v", v)
	}
	if Bulk(&view.BulkImages{Do: "format"}) {
		t.Error("an odd wish is taken")
	}
}
