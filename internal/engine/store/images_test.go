package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func digestOf(n int) engine.Digest { return engine.Digest(fmt.Sprintf("sha256:%064x", n)) }

// insertImages writes n plain images of an account, each a minute newer than
// the one before, number k under registry.test/repo-(k mod 7):v<k>.
func insertImages(t testing.TB, s *store.Store, account string, from, n int) {
	t.Helper()
	const images = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, sev_critical, created_at)
		SELECT $1, 'sha256:' || lpad(to_hex(k), 64, '0'), 'sha256:' || lpad(to_hex(k + 1000000), 64, '0'), lpad(to_hex(k + 2000000), 64, '0'),
		       CASE k % 4 WHEN 0 THEN 'not_analyzed' WHEN 1 THEN 'analyzing' WHEN 2 THEN 'analyzed' ELSE 'analysis_failed' END,
		       CASE WHEN k % 10 = 0 THEN 1 ELSE 0 END,
		       '2026-01-01T00:00:00Z'::timestamptz + k * interval '1 minute'
		  FROM generate_series($2::int, $2::int + $3::int - 1) k`
	const tags = `
		INSERT INTO image_tags (image, account, registry, repository, tag, detected_at)
		SELECT pk, account, 'registry.test', 'repo-' || (pk % 7), 'v' || pk, created_at FROM images WHERE account = $1 ON CONFLICT DO NOTHING`
	exec(t, s, images, account, from, n)
	exec(t, s, tags, account)
}

func exec(t testing.TB, s *store.Store, q string, args ...any) {
	t.Helper()
	if _, err := s.Pool().Exec(t.Context(), q, args...); err != nil {
		t.Fatal(err)
	}
}

func TestImagesPageThroughAll(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 25)
	insertImages(t, s, "two", 1, 3)
	// Two images of one moment must not hide each other at the page border.
	exec(t, s, `UPDATE images SET created_at = '2026-01-01' WHERE account = 'one'`)

	var seen []engine.Digest
	f := engine.ImageFilter{Limit: 10}
	for pages := 0; ; pages++ {
		list, next, err := s.Images(t.Context(), "one", f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if i.Account != "one" || len(i.Tags) != 1 || i.Tags[0].Digest != i.Digest {
				t.Errorf("image %+v", i)
			}
			seen = append(seen, i.Digest)
		}
		if next == "" {
			if pages != 2 {
				t.Errorf("%d pages, want 3", pages+1)
			}
			break
		}
		f.After = next
	}
	if len(seen) != 25 {
		t.Errorf("%d images, want 25", len(seen))
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 25 {
		t.Error("an image came twice")
	}
	if _, _, err := s.Images(t.Context(), "one", engine.ImageFilter{After: "x"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a foreign cursor gives %v", err)
	}
}

func TestImageFilters(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 40)
	insertImages(t, s, "two", 1, 40)
	exec(t, s, `UPDATE images SET status = 'deleting' WHERE digest = $1`, digestOf(40))
	exec(t, s, `UPDATE images SET sample = true WHERE digest = $1`, digestOf(3))
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class) SELECT pk, 'k', 'bash', '5', 'dpkg', 'os' FROM images WHERE digest = $1`, digestOf(5))
	exec(t, s, `INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity) SELECT pk, 'k', 'bash', '5', 'dpkg', 'CVE-2026-1', 'High' FROM images WHERE digest = $1`, digestOf(5))
	exec(t, s, `UPDATE images SET fixable = 2, known_exploited = 1, distro = 'debian', distro_version = '12.5' WHERE digest = $1`, digestOf(6))
	exec(t, s, `UPDATE images SET fixable = 1, distro = 'debian', distro_version = '120' WHERE digest = $1`, digestOf(7))
	exec(t, s, `UPDATE images SET distro = 'Unknown', distro_version = '0' WHERE digest IN ($1, $2)`, digestOf(8), digestOf(9))
	exec(t, s, `UPDATE images SET failure = '{"Cause": "registry_auth"}' WHERE digest = $1`, digestOf(9))
	yes := true
	tests := map[string]struct {
		f    engine.ImageFilter
		want int
	}{
		"active only":          {engine.ImageFilter{}, 39},
		"deleting":             {engine.ImageFilter{Status: engine.ImageDeleting}, 1},
		"any status":           {engine.ImageFilter{AnyStatus: true}, 40},
		"state":                {engine.ImageFilter{State: engine.Analyzed}, 10},
		"registry":             {engine.ImageFilter{Registry: "registry.test"}, 39},
		"no such registry":     {engine.ImageFilter{Registry: "docker.io"}, 0},
		"registry, repository": {engine.ImageFilter{Registry: "registry.test", Repository: "repo-none"}, 0},
		"severity":             {engine.ImageFilter{Severity: "critical"}, 3},
		"package":              {engine.ImageFilter{Package: "bash"}, 1},
		"vulnerability":        {engine.ImageFilter{Vuln: "CVE-2026-1"}, 1},
		"sample":               {engine.ImageFilter{Sample: &yes}, 1},
		"text in a tag":        {engine.ImageFilter{Text: "REPO-"}, 39},
		"text is no pattern":   {engine.ImageFilter{Text: "repo_%"}, 0},
		"text is a digest":     {engine.ImageFilter{Text: string(digestOf(7))}, 1},
		"text is a parent":     {engine.ImageFilter{Text: string(digestOf(1000007))}, 1},
		"text is an image id":  {engine.ImageFilter{Text: strings.TrimPrefix(string(digestOf(2000007)), "sha256:")}, 1},
		"any severity":         {engine.ImageFilter{Severity: engine.AnySeverity}, 3},
		"fixable":              {engine.ImageFilter{Fixable: true}, 2},
		"exploited":            {engine.ImageFilter{Exploited: true}, 1},
		"cause":                {engine.ImageFilter{Cause: "registry_auth"}, 1},
		"no such cause":        {engine.ImageFilter{Cause: "disk"}, 0},
		"distribution":         {engine.ImageFilter{Distro: "debian"}, 2},
		"version of it":        {engine.ImageFilter{Distro: "debian  12"}, 1},
		"no distribution":      {engine.ImageFilter{Distro: engine.NoDistro}, 2},
		"several":              {engine.ImageFilter{State: engine.Analyzing, Package: "bash", Registry: "registry.test"}, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := s.CountImages(t.Context(), "one", tc.f)
			if err != nil {
				t.Fatal(err)
			}
			list, _, err := s.Images(t.Context(), "one", tc.f)
			if err != nil {
				t.Fatal(err)
			}
			if n != tc.want || len(list) != tc.want {
				t.Errorf("counted %d, listed %d, want %d", n, len(list), tc.want)
			}
		})
	}
	if list, err := s.ImageDistros(t.Context(), "one", 50); err != nil || !slices.Equal(list, []string{"none", "debian", "debian 12.5", "debian 120"}) {
		t.Errorf("distributions %q, %v", list, err)
	}
	if list, err := s.ImageDistros(t.Context(), "none", 50); err != nil || len(list) != 0 {
		t.Errorf("of nobody %q, %v", list, err)
	}
	if _, err := s.CountImages(t.Context(), "one", engine.ImageFilter{Severity: "odd"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("an odd severity gives %v", err)
	}
}

func TestImageLookups(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 3)
	exec(t, s, `UPDATE images SET parent_digest = $1, image_id = 'same'`, digestOf(99))
	// The tag "latest" moved from image 3 to image 2: newest detection wins,
	// not the newest image.
	exec(t, s, `UPDATE image_tags SET registry = 'docker.io', repository = 'app', tag = 'latest',
		detected_at = CASE WHEN image = (SELECT pk FROM images WHERE digest = $1) THEN now() ELSE now() - interval '1 hour' END
		WHERE image IN (SELECT pk FROM images WHERE digest IN ($1, $2))`, digestOf(2), digestOf(3))

	if i, err := s.Image(t.Context(), "one", string(digestOf(1))); err != nil || i.Digest != digestOf(1) {
		t.Errorf("by digest: %v, %v", i.Digest, err)
	}
	if i, err := s.Image(t.Context(), "one", string(digestOf(99))); err != nil || i.Digest != digestOf(3) {
		t.Errorf("by parent digest: %v, %v", i.Digest, err)
	}
	if i, err := s.ImageByID(t.Context(), "one", "same"); err != nil || i.Digest != digestOf(3) {
		t.Errorf("by id: %v, %v", i.Digest, err)
	}
	latest := engine.ImageTag{Registry: "docker.io", Repository: "app", Tag: "latest"}
	history, _, err := s.ImagesByTag(t.Context(), "one", latest, engine.ImageFilter{})
	if err != nil || len(history) != 2 || history[0].Digest != digestOf(2) || history[1].Digest != digestOf(3) {
		t.Errorf("history: %d images, %v", len(history), err)
	}
	newest, next, err := s.ImagesByTag(t.Context(), "one", latest, engine.ImageFilter{Limit: 1})
	if err != nil || len(newest) != 1 || newest[0].Digest != digestOf(2) {
		t.Errorf("newest: %d images, %v", len(newest), err)
	}
	older, end, err := s.ImagesByTag(t.Context(), "one", latest, engine.ImageFilter{Limit: 1, After: next})
	if err != nil || len(older) != 1 || older[0].Digest != digestOf(3) || end != "" {
		t.Errorf("the page behind it: %d images, next %q, %v", len(older), end, err)
	}

	// Nothing of it exists for another account.
	if _, err := s.Image(t.Context(), "two", string(digestOf(1))); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("by digest from another account: %v", err)
	}
	if _, err := s.ImageByID(t.Context(), "two", "same"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("by id from another account: %v", err)
	}
	if list, _, err := s.ImagesByTag(t.Context(), "two", latest, engine.ImageFilter{}); err != nil || len(list) != 0 {
		t.Errorf("by tag from another account: %d, %v", len(list), err)
	}
}

func TestImageFields(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 1)
	digest := digestOf(1)
	before, err := s.Image(t.Context(), "one", string(digest))
	if err != nil {
		t.Fatal(err)
	}
	if before.Meta != nil || !before.AnalyzedAt.IsZero() || before.Progress == nil || before.Failure != nil {
		t.Errorf("an image in analysis: %+v", before)
	}
	exec(t, s, `INSERT INTO feed_data (id, checksum, starter) VALUES ('f00', 'c', true)`)
	exec(t, s, `UPDATE images SET state = 'analyzed', arch = 'amd64', distro = 'debian', distro_version = '12', dockerfile_mode = 'Guessed',
		image_size = 7, layer_count = 2, sev_high = 3, fixable = 2, known_exploited = 1, matched_with = 'f00', matched_at = now(), analyzed_at = now(),
		annotations = '{"a": "b"}'`)
	after, err := s.Image(t.Context(), "one", string(digest))
	if err != nil {
		t.Fatal(err)
	}
	want := engine.ImageMeta{Arch: "amd64", Distro: "debian", DistroVersion: "12", DockerfileMode: "Guessed", Size: 7, LayerCount: 2}
	if after.Meta == nil || *after.Meta != want || after.Progress != nil || after.Severities.Total() != 3 ||
		after.Fixable != 2 || after.Exploited != 1 || !after.Starter || after.AnalyzedAt.IsZero() || after.Annotations["a"] != "b" {
		t.Errorf("an analyzed image: %+v", after)
	}
	exec(t, s, `UPDATE images SET state = 'analysis_failed', failure = '{"Stage":"pull","Cause":"registry_auth","Message":"refused","Log":["a"],"Attempt":2}'`)
	failed, err := s.Image(t.Context(), "one", string(digest))
	if err != nil {
		t.Fatal(err)
	}
	if f := failed.Failure; f == nil || f.Stage != engine.StagePull || f.Cause != "registry_auth" || f.Attempt != 2 || len(f.Log) != 1 {
		t.Errorf("failure %+v", f)
	}
}

func TestTimelineAndSummaries(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 2)
	exec(t, s, `INSERT INTO image_states (image, state, at) SELECT pk, 'analyzing', now() FROM images`)
	exec(t, s, `INSERT INTO image_states (image, state, at) SELECT pk, 'not_analyzed', now() - interval '1 minute' FROM images`)
	list, err := s.Timeline(t.Context(), "one", string(digestOf(1)))
	if err != nil || len(list) != 2 || list[0].State != engine.NotAnalyzed {
		t.Errorf("timeline %v, %v", list, err)
	}
	if list, err := s.Timeline(t.Context(), "two", string(digestOf(1))); err != nil || len(list) != 0 {
		t.Errorf("timeline for another account %v, %v", list, err)
	}

	exec(t, s, `UPDATE images SET status = 'deleting' WHERE digest = $1`, digestOf(2))
	count := func(account string, statuses []string) (n int) {
		t.Helper()
		err := s.EachTagSummary(t.Context(), account, statuses, func(ts engine.TagSummary) error {
			if ts.Registry != "registry.test" || ts.DetectedAt.IsZero() || !ts.AnalyzedAt.IsZero() {
				t.Errorf("summary %+v", ts)
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b, c := count("one", []string{"active"}), count("one", nil), count("two", nil); a != 1 || b != 2 || c != 0 {
		t.Errorf("summaries: %d active, %d of any status, %d of another account", a, b, c)
	}
}

// A walk over all tags is page by page; images without a tag, and those with
// several at the border of a page, leave no gap and bring nothing twice.
func TestTagSummariesAreWhole(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 2500)
	exec(t, s, `DELETE FROM image_tags WHERE image % 10 = 0`)
	exec(t, s, `INSERT INTO image_tags (image, account, registry, repository, tag) SELECT pk, account, 'registry.test', 'more', 'x' FROM images WHERE pk % 10 < 5`)
	seen := map[string]int{}
	var before time.Time
	err := s.EachTagSummary(t.Context(), "one", nil, func(ts engine.TagSummary) error {
		seen[string(ts.Digest)+ts.Repository]++
		if !before.IsZero() && ts.CreatedAt.After(before) {
			t.Errorf("%s is newer than the one before", ts.Digest)
		}
		before = ts.CreatedAt
		return nil
	})
	if want := 2250 + 1250; err != nil || len(seen) != want {
		t.Errorf("%d tags, want %d: %v", len(seen), want, err)
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", name, n)
		}
	}
}

func TestPackages(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 1)
	exec(t, s, `INSERT INTO packages (image, key, name, version, type, class, path, licenses, extra)
		SELECT pk, 'k' || n, 'pkg-' || lpad(n::text, 2, '0'), '1.' || n, 'dpkg', CASE WHEN n < 10 THEN 'os' ELSE 'npm' END, 'pkgdb', '{MIT,BSD}', '{"x": 1}'
		  FROM images, generate_series(1, 30) n`)
	d := string(digestOf(1))
	all, err := s.Packages(t.Context(), "one", d, "")
	if err != nil || len(all) != 30 || all[0].Name != "pkg-01" || len(all[0].Licenses) != 2 || all[0].Extra["x"] != 1.0 {
		t.Errorf("%d packages, %v", len(all), err)
	}
	page, total, err := s.PackagePage(t.Context(), "one", d, engine.PackageFilter{Class: "npm", Text: "PKG", Offset: 20, Limit: 5})
	if err != nil || total != 21 || len(page) != 1 || page[0].Name != "pkg-30" {
		t.Errorf("page of %d, total %d, %v", len(page), total, err)
	}
	classes, err := s.PackageClasses(t.Context(), "one", d)
	if err != nil || classes["os"] != 9 || classes["npm"] != 21 {
		t.Errorf("classes %v, %v", classes, err)
	}
	if list, err := s.Packages(t.Context(), "two", d, ""); err != nil || len(list) != 0 {
		t.Errorf("another account sees %d packages, %v", len(list), err)
	}
}

// A page of 100 out of 100,000 images must come at once with any filter.
func BenchmarkImages(b *testing.B) {
	s := enginetest.Store(b)
	insertImages(b, s, "one", 1, 100_000)
	exec(b, s, `INSERT INTO packages (image, key, name, version, type, class)
		SELECT pk, n::text, CASE n WHEN 1 THEN 'bash' ELSE 'pkg-' || (pk % 1000) END, '5', 'dpkg', 'os' FROM images, generate_series(1, 2) n`)
	exec(b, s, `INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity)
		SELECT pk, '1', 'bash', '5', 'dpkg', 'CVE-' || (pk % 1000), 'High' FROM images`)
	exec(b, s, `ANALYZE`)
	middle := fmt.Sprintf("%d-50000", time.Date(2026, 1, 1, 0, 50000, 0, 0, time.UTC).UnixMicro())
	for _, bc := range []struct {
		name string
		f    engine.ImageFilter
	}{
		{"all", engine.ImageFilter{}},
		{"middle", engine.ImageFilter{After: middle}},
		{"state", engine.ImageFilter{State: engine.Failed}},
		{"repository", engine.ImageFilter{Repository: "repo-3"}},
		{"no repository", engine.ImageFilter{Repository: "none"}},
		{"severity", engine.ImageFilter{Severity: "Critical"}},
		{"common package", engine.ImageFilter{Package: "bash"}},
		{"rare package", engine.ImageFilter{Package: "pkg-5"}},
		{"vulnerability", engine.ImageFilter{Vuln: "CVE-5"}},
		{"text", engine.ImageFilter{Text: "v99999"}},
		{"digest", engine.ImageFilter{Text: string(digestOf(500))}},
		{"exploited", engine.ImageFilter{Exploited: true, AnyStatus: true}},
		{"cause", engine.ImageFilter{Cause: "disk", AnyStatus: true}},
		{"rare distribution", engine.ImageFilter{Distro: "alpine 3", AnyStatus: true}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Images(b.Context(), "one", bc.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.CountImages(b.Context(), "one", engine.ImageFilter{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestImageMatches(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 3)
	exec(t, s, `UPDATE images SET parent_digest = $1`, digestOf(99))
	exec(t, s, `INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity, description, epss, scores)
		SELECT pk, 'k' || n, 'bash', '5', 'dpkg', 'CVE-' || n, (ARRAY['Low','Critical'])[1 + n % 2], 'long', 0.5, '{"nvd":[{"ID":"x"}]}' FROM images, generate_series(1, 4) n WHERE digest = $1`, digestOf(3))
	i, list, err := s.ImageMatches(t.Context(), "one", string(digestOf(99)))
	if err != nil || i.Digest != digestOf(3) || len(list) != 4 {
		t.Fatalf("%s with %d matches, %v", i.Digest, len(list), err)
	}
	if m := list[0]; m.Severity != "Critical" || m.Vuln != "CVE-1" || m.EPSS != 0.5 || len(m.NVD) != 1 || m.Description != "" {
		t.Errorf("%+v", m)
	}
	if _, list, err := s.ImageMatches(t.Context(), "one", string(digestOf(1))); err != nil || len(list) != 0 {
		t.Errorf("an image without matches: %d, %v", len(list), err)
	}
	if _, _, err := s.ImageMatches(t.Context(), "two", string(digestOf(3))); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
}
