package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// vexImage adds an analyzed image under docker.io/library/app:<tag>, with two
// packages that have a match each: CVE-1 in openssl, GHSA-1 in lodash, which is
// CVE-2.
func vexImage(t testing.TB, s *store.Store, account string, n int, tag string) engine.Digest {
	t.Helper()
	digest := digestOf(n)
	_, err := s.PutImage(t.Context(), store.NewImage{
		Account: account, Digest: digest, ParentDigest: digest, ID: string(digest)[7:],
		Tag:  engine.ImageTag{Registry: "docker.io", Repository: "library/app", Tag: tag},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry},
	})
	if err != nil {
		t.Fatal(err)
	}
	j, ok, err := s.LeaseJob(t.Context(), engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := s.BeginAnalysis(t.Context(), j, "h"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	a := engine.Analysis{
		Meta: engine.ImageMeta{Arch: "amd64", Distro: "alpine", DistroVersion: "3.17"}, SBOM: []byte(`{}`),
		Packages: []engine.Package{
			{Key: "k1", Name: "openssl", Version: "3", Type: "apkg", Class: "os", PURL: "pkg:apk/alpine/openssl@3?arch=x86_64"},
			{Key: "k2", Name: "lodash", Version: "4", Type: "npm", Class: "npm", PURL: "pkg:npm/lodash@4"},
		},
	}
	matches := []engine.Match{
		{PackageKey: "k1", Package: "openssl", Version: "3", PackageType: "apkg", Vuln: "CVE-1", Severity: "High", CVEs: []string{"CVE-1"}},
		{PackageKey: "k2", Package: "lodash", Version: "4", PackageType: "npm", Vuln: "GHSA-1", Severity: "Low", CVEs: []string{"CVE-2"}},
	}
	if err := s.SaveAnalysis(t.Context(), j, a, matches, "data1", engine.Source{}); err != nil {
		t.Fatal(err)
	}
	return digest
}

// document is a document of one statement.
func document(account, name string, at time.Time, status engine.VEXStatus, vuln string, products ...string) (engine.VEXDocument, []engine.VEXStatement) {
	st := engine.VEXStatement{Place: 1, Vulns: []string{vuln}, Status: status, Justification: "component_not_present", At: at}
	for _, p := range products {
		st.Products = append(st.Products, engine.VEXProduct{IDs: []string{p}})
	}
	return engine.VEXDocument{Account: account, Format: engine.VEXOpen, Name: name, Author: "Acme", Statements: 1, SHA256: name, Bytes: 2, UploadedBy: "u"},
		[]engine.VEXStatement{st}
}

func addVEX(t testing.TB, s *store.Store, d engine.VEXDocument, list []engine.VEXStatement) engine.VEXDocument {
	t.Helper()
	d, err := s.AddVEX(t.Context(), d, []byte(`{}`), list, engine.Source{Service: "catalog"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// marks are the statuses of an image's matches, by all ways in which they are
// read, which must agree.
func marks(t testing.TB, s *store.Store, account string, digest engine.Digest) string {
	t.Helper()
	say := func(list []engine.Match) string {
		var words []string
		for _, m := range list {
			word := m.Vuln + " -"
			if m.VEX != nil {
				word = m.Vuln + " " + string(m.VEX.Status)
			}
			words = append(words, word)
		}
		return strings.Join(words, ", ")
	}
	one, _, err := s.Matches(t.Context(), account, string(digest))
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := s.ImageMatches(t.Context(), account, string(digest))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := s.PolicyFacts(t.Context(), account, string(digest), engine.PolicyFactsWanted{Matches: true})
	if err != nil {
		t.Fatal(err)
	}
	three := make([]engine.Match, len(facts.Matches))
	for i, m := range facts.Matches {
		three[len(three)-1-i] = m.Match // lodash comes first there
	}
	if a, b, c := say(one), say(two), say(three); a != b || a != c {
		t.Errorf("marks differ:\n%s\n%s\n%s", a, b, c)
	}
	return say(one)
}

// evaluations empties the queue of evaluations as a worker does, and lists the
// images that stood in it.
func evaluations(t testing.TB, s *store.Store) string {
	t.Helper()
	var list []string
	for {
		j, ok, err := s.LeaseJob(t.Context(), engine.QueueEvaluate, "h", "h/1", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return strings.Join(list, " ")
		}
		if err := s.CountVEX(t.Context(), j.Account, j.Subject); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s/%s", j.Account, strings.TrimLeft(j.Subject[7:], "0")))
		if err := s.FinishJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVEXLife(t *testing.T) {
	s := enginetest.Store(t)
	image, foreign := vexImage(t, s, "one", 1, "v1"), vexImage(t, s, "two", 1, "v1")
	evaluations(t, s)
	version := func() string {
		t.Helper()
		v, err := s.PolicyFactsVersion(t.Context(), "one", string(image))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before, day := version(), time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)

	d, list := document("one", "a", day, engine.VEXNotAffected, "CVE-1", "pkg:apk/alpine/openssl")
	d = addVEX(t, s, d, list)
	if got := marks(t, s, "one", image); got != "CVE-1 not_affected, GHSA-1 -" {
		t.Errorf("marks: %s", got)
	}
	if got := marks(t, s, "two", foreign); got != "CVE-1 -, GHSA-1 -" {
		t.Errorf("marks of another account: %s", got)
	}
	with := version()
	if with == before {
		t.Error("the facts have the same version")
	}
	if got := evaluations(t, s); got != "one/1" {
		t.Errorf("evaluated: %q", got)
	}
	i, err := s.Image(t.Context(), "one", string(image))
	if err != nil || i.Cleared != 1 || i.Severities.High != 1 {
		t.Errorf("image: %d set aside, %+v, %v", i.Cleared, i.Severities, err)
	}

	// One of the other's id, through the CVE, later, and of two statements.
	later, list2 := document("one", "b", day.AddDate(0, 1, 0), engine.VEXAffected, "CVE-1", "pkg:oci/app?tag=v1")
	list2 = append(list2, engine.VEXStatement{Place: 2, Vulns: []string{"CVE-2"}, Status: engine.VEXFixed, At: day, Products: []engine.VEXProduct{{IDs: []string{string(image)}}}})
	later = addVEX(t, s, later, list2)
	if got := marks(t, s, "one", image); got != "CVE-1 affected, GHSA-1 fixed" {
		t.Errorf("marks of two documents: %s", got)
	}
	if got := evaluations(t, s); got != "one/1" {
		t.Errorf("evaluated: %q", got)
	}
	docs, n, err := s.VEXDocuments(t.Context(), "one", engine.VEXFilter{})
	if err != nil || n != 2 || len(docs) != 2 || docs[0].ID != later.ID || docs[1].ID != d.ID {
		t.Fatalf("documents %+v, %d, %v", docs, n, err)
	}
	if docs[0].Marks != (engine.VEXMarks{Images: 1, Fixed: 1, Affected: 1}) || docs[1].Marks != (engine.VEXMarks{}) {
		t.Errorf("counted %+v, %+v", docs[0].Marks, docs[1].Marks)
	}

	// Disabled, the first counts again.
	if later, err = s.EnableVEX(t.Context(), "one", later.ID, false, engine.Source{}); err != nil || later.Enabled {
		t.Fatal(later, err)
	}
	if got := marks(t, s, "one", image); got != "CVE-1 not_affected, GHSA-1 -" || version() != with {
		t.Errorf("marks after disabling: %s; version %q, want %q", got, version(), with)
	}
	if got := evaluations(t, s); got != "one/1" {
		t.Errorf("evaluated: %q", got)
	}
	if err := s.DeleteVEX(t.Context(), "one", d.ID, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	if got := marks(t, s, "one", image); got != "CVE-1 -, GHSA-1 -" || version() != before {
		t.Errorf("marks after deleting: %s", got)
	}
	if got := evaluations(t, s); got != "one/1" {
		t.Errorf("evaluated: %q", got)
	}
	if i, err = s.Image(t.Context(), "one", string(image)); err != nil || i.Cleared != 0 {
		t.Errorf("image: %d set aside, %v", i.Cleared, err)
	}
	for _, call := range []func() error{
		func() error { _, err := s.VEXDocument(t.Context(), "one", d.ID); return err },
		func() error { _, err := s.VEXDocument(t.Context(), "two", later.ID); return err },
		func() error { _, err := s.VEXBody(t.Context(), "two", later.ID); return err },
		func() error { _, err := s.EnableVEX(t.Context(), "two", later.ID, true, engine.Source{}); return err },
		func() error { return s.DeleteVEX(t.Context(), "two", later.ID, engine.Source{}) },
		func() error { return s.DeleteVEX(t.Context(), "one", "a\x00", engine.Source{}) },
	} {
		if err := call(); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("err = %v, want not found", err)
		}
	}
	var told []string
	events, err := s.Events(t.Context(), "one", engine.EventFilter{Type: engine.EvVEXUpdated}, engine.EventPage{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Events {
		told = append(told, fmt.Sprint(e.Details["action"]))
	}
	if got := strings.Join(told, " "); got != "deleted disabled added added" {
		t.Errorf("told: %s", got)
	}
}

// A document of one image says nothing of others, and the same document may be
// uploaded for each, once.
func TestVEXOfOneImage(t *testing.T) {
	s := enginetest.Store(t)
	one, two := vexImage(t, s, "one", 1, "v1"), vexImage(t, s, "one", 2, "v2")
	evaluations(t, s)
	d, list := document("one", "a", time.Now(), engine.VEXNotAffected, "CVE-1", "https://acme.example/app")
	d.Image = one
	addVEX(t, s, d, list)
	if got := evaluations(t, s); got != "one/1" {
		t.Errorf("evaluated: %q", got)
	}
	if a, b := marks(t, s, "one", one), marks(t, s, "one", two); a != "CVE-1 not_affected, GHSA-1 -" || b != "CVE-1 -, GHSA-1 -" {
		t.Errorf("marks: %s; of the other: %s", a, b)
	}
	if _, err := s.AddVEX(t.Context(), d, nil, list, engine.Source{}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("once more: %v", err)
	}
	d.Image = two
	addVEX(t, s, d, list)
	if got := marks(t, s, "one", two); got != "CVE-1 not_affected, GHSA-1 -" {
		t.Errorf("marks of the other: %s", got)
	}
	if docs, n, err := s.VEXDocuments(t.Context(), "one", engine.VEXFilter{Image: two}); err != nil || n != 1 || docs[0].Image != two {
		t.Errorf("documents of the other: %v, %v", docs, err)
	}
}

// What is said of a tag is said of the image that has it now.
func TestVEXOfATagThatMoves(t *testing.T) {
	s := enginetest.Store(t)
	old := vexImage(t, s, "one", 1, "latest")
	d, list := document("one", "a", time.Now(), engine.VEXNotAffected, "CVE-1", "pkg:oci/app?tag=latest")
	addVEX(t, s, d, list)
	evaluations(t, s)
	if got := marks(t, s, "one", old); got != "CVE-1 not_affected, GHSA-1 -" {
		t.Errorf("marks: %s", got)
	}
	version, err := s.PolicyFactsVersion(t.Context(), "one", string(old))
	if err != nil {
		t.Fatal(err)
	}
	young := vexImage(t, s, "one", 2, "latest")
	if a, b := marks(t, s, "one", old), marks(t, s, "one", young); a != "CVE-1 -, GHSA-1 -" || b != "CVE-1 not_affected, GHSA-1 -" {
		t.Errorf("marks: %s; of the younger: %s", a, b)
	}
	if v, _ := s.PolicyFactsVersion(t.Context(), "one", string(old)); v == version {
		t.Error("the facts of the older have the same version")
	}
	if got := evaluations(t, s); got != "one/1 one/2" {
		t.Errorf("evaluated: %q", got)
	}
	if i, err := s.Image(t.Context(), "one", string(old)); err != nil || i.Cleared != 0 {
		t.Errorf("the older: %d set aside, %v", i.Cleared, err)
	}
}

// BenchmarkVEXRead reads 5,000 matches that 10,000 statements speak of.
func BenchmarkVEXRead(b *testing.B) {
	s := enginetest.Store(b)
	image := vexImage(b, s, "one", 1, "v1")
	const matches = `
		INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity, cves)
		SELECT i.pk, 'p' || k, 'package-' || k, '1.0', 'dpkg', 'CVE-2023-' || k, 'High', ARRAY['CVE-2023-' || k] FROM images i, generate_series(1, 5000) k`
	const packages = `
		INSERT INTO packages (image, key, name, version, type, class, purl)
		SELECT i.pk, 'p' || k, 'package-' || k, '1.0', 'dpkg', 'os', 'pkg:deb/debian/package-' || k || '@1.0?arch=amd64&distro=debian-12' FROM images i, generate_series(1, 5000) k`
	if _, err := s.Pool().Exec(b.Context(), matches); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Pool().Exec(b.Context(), packages); err != nil {
		b.Fatal(err)
	}
	read := func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.ImageMatches(b.Context(), "one", string(image)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("without", read)
	d, _ := document("one", "a", time.Now(), engine.VEXNotAffected, "CVE-1")
	var list []engine.VEXStatement
	for k := range 10_000 {
		list = append(list, engine.VEXStatement{
			Place: k + 1, Vulns: []string{fmt.Sprintf("CVE-2023-%d", k/2+1)}, Status: engine.VEXNotAffected, At: time.Now(),
			Products: []engine.VEXProduct{{IDs: []string{fmt.Sprintf("pkg:deb/debian/package-%d?distro=debian-12", k/2+k%2+1)}}},
		})
	}
	began := time.Now()
	addVEX(b, s, d, list)
	b.Logf("stored in %v", time.Since(began))
	b.Run("with", read)
}
