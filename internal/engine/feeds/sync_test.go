package feeds_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/store"
)

var day = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

func debian(id, pkg, fixed string) build.Record {
	return build.Record{Provider: "debian", ID: id, Severity: "High", URL: "https://example.org/" + id,
		Affects: []build.Affected{{OS: "debian:12", Ecosystem: "deb", Package: pkg, Fixed: fixed}}}
}

func npm(id, pkg, fixed string) build.Record {
	return build.Record{Provider: "github", ID: id, Severity: "Low", Affects: []build.Affected{{Ecosystem: "npm", Package: pkg, Fixed: fixed}}}
}

var first = build.Database{Built: day, Records: []build.Record{
	debian("CVE-2023-0001", "openssl", "3.0.1"), debian("CVE-2023-0002", "curl", "7.1"), npm("GHSA-0001", "left-pad", "2.0.0"),
	{Provider: "nvd", ID: "CVE-2023-0001", CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
}}

// The second has one record more for Debian, and npm is left out.
var second = build.Database{Built: day.Add(24 * time.Hour), Records: []build.Record{
	debian("CVE-2023-0001", "openssl", "3.0.1"), debian("CVE-2023-0002", "curl", "7.1"), debian("CVE-2024-0003", "curl", "7.2"),
	{Provider: "nvd", ID: "CVE-2024-0003"},
}}

// world is a source, a database and a service between them.
type world struct {
	dir  string // of the source
	data string // of the service
	url  string
	s    *store.Store
	svc  *feeds.Service
	hits atomic.Int64 // of archives
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), data: t.TempDir(), s: enginetest.Store(t)}
	files := http.FileServer(http.Dir(w.dir))
	src := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".zst") {
			w.hits.Add(1)
		}
		files.ServeHTTP(rw, r)
	}))
	t.Cleanup(src.Close)
	w.url = src.URL
	w.svc = feeds.New(feeds.Config{Dir: w.data, URL: src.URL}, w.s, enginetest.Logger(t))
	return w
}

func (w *world) serve(t *testing.T, d build.Database) build.Listing {
	t.Helper()
	l, err := build.Serve(w.dir, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) sync(t *testing.T, flush bool) engine.FeedSync {
	t.Helper()
	out, err := w.svc.Sync(t.Context(), feeds.Manual, flush)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// groups lists feed/group with its counts.
func (w *world) groups(t *testing.T) map[string][2]int64 {
	t.Helper()
	list, err := w.s.Feeds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][2]int64{}
	for _, f := range list {
		for _, g := range f.Groups {
			m[f.Name+"/"+g.Name] = [2]int64{g.Records, g.Before}
		}
	}
	return m
}

func (w *world) active(t *testing.T) engine.FeedData {
	t.Helper()
	d, err := w.s.ActiveFeedData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) left(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadDir(w.data)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func equalGroups(t *testing.T, got, want map[string][2]int64) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("group %s is %v, want %v", k, got[k], v)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("group %s should not be there", k)
		}
	}
}

func TestSyncInstallsUpdatesAndGoesBack(t *testing.T) {
	w := newWorld(t)
	l := w.serve(t, first)
	out := w.sync(t, false)
	if out.Status != "success" || out.Records != 4 || out.Data != l.Checksum[7:23] {
		t.Fatalf("first sync is %+v", out)
	}
	equalGroups(t, w.groups(t), map[string][2]int64{"vulnerabilities/debian:12": {2, -1}, "github/github:npm": {1, -1}, "nvd/nvddb:2023": {1, -1}})

	if out = w.sync(t, false); out.Status != "unchanged" || w.hits.Load() != 1 {
		t.Errorf("sync of the same data is %s after %d downloads", out.Status, w.hits.Load())
	}
	if out = w.sync(t, true); out.Status != "success" || w.hits.Load() != 2 {
		t.Errorf("flush is %s after %d downloads, want a second", out.Status, w.hits.Load())
	}

	w.serve(t, second)
	if out = w.sync(t, false); out.Status != "success" || out.Delta != 0 {
		t.Errorf("update is %+v", out)
	}
	equalGroups(t, w.groups(t), map[string][2]int64{"vulnerabilities/debian:12": {3, 2}, "nvd/nvddb:2024": {1, -1}})
	if names := w.left(t); len(names) != 2 {
		t.Errorf("the folder holds %v, want the data in use and the data before", names)
	}

	// Back, and to the newest again: the source's is not news until then.
	if _, err := w.svc.Rollback(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if d := w.active(t); d.ID != l.Checksum[7:23] {
		t.Errorf("after going back the data is %s", d.ID)
	}
	equalGroups(t, w.groups(t), map[string][2]int64{"vulnerabilities/debian:12": {2, 3}, "github/github:npm": {1, -1}, "nvd/nvddb:2023": {1, -1}})
	if out = w.sync(t, false); out.Status != "success" {
		t.Errorf("sync after going back is %s", out.Status)
	}
}

func TestOlderDataNeedsAFlush(t *testing.T) {
	w := newWorld(t)
	w.serve(t, second)
	w.sync(t, false)
	w.serve(t, first)
	if out := w.sync(t, false); out.Status != "unchanged" || !strings.Contains(out.Message, "older") {
		t.Errorf("sync to older data is %+v", out)
	}
	if out := w.sync(t, true); out.Status != "success" || !w.active(t).Built.Equal(day) {
		t.Errorf("flush to older data is %+v", out)
	}
}

func TestOneSyncAtATime(t *testing.T) {
	w := newWorld(t)
	w.serve(t, first)
	release, ok, err := w.s.LockFeeds(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	_, err = w.svc.Sync(t.Context(), feeds.Manual, false)
	var f *engine.Fault
	if !errors.As(err, &f) || !errors.Is(err, engine.ErrConflict) || len(f.Codes) != 1 || f.Codes[0] != "FEED_SYNC_ALREADY_IN_PROGRESS" {
		t.Errorf("second sync = %v", err)
	}
	release()
	w.sync(t, false)
}

// A download that breaks off is gone on with, and one whose kept bytes were
// wrong is made anew.
func TestBrokenDownloadIsResumed(t *testing.T) {
	w := newWorld(t)
	l := w.serve(t, first)
	archive, err := os.ReadFile(filepath.Join(w.dir, "v6", l.Path))
	if err != nil {
		t.Fatal(err)
	}
	var ranges []string
	src := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".json") {
			http.ServeFile(rw, r, filepath.Join(w.dir, "v6", "latest.json"))
			return
		}
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) == 1 {
			rw.Header().Set("Content-Length", "999999")
			rw.Write(archive[:100])
			rw.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		http.ServeFile(rw, r, filepath.Join(w.dir, "v6", l.Path))
	}))
	defer src.Close()
	svc := feeds.New(feeds.Config{Dir: w.data, URL: src.URL}, w.s, enginetest.Logger(t))
	if out, err := svc.Sync(t.Context(), feeds.Manual, false); err == nil || out.Cause != feeds.CauseConnection {
		t.Fatalf("broken download = %+v, %v", out, err)
	}
	if _, err := svc.Sync(t.Context(), feeds.Manual, false); err != nil {
		t.Fatal(err)
	}
	if len(ranges) != 2 || ranges[1] != "bytes=100-" {
		t.Errorf("ranges asked for: %q", ranges)
	}
	partial := filepath.Join(w.data, l.Checksum[7:23]+".partial")
	if err := os.WriteFile(partial, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.Sync(t.Context(), feeds.Manual, true); err != nil {
		t.Errorf("sync over wrong kept bytes = %v", err)
	}
}

func TestUploadedArchive(t *testing.T) {
	w := newWorld(t)
	l := w.serve(t, first)
	open := func() io.Reader {
		f, err := os.Open(filepath.Join(w.dir, "v6", l.Path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	wrong := "sha256:" + strings.Repeat("0", 64)
	if out, err := w.svc.ImportArchive(t.Context(), open(), feeds.Upload, "upload: a", wrong, false); err == nil || out.Cause != feeds.CauseChecksum {
		t.Errorf("upload with another checksum = %+v, %v", out, err)
	}
	if out, err := w.svc.ImportArchive(t.Context(), strings.NewReader("hello"), feeds.Upload, "upload: a", "", false); err == nil || out.Cause != feeds.CauseFormat {
		t.Errorf("upload of a greeting = %+v, %v", out, err)
	}
	out, err := w.svc.ImportArchive(t.Context(), open(), feeds.Upload, "upload: a", l.Checksum, false)
	if err != nil || out.Status != "success" || w.active(t).Source != "upload: a" {
		t.Errorf("upload = %+v, %v", out, err)
	}
	if names := w.left(t); len(names) != 1 {
		t.Errorf("the folder holds %v, want the data alone", names)
	}
}

// A process that was killed in the middle leaves files and a record that says
// running. The next start removes the files and does the sync again, even
// where no periodic sync is set.
func TestInterruptedSyncIsDoneAgain(t *testing.T) {
	w := newWorld(t)
	w.serve(t, first)
	if _, err := w.s.StartFeedSync(t.Context(), engine.FeedSync{Trigger: feeds.Manual}, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".staging-0123456789abcdef/6", "fedcba9876543210/6", ".old-x"} {
		if err := os.MkdirAll(filepath.Join(w.data, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- w.svc.Run(t.Context()) }()
	err := w.s.Watch(t.Context(), 0, func(c engine.Change) error {
		if c.Kind == engine.ChangeRematch { // of the activation
			return io.EOF
		}
		return nil
	})
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if id := w.active(t).ID; len(w.left(t)) != 1 && len(w.left(t)) != 2 || !feeds.Installed(w.data, id) {
		t.Errorf("the folder holds %v", w.left(t))
	}
	list, err := w.s.FeedSyncs(t.Context(), 10)
	if err != nil || len(list) != 2 || list[0].Status != "success" || list[1].Cause != "interrupted" {
		t.Errorf("history is %+v, %v", list, err)
	}
}

func TestDisabledAndDeletedGroups(t *testing.T) {
	w := newWorld(t)
	w.serve(t, first)
	w.sync(t, false)
	ctx := t.Context()
	if err := w.s.DeleteFeedData(ctx, "github"); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("deleting an enabled feed = %v, want ErrConflict", err)
	}
	if err := w.s.SetGroupEnabled(ctx, "github", "github:gem", false); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("switching a group that is not there = %v, want ErrNotFound", err)
	}
	if err := w.s.SetFeedEnabled(ctx, "github", false); err != nil {
		t.Fatal(err)
	}
	if off, err := w.s.GroupsOff(ctx); err != nil || len(off) != 1 || off[0].Name != "github:npm" {
		t.Errorf("groups off are %+v, %v", off, err)
	}
	if err := w.s.DeleteFeedData(ctx, "github"); err != nil {
		t.Fatal(err)
	}
	f, err := w.s.Feed(ctx, "github")
	if err != nil || !f.LastSync.IsZero() || f.Groups[0].Records != 0 || !f.Groups[0].LastSync.IsZero() {
		t.Errorf("a deleted feed is %+v, %v", f, err)
	}
	// What was deleted stays so through a switch of data and until a sync after
	// it was enabled.
	w.serve(t, second)
	w.sync(t, false)
	if err := w.s.SetFeedEnabled(ctx, "github", true); err != nil {
		t.Fatal(err)
	}
	w.serve(t, build.Database{Built: day.Add(48 * time.Hour), Records: first.Records})
	w.sync(t, false)
	if f, err = w.s.Feed(ctx, "github"); err != nil || f.LastSync.IsZero() || f.Groups[0].Records != 1 {
		t.Errorf("the feed after a sync is %+v, %v", f, err)
	}
	if off, err := w.s.GroupsOff(ctx); err != nil || len(off) != 0 {
		t.Errorf("groups off are %+v, %v", off, err)
	}
}
