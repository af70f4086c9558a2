package analyzer

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine/hints"
)

// Packages that an image names are listed like those that were found, stand in
// the document that matches are made from, and double none.
func TestAddHints(t *testing.T) {
	list := []hints.Package{
		{Type: "dpkg", Name: "tool", Version: "1.0-1", Source: "tools", Origin: "Ann", Arch: "amd64", Size: 2048, Licenses: []string{"MIT"}},
		{Type: "rpm", Name: "rtool", Version: "1.0-2.el9", Source: "rtool-1.0-2.el9.src.rpm", Origin: "Red", Size: 7},
		{Type: "apkg", Name: "atool", Version: "1.0-r0", Source: "atools", Size: 9},
		{Type: "python", Name: "ptool", Version: "2", Origin: "Bob", Location: "/opt/site-packages"},
		{Type: "npm", Name: "@scope/ntool", Version: "3"},
		{Type: "gem", Name: "gtool", Version: "4", Origin: "a,b"},
		{Type: "java", Name: "jtool", Version: "5", Location: "/app/j.jar"},
		{Type: "go", Name: "example.org/go/tool", Version: "v6"},
		{Type: "binary", Name: "btool", Version: "7", CPEs: []string{"cpe:2.3:a:vendor:btool:7:*:*:*:*:*:*:*", "nonsense"}},
	}
	found := pkg.Package{Name: "tool", Version: "1.0-1", Type: pkg.DebPkg, FoundBy: "dpkg-db-cataloger", Metadata: pkg.DpkgDBEntry{Package: "tool", Version: "1.0-1"}}
	found.SetID()
	s := &sbom.SBOM{Artifacts: sbom.Artifacts{Packages: pkg.NewCollection(found), LinuxDistribution: &linux.Release{ID: "debian", VersionID: "12"}}}
	if n := addHints(t.Context(), s, list); n != len(list)-1 {
		t.Errorf("%d are new", n)
	}
	if n := addHints(t.Context(), s, list); n != 0 {
		t.Errorf("%d are new when added again", n)
	}
	want := map[string]struct{ class, path, origin, source, purl, cpe string }{
		"rtool":               {"os", "pkgdb", "Red", "rtool-1.0-2.el9.src.rpm", "pkg:rpm/debian/rtool@1.0-2.el9?distro=debian-12", ""},
		"atool":               {"os", "pkgdb", "", "atools", "pkg:apk/debian/atool@1.0-r0?distro=debian-12", ""},
		"ptool":               {"python", "/opt/site-packages", "Bob", "", "pkg:pypi/ptool@2", ""},
		"@scope/ntool":        {"npm", hints.File, "", "", "pkg:npm/%40scope/ntool@3", ""},
		"gtool":               {"gem", hints.File, "a,b", "", "pkg:gem/gtool@4", ""},
		"jtool":               {"java", "/app/j.jar", "", "", "pkg:maven/jtool@5", ""},
		"example.org/go/tool": {"go", hints.File, "", "", "pkg:golang/example.org/go/tool@v6", ""},
		"btool":               {"binary", hints.File, "", "", "pkg:generic/btool@7", "cpe:2.3:a:vendor:btool:7:*:*:*:*:*:*:*"},
	}
	listed := 0
	for _, p := range packages(s) {
		w, ok := want[p.Name]
		if !ok {
			continue
		}
		listed++
		if p.Class != w.class || p.Path != w.path || p.Origin != w.origin || p.Source != w.source || p.PURL != w.purl || len(p.CPEs) == 0 || w.cpe != "" && p.CPEs[0] != w.cpe {
			t.Errorf("%s: %+v", p.Name, p)
		}
	}
	if listed != len(want) {
		t.Errorf("%d of %d are listed", listed, len(want))
	}

	doc, err := encodeSBOM(s)
	if err != nil {
		t.Fatal(err)
	}
	var stored struct {
		Artifacts []struct {
			FoundBy      string `json:"foundBy"`
			MetadataType string `json:"metadataType"`
		} `json:"artifacts"`
	}
	if err := json.NewDecoder(bytes.NewReader(doc)).Decode(&stored); err != nil || len(stored.Artifacts) != len(list) {
		t.Fatalf("%d are stored, %v", len(stored.Artifacts), err)
	}
	for _, a := range stored.Artifacts {
		if a.FoundBy == foundByHint && a.MetadataType == "" {
			t.Errorf("a hint is stored without the type of its metadata: %+v", a)
		}
	}
}
