package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// shelf puts analyzed images into a store.
type shelf struct {
	*store.Store
	t *testing.T
}

func (s shelf) put(account, digest, tag string, packages ...string) engine.Digest {
	s.t.Helper()
	ctx := s.t.Context()
	d := engine.Digest("sha256:" + strings.Repeat(digest, 64))
	_, err := s.PutImage(ctx, store.NewImage{
		Account: account, Digest: d, ParentDigest: d, ID: strings.Repeat(digest, 64), Annotations: map[string]any{"k": "v"}, Manifest: []byte(`{}`),
		Tag:  engine.ImageTag{Registry: "docker.io", Repository: "team/app", Tag: tag, Digest: d},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry, Pull: "docker.io/team/app@" + string(d)},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	j, ok, err := s.LeaseJob(ctx, engine.QueueAnalyze, "h", "h/1", time.Minute)
	if err != nil || !ok {
		return d // another tag of an image that is there
	}
	if _, _, err := s.BeginAnalysis(ctx, j, "h"); err != nil {
		s.t.Fatal(err)
	}
	a := engine.Analysis{
		Meta: engine.ImageMeta{Arch: "amd64", Distro: "alpine", DistroVersion: "3.19", DockerfileMode: "Guessed", Size: 7, LayerCount: 1},
		SBOM: []byte(`{"artifacts":[]}`), Manifest: []byte(`{}`), History: []byte(`[]`), Dockerfile: "FROM scratch\n",
		Files: []engine.File{{Path: "/x", Type: "file"}}, Documents: map[string][]byte{engine.DocConfig: []byte(strings.Repeat(`{"a":1}`, 500))},
	}
	var matches []engine.Match
	for _, p := range packages {
		a.Packages = append(a.Packages, engine.Package{Key: p, Name: p, Version: "1", Type: "apkg", Class: "os", Licenses: []string{"MIT"}, CPEs: []string{}})
		matches = append(matches, engine.Match{PackageKey: p, Package: p, Version: "1", Vuln: "CVE-" + p, Severity: "High", Namespace: "n", Fixes: []string{"2"}, CVEs: []string{}})
	}
	if err := s.SaveAnalysis(ctx, j, a, matches, "data1", engine.Source{}); err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s shelf) content(account string, d engine.Digest) string {
	s.t.Helper()
	ctx := s.t.Context()
	packages, err := s.Packages(ctx, account, string(d), "")
	if err != nil {
		s.t.Fatal(err)
	}
	matches, data, err := s.Matches(ctx, account, string(d))
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf("%+v\n%+v\n%s", packages, matches, data)
	for _, doc := range []string{engine.DocSBOM, engine.DocFiles, engine.DocManifest, engine.DocHistory, engine.DocDockerfile, engine.DocConfig} {
		body, err := s.Document(ctx, account, doc, string(d))
		if err != nil {
			s.t.Fatal(err)
		}
		text += "\n" + doc + " " + string(body)
	}
	return text
}

func (s shelf) collect(d engine.Digest) {
	s.t.Helper()
	if _, err := s.DeleteImage(s.t.Context(), "admin", string(d), true); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.CollectImages(s.t.Context(), 10); err != nil {
		s.t.Fatal(err)
	}
}

func TestArchiveAndRestore(t *testing.T) {
	s := shelf{enginetest.Store(t), t}
	ctx := t.Context()
	d := s.put("admin", "1", "v1", "musl", "zlib")
	s.put("admin", "1", "v2")
	was, err := s.Image(ctx, "admin", string(d))
	if err != nil {
		t.Fatal(err)
	}
	content := s.content("admin", d)
	if err := s.ArchiveImage(ctx, "admin", string(d), "m", engine.Source{}); err != nil {
		t.Fatal(err)
	}
	var f *engine.Fault
	if err := s.ArchiveImage(ctx, "admin", string(d), "m", engine.Source{}); !errors.As(err, &f) || !errors.Is(err, engine.ErrConflict) || f.Detail["status"] != "archived" {
		t.Errorf("archived twice: %v", err)
	}
	for _, who := range []string{"bob", "admin"} {
		if err := s.ArchiveImage(ctx, who, "sha256:"+strings.Repeat("9", 64), "m", engine.Source{}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("archive of nothing: %v", err)
		}
	}
	a, err := s.ArchivedImage(ctx, "admin", string(d))
	if err != nil || a.Status != engine.Archived || len(a.Tags) != 2 || a.Size == 0 || !a.AnalyzedAt.Equal(was.AnalyzedAt) || a.Annotations["k"] != "v" {
		t.Errorf("archived %+v, %v", a, err)
	}
	if _, err := s.ArchivedImage(ctx, "bob", string(d)); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account sees it: %v", err)
	}
	c, err := s.ReadArchived(ctx, "admin", string(d))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RestoreImage(ctx, "admin", c, nil, "", "m", engine.Source{}); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("restored beside the image: %v", err)
	}
	s.collect(d)
	if err := s.RestoreImage(ctx, "admin", c, nil, "", "m", engine.Source{}); err != nil {
		t.Fatal(err)
	}
	is, err := s.Image(ctx, "admin", string(d))
	if err != nil {
		t.Fatal(err)
	}
	is.UpdatedAt, is.MatchedAt = was.UpdatedAt, was.MatchedAt
	if !reflect.DeepEqual(is, was) {
		t.Errorf("was %+v\nis  %+v", was, is)
	}
	if again := s.content("admin", d); again != content {
		t.Errorf("was %s\nis  %s", content, again)
	}

	// With new data, a match known before keeps since when it is.
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range c.Matches {
		c.Matches[i].FirstSeen = long
	}
	s.collect(d)
	found := []engine.Match{c.Matches[0].Match, {PackageKey: "zlib", Vuln: "CVE-new", Severity: "Low"}}
	if err := s.RestoreImage(ctx, "admin", c, found, "data2", "m", engine.Source{}); err != nil {
		t.Fatal(err)
	}
	var old, total int
	err = s.Pool().QueryRow(ctx, `SELECT count(*) FILTER (WHERE first_seen = $1), count(*) FROM matches`, long).Scan(&old, &total)
	if err != nil || old != 1 || total != 2 {
		t.Errorf("%d of %d matches known since then, %v", old, total, err)
	}
	if err := s.DeleteArchived(ctx, "bob", string(d), "m", engine.Source{}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account deletes it: %v", err)
	}
	if err := s.DeleteArchived(ctx, "admin", string(d), "m", engine.Source{}); err != nil {
		t.Error(err)
	}
	var left int
	if err := s.Pool().QueryRow(ctx, `SELECT (SELECT count(*) FROM archived_chunks) + (SELECT count(*) FROM archived_tags)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

func TestTagRecords(t *testing.T) {
	s := shelf{enginetest.Store(t), t}
	s.put("admin", "1", "latest")
	s.put("admin", "2", "latest")
	s.put("admin", "1", "v1")
	s.put("bob", "3", "latest")
	s.put("admin", "4", "gone")
	if _, err := s.DeleteImage(t.Context(), "admin", "sha256:"+strings.Repeat("4", 64), true); err != nil {
		t.Fatal(err)
	}
	var got []string
	for r, err := range s.TagRecords(t.Context(), "admin") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s of %d", r.Tag, engine.Digest(r.Digest).Short()[:1], r.Tags))
	}
	if want := []string{"latest 2 of 1", "latest 1 of 2", "v1 1 of 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	beyond, err := s.ImagesBeyond(t.Context(), "admin", 1, 10)
	if err != nil || len(beyond) != 1 {
		t.Errorf("beyond %v, %v", beyond, err)
	}
}

// More tags than a page holds are all seen, each once.
func TestTagRecordPages(t *testing.T) {
	const n = 5003
	s := enginetest.Store(t)
	const fill = `
		WITH i AS (INSERT INTO images (account, digest, parent_digest, image_id, state, analyzed_at)
			SELECT 'admin', 'd' || n, '', '', 'analyzed', now() FROM generate_series(1, $1) n RETURNING pk)
		INSERT INTO image_tags (image, account, registry, repository, tag, detected_at)
		SELECT pk, 'admin', 'docker.io', 'r' || pk % 7, 't' || pk % 3, '2026-01-01' FROM i`
	if _, err := s.Pool().Exec(t.Context(), fill, n); err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	for r, err := range s.TagRecords(t.Context(), "admin") {
		if err != nil || seen[r.Image] {
			t.Fatalf("image %d again, or %v", r.Image, err)
		}
		seen[r.Image] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d were seen", len(seen), n)
	}
}

func TestArchiveRules(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	add := func(account string, global bool, most int) (engine.ArchiveRule, error) {
		return s.AddArchiveRule(ctx, engine.ArchiveRule{Account: account, Transition: engine.ToArchive, SystemGlobal: global, MaxImages: most,
			Selector: engine.ImageSelector{Registry: "*", Repository: "*", Tag: "*"}, AgeDays: 3, VersionsNewer: -1, ExcludeDays: 9})
	}
	own, err := add("bob", false, 0)
	if err != nil {
		t.Fatal(err)
	}
	all, err := add("admin", true, 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add("admin", true, 6); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("a second bound: %v", err)
	}
	if _, err := add("eve", false, 0); err != nil {
		t.Fatal(err)
	}
	got, err := s.ArchiveRule(ctx, "bob", own.ID)
	if err != nil || got != own || got.AgeDays != 3 || got.ExcludeDays != 9 {
		t.Errorf("%+v, %v", got, err)
	}
	for account, want := range map[string][2]int{"bob": {2, 1}, "admin": {1, 1}, "nobody": {1, 0}} {
		with, err := s.ArchiveRules(ctx, account, true)
		if err != nil {
			t.Fatal(err)
		}
		without, err := s.ArchiveRules(ctx, account, false)
		if err != nil || len(with) != want[0] || len(without) != want[1] {
			t.Errorf("%s has %d and %d rules, want %v", account, len(with), len(without), want)
		}
	}
	if _, err := s.ArchiveRule(ctx, "eve", own.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another's rule: %v", err)
	}
	if err := s.RemoveArchiveRule(ctx, "eve", own.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another's rule removed: %v", err)
	}
	if err := s.RemoveArchiveRule(ctx, "bob", all.ID); err != nil {
		t.Errorf("a rule for all: %v", err)
	}
	sum, err := s.ArchiveSummary(ctx, "bob")
	if err != nil || sum.Rules != 1 || sum.RulesAt.IsZero() || !sum.ImagesAt.IsZero() {
		t.Errorf("%+v, %v", sum, err)
	}
}
