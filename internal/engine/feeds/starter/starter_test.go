package starter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/starter"
	"windlass/internal/engine/vuln"
)

const sbom = `{"artifacts":[
{"id":"1","name":"libc6","version":"2.36-9+deb12u1","type":"deb","locations":[{"path":"/var/lib/dpkg/status"}],"metadataType":"dpkg-db-entry","metadata":{"package":"libc6","source":"glibc","version":"2.36-9+deb12u1","sourceVersion":"","architecture":"amd64","maintainer":"","installedSize":0,"files":[]}},
{"id":"2","name":"libwebp7","version":"1.2.4-0.2+deb12u1","type":"deb","locations":[{"path":"/var/lib/dpkg/status"}],"metadataType":"dpkg-db-entry","metadata":{"package":"libwebp7","source":"libwebp","version":"1.2.4-0.2+deb12u1","sourceVersion":"","architecture":"amd64","maintainer":"","installedSize":0,"files":[]}},
{"id":"3","name":"lodash","version":"4.17.15","type":"npm","language":"javascript","locations":[{"path":"/srv/package.json"}]},
{"id":"4","name":"PyYAML","version":"5.3","type":"python","language":"python","locations":[{"path":"/usr/lib/python3/dist-packages/PyYAML-5.3.dist-info/METADATA"}]}
],"artifactRelationships":[],"source":{"id":"x","type":"image","metadata":{}},"distro":{"id":"debian","versionID":"12","name":"Debian"},"descriptor":{"name":"syft","version":"1"},"schema":{"version":"16.0.0","url":"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.0.json"}}`

func TestStarterDataIsInstalledLabelledAndMatched(t *testing.T) {
	s, dir := enginetest.Store(t), t.TempDir()
	svc := feeds.New(feeds.Config{Dir: dir, URL: "http://127.0.0.1:1"}, s, enginetest.Logger(t))
	began := time.Now()
	if err := starter.Install(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	t.Logf("installed in %v", time.Since(began))
	active, err := s.ActiveFeedData(t.Context())
	if err != nil || !active.Starter || active.Source != starter.Source {
		t.Fatalf("active data is %+v, %v", active, err)
	}
	list, err := s.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]int64{}
	for _, f := range list {
		for _, g := range f.Groups {
			groups[f.Name+"/"+g.Name] = g.Records
		}
	}
	for name, least := range map[string]int64{"vulnerabilities/debian:12": 30, "vulnerabilities/alpine:3.19": 16, "github/github:npm": 13, "github/github:python": 19, "nvd/nvddb:2023": 10} {
		if groups[name] < least {
			t.Errorf("group %s has %d records, want at least %d (all: %v)", name, groups[name], least, groups)
		}
	}

	m := vuln.New(s, dir, enginetest.Logger(t))
	defer m.Close()
	matches, data, err := m.MatchJSON(t.Context(), []byte(sbom))
	if err != nil || data != active.ID {
		t.Fatalf("MatchJSON = %d matches with %q, %v", len(matches), data, err)
	}
	found := map[string]engine.Match{}
	for _, f := range matches {
		found[f.Package+" "+f.Vuln] = f
		if !f.Sample || f.Severity == "Unknown" || !strings.HasPrefix(f.URL, "https://") {
			t.Errorf("match is not labelled or not complete: %+v", f)
		}
	}
	tunables := found["libc6 CVE-2023-4911"]
	if !tunables.KnownExploited || tunables.Group != "debian:12" || !slices.Equal(tunables.Fixes, []string{"2.36-9+deb12u3"}) || len(tunables.NVD) != 1 || tunables.NVD[0].V3.Base != 7.8 || tunables.PackageType != "dpkg" || tunables.Path != "pkgdb" {
		t.Errorf("CVE-2023-4911 of libc6 is %+v", tunables)
	}
	if _, ok := found["libwebp7 CVE-2023-4863"]; ok {
		t.Error("a fixed package is reported")
	}
	for _, name := range []string{"lodash GHSA-35jh-r3h4-6jhm", "PyYAML GHSA-8q59-q68h-6hv4"} {
		if _, ok := found[name]; !ok {
			t.Errorf("%s was not found among %d matches", name, len(matches))
		}
	}
	if p := found["PyYAML GHSA-8q59-q68h-6hv4"]; p.Path != "/usr/lib/python3/dist-packages" {
		t.Errorf("path of PyYAML is %q", p.Path)
	}
}
