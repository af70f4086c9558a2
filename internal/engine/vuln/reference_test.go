package vuln_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anchore/stereoscope/pkg/image"
	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/format/syftjson"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/vuln"
)

// installed brings a feed of the shared folder into use, through a server and
// the service that any feed goes through.
func installed(t *testing.T, name string) *vuln.Matcher {
	t.Helper()
	src := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(t, "data/"+name))))
	t.Cleanup(src.Close)
	s, dir := enginetest.Store(t), t.TempDir()
	svc := feeds.New(feeds.Config{Dir: dir, URL: src.URL}, s, enginetest.Logger(t))
	began := time.Now()
	out, err := svc.Sync(t.Context(), feeds.Manual, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("sync of %s took %v: %d records", name, time.Since(began), out.Records)
	m := vuln.New(s, dir, enginetest.Logger(t))
	t.Cleanup(m.Close)
	return m
}

// wants are the matches of a reference report: id, package, version, severity,
// fix, what is known of its exploitation.
func wants(t *testing.T, file string) map[string]int {
	t.Helper()
	set := map[string]int{}
	for _, m := range enginetest.ReferenceMatches(t, file) {
		set[fmt.Sprintln(m.ID, m.Package, m.Version, m.Severity, m.FixState, strings.Join(m.Fixes, ","), m.Exploited, m.EPSS)]++
	}
	return set
}

func compare(t *testing.T, list []engine.Match, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, m := range list {
		got[fmt.Sprintln(m.Vuln, m.Package, m.Version, m.Severity, m.FixState, strings.Join(m.Fixes, ","), m.KnownExploited, m.EPSS)]++
		if m.PackageKey == "" || m.PackageType == "" || m.Feed == "" || m.Group == "" || m.Path == "" {
			t.Errorf("match is not complete: %+v", m)
		}
	}
	if maps.Equal(got, want) {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if got[k] > want[k] {
			t.Errorf("more than the reference: %s", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if want[k] > got[k] {
			t.Errorf("less than the reference: %s", k)
		}
	}
}

// catalog makes the SBOM that the command line makes for itself before it
// matches.
func catalog(t *testing.T, archive, platform string) []byte {
	t.Helper()
	src := syft.DefaultGetSourceConfig().WithSources("oci-archive")
	if platform != "" {
		p, err := image.NewPlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		src = src.WithPlatform(p)
	}
	in, err := syft.GetSource(t.Context(), archive, src)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cfg := syft.DefaultCreateSBOMConfig().WithCatalogerSelection(cataloging.NewSelectionRequest().WithDefaults("image"))
	cfg.Packages.Golang = cfg.Packages.Golang.WithCaptureSymbols(cataloging.SymbolScopeAll)
	cfg.Compliance.MissingVersion = cataloging.ComplianceActionDrop
	s, err := syft.CreateSBOM(t.Context(), in, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var doc bytes.Buffer
	if err := syftjson.NewFormatEncoder().Encode(&doc, *s); err != nil {
		t.Fatal(err)
	}
	return doc.Bytes()
}

// The result is the reference tool's, in both builds of the feed, whether the
// SBOM is made from the image or was stored.
func TestMatchesAgreeWithTheReference(t *testing.T) {
	images, reference := enginetest.Shared(t, "data/images"), enginetest.Shared(t, "data/reference")
	sboms := map[string][]byte{}
	for _, feed := range []string{"feed", "feed-next"} {
		m := installed(t, feed)
		for _, of := range []struct{ image, archive, platform string }{
			{"debian12", "debian12", ""}, {"debian12-app", "debian12-app", ""}, {"alpine-synthetic", "alpine-synthetic", ""},
			{"multiarch", "multiarch", "linux/amd64"}, {"multiarch-arm64", "multiarch", "linux/arm64"},
		} {
			image := of.image
			t.Run(feed+"/"+image, func(t *testing.T) {
				if sboms[image] == nil {
					sboms[image] = catalog(t, filepath.Join(images, of.archive+".oci.tar"), of.platform)
				}
				began := time.Now()
				list, data, err := m.MatchJSON(t.Context(), sboms[image])
				if err != nil || data == "" {
					t.Fatalf("MatchJSON = data %q, %v", data, err)
				}
				t.Logf("%d matches in %v", len(list), time.Since(began))
				compare(t, list, wants(t, filepath.Join(reference, feed, image+".grype.json")))
			})
		}
		t.Run(feed+"/a plain sbom", func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join(reference, "debian12-app.syft.json"))
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := m.MatchJSON(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, list, wants(t, filepath.Join(reference, feed, "debian12-app.from-syft-sbom.grype.json")))
		})
	}
}

// Every match that the reference has can be looked up: its record names the
// package, and NVD's scores are with it.
func TestRecordsOfTheReference(t *testing.T) {
	m := installed(t, "feed")
	matches := enginetest.ReferenceMatches(t, filepath.Join(enginetest.Shared(t, "data/reference"), "feed", "debian12-app.grype.json"))
	ids := map[string]bool{}
	for _, r := range matches {
		ids[r.ID] = true
	}
	known, scored := map[string]bool{}, 0
	began := time.Now()
	total, err := m.Records(t.Context(), engine.RecordQuery{IDs: slices.Collect(maps.Keys(ids))}, func(r engine.VulnRecord) error {
		for _, a := range r.Affected {
			known[r.ID+" "+a.Name] = true
			if a.Version == "" || a.Type == "" {
				t.Errorf("%s %s: %+v is not complete", r.ID, r.Namespace, a)
			}
		}
		if r.Namespace == "" || r.Severity == "" || strings.HasSuffix(r.Namespace, ":other") {
			t.Errorf("record is not complete: %+v", r)
		}
		if len(r.NVD) == 0 && !strings.HasPrefix(r.ID, "GHSA-") && !strings.HasPrefix(r.ID, "GO-") {
			t.Errorf("%s %s names no record of NVD", r.ID, r.Namespace)
		}
		for _, s := range r.NVD {
			if s.V2 != nil || s.V3 != nil {
				scored++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records of %d ids, %d with NVD's scores, in %v", total, len(ids), scored, time.Since(began))
	for _, r := range matches {
		if !known[r.ID+" "+r.Package] && !slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(k string) bool { return strings.HasPrefix(k, r.ID+" ") }) {
			t.Errorf("no record of %s names a package", r.ID)
		}
	}
}
