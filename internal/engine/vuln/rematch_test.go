package vuln_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/store"
	"windlass/internal/engine/vuln"
)

// sbomOf is an SBOM in syft's JSON of a Debian 12 image.
func sbomOf(debs map[string]string, npms map[string]string) []byte {
	var list []string
	for name, version := range debs {
		list = append(list, fmt.Sprintf(`{"id":"deb-%s","name":%q,"version":%q,"type":"deb","locations":[{"path":"/var/lib/dpkg/status"}],"metadataType":"dpkg-db-entry","metadata":{"package":%q,"source":"","version":%q,"sourceVersion":"","architecture":"amd64","maintainer":"","installedSize":0,"files":[]}}`, name, name, version, name, version))
	}
	for name, version := range npms {
		list = append(list, fmt.Sprintf(`{"id":"npm-%s","name":%q,"version":%q,"type":"npm","language":"javascript","locations":[{"path":"/app/node_modules/%s/package.json"}]}`, name, name, version, name))
	}
	slices.Sort(list)
	return []byte(`{"artifacts":[` + strings.Join(list, ",") + `],"artifactRelationships":[],"source":{"id":"x","type":"image","metadata":{}},` +
		`"distro":{"id":"debian","versionID":"12","name":"Debian"},"descriptor":{"name":"syft","version":"1"},` +
		`"schema":{"version":"16.0.0","url":"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.0.json"}}`)
}

func deb(id, pkg, fixed string) build.Record {
	return build.Record{Provider: "debian", ID: id, Severity: "High", Affects: []build.Affected{{OS: "debian:12", Ecosystem: "deb", Package: pkg, Fixed: fixed}}}
}

func node(id, pkg, fixed string) build.Record {
	return build.Record{Provider: "github", ID: id, Severity: "Critical", Affects: []build.Affected{{Ecosystem: "npm", Package: pkg, Fixed: fixed}}}
}

type world struct {
	dir string
	s   *store.Store
	svc *feeds.Service
	m   *vuln.Matcher
	re  *vuln.Rematcher
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), s: enginetest.Store(t)}
	src := httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(src.Close)
	data := t.TempDir()
	w.svc = feeds.New(feeds.Config{Dir: data, URL: src.URL}, w.s, enginetest.Logger(t))
	w.m = vuln.New(w.s, data, enginetest.Logger(t))
	t.Cleanup(w.m.Close)
	w.re = &vuln.Rematcher{Matcher: w.m, Store: w.s, Log: enginetest.Logger(t)}
	return w
}

// use brings records into use.
func (w *world) use(t *testing.T, built int, records ...build.Record) {
	t.Helper()
	if _, err := build.Serve(w.dir, build.Database{Built: time.Date(2026, 1, built, 0, 0, 0, 0, time.UTC), Records: records}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.svc.Sync(t.Context(), feeds.Manual, false); err != nil {
		t.Fatal(err)
	}
}

// image stores an analyzed image.
func (w *world) image(t *testing.T, n int, sbom []byte) string {
	t.Helper()
	digest := fmt.Sprintf("sha256:%064d", n)
	const image = `INSERT INTO images (account, digest, parent_digest, image_id, state) VALUES ('admin', $1, $1, $1, 'analyzed')`
	const doc = `INSERT INTO documents (account, bucket, key, body) VALUES ('admin', 'syft_sbom', $1, $2)`
	if _, err := w.s.Pool().Exec(t.Context(), image, digest); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Pool().Exec(t.Context(), doc, digest, sbom); err != nil {
		t.Fatal(err)
	}
	return digest
}

// rematch works the queue off and lists the subjects in the order they came.
func (w *world) rematch(t *testing.T) []string {
	t.Helper()
	var order []string
	for {
		j, ok, err := w.s.LeaseJob(t.Context(), engine.QueueMatch, "h", "w", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return order
		}
		if err := w.re.Handle(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		order = append(order, j.Subject)
	}
}

// found lists the matches of an image as "package vuln fix".
func (w *world) found(t *testing.T, digest string) []string {
	t.Helper()
	list, _, err := w.s.Matches(t.Context(), "admin", digest)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, m := range list {
		out = append(out, m.Package+" "+m.Vuln+" "+strings.Join(m.Fixes, ","))
	}
	slices.Sort(out)
	return out
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestImagesAreMatchedAgainAfterASwitch(t *testing.T) {
	w := newWorld(t)
	older := w.image(t, 1, sbomOf(map[string]string{"curl": "7.0", "openssl": "3.0.0"}, map[string]string{"left-pad": "1.0.0"}))
	newer := w.image(t, 2, sbomOf(map[string]string{"curl": "9.0"}, nil))
	w.image(t, 3, []byte("not an sbom"))

	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"), node("GHSA-0001", "left-pad", "2.0.0"))
	order := w.rematch(t)
	if len(order) != 3 || order[1] != newer || order[2] != older {
		t.Errorf("images were matched in the order %v, want newest first", order)
	}
	equal(t, "first data", w.found(t, older), "curl CVE-2023-0001 7.1", "left-pad GHSA-0001 2.0.0")
	equal(t, "an unaffected image", w.found(t, newer))
	r, err := w.s.LastRematch(t.Context())
	if err != nil || r.Total != 3 || r.Done != 3 || r.Changed != 1 || r.EndedAt.IsZero() {
		t.Errorf("progress is %+v, %v", r, err)
	}

	// A match that stays keeps the time it was first seen; counts go with them.
	if _, err := w.s.Pool().Exec(t.Context(), `UPDATE matches SET first_seen = '2020-01-01'`); err != nil {
		t.Fatal(err)
	}
	w.use(t, 2, deb("CVE-2023-0001", "curl", "7.1"), deb("CVE-2024-0002", "openssl", "3.0.1"))
	w.rematch(t)
	equal(t, "second data", w.found(t, older), "curl CVE-2023-0001 7.1", "openssl CVE-2024-0002 3.0.1")
	var kept, high, critical, fixable int
	const q = `SELECT (SELECT count(*) FROM matches WHERE first_seen = '2020-01-01'), sev_high, sev_critical, fixable FROM images WHERE digest = $1`
	if err := w.s.Pool().QueryRow(t.Context(), q, older).Scan(&kept, &high, &critical, &fixable); err != nil {
		t.Fatal(err)
	}
	if kept != 1 || high != 2 || critical != 0 || fixable != 2 {
		t.Errorf("kept %d, high %d, critical %d, fixable %d; want 1, 2, 0, 2", kept, high, critical, fixable)
	}
}

func TestDisabledGroupIsLeftOut(t *testing.T) {
	w := newWorld(t)
	digest := w.image(t, 1, sbomOf(map[string]string{"curl": "7.0"}, map[string]string{"left-pad": "1.0.0"}))
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"), node("GHSA-0001", "left-pad", "2.0.0"))
	w.rematch(t)
	if err := w.s.SetGroupEnabled(t.Context(), "github", "github:npm", false); err != nil {
		t.Fatal(err)
	}
	w.rematch(t)
	equal(t, "npm disabled", w.found(t, digest), "curl CVE-2023-0001 7.1")
	if err := w.s.SetGroupEnabled(t.Context(), "github", "github:npm", true); err != nil {
		t.Fatal(err)
	}
	if err := w.s.SetFeedEnabled(t.Context(), "vulnerabilities", false); err != nil {
		t.Fatal(err)
	}
	w.rematch(t)
	equal(t, "distributions disabled", w.found(t, digest), "left-pad GHSA-0001 2.0.0")
}

// A worker that matched with the data of before must not overwrite what the
// switch made necessary.
func TestSwitchFencesAnOlderRematch(t *testing.T) {
	w := newWorld(t)
	digest := w.image(t, 1, sbomOf(map[string]string{"curl": "7.0"}, nil))
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"))
	j, ok, err := w.s.LeaseJob(t.Context(), engine.QueueMatch, "h", "w", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	list, data, err := w.m.MatchJSON(t.Context(), sbomOf(map[string]string{"curl": "7.0"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	w.use(t, 2, deb("CVE-2024-0002", "curl", "7.2"))
	if err := w.s.SaveRematch(t.Context(), j, data, list); !errors.Is(err, engine.ErrLeaseLost) {
		t.Errorf("SaveRematch after the switch = %v, want ErrLeaseLost", err)
	}
	equal(t, "the queue", w.rematch(t), digest)
	equal(t, "matches", w.found(t, digest), "curl CVE-2024-0002 7.2")
}

// Data may be switched, twice and back, while matches run; each match is made
// with one whole database.
func TestMatchesRunThroughSwitches(t *testing.T) {
	w := newWorld(t)
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"))
	doc := sbomOf(map[string]string{"curl": "7.0"}, nil)
	stop := make(chan struct{})
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				list, _, err := w.m.MatchJSON(t.Context(), doc)
				if err != nil || len(list) != 1 {
					t.Errorf("%d matches, %v", len(list), err)
					return
				}
			}
		})
	}
	w.use(t, 2, deb("CVE-2024-0002", "curl", "7.2"))
	for range 3 {
		if _, err := w.svc.Rollback(t.Context(), ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.svc.Sync(t.Context(), feeds.Manual, true); err != nil {
		t.Error(err)
	}
	close(stop)
	running.Wait()
}

func TestNoDataYet(t *testing.T) {
	w := newWorld(t)
	list, data, err := w.m.MatchJSON(t.Context(), sbomOf(map[string]string{"curl": "7.0"}, nil))
	if err != nil || data != "" || len(list) != 0 {
		t.Errorf("MatchJSON without data = %v, %q, %v", list, data, err)
	}
}

// A host that runs analyzers alone has no data: images analyzed there are
// matched elsewhere, and no job of the queue is lost on it.
func TestHostWithoutTheData(t *testing.T) {
	w := newWorld(t)
	doc := sbomOf(map[string]string{"curl": "7.0"}, nil)
	digest := w.image(t, 1, doc)
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"))
	away := vuln.New(w.s, t.TempDir(), enginetest.Logger(t))
	defer away.Close()
	if list, data, err := away.MatchJSON(t.Context(), doc); err != nil || data != "" || len(list) != 0 {
		t.Errorf("MatchJSON away from the data = %v, %q, %v", list, data, err)
	}
	j, ok, err := w.s.LeaseJob(t.Context(), engine.QueueMatch, "h", "w", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := (&vuln.Rematcher{Matcher: away, Store: w.s, Log: enginetest.Logger(t)}).Handle(t.Context(), j); err == nil {
		t.Error("a rematch away from the data succeeded")
	}
	if err := w.s.ReleaseJob(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	equal(t, "the queue", w.rematch(t), digest)
}

func TestForeignDocuments(t *testing.T) {
	w := newWorld(t)
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"))
	for name, doc := range map[string]string{"nothing": "", "no json": "artifacts", "other json": `{"artifacts":[]}`, "cut": string(sbomOf(map[string]string{"a": "1"}, nil)[:200])} {
		if _, _, err := w.m.MatchJSON(t.Context(), []byte(doc)); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
