package bff

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/compare"
)

// beforeSide and afterSide are two images that differ in something of
// everything.
func beforeSide(i engine.Image) compare.Side {
	return compare.Side{
		Image: i, Verdict: &engine.ImageVerdict{Digest: i.Digest, Tag: "docker.io/library/debian:12", Action: engine.ActionGo, At: imageTime, Current: true},
		Packages: []engine.Package{
			{Name: "openssl", Version: "3.0.9-1", Type: "dpkg", Path: "pkgdb"}, {Name: "zlib1g", Version: "1:1.2.13", Type: "dpkg"},
			{Name: "=cmd|calc", Version: "1", Type: "npm", Path: "/app/package.json"}, {Name: "left-pad", Version: "1.3.0", Type: "npm", Path: "/app/node_modules/left-pad/package.json"},
		},
		Matches: []engine.Match{
			{Package: "left-pad", Version: "1.3.0", PackageType: "npm", Vuln: "GHSA-gone", Severity: "High"},
			{Package: "zlib1g", Version: "1:1.2.13", PackageType: "dpkg", Vuln: "CVE-2023-45853", Severity: "Low"},
			{Package: "=cmd|calc", Version: "1", PackageType: "npm", Vuln: "GHSA-1", Severity: "Unknown"},
		},
		Config: []byte(`{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/bin","OLD=<b>team"],"Entrypoint":["/app"]},"rootfs":{"diff_ids":["1","2"]}}`),
		Files: []engine.File{
			{Path: "/etc/passwd", Size: 10, Mode: "00644", Type: "file", SHA256: strings.Repeat("aa", 32)}, {Path: "/old", Type: "dir", Mode: "00755"},
		},
	}
}

func afterSide(i engine.Image, matches []engine.Match) compare.Side {
	return compare.Side{
		Image: i, Verdict: &engine.ImageVerdict{Digest: i.Digest, Tag: "docker.io/library/debian:12", Action: engine.ActionStop, At: imageTime, Current: true},
		Packages: []engine.Package{
			{Name: "openssl", Version: "3.0.11-1~deb12u2", Type: "dpkg", Path: "pkgdb"}, {Name: "zlib1g", Version: "1:1.2.13", Type: "dpkg"},
			{Name: "=cmd|calc", Version: "1", Type: "npm", Path: "/app/package.json"}, {Name: "curl", Version: "7.88.1-10", Type: "dpkg"},
		},
		Matches: matches,
		Config:  []byte(`{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/usr/bin:/bin"],"Entrypoint":["/app","--serve it"],"Labels":{"version":"2"}},"rootfs":{"diff_ids":["1","3","4"]}}`),
		Files: []engine.File{
			{Path: "/etc/passwd", Size: 12, Mode: "00600", Type: "file", SHA256: strings.Repeat("ab", 32)}, {Path: "/bin", Link: "usr/bin", Mode: "00777", Type: "slink"},
		},
	}
}

// twoImages is the first of the usual images, and the one that stood under its
// tag before.
func twoImages() []engine.Image {
	list := someImages()
	old := list[0]
	old.Digest, old.MatchedWith = imageDigest(8), "e99"
	old.Tags = tagOf(old.Digest, "library/debian", "12")
	old.AnalyzedAt = imageTime.Add(-30 * 24 * time.Hour)
	old.Severities = engine.Severities{High: 1, Low: 1, Unknown: 1}
	return append(list, old)
}

// TwoImagesEngine lets the browser's tests have them.
func TwoImagesEngine(under Engine) Engine {
	return &imageEngine{Engine: under, images: twoImages(), matches: someMatches()}
}

func TestComparePages(t *testing.T) {
	first := "/images/" + string(imageDigest(1))
	with := "&with=" + string(imageDigest(8))
	tests := map[string]struct {
		path string
		code int
		want []string
		none []string
	}{
		"the one before by itself": {first + "?tab=compare", 200, []string{"stood under docker.io/library/debian:12 before", "CVE-2024-5535", "the package was 3.0.9-1", "GHSA-gone", "the package is gone",
			"its severity was low", "+1 \u22121 ~1", "different vulnerability data", "share the lowest layer", "Stop", "Go"}, []string{"GHSA-1"}},
		"named":                {first + "?tab=compare" + with, 200, []string{"CVE-2024-5535"}, []string{"stood under"}},
		"by tag":               {first + "?tab=compare&with=docker.io/windlass/sample-alpine:3.19", 200, []string{"sample-alpine:3.19", "CVE-2024-5535"}, nil},
		"unchanged":            {first + "?tab=compare&change=same" + with, 200, []string{"GHSA-1"}, []string{"GHSA-gone"}},
		"gone":                 {first + "?tab=compare&change=removed" + with, 200, []string{"GHSA-gone"}, []string{"CVE-2024-5535"}},
		"by severity":          {first + "?tab=compare&severity=critical" + with, 200, []string{"CVE-2024-5535", "Clear"}, []string{"GHSA-gone"}},
		"nothing found":        {first + "?tab=compare&q=nothing" + with, 200, []string{"Nothing matches this filter"}, nil},
		"packages":             {first + "?tab=compare&part=packages" + with, 200, []string{"left-pad", "3.0.9-1", "3.0.11-1~deb12u2", "curl"}, []string{"zlib1g", "=cmd"}},
		"packages, searched":   {first + "?tab=compare&part=packages&q=CURL" + with, 200, []string{"curl", "1 package"}, []string{"left-pad"}},
		"configuration":        {first + "?tab=compare&part=configuration" + with, 200, []string{"/app &#34;--serve it&#34;", "OLD", "version"}, nil},
		"files":                {first + "?tab=compare&part=files" + with, 200, []string{"/etc/passwd", "content, mode", "usr/bin", "/old"}, nil},
		"itself":               {first + "?tab=compare&with=" + string(imageDigest(1)), 200, []string{"That is this image", "Under the same tag"}, nil},
		"gone image":           {first + "?tab=compare&with=" + string(imageDigest(7)), 200, []string{"There is no image sha256:0000", "Under the same tag"}, nil},
		"not analyzed":         {first + "?tab=compare&with=docker.io/team/api:v2", 200, []string{"has not been analyzed"}, nil},
		"odd page and part":    {first + "?tab=compare&part=odd&page=99&change=odd&severity=odd" + with, 200, []string{"CVE-2024-5535"}, nil},
		"find":                 {first + "?tab=compare&find=alpine" + with, 200, []string{"Found", `value="alpine"`}, nil},
		"of one still waiting": {"/images/" + string(imageDigest(4)) + "?tab=compare", 200, []string{"waits for an analyzer"}, nil},
		"csv":                  {first + "/compare.csv?part=packages" + with, 200, []string{"changed,openssl,dpkg,3.0.9-1"}, nil},
		"csv, vulnerabilities": {first + "/compare.csv?change=same" + with, 200, []string{"same,GHSA-1,Unknown,,'=cmd|calc"}, nil},
		"csv of nothing":       {first + "/compare.csv", 400, []string{"Name the image"}, nil},
		"csv of one gone":      {first + "/compare.csv?with=" + string(imageDigest(7)), 404, []string{"no image"}, nil},
		"two of the list":      {"/images/confirm?do=compare&digest=" + string(imageDigest(1)) + "&digest=" + string(imageDigest(8)), 303, nil, nil},
		"one of the list":      {"/images/confirm?do=compare&digest=" + string(imageDigest(1)), 303, nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := &imageEngine{images: twoImages(), matches: someMatches()}
			code, _, body := send(t, e, http.MethodGet, tc.path, "", nil)
			if code != tc.code {
				t.Fatalf("%d, want %d\n%s", code, tc.code, body)
			}
			wantParts(t, body, tc.want...)
			rows := body
			if _, after, ok := strings.Cut(body, "<tbody>"); ok {
				rows = after
			}
			for _, bad := range tc.none {
				if strings.Contains(rows, bad) {
					t.Errorf("%q is there too", bad)
				}
			}
			noNonsense(t, body)
		})
	}
}

func TestNothingToCompareWith(t *testing.T) {
	e := &imageEngine{images: someImages()[:1]}
	_, _, body := send(t, e, http.MethodGet, "/images/"+string(imageDigest(1))+"?tab=compare", "", nil)
	wantParts(t, body, "Nothing to compare with", "only analyzed image")
}

// The later of two ticked images is told of, and the earlier one is before it.
func TestTwoTickedImagesAreCompared(t *testing.T) {
	e := &imageEngine{images: twoImages()}
	want := fmt.Sprintf("/images/%s?tab=compare&with=%s", imageDigest(1), imageDigest(8))
	for _, order := range [][2]int{{1, 8}, {8, 1}} {
		_, head, _ := send(t, e, http.MethodGet, fmt.Sprintf("/images/confirm?do=compare&digest=%s&digest=%s", imageDigest(order[0]), imageDigest(order[1])), "", nil)
		if got := strings.ReplaceAll(head.Get("Location"), "%3A", ":"); got != want {
			t.Errorf("%v lead to %s, want %s", order, got, want)
		}
	}
}
