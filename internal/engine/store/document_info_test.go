package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func TestDocumentInfo(t *testing.T) {
	s := enginetest.Store(t)
	tags := map[string]bool{}
	for n, text := range []string{"", "{}", strings.Repeat(`{"a":"package"},`, 9000)} {
		key := fmt.Sprint("document-", n)
		for range 2 { // written again it is another document, though the text is the same
			if err := s.PutDocument(t.Context(), "one", engine.DocSBOM, key, []byte(text)); err != nil {
				t.Fatal(err)
			}
			info, err := s.DocumentInfo(t.Context(), "one", engine.DocSBOM, key)
			if err != nil || info.Size != int64(len(text)) || tags[info.Tag] {
				t.Errorf("%s: %+v, %v, want %d bytes and a tag of its own", key, info, err, len(text))
			}
			tags[info.Tag] = true
		}
		if _, err := s.DocumentInfo(t.Context(), "other", engine.DocSBOM, key); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%s: another account sees it: %v", key, err)
		}
	}
}

func TestPackageSummary(t *testing.T) {
	s := enginetest.Store(t)
	packagesOf(t, s)
	sum, err := s.PackageSummary(t.Context(), "one", string(digestOf(1)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(sum), "{30 [{dpkg 20} {npm 9} {a 1}] [{MIT 20} {BSD 10}] 10 2}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if other, err := s.PackageSummary(t.Context(), "two", string(digestOf(1))); err != nil || other.Total != 0 {
		t.Errorf("another account sees %+v, %v", other, err)
	}
	// Of many licences those that are most used are told.
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class, licenses)
		SELECT pk, 'l' || n, 'l', '1', 'npm', 'npm', ARRAY['L-' || n] FROM images, generate_series(1, 100) n`)
	sum, err = s.PackageSummary(t.Context(), "one", string(digestOf(1)))
	if err != nil || sum.LicenseNames != 102 || len(sum.Licenses) >= 102 || sum.Licenses[0].Name != "MIT" {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestPackageURLs(t *testing.T) {
	s := enginetest.Store(t)
	packagesOf(t, s)
	exec(t, s, `INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity, feed, feed_group, namespace)
		SELECT image, key, name, version, type, 'CVE-1-' || key, 'High', 'f', 'g', 'n' FROM packages WHERE key IN ('k1', 'k2')`)
	got, err := s.MatchPURLs(t.Context(), "one", string(digestOf(1)))
	if err != nil || len(got) != 2 || got["k2"] != "pkg:generic/2" {
		t.Errorf("%v, %v", got, err)
	}
	if other, err := s.MatchPURLs(t.Context(), "two", string(digestOf(1))); err != nil || len(other) != 0 {
		t.Errorf("another account sees %v, %v", other, err)
	}
}

// packagesOf gives an image 20 dpkg, 9 npm and one other package; 20 under MIT,
// half of them under BSD too.
func packagesOf(t *testing.T, s *store.Store) {
	t.Helper()
	insertImages(t, s, "one", 1, 1)
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class, purl, licenses)
		SELECT pk, 'k' || n, 'pkg-' || n, '1.' || n, CASE WHEN n <= 20 THEN 'dpkg' WHEN n < 30 THEN 'npm' ELSE 'a' END, 'os', 'pkg:generic/' || n,
		       CASE WHEN n <= 10 THEN '{MIT,BSD}'::text[] WHEN n <= 20 THEN '{MIT,MIT}'::text[] ELSE '{}'::text[] END
		  FROM images, generate_series(1, 30) n`)
}
