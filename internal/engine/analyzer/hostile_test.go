package analyzer_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// A hostile image, how it is made, and how its analysis must end: with a cause,
// or, with none, well.
type hostile struct {
	name    string
	make    func() *image
	cause   string
	says    string // what the message must name
	limits  analyzer.Limits
	process analyzer.ProcessLimits
	check   func(t *testing.T, i engine.Image, b *bench) // more that must be true
}

// maxPeak is the memory that the process of an analysis is given here; what
// needs more is ended.
const maxPeak = 600 << 20

// lanes is how many workers share the corpus.
const lanes = 2

// TestHostileImages runs the corpus through workers over real stores, side by
// side. Each image ends in a state of its own, nothing is left in the spool nor
// written beside it, and good images in between are analyzed as if nothing had
// been.
func TestHostileImages(t *testing.T) {
	site := newSite(t)
	cases := slices.Concat(hostileTransfers(t, site), hostileManifests(), hostileLayers(), hostileContents())
	seen := map[string]bool{}
	for _, tc := range cases {
		if seen[tc.name] {
			t.Fatalf("%q is there twice", tc.name)
		}
		seen[tc.name] = true
	}
	var wait sync.WaitGroup
	peaks := &peaks{}
	for lane := range lanes {
		b, root := hostileBench(t, peaks)
		wait.Go(func() {
			for n := lane; n < len(cases); n += lanes {
				t.Run(cases[n].name, func(t *testing.T) { cases[n].run(t, site, b, root) })
				if n/lanes%10 == 9 || n+lanes >= len(cases) {
					t.Run(fmt.Sprintf("a good image after %d", n), func(t *testing.T) {
						hostile{name: t.Name(), make: func() *image { return good(n) }, check: packages(1)}.run(t, site, b, root)
					})
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d cases, peak of one analysis %d MB", len(cases), peaks.most.Load())
	if most := peaks.most.Load(); most == 0 || most > maxPeak>>20 {
		t.Errorf("the peak of an analysis was %d MB", most)
	}
}

func (h hostile) run(t *testing.T, s *site, b *bench, root string) {
	repo := "c/" + slug(h.name)
	i := h.make()
	s.put(repo, i)
	b.worker.Limits = h.limits
	b.worker.Process = h.process
	if b.worker.Process.Memory == 0 {
		b.worker.Process.Memory = maxPeak
	}
	got := b.run(t, s.host+"/"+repo, i)
	outcome(t, h, got)
	if h.check != nil {
		h.check(t, got, b)
	}
	nothingLeft(t, root)
}

// TestTheParentStaysSmall measures what images that fill the memory of their
// analysis take of the process beside it.
func TestTheParentStaysSmall(t *testing.T) {
	const clear = "/proc/self/clear_refs"
	if err := os.WriteFile(clear, []byte("5"), 0); err != nil {
		t.Skipf("the peak of memory cannot be begun anew: %v", err)
	}
	site := newSite(t)
	b, _ := hostileBench(t, &peaks{})
	b.worker.Process.Memory = maxPeak
	var images []*image
	for _, tc := range slices.Concat(hostileLayers(), hostileContents()) {
		switch tc.name {
		case "a million empty files", "bomb of many members", "package.json of 32 MB", "dpkg status of 20,000 packages":
			images = append(images, tc.make())
		}
	}
	debug.FreeOSMemory()
	before, _ := resident(t)
	if err := os.WriteFile(clear, []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	for n, i := range images {
		repo := fmt.Sprint("small/", n)
		site.put(repo, i)
		b.run(t, site.host+"/"+repo, i)
	}
	_, peak := resident(t)
	if t.Logf("the parent grew by %d MB over %d images", (peak-before)>>20, len(images)); len(images) != 4 || peak-before > 300<<20 {
		t.Errorf("it grew from %d to %d MB over %d images", before>>20, peak>>20, len(images))
	}
}

// peaks gathers what the workers' logs say of the memory of analyses.
type peaks struct{ most atomic.Int64 }

func (p *peaks) Enabled(context.Context, slog.Level) bool { return true }

func (p *peaks) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "peak_mb" && a.Value.Kind() == slog.KindInt64 {
			for most := p.most.Load(); a.Value.Int64() > most && !p.most.CompareAndSwap(most, a.Value.Int64()); most = p.most.Load() {
			}
		}
		return true
	})
	return nil
}

func (p *peaks) WithAttrs([]slog.Attr) slog.Handler { return p }
func (p *peaks) WithGroup(string) slog.Handler      { return p }

func outcome(t *testing.T, tc hostile, got engine.Image) {
	t.Helper()
	switch {
	case tc.cause == "":
		if got.State != engine.Analyzed {
			t.Errorf("%s: %+v, want it analyzed", got.State, brief(got.Failure))
		}
	case got.State != engine.Failed || got.Failure == nil:
		t.Errorf("%s, want %s for %s", got.State, engine.Failed, tc.cause)
	case got.Failure.Cause != tc.cause || !strings.Contains(got.Failure.Message, tc.says):
		t.Errorf("failed: %+v, want %s that names %q", brief(got.Failure), tc.cause, tc.says)
	}
}

func brief(f *engine.Failure) string {
	if f == nil {
		return "no failure"
	}
	last := ""
	if n := len(f.Log); n > 0 {
		last = f.Log[n-1]
	}
	return fmt.Sprintf("%s in %s: %s (%s)", f.Cause, f.Stage, f.Message, last[:min(len(last), 1500)])
}

// hostileBench is a worker whose registry is given little time, in a folder of
// which nothing but the spool may change.
func hostileBench(t *testing.T, log slog.Handler) (*bench, string) {
	t.Helper()
	enginetest.NoRace(t) // whose memory is many times that of the program
	b := benchWorker(t, nil)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "escape"), []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	spool, err := analyzer.OpenSpool(filepath.Join(root, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	b.worker.Spool, b.worker.Log = spool, slog.New(log)
	b.worker.Registry = registry.New(registry.Options{Stall: 1500 * time.Millisecond, Answer: 3 * time.Second})
	return b, root
}

// run has the worker do one image in its last attempt.
func (b *bench) run(t *testing.T, name string, i *image) engine.Image {
	t.Helper()
	host, repo, _ := strings.Cut(name, "/")
	if _, err := b.store.Pool().Exec(t.Context(), `DELETE FROM images`); err != nil { // two cases may be one image
		t.Fatal(err)
	}
	_, err := b.store.PutImage(t.Context(), store.NewImage{
		Account: "admin", Digest: engine.Digest(i.digest()), ParentDigest: engine.Digest(i.digest()), ID: i.id(), Manifest: []byte("{}"),
		Tag:  engine.ImageTag{Registry: host, Repository: repo, Tag: "1", Digest: engine.Digest(i.digest())},
		Task: engine.AnalyzeTask{Source: engine.FromRegistry, Pull: name + "@" + i.digest()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Pool().Exec(t.Context(), `UPDATE jobs SET attempt = max_attempts - 1`); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	return b.image(t, engine.Digest(i.digest()))
}

// nothingLeft holds what an analysis may leave behind, which is nothing.
func nothingLeft(t *testing.T, root string) {
	t.Helper()
	for _, dir := range []string{"spool/jobs", "spool/tmp", "spool/uploads"} {
		if list, err := os.ReadDir(filepath.Join(root, dir)); err != nil || len(list) != 0 {
			t.Errorf("%s holds %v, %v", dir, list, err)
		}
	}
	for dir, want := range map[string][]string{root: {"escape", "spool"}, filepath.Join(root, "spool"): {"jobs", "tmp", "uploads"}} {
		var names []string
		list, err := os.ReadDir(dir)
		for _, e := range list {
			names = append(names, e.Name())
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%s holds %v, %v", dir, names, err)
		}
	}
	if body, err := os.ReadFile(filepath.Join(root, "escape")); string(body) != "as it was" {
		t.Errorf("a file beside the spool was altered: %q, %v", body, err)
	}
	for _, path := range []string{"/windlass-escape", "../windlass-escape", "windlass-escape"} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
}

var reSlug = regexp.MustCompile(`[^a-z0-9]+`)

func slug(s string) string {
	return strings.Trim(reSlug.ReplaceAllString(strings.ToLower(s), "-"), "-")
}

// resident is the memory of this process, now and at its highest since reset.
func resident(t *testing.T) (now, peak int64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is read from /proc")
	}
	field := func(name string) int64 {
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, name+":"); ok {
				n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
				return n << 10
			}
		}
		return 0
	}
	return field("VmRSS"), field("VmHWM")
}
