package present

import (
	"strings"
	"testing"

	"windlass/internal/engine"
)

func TestImageSBOM(t *testing.T) {
	image := engine.Image{Digest: "sha256:" + engine.Digest(strings.Repeat("a", 64)), Tags: []engine.ImageTag{{Registry: "r", Repository: "team/a b", Tag: "1"}}}
	some := engine.PackageSummary{Total: 30, Types: []engine.NamedCount{{Name: "dpkg", Count: 30}}, Licenses: []engine.NamedCount{{Name: "MIT", Count: 10}}, LicenseNames: 3, Unlicensed: 2}
	for name, tc := range map[string]struct {
		in                   SBOMIn
		showing, none, below string
	}{
		"all":       {SBOMIn{Summary: some, Packages: make([]engine.Package, 3), Total: 3}, "3 packages", "", "And 2 further licences. Of 2 packages no licence is known."},
		"the first": {SBOMIn{Summary: some, Packages: make([]engine.Package, SBOMRows), Total: 30}, "the first 25 of 30 packages", "", "And 2 further licences."},
		"no match":  {SBOMIn{Summary: some, Text: "x"}, "", "No package has this", "And 2"},
		"nothing":   {SBOMIn{}, "", "found no packages", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tc.in.Image = image
			v := ImageSBOM(tc.in)
			if v.Showing != tc.showing || (v.None == "") != (tc.none == "") || !strings.Contains(v.None, tc.none) || !strings.HasPrefix(v.Below, tc.below) {
				t.Errorf("%q %q %q", v.Showing, v.None, v.Below)
			}
			if len(v.Formats) != len(engine.SBOMFormats) || v.Formats[0].File != "a_b-1-aaaaaaaaaaaa.syft.json" || !strings.HasSuffix(v.Formats[1].Href, "/sbom/cyclonedx-json") {
				t.Errorf("%+v", v.Formats)
			}
		})
	}
}

// A page and what is downloaded from it show the same, whatever is asked.
func TestExportsKeepTheFilter(t *testing.T) {
	q := VulnQuery{Text: "a&b", Severity: "High", Fixable: true, Known: true, Group: "package", Sort: "epss", Page: 7}
	for _, d := range VulnExports(engine.Image{Digest: "sha256:1"}, q) {
		if !strings.HasSuffix(d.Href, "?fixable=1&known=1&q=a%26b&severity=High") {
			t.Errorf("%s", d.Href)
		}
	}
}
