package analyzer_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/vuln"
)

// matcher has the reference feed in use.
func matcher(t testing.TB) *vuln.Matcher {
	t.Helper()
	src := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(t, "data/feed"))))
	t.Cleanup(src.Close)
	s, dir := enginetest.Store(t), t.TempDir()
	if _, err := feeds.New(feeds.Config{Dir: dir, URL: src.URL}, s, enginetest.Logger(t)).Sync(t.Context(), feeds.Manual, false); err != nil {
		t.Fatal(err)
	}
	m := vuln.New(s, dir, enginetest.Logger(t))
	t.Cleanup(m.Close)
	return m
}

type affected struct{ ID, Name, Version, Severity, Fix string }

// TestAgreesWithGrype goes the whole way, from the registry to matches, and
// holds them against what grype's command line finds in the images.
func TestAgreesWithGrype(t *testing.T) {
	images, reference := enginetest.Shared(t, "data/images"), enginetest.Shared(t, "data/reference/feed")
	m := matcher(t)
	reg := enginetest.Registry(t)
	a, c := open(t)
	for _, name := range []string{"debian12", "debian12-app", "alpine-synthetic", "multiarch"} {
		t.Run(name, func(t *testing.T) {
			full := reg.PushArchive(t, "ref/"+name+":1", filepath.Join(images, name+".oci.tar"))
			res, err := a.Analyze(t.Context(), resolve(t, c, full), enginetest.Logger(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := m.MatchJSON(t.Context(), res.Analysis.SBOM)
			if err != nil {
				t.Fatal(err)
			}
			got, want := map[affected]int{}, wantMatches(t, filepath.Join(reference, name+".grype.json"))
			for _, v := range list {
				got[affected{v.Vuln, v.Package, v.Version, v.Severity, strings.Join(v.Fixes, ",")}]++
			}
			if !maps.Equal(got, want) {
				t.Errorf("%d matches, want %d\ntoo many %v\nmissing %v", len(list), len(want), missing(got, want), missing(want, got))
			}
			keys := map[string]bool{}
			for _, p := range res.Analysis.Packages {
				keys[p.Key] = true
			}
			for _, v := range list {
				if !keys[v.PackageKey] {
					t.Errorf("%s names a package that is not stored: %+v", v.Vuln, v)
				}
			}
		})
	}
}

func wantMatches(t *testing.T, file string) map[affected]int {
	t.Helper()
	set := map[affected]int{}
	for _, m := range enginetest.ReferenceMatches(t, file) {
		set[affected{m.ID, m.Package, m.Version, m.Severity, strings.Join(m.Fixes, ",")}]++
	}
	return set
}

func missing(a, b map[affected]int) []affected {
	var list []affected
	for k, n := range a {
		if b[k] < n {
			list = append(list, k)
		}
	}
	return list[:min(len(list), 20)]
}

// BenchmarkWholePath is what a user waits for: from the registry, over SBOM
// and matches, to the database.
func BenchmarkWholePath(b *testing.B) {
	images := enginetest.Shared(b, "data/images")
	m := matcher(b)
	reg := enginetest.Registry(b)
	w := benchWorker(b, reg)
	w.worker.Matcher = m
	full := reg.PushArchive(b, "app:1", filepath.Join(images, "debian12-app.oci.tar"))
	d := w.add(b, full)
	for b.Loop() {
		if err := w.worker.Handle(b.Context(), w.lease(b)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if i := w.image(b, d); i.State != engine.Analyzed || i.Severities.Total() == 0 {
			b.Fatalf("image = %+v", i)
		}
		if err := w.store.RequeueImage(b.Context(), "admin", string(d)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
