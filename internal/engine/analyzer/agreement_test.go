package analyzer_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

// open makes an analyzer that works below the test's own folder.
func open(t testing.TB) (*analyzer.Analyzer, *registry.Client) {
	t.Helper()
	t.Setenv("TMPDIR", os.TempDir()) // put back what OpenSpool alters
	spool, err := analyzer.OpenSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := registry.New(registry.Options{})
	return &analyzer.Analyzer{Puller: c, Spool: spool}, c
}

func resolve(t testing.TB, c *registry.Client, name string) registry.Resolved {
	t.Helper()
	ref, err := registry.ParseReference(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Resolve(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type artifact struct{ Name, Version, Type string }

// TestAgreesWithSyft holds the packages found in the reference images against
// what syft's command line finds in them.
func TestAgreesWithSyft(t *testing.T) {
	images, reference := enginetest.Shared(t, "data/images"), enginetest.Shared(t, "data/reference")
	reg := enginetest.Registry(t)
	a, c := open(t)
	for name, want := range map[string]struct{ archive, doc string }{
		"debian12":         {"debian12.oci.tar", "debian12.syft.json"},
		"debian12-app":     {"debian12-app.oci.tar", "debian12-app.syft.json"},
		"alpine-synthetic": {"alpine-synthetic.oci.tar", "alpine-synthetic.syft.json"},
		"multiarch":        {"multiarch.oci.tar", "multiarch.syft.json"},
	} {
		t.Run(name, func(t *testing.T) {
			full := reg.PushArchive(t, "ref/"+name+":1", filepath.Join(images, want.archive))
			got, err := a.Analyze(t.Context(), resolve(t, c, full), enginetest.Logger(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, filepath.Join(reference, want.doc))
			if m := got.Analysis.Meta; m.Arch == "" || m.Size <= 0 || len(got.Analysis.Files) == 0 {
				t.Errorf("metadata %+v with %d files", m, len(got.Analysis.Files))
			}
		})
	}
}

func compare(t *testing.T, got analyzer.Result, doc string) {
	t.Helper()
	raw, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Artifacts []artifact `json:"artifacts"`
		Distro    struct {
			ID, VersionID string
		} `json:"distro"`
	}
	if err := json.Unmarshal(raw, &ref); err != nil {
		t.Fatal(err)
	}
	want, have := map[artifact]int{}, map[artifact]int{}
	for _, a := range ref.Artifacts {
		want[a]++
	}
	var own struct {
		Artifacts []artifact `json:"artifacts"`
	}
	if err := json.Unmarshal(got.Analysis.SBOM, &own); err != nil {
		t.Fatal(err)
	}
	for _, a := range own.Artifacts {
		have[a]++
	}
	if !maps.Equal(want, have) {
		t.Errorf("packages differ\n got %v\nwant %v", minus(have, want), minus(want, have))
	}
	if n := len(own.Artifacts); len(got.Analysis.Packages) != n {
		t.Errorf("%d packages are stored of %d", len(got.Analysis.Packages), n)
	}
	if m := got.Analysis.Meta; m.Distro != ref.Distro.ID || !strings.HasPrefix(ref.Distro.VersionID, m.DistroVersion) {
		t.Errorf("distribution %s %s, want %+v", m.Distro, m.DistroVersion, ref.Distro)
	}
}

func minus(a, b map[artifact]int) []artifact {
	var list []artifact
	for k, n := range a {
		if b[k] != n {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(x, y artifact) int { return len(x.Name) - len(y.Name) })
	return list
}

func BenchmarkAnalyze(b *testing.B) {
	images := enginetest.Shared(b, "data/images")
	reg := enginetest.Registry(b)
	full := reg.PushArchive(b, "app:1", filepath.Join(images, "debian12-app.oci.tar"))
	a, c := open(b)
	for b.Loop() {
		if _, err := a.Analyze(b.Context(), resolve(b, c, full), enginetest.Logger(b), func(engine.Stage, int64, int64) {}); err != nil {
			b.Fatal(err)
		}
	}
}
