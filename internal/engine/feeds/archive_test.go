package feeds_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/build"
)

// archive makes the file that an upload of a database is.
func (w *world) archive(t *testing.T, d build.Database) ([]byte, string) {
	t.Helper()
	l := w.serve(t, d)
	raw, err := os.ReadFile(filepath.Join(w.dir, "v6", l.Path))
	if err != nil {
		t.Fatal(err)
	}
	return raw, l.Checksum
}

// host is another host of the same engine, with an empty data folder.
func (w *world) host(t *testing.T, name string) (*feeds.Service, string) {
	t.Helper()
	dir := t.TempDir()
	return feeds.New(feeds.Config{Dir: dir, URL: "http://127.0.0.1:1", Source: engine.Source{Host: name}}, w.s, enginetest.Logger(t)), dir
}

// The bytes of an upload that breaks off stay; another file is refused where
// the first one is gone on with.
func TestUploadGoesOnWhereItBrokeOff(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	raw := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // of three rows and some
	a, err := w.s.OpenFeedArchive(ctx, engine.FeedArchive{Source: "upload: db", Size: int64(len(raw)), By: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if a, err = w.s.AppendFeedArchive(ctx, a.ID, 0, io.MultiReader(bytes.NewReader(raw[:1_500_000]), iotest.ErrReader(broken))); !errors.Is(err, broken) || a.Have != 1_500_000 {
		t.Fatalf("a transfer that breaks off left %d bytes, %v", a.Have, err)
	}
	if _, err := w.s.BeginFeedArchive(ctx, a.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("installing a part = %v", err)
	}
	other := slices.Clone(raw)
	other[1_200_000] ^= 1
	for name, tc := range map[string]struct {
		at   int64
		send []byte
		want error
	}{
		"another file":         {1_000_000, other[1_000_000:], engine.ErrConflict},
		"a gap":                {3_150_000, raw[3_150_000:], engine.ErrConflict},
		"more than announced":  {1_500_000, append(slices.Clone(raw[1_500_000:]), 'x'), engine.ErrInvalid},
		"less than is here":    {1_000_000, raw[1_000_000:1_100_000], engine.ErrInvalid},
		"before the beginning": {-1, raw, engine.ErrConflict},
	} {
		if _, err := w.s.AppendFeedArchive(ctx, a.ID, tc.at, bytes.NewReader(tc.send)); !errors.Is(err, tc.want) {
			t.Errorf("%s = %v, want %v", name, err, tc.want)
		}
	}
	now, err := w.s.FeedArchive(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = w.s.AppendFeedArchive(ctx, a.ID, now.Have-300_000, bytes.NewReader(raw[now.Have-300_000:])); err != nil || a.Have != a.Size {
		t.Fatalf("going on gave %+v, %v", a, err)
	}
	if got, err := io.ReadAll(w.s.ReadFeedArchive(ctx, a.ID)); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if err := w.s.DropFeedArchive(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.AppendFeedArchive(ctx, a.ID, 0, bytes.NewReader(raw)); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("going on with what was discarded = %v", err)
	}
}

// What was uploaded on one host is brought by the others, and gone back to on
// any of them; its bytes are kept as long.
func TestUploadedDataReachesOtherHosts(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	install := func(d build.Database) string {
		raw, sum := w.archive(t, d)
		out, err := w.svc.ImportArchive(ctx, bytes.NewReader(raw), feeds.Upload, "upload: db", sum, false)
		if err != nil {
			t.Fatal(err)
		}
		return out.Data
	}
	one := install(first)
	svc, dir := w.host(t, "two")
	if err := svc.Bring(ctx); err != nil || !feeds.Installed(dir, one) {
		t.Fatalf("bringing the upload: %v", err)
	}
	two := install(second)
	if err := svc.Bring(ctx); err != nil || !feeds.Installed(dir, two) {
		t.Fatalf("bringing the next: %v", err)
	}
	third, thirdDir := w.host(t, "three")
	if _, err := third.Rollback(ctx, two); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("going back to what is in use = %v", err)
	}
	if out, err := third.Rollback(ctx, one); err != nil || out.Data != one || !feeds.Installed(thirdDir, one) {
		t.Errorf("going back on a host that never had it = %+v, %v", out, err)
	}
	install(build.Database{Built: day.Add(48 * time.Hour), Records: second.Records})
	install(build.Database{Built: day.Add(72 * time.Hour), Records: second.Records})
	if err := svc.Bring(ctx); err != nil {
		t.Fatal(err)
	}
	data, err := w.s.FeedData(ctx)
	if err != nil || len(data) != 2 || data[0].Archive == "" || data[1].Archive == "" {
		t.Fatalf("kept are %+v, %v", data, err)
	}
	if rest, err := io.ReadAll(w.s.ReadFeedArchive(ctx, data[0].Archive)); err != nil || int64(len(rest)) != data[0].Bytes {
		t.Errorf("%d bytes are kept, want %d, %v", len(rest), data[0].Bytes, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 2 {
		t.Errorf("the other host keeps %v", list)
	}
}

// An archive that is refused stays for another try, one that can never be
// installed does not, and one whose installation was cut off is tried again by
// itself, but not for ever.
func TestWhatBecomesOfAnUpload(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	newer, sum := w.archive(t, second)
	if _, err := w.svc.ImportArchive(ctx, bytes.NewReader(newer), feeds.Upload, "upload: new", sum, false); err != nil {
		t.Fatal(err)
	}
	older, _ := w.archive(t, first)
	if _, err := w.svc.ImportArchive(ctx, bytes.NewReader(older), feeds.Upload, "upload: old", "", false); err == nil {
		t.Fatal("older data was installed unasked")
	}
	waiting := func() []engine.FeedArchive {
		t.Helper()
		list, err := w.s.FeedArchives(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := waiting()
	if len(list) != 1 || list[0].State != engine.FeedArchiveRefused || list[0].Cause != feeds.CauseSanity {
		t.Fatalf("a refused upload is %+v", list)
	}
	if _, err := w.svc.ImportArchive(ctx, bytes.NewReader([]byte("hello")), feeds.Upload, "upload: x", "", false); err == nil || len(waiting()) != 1 {
		t.Errorf("bytes that are no archive are kept: %+v, %v", waiting(), err)
	}

	// The program stops in the middle of installing it.
	if _, err := w.s.BeginFeedArchive(ctx, list[0].ID); err != nil {
		t.Fatal(err)
	}
	run := func(until func() bool) {
		t.Helper()
		svc, _ := w.host(t, "again")
		life, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- svc.Run(life) }()
		err := w.s.Watch(ctx, 0, func(engine.Change) error {
			if until() {
				return io.EOF
			}
			return nil
		})
		stop()
		if rerr := <-ended; !errors.Is(err, io.EOF) || rerr != nil {
			t.Fatal(err, rerr)
		}
	}
	run(func() bool { l := waiting(); return len(l) == 1 && l[0].Cause == feeds.CauseInterrupted })

	if err := w.svc.StartArchive(ctx, list[0].ID, true); err != nil {
		t.Fatal(err)
	}
	err := w.s.Watch(ctx, 0, func(engine.Change) error {
		if len(waiting()) == 0 {
			return io.EOF
		}
		return nil
	})
	if d := w.active(t); !errors.Is(err, io.EOF) || d.Source != "upload: old" || d.Archive != list[0].ID {
		t.Errorf("installed all the same is %+v, %v", d, err)
	}
}

// Data that was rolled back is not installed again by itself, until the source
// has newer or somebody asks for it.
func TestRolledBackDataIsSetAside(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.serve(t, first)
	one := w.sync(t, false).Data
	w.serve(t, second)
	two := w.sync(t, false).Data
	if _, err := w.svc.Rollback(ctx, one); err != nil {
		t.Fatal(err)
	}
	periodic := func() engine.FeedSync {
		t.Helper()
		out, err := w.svc.Sync(ctx, feeds.Periodic, false)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := periodic(); out.Status != "unchanged" || w.active(t).ID != one {
		t.Errorf("the next periodic sync is %+v", out)
	}
	if w.sync(t, false); w.active(t).ID != two {
		t.Error("a sync by hand did not bring it back")
	}
	if _, err := w.svc.Rollback(ctx, one); err != nil {
		t.Fatal(err)
	}
	w.serve(t, build.Database{Built: day.Add(48 * time.Hour), Records: second.Records})
	if out := periodic(); out.Status != "success" || len(out.Steps) == 0 {
		t.Errorf("the sync of newer data is %+v", out)
	}
}
