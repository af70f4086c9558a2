package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// hits lists an answer as "digest number: package version namespace severity".
func hits(t testing.TB, walk func(each func(engine.ImageHit) error) (int, error)) (list []string, total int) {
	t.Helper()
	total, err := walk(func(h engine.ImageHit) error {
		for _, p := range h.Packages {
			list = append(list, strings.TrimLeft(strings.TrimPrefix(string(h.Digest), "sha256:"), "0")+": "+
				strings.TrimSpace(strings.Join([]string{p.Name, p.Version, p.Type, p.Namespace, p.Severity}, " ")))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, total
}

func byVuln(t testing.TB, s *store.Store, q engine.VulnQuery) ([]string, int) {
	t.Helper()
	return hits(t, func(each func(engine.ImageHit) error) (int, error) {
		return s.ImagesByVuln(t.Context(), "one", q, each)
	})
}

func byPackage(t testing.TB, s *store.Store, q engine.PackageQuery) ([]string, int) {
	t.Helper()
	return hits(t, func(each func(engine.ImageHit) error) (int, error) {
		return s.ImagesByPackage(t.Context(), "one", q, each)
	})
}

func addMatch(t testing.TB, s *store.Store, digest engine.Digest, pkg, vuln, group, severity string, wontFix bool) {
	t.Helper()
	exec(t, s, `
		INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity, feed_group, namespace, will_not_fix)
		SELECT pk, 'key-' || $2::text, $2, '1', 'dpkg', $3, $5, $4, 'debian:distro:' || $4, $6 FROM images WHERE digest = $1`,
		digest, pkg, vuln, group, severity, wontFix)
}

func TestImagesByVuln(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 9)
	insertImages(t, s, "two", 11, 1)
	for _, n := range []int{3, 1, 2, 5, 11} {
		addMatch(t, s, digestOf(n), "bash", "CVE-2026-1", "debian:12", "High", false)
	}
	addMatch(t, s, digestOf(1), "dash", "CVE-2026-1", "debian:12", "Low", true)
	addMatch(t, s, digestOf(4), "bash", "CVE-2026-2", "debian:12", "High", false)
	exec(t, s, `UPDATE images SET status = 'deleting' WHERE digest = $1`, digestOf(5))
	// Two digests of one image id are one element, named by the first.
	exec(t, s, `UPDATE images SET image_id = 'same' WHERE digest = ANY($1)`, []engine.Digest{digestOf(2), digestOf(3)})

	tests := map[string]struct {
		q     engine.VulnQuery
		want  []string
		total int
	}{
		"all":            {engine.VulnQuery{}, []string{"1: bash 1 dpkg debian:12 High", "1: dash 1 dpkg debian:12 Low", "2: bash 1 dpkg debian:12 High"}, 2},
		"vendor only":    {engine.VulnQuery{VendorOnly: true}, []string{"1: bash 1 dpkg debian:12 High", "2: bash 1 dpkg debian:12 High"}, 2},
		"group":          {engine.VulnQuery{Namespace: "debian:12", Package: "dash"}, []string{"1: dash 1 dpkg debian:12 Low"}, 1},
		"namespace":      {engine.VulnQuery{Namespace: "debian:distro:debian:12", Package: "dash"}, []string{"1: dash 1 dpkg debian:12 Low"}, 1},
		"part of it":     {engine.VulnQuery{Namespace: "debian"}, nil, 0},
		"severity":       {engine.VulnQuery{Severity: "Low"}, []string{"1: dash 1 dpkg debian:12 Low"}, 1},
		"other case":     {engine.VulnQuery{Vuln: "cve-2026-1"}, nil, 0},
		"other package":  {engine.VulnQuery{Package: "Bash"}, nil, 0},
		"first page":     {engine.VulnQuery{Page: engine.QueryPage{Number: 1, Limit: 1}, VendorOnly: true}, []string{"1: bash 1 dpkg debian:12 High"}, 2},
		"second page":    {engine.VulnQuery{Page: engine.QueryPage{Number: 2, Limit: 1}}, []string{"2: bash 1 dpkg debian:12 High"}, 2},
		"past the end":   {engine.VulnQuery{Page: engine.QueryPage{Number: 3, Limit: 1}}, nil, 2},
		"beyond numbers": {engine.VulnQuery{Page: engine.QueryPage{Number: 1 << 62, Limit: 1 << 62}}, nil, 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if tc.q.Vuln == "" {
				tc.q.Vuln = "CVE-2026-1"
			}
			if got, total := byVuln(t, s, tc.q); !slices.Equal(got, tc.want) || total != tc.total {
				t.Errorf("%q of %d, want %q of %d", got, total, tc.want, tc.total)
			}
		})
	}
	_, err := s.ImagesByVuln(t.Context(), "one", engine.VulnQuery{Vuln: "CVE-2026-1"}, func(h engine.ImageHit) error {
		if want := 1; h.ImageID == "same" && len(h.Tags) != want+1 || h.ImageID != "same" && len(h.Tags) != want {
			t.Errorf("tags of %s: %v", h.ImageID, h.Tags)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if _, err := s.ImagesByVuln(t.Context(), "one", engine.VulnQuery{Vuln: "CVE-2026-1"}, func(engine.ImageHit) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("a reader that leaves: %v", err)
	}
}

func TestImagesByPackage(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 9)
	insertImages(t, s, "two", 11, 1)
	add := func(n int, name, version, typ, class string, cpes ...string) {
		exec(t, s, `INSERT INTO packages (image, key, name, version, type, class, cpes) SELECT pk, 'k-' || $2::text || $3::text, $2, $3, $4, $5, COALESCE($6::text[], '{}') FROM images WHERE digest = $1`,
			digestOf(n), name, version, typ, class, cpes)
	}
	add(1, "bash", "5.1", "dpkg", "os", "cpe:2.3:a:gnu:bash:5.1:*:*:*:*:*:*:*")
	add(2, "bash", "5.2", "apkg", "os")
	add(11, "bash", "5.2", "apkg", "os")
	add(3, "log4j-core", "2.14", "java", "java", "cpe:2.3:a:apache:log4j:2.14:*:*:*:*:*:*:*", "cpe:/a:apache:log4j-core:2.14")
	add(3, "log4j", "1.0", "java", "java", "cpe:2.3:a:apache:log4j:1.0:*:*:*:*:*:*:*")
	tests := map[string]struct {
		q    engine.PackageQuery
		want []string
	}{
		"name":          {engine.PackageQuery{Name: "bash"}, []string{"1: bash 5.1 dpkg", "2: bash 5.2 apkg"}},
		"version":       {engine.PackageQuery{Name: "bash", Version: "5.2"}, []string{"2: bash 5.2 apkg"}},
		"type":          {engine.PackageQuery{Name: "bash", Type: "dpkg"}, []string{"1: bash 5.1 dpkg"}},
		"stored, cased": {engine.PackageQuery{Name: "Bash"}, nil},
		"by CPE":        {engine.PackageQuery{Name: "LOG4J"}, []string{"3: log4j 1.0 java", "3: log4j-core 2.14 java"}},
		"by older CPE":  {engine.PackageQuery{Name: "log4j-core"}, []string{"3: log4j-core 2.14 java"}},
		"nothing":       {engine.PackageQuery{Name: "zsh"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got, _ := byPackage(t, s, tc.q); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// A page behind the first fits it, whatever has happened since; the first is
// always of now.
func TestFurtherPagesFitTheFirst(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 2, 4)
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class) SELECT pk, 'k', 'bash', '5', 'dpkg', 'os' FROM images`)
	page := func(n int) ([]string, int) {
		return byPackage(t, s, engine.PackageQuery{Name: "bash", Page: engine.QueryPage{Number: n, Limit: 2}})
	}
	page(1)
	insertImages(t, s, "one", 1, 1)
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class) SELECT pk, 'k', 'bash', '5', 'dpkg', 'os' FROM images WHERE digest = $1`, digestOf(1))
	exec(t, s, `DELETE FROM images WHERE digest = $1`, digestOf(5))
	if list, total := page(2); total != 4 || !slices.Equal(list, []string{"4: bash 5 dpkg"}) {
		t.Errorf("the second page is %q of %d", list, total)
	}
	if list, total := page(1); total != 4 || !slices.Equal(list, []string{"1: bash 5 dpkg", "2: bash 5 dpkg"}) {
		t.Errorf("the first page is then %q of %d", list, total)
	}
}

// Batches join without a gap or a repetition, whole and page by page.
func TestQueryIsWhole(t *testing.T) {
	s := enginetest.Store(t)
	const n = 1234
	insertImages(t, s, "one", 1, n)
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class) SELECT pk, 'k', 'bash', '5', 'dpkg', 'os' FROM images`)
	whole, total := byPackage(t, s, engine.PackageQuery{Name: "bash"})
	if len(whole) != n || total != n || !slices.IsSortedFunc(whole, func(a, b string) int { return strings.Compare(fmt.Sprintf("%20s", a), fmt.Sprintf("%20s", b)) }) {
		t.Errorf("%d elements of %d", len(whole), total)
	}
	var paged []string
	for page := 1; ; page++ {
		list, total := byPackage(t, s, engine.PackageQuery{Name: "bash", Page: engine.QueryPage{Number: page, Limit: 500}})
		if total != n {
			t.Errorf("page %d is of %d", page, total)
		}
		if len(list) == 0 {
			break
		}
		paged = append(paged, list...)
	}
	if !slices.Equal(paged, whole) {
		t.Error("pages are not the whole")
	}
}
