package analyzer_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

func rawTar(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, zeros{}, h.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHostileLayers(t *testing.T) {
	many := make([]tar.Header, 50)
	for i := range many {
		many[i] = tar.Header{Name: "f" + strings.Repeat("x", i), Mode: 0o644}
	}
	truncated := func() []byte {
		b := rawTar(t, tar.Header{Name: "a", Size: 1 << 20})
		return b[:len(b)/2]
	}()
	tests := map[string]struct {
		layer  []byte
		limits analyzer.Limits
		cause  string
	}{
		"unpacks to more than is allowed": {rawTar(t, tar.Header{Name: "a", Size: 1 << 20}), analyzer.Limits{Bytes: 1 << 19}, engine.CauseTooLarge},
		"compressed beyond reason":        {rawTar(t, tar.Header{Name: "a", Size: 80 << 20}), analyzer.Limits{Ratio: 20}, engine.CauseBomb},
		"too many files":                  {rawTar(t, many...), analyzer.Limits{Entries: 20}, engine.CauseTooManyEntries},
		"truncated":                       {truncated, analyzer.Limits{}, engine.CauseLayerTruncated},
		"not a tar":                       {bytes.Repeat([]byte("no tar "), 200), analyzer.Limits{}, engine.CauseLayerInvalid},
		"path without end":                {rawTar(t, tar.Header{Name: strings.Repeat("d/", 3000) + "f", Format: tar.FormatPAX}), analyzer.Limits{}, engine.CauseLayerInvalid},
	}
	reg := enginetest.Registry(t)
	a, c := open(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			full := reg.Push(t, "hostile:"+strings.ReplaceAll(name, " ", "-"), enginetest.Append(t, empty.Image, tc.layer))
			b := *a
			b.Limits = tc.limits
			_, err := b.Analyze(t.Context(), resolve(t, c, full), enginetest.Logger(t), nil)
			if cause, _ := engine.CauseOf(err); cause.Code != tc.cause || cause.Temporary || analyzer.StageOf(err) != engine.StageSBOM {
				t.Errorf("Analyze = %v (%s in %s), want %s", err, cause.Code, analyzer.StageOf(err), tc.cause)
			}
		})
	}
	t.Run("paths that climb stay inside", func(t *testing.T) {
		evil := enginetest.Append(t, empty.Image, rawTar(t, tar.Header{Name: "../../escape", Size: 3}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))
		got, err := a.Analyze(t.Context(), resolve(t, c, reg.Push(t, "climb:1", evil)), enginetest.Logger(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if paths := pathsOf(got.Analysis.Files); !slices.Equal(paths, []string{"/escape", "/l"}) {
			t.Errorf("files = %v", paths)
		}
	})
}

func pathsOf(files []engine.File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Path)
	}
	return list
}

func TestSquashFollowsWhiteouts(t *testing.T) {
	img := enginetest.Image(t,
		enginetest.Files{"a/one": "1", "a/two": "2", "b/x": "x", "b/y": "y", "gone": "g", "kept": "k"},
		enginetest.Files{"a/.wh.one": "", "b/.wh..wh..opq": "", "b/z": "z", ".wh.gone": "", "a/three": "3"},
		enginetest.Files{"gone": "again"},
	)
	reg := enginetest.Registry(t)
	a, c := open(t)
	got, err := a.Analyze(t.Context(), resolve(t, c, reg.Push(t, "wh:1", img)), enginetest.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/a/three", "/a/two", "/b/z", "/gone", "/kept"}
	if paths := pathsOf(got.Analysis.Files); !slices.Equal(paths, want) {
		t.Errorf("files = %v, want %v", paths, want)
	}
	const sha2 = "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35" // of "2"
	if f := got.Analysis.Files[1]; f.SHA256 != sha2 || f.Mode != "00644" || f.Type != "file" || f.Size != 1 {
		t.Errorf("file = %+v", f)
	}
}

func TestContentsInTheWordsOfTheAPI(t *testing.T) {
	reg := enginetest.Registry(t)
	a, c := open(t)
	analyze := func(name string, img v1.Image) engine.Analysis {
		t.Helper()
		got, err := a.Analyze(t.Context(), resolve(t, c, reg.Push(t, name, img)), enginetest.Logger(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Analysis
	}
	deb := analyze("deb:1", enginetest.DebianLike(t, map[string]string{"openssl": "3.0.11-1~deb12u2"}))
	if m := deb.Meta; m.Distro != "debian" || m.DistroVersion != "12" || m.Arch != "amd64" || m.LayerCount != 1 || m.DockerfileMode != "Guessed" {
		t.Errorf("meta = %+v", m)
	}
	if p := deb.Packages[0]; p.Type != "dpkg" || p.Class != "os" || p.Path != "pkgdb" || p.Origin != "Some One <one@example.org>" || p.Source != "openssl-src" || p.Size != 42<<10 {
		t.Errorf("package = %+v", p)
	}
	if deb.Dockerfile != "FROM scratch\nCOPY files /\n" || !strings.Contains(string(deb.History), `"Id":"sha256:`) {
		t.Errorf("dockerfile %q, history %s", deb.Dockerfile, deb.History)
	}
	apk := analyze("apk:1", enginetest.AlpineLike(t, map[string]string{"musl": "1.1.24-r2"}))
	if p := apk.Packages[0]; p.Type != "apkg" || p.Size != 4096 || !slices.Equal(p.Licenses, []string{"MIT"}) {
		t.Errorf("package = %+v", p)
	}
	app := analyze("app:1", enginetest.NodePython(t))
	var classes []string
	for _, p := range app.Packages {
		classes = append(classes, p.Class+" "+p.Name+" "+p.Version+" "+p.Path)
	}
	slices.Sort(classes)
	want := []string{"npm lodash 4.17.15 /app/node_modules/lodash/package.json", "python requests 2.20.0 /usr/lib/python3/dist-packages"}
	if !slices.Equal(classes, want) || app.Meta.Distro != "Unknown" || app.Meta.DistroVersion != "0" {
		t.Errorf("packages = %q of %+v", classes, app.Meta)
	}
}

func TestSpoolIsCleaned(t *testing.T) {
	t.Setenv("TMPDIR", os.TempDir())
	root := t.TempDir()
	left := filepath.Join(root, "jobs", "left", "file")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spool, err := analyzer.OpenSpool(root)
	if err != nil {
		t.Fatal(err)
	}
	c := registry.New(registry.Options{})
	a := &analyzer.Analyzer{Puller: c, Spool: spool}
	reg := enginetest.Registry(t)
	good := reg.Push(t, "x:1", enginetest.AlpineLike(t, map[string]string{"musl": "1"}))
	bad := reg.Push(t, "x:2", enginetest.Append(t, empty.Image, []byte("no tar")))
	for _, name := range []string{good, bad} {
		a.Analyze(t.Context(), resolve(t, c, name), enginetest.Logger(t), nil) //nolint:errcheck // only what is left matters
	}
	for _, dir := range []string{"jobs", "tmp"} {
		if list, _ := os.ReadDir(filepath.Join(root, dir)); len(list) != 0 {
			t.Errorf("%s holds %v", dir, list)
		}
	}
}
