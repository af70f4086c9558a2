package bff_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// feedFake has feeds of a size that real ones have.
type feedFake struct {
	*enginetest.Fake
	mu     sync.Mutex
	feeds  []engine.Feed
	status engine.FeedStatus
	upload string
	sent   []byte // of the upload in pieces
	breaks int    // how often the line breaks in the middle of it
	ended  string
}

func (f *feedFake) archive(id string) engine.FeedArchive {
	return engine.FeedArchive{ID: id, Size: 3_000_000, Have: int64(len(f.sent)), State: engine.FeedArchiveOpen}
}

func (f *feedFake) OpenFeedArchive(_ context.Context, a engine.FeedArchive) (engine.FeedArchive, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.upload = a.Source
	return f.archive("u7"), nil
}

func (f *feedFake) FeedArchive(_ context.Context, id string) (engine.FeedArchive, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.archive(id), nil
}

func (f *feedFake) AppendFeedArchive(_ context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error) {
	b, err := io.ReadAll(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return engine.FeedArchive{}, err
	}
	f.sent = append(f.sent[:at], b...)
	if f.breaks > 0 {
		f.breaks--
		f.sent = f.sent[:2_000_000]
		return engine.FeedArchive{}, engine.ErrUnavailable
	}
	return f.archive(id), nil
}

func (f *feedFake) InstallFeedArchive(_ context.Context, id string, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = id
	return nil
}

func (f *feedFake) Feeds(context.Context) ([]engine.Feed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.feeds, nil
}

func (f *feedFake) FeedStatus(context.Context) (engine.FeedStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status, nil
}

func (f *feedFake) FeedSyncs(_ context.Context, before int64, limit int) ([]engine.FeedSync, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(f.status.Syncs), func(s engine.FeedSync) bool { return before > 0 && s.ID >= before })
	return list[:min(limit, len(list))], nil
}

func (f *feedFake) FeedRollback(context.Context) (engine.FeedRollback, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return engine.FeedRollback{From: *f.status.Active, To: *f.status.Previous, Images: 1284, Groups: []engine.FeedGroup{
		{Feed: "vulnerabilities", Name: "debian:8", Records: 5539}, {Feed: "github", Name: "github:npm", Before: 4100, Records: 4093}, {Feed: "nvd", Name: "nvddb:2026", Before: 592},
	}}, nil
}

func (f *feedFake) FeedUse(_ context.Context, feed, group string) (engine.FeedUse, error) {
	return engine.FeedUse{Feed: feed, Group: group, Groups: 10, Records: 5539, Matches: 213, Images: 3}, nil
}

func (f *feedFake) alter(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	f.Change(engine.ChangeFeedSync, "", "1")
	f.Change(engine.ChangeFeeds, "", "")
}

func (f *feedFake) StartFeedSync(context.Context, bool) error {
	f.alter(func() {
		now := time.Now()
		run := engine.FeedSync{ID: 9, Trigger: "manual", Status: "running", Stage: engine.FeedDownload, StageAt: now.Add(-2 * time.Second),
			StartedAt: now.Add(-3 * time.Second), Done: 12_000_000, Total: 28_641_537, Source: f.status.Source, Host: "host-1"}
		f.status.Syncs = append([]engine.FeedSync{run}, f.status.Syncs...)
	})
	return nil
}

func (f *feedFake) SetFeedGroup(_ context.Context, feed, group string, on bool) (engine.FeedGroup, error) {
	f.alter(func() {
		for i := range f.feeds {
			for k := range f.feeds[i].Groups {
				if g := &f.feeds[i].Groups[k]; g.Feed == feed && g.Name == group {
					g.Enabled = on
				}
			}
		}
	})
	return engine.FeedGroup{}, nil
}

func (f *feedFake) ImportFeeds(_ context.Context, r io.Reader, name, checksum string, flush bool) error {
	n, err := io.Copy(io.Discard, r)
	f.alter(func() { f.upload = strings.Join([]string{name, checksum}, " ") })
	if n == 0 {
		return engine.Invalidf("empty")
	}
	return err
}

func newFeeds() *feedFake {
	now := time.Now()
	f := &feedFake{Fake: enginetest.New()}
	add := func(feed string, groups ...string) {
		list := engine.Feed{Name: feed, Enabled: true, LastSync: now.Add(-time.Hour)}
		for i, g := range groups {
			n := int64(100 + i*i*37%5000)
			list.Groups = append(list.Groups, engine.FeedGroup{Feed: feed, Name: g, Enabled: i != 3, LastSync: now.Add(-time.Hour), Records: n, Before: n - int64(i%4*7)})
		}
		f.feeds = append(f.feeds, list)
	}
	add("vulnerabilities", "alpine:3.18", "alpine:3.19", "alpine:3.20", "amzn:2", "debian:9", "debian:11", "debian:12", "rhel:8", "rhel:9", "ubuntu:22.04")
	add("github", "github:composer", "github:gem", "github:go", "github:npm", "github:python")
	add("nvd", "nvddb:2015", "nvddb:2016", "nvddb:2017", "nvddb:2018", "nvddb:2019", "nvddb:2020", "nvddb:2021", "nvddb:2022", "nvddb:2023", "nvddb:2024", "nvddb:2025", "nvddb:2026", "nvddb:other")
	sum := "sha256:" + strings.Repeat("6d44de93", 8)
	f.status = engine.FeedStatus{
		Source: "https://feeds.example/databases/v6/latest.json", Interval: 6 * time.Hour, Next: now.Add(5 * time.Hour),
		Active:   &engine.FeedData{ID: "6d44de936d44de93", Checksum: sum, Schema: "v6.1.10", Built: now.Add(-7 * time.Hour), Source: "https://feeds.example/databases/v6/vulnerability-db_v6.1.10.tar.zst", Bytes: 28_641_537, Records: 148_493, InstalledAt: now.Add(-time.Hour), Active: true},
		Previous: &engine.FeedData{ID: "aa", Checksum: sum, Built: now.Add(-31 * time.Hour), Records: 147_901, Previous: true},
		Before:   []engine.FeedGroup{{Feed: "vulnerabilities", Name: "debian:8", Records: 5539}},
		Rematch:  engine.Rematch{Data: "6d44de936d44de93", Total: 1284, Done: 412, Changed: 37, StartedAt: now.Add(-20 * time.Second)},
	}
	for i := range 12 {
		at := now.Add(-time.Duration(i*6+1) * time.Hour)
		s := engine.FeedSync{ID: int64(12 - i), Trigger: "periodic", Status: "success", StartedAt: at, EndedAt: at.Add(time.Duration(6+i%5) * time.Second), Records: 148_493 - int64(i*300), Delta: int64(300 - i*70), Data: "6d44de936d44de93", Host: "host-1"}
		s.Steps = []engine.FeedStep{{Stage: engine.FeedCheck, Took: 20 * time.Millisecond}, {Stage: engine.FeedDownload, Took: time.Second}, {Stage: engine.FeedUnpack, Took: time.Second}, {Stage: engine.FeedIndex, Took: 4 * time.Second}}
		s.Images, s.Changed, s.MatchedAt = 1284, int64(37+i), s.EndedAt.Add(90*time.Second)
		switch i % 4 {
		case 1:
			s.Status, s.Delta, s.Message = "unchanged", 0, "The newest data is in use already."
		case 3:
			s.Status, s.Cause, s.Message, s.Records, s.Data = "failure", "dns", "The name feeds.example cannot be resolved.", 0, ""
		}
		f.status.Syncs = append(f.status.Syncs, s)
	}
	f.status.Syncs[0].EndedAt, f.status.Syncs[0].MatchedAt = f.status.Rematch.StartedAt, time.Time{} // it is the one whose images are matched
	return f
}

func openFeeds(t *testing.T, f *feedFake) (*console, *browsertest.Page) {
	t.Helper()
	c := start(t, bff.Options{Engine: f})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	return c, p
}

func TestFeedsLook(t *testing.T) {
	f := newFeeds()
	c, p := openFeeds(t, f)
	look := func(name, path string) {
		p.Goto(c.url + path)
		p.Live()
		p.Looks(name)
	}
	look("feeds", "/feeds")
	look("feeds-filtered", "/feeds?q=debian&show=changed")
	look("feeds-no-match", "/feeds?q=nothing-of-this-name")
	f.alter(func() {
		f.status.Syncs = append([]engine.FeedSync{{ID: 99, Trigger: "periodic", Status: "failure", Cause: "tls", Message: "No trusted TLS connection to feeds.example.", StartedAt: time.Now().Add(-time.Minute), EndedAt: time.Now().Add(-50 * time.Second)}}, f.status.Syncs...)
		f.status.Active.Starter = true
	})
	look("feeds-failed", "/feeds")
	look("feeds-rollback", "/feeds/rollback")
	look("feeds-delete", "/feeds/delete?feed=vulnerabilities&group=debian:8")
	f.alter(func() {
		f.status.Archives = []engine.FeedArchive{
			{ID: "u1", Source: "upload: vulnerability-db_v6.1.10_2026-11-23.tar.zst", Size: 28_641_537, Have: 12_582_912, State: engine.FeedArchiveOpen, By: "admin", TouchedAt: time.Now().Add(-time.Hour)},
			{ID: "u2", Source: "upload: vulnerability-db_v6.1.9.tar.zst", Size: 27_000_000, Have: 27_000_000, State: engine.FeedArchiveRefused, Cause: "sanity", Message: "The archive was built 2026-11-01T00:00:00Z, before the data in use. Flush to install it all the same.", By: "admin", TouchedAt: time.Now().Add(-2 * time.Hour)},
		}
		f.status.Hosts = []engine.FeedHost{{Host: "host-1", Data: f.status.Active.ID}, {Host: "host-2", Message: "The disk is full: free some space in the data folder."}, {Host: "host-3"}}
		f.status.Active.Starter, f.status.Active.Built, f.status.Active.Archive, f.status.Active.Source = false, time.Now().Add(-9*24*time.Hour), "u0", "upload: vulnerability-db_v6.1.10.tar.zst"
		f.status.Previous.SetAside = true
		f.status.Syncs[0] = engine.FeedSync{ID: 99, Trigger: "upload", Status: "running", Stage: engine.FeedUnpack, StageAt: time.Now().Add(-3 * time.Second), StartedAt: time.Now().Add(-5 * time.Second), Done: 12_000_000, Total: 28_641_537, Source: "upload: vulnerability-db_v6.1.10.tar.zst", Host: "host-1"}
	})
	look("feeds-uploads", "/feeds")
	f.alter(func() { f.feeds, f.status = nil, engine.FeedStatus{Source: f.status.Source} })
	look("feeds-empty", "/feeds")
}

// An upload whose line breaks goes on by itself where it stopped, and is then
// installed.
func TestFeedUploadGoesOnByItself(t *testing.T) {
	f := newFeeds()
	f.breaks = 1
	c, p := openFeeds(t, f)
	file := filepath.Join(t.TempDir(), "vulnerability-db.tar.zst")
	want := bytes.Repeat([]byte("0123456789"), 300_000)
	if err := os.WriteFile(file, want, 0o600); err != nil {
		t.Fatal(err)
	}
	p.Goto(c.url + "/feeds")
	p.Live()
	p.Forgive(func(m string) bool { return strings.Contains(m, "503") }) // it is what breaks the line
	p.Do(chromedp.SetUploadFiles(chromedp.CSS("#feed-archive"), []string{file}))
	p.Click("form[data-feed-upload] button.primary")
	p.Wait(`document.getElementById("toasts").innerText.includes("being installed")`)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !bytes.Equal(f.sent, want) || f.upload != "vulnerability-db.tar.zst" || f.ended != "u7" || f.breaks != 0 {
		t.Errorf("%d bytes came as %q, %q was installed", len(f.sent), f.upload, f.ended)
	}
}

// A sync is started, followed and seen to its end without a reload, and a
// group that is switched changes in place.
func TestFeedSyncIsWatchedWithoutReload(t *testing.T) {
	f := newFeeds()
	c, p := openFeeds(t, f)
	p.Goto(c.url + "/feeds")
	p.Live()
	p.Click(`main .head form[action="/feeds/sync"]:last-of-type button`)
	p.Wait(`document.getElementById("feed-run")?.innerText.includes("12.0 MB of 28.6 MB")`)
	p.Live()
	browsertest.Eval[bool](p, `(document.querySelector("h1").mark = "kept", true)`)
	f.alter(func() {
		f.status.Syncs[0].Stage, f.status.Syncs[0].Done, f.status.Syncs[0].Total = engine.FeedIndex, 0, 0
	})
	p.Wait(`document.querySelector("#feed-run [aria-current=step]")?.innerText === "Index"`)
	f.alter(func() {
		f.status.Syncs[0].Status, f.status.Syncs[0].EndedAt = "success", time.Now()
		f.status.Syncs[0].Data, f.status.Active.Records = f.status.Active.ID, 150_000
		f.status.Rematch.StartedAt = f.status.Syncs[0].EndedAt
	})
	p.Wait(`document.querySelector("#feed-run [aria-current=step]")?.innerText === "Rematch images" && document.getElementById("feed-run").innerText.includes("412 of 1,284 images")`)
	f.alter(func() { f.status.Rematch.Done, f.status.Rematch.EndedAt = 1284, time.Now() })
	p.Wait(`!document.getElementById("feed-run") && document.querySelector("[data-testid=records]").innerText === "150,000"`)
	f.alter(func() { f.feeds[0].Groups[1].Enabled = false })
	p.Wait(`document.getElementById("group-vulnerabilities-alpine:3.19").innerText.includes("off")`)
	if got := browsertest.Eval[string](p, `document.querySelector("h1").mark`); got != "kept" {
		t.Error("the page was drawn anew")
	}
	p.Click(`form[action="/feeds/vulnerabilities/alpine:3.19/toggle"] button`)
	p.Wait(`document.getElementById("group-vulnerabilities-alpine:3.19").innerText.includes("on") && document.getElementById("toasts").innerText.includes("Enabled alpine:3.19")`)
}
