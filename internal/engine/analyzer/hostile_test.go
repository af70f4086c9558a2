package analyzer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/store"
)

// A hostile image, how it is made, and how its analysis must end: with a cause,
// or, with none, well.
type hostile struct {
	name   string
	make   func() *image
	cause  string
	says   string // what the message must name
	limits analyzer.Limits
	check  func(t *testing.T, i engine.Image, b *bench) // more that must be true
}

// TestHostileImages runs the corpus through a worker over a real store. Each
// image ends in a state of its own, nothing is left in the spool nor written
// beside it, and the next image is analyzed as if nothing had been.
func TestHostileImages(t *testing.T) {
	site := newSite(t)
	b, root := hostileBench(t)
	cases := slices.Concat(hostileTransfers(t, site), hostileManifests(), hostileLayers(), hostileContents())
	t.Logf("%d cases", len(cases))
	seen := map[string]bool{}
	for n, tc := range cases {
		if seen[tc.name] {
			t.Fatalf("%q is there twice", tc.name)
		}
		seen[tc.name] = true
		t.Run(tc.name, func(t *testing.T) {
			repo := "c/" + slug(tc.name)
			i := tc.make()
			site.put(repo, i)
			b.worker.Limits = tc.limits
			got, took := b.run(t, site.host+"/"+repo, i)
			b.worker.Limits = analyzer.Limits{}
			outcome(t, tc, got)
			if took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if tc.check != nil {
				tc.check(t, got, b)
			}
			nothingLeft(t, root)

			fine := good(n)
			site.put("good/"+slug(tc.name), fine)
			if got, _ := b.run(t, site.host+"/good/"+slug(tc.name), fine); got.State != engine.Analyzed || got.Packages != 1 {
				t.Errorf("a good image after it: %s, %d packages, %+v", got.State, got.Packages, got.Failure)
			}
		})
	}
}

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
func hostileBench(t *testing.T) (*bench, string) {
	t.Helper()
	b := benchWorker(t, nil)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "escape"), []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	spool, err := analyzer.OpenSpool(filepath.Join(root, "spool"))
	if err != nil {
		t.Fatal(err)
	}
	b.worker.Spool = spool
	b.worker.Registry = registry.New(registry.Options{Stall: 1500 * time.Millisecond, Answer: 3 * time.Second})
	return b, root
}

// run has the worker do one image in its last attempt.
func (b *bench) run(t *testing.T, name string, i *image) (engine.Image, time.Duration) {
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
	began := time.Now()
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	return b.image(t, engine.Digest(i.digest())), time.Since(began)
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
