package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

var (
	at     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	digest = "sha256:" + strings.Repeat("1", 64)
)

// sample is an archive with one of everything.
func sample() *Contents {
	return &Contents{
		Manifest: Manifest{Version: version, Account: "admin", ImageDigest: digest, ParentDigest: digest, ArchivedAt: at},
		Image: Image{
			Digest: digest, ParentDigest: digest, ID: strings.Repeat("2", 64), Source: engine.FromRegistry, Annotations: map[string]any{"a": "b"},
			Meta: engine.ImageMeta{Arch: "amd64", Distro: "alpine"}, CreatedAt: at, AnalyzedAt: at,
			Tags: []engine.ImageTag{{Registry: "docker.io", Repository: "team/app", Tag: "1", DetectedAt: at, CreatedAt: at, UpdatedAt: at}},
		},
		Packages:  []engine.Package{{Key: "k", Name: "musl", Version: "1", Licenses: []string{"MIT"}}},
		Matches:   []Match{{engine.Match{PackageKey: "k", Vuln: "CVE-1", Severity: "High"}, at}},
		Rows:      map[string]json.RawMessage{"policy_evaluations": json.RawMessage(`[{"tag":"x"}]`)},
		Documents: map[string][]byte{engine.DocSBOM: []byte(`{"artifacts":[]}`), engine.DocManifest: {}},
	}
}

func packed(t testing.TB, c *Contents) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, c.Manifest)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	check(w.Image(c.Image))
	check(w.Packages(c.Packages))
	check(w.Matches(c.Matches))
	for name, rows := range c.Rows {
		check(w.Rows(name, rows))
	}
	for name, body := range c.Documents {
		check(w.Document(name, body))
	}
	check(w.Close())
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	raw := packed(t, sample())
	if !Is(bufio.NewReaderSize(bytes.NewReader(raw), 64<<10)) {
		t.Error("what was written is not told for an archive")
	}
	got, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Documents[engine.DocManifest] = nil // an empty one
	got.Documents[engine.DocManifest] = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nis not %+v", got, want)
	}
}

type entry struct {
	name, body string
	kind       byte
}

// tarOf packs members as they are given; gz compresses.
func tarOf(t testing.TB, gz bool, list ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range list {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.body)), Mode: 0o600}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		} else {
			h.Size = 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !gz {
		return b.Bytes()
	}
	var z bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
	zw.Write(b.Bytes())
	zw.Close()
	return z.Bytes()
}

func text(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestReadIsBounded(t *testing.T) {
	c := sample()
	m, i := entry{name: manifestName, body: text(t, c.Manifest)}, entry{name: imageName, body: text(t, c.Image)}
	sbom := entry{name: "documents/" + engine.DocSBOM, body: `{}`}
	edit := func(f func(*Contents)) []entry {
		c := sample()
		f(c)
		return []entry{{name: manifestName, body: text(t, c.Manifest)}, {name: imageName, body: text(t, c.Image)}, sbom}
	}
	many := []entry{m, i, sbom}
	for n := range maxMembers {
		many = append(many, entry{name: "documents/d" + strings.Repeat("x", n%60) + string(rune('a'+n/60))})
	}
	tests := map[string]struct {
		file []byte
		want error // nil: it is read
	}{
		"the least":               {tarOf(t, true, m, i, sbom), nil},
		"not compressed":          {tarOf(t, false, m, i, sbom), nil},
		"with ./":                 {tarOf(t, true, entry{name: "./" + manifestName, body: m.body}, i, sbom), nil},
		"nothing":                 {nil, engine.ErrConflict},
		"no tar":                  {bytes.Repeat([]byte("x"), 2000), engine.ErrConflict},
		"broken gzip":             {[]byte{0x1f, 0x8b, 1}, engine.ErrConflict},
		"manifest not first":      {tarOf(t, true, i, m, sbom), engine.ErrConflict},
		"manifest no JSON":        {tarOf(t, true, entry{name: manifestName, body: "x"}, i, sbom), engine.ErrConflict},
		"manifest a link":         {tarOf(t, true, entry{name: manifestName, kind: tar.TypeSymlink}, i, sbom), engine.ErrConflict},
		"manifest without digest": {tarOf(t, true, edit(func(c *Contents) { c.Manifest.ImageDigest = "x" })...), engine.ErrConflict},
		"no account":              {tarOf(t, true, edit(func(c *Contents) { c.Manifest.Account = "" })...), engine.ErrConflict},
		"of a later version":      {tarOf(t, true, edit(func(c *Contents) { c.Manifest.Version = 2 })...), engine.ErrConflict},
		"of another image":        {tarOf(t, true, edit(func(c *Contents) { c.Image.Digest = "sha256:" + strings.Repeat("3", 64) })...), engine.ErrInvalid},
		"odd source":              {tarOf(t, true, edit(func(c *Contents) { c.Image.Source = "moon" })...), engine.ErrInvalid},
		"odd tag":                 {tarOf(t, true, edit(func(c *Contents) { c.Image.Tags[0].Tag = "" })...), engine.ErrInvalid},
		"odd parent":              {tarOf(t, true, edit(func(c *Contents) { c.Image.ParentDigest = "" })...), engine.ErrInvalid},
		"no id":                   {tarOf(t, true, edit(func(c *Contents) { c.Image.ID = "" })...), engine.ErrInvalid},
		"no record":               {tarOf(t, true, m, sbom), engine.ErrInvalid},
		"no SBOM":                 {tarOf(t, true, m, i), engine.ErrInvalid},
		"a member twice":          {tarOf(t, true, m, i, sbom, sbom), engine.ErrInvalid},
		"an unknown member":       {tarOf(t, true, m, i, sbom, entry{name: "x"}), engine.ErrInvalid},
		"a way out":               {tarOf(t, true, m, i, sbom, entry{name: "documents/../x"}), engine.ErrInvalid},
		"a link":                  {tarOf(t, true, m, i, sbom, entry{name: "documents/x", kind: tar.TypeSymlink}), engine.ErrInvalid},
		"a folder":                {tarOf(t, true, m, i, sbom, entry{name: "documents/x", kind: tar.TypeDir}), engine.ErrInvalid},
		"packages no list":        {tarOf(t, true, m, i, sbom, entry{name: packagesName, body: "{}"}), engine.ErrInvalid},
		"matches no JSON":         {tarOf(t, true, m, i, sbom, entry{name: matchesName, body: "[{"}), engine.ErrInvalid},
		"rows no JSON":            {tarOf(t, true, m, i, sbom, entry{name: "rows/x.json", body: "x"}), engine.ErrInvalid},
		"too many members":        {tarOf(t, true, many...), engine.ErrInvalid},
		"too many entries":        {tarOf(t, true, m, i, sbom, entry{name: packagesName, body: "[" + strings.Repeat("{},", maxEntries) + "{}]"}), engine.ErrInvalid},
		"a bomb":                  {tarOf(t, true, m, i, sbom, entry{name: "documents/x", body: strings.Repeat("\x00", freeBytes+1<<24)}), engine.ErrInvalid},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(tc.file))
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("%v, want %v", err, tc.want)
			}
			// Whatever is told for an archive gives one, or an error that is
			// not about the manifest's absence.
			if tc.want == nil && !Is(bufio.NewReaderSize(bytes.NewReader(tc.file), 64<<10)) {
				t.Error("it is not told for an archive")
			}
		})
	}
}

func TestBrokenStreams(t *testing.T) {
	raw := packed(t, sample())
	for n := range len(raw) - 20 {
		if _, err := Read(bytes.NewReader(raw[:n])); err == nil {
			t.Fatalf("%d of %d bytes were taken for the whole", n, len(raw))
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(packed(f, sample()))
	f.Add(tarOf(f, false, entry{name: manifestName, body: text(f, sample().Manifest)}, entry{name: imageName, body: text(f, sample().Image)}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		Is(bufio.NewReaderSize(bytes.NewReader(raw), 64<<10))
		c, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if c.Image.Digest != c.Manifest.ImageDigest || len(c.Documents[engine.DocSBOM]) == 0 {
			t.Errorf("%+v was read", c)
		}
	})
}

// A file says of itself that it is an upload of this host, whose bytes another
// account has sent.
func TestDisown(t *testing.T) {
	c := sample()
	c.Image.Source, c.Image.Host, c.Image.MatchedWith = engine.FromUpload, "host-1", "data-1"
	c.Image.Task = engine.AnalyzeTask{Source: engine.FromUpload, Layout: strings.Repeat("3", 64), Import: "i", Pull: "docker.io/x@" + digest}
	got, err := Read(bytes.NewReader(packed(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	got.Disown()
	want := engine.AnalyzeTask{Source: engine.FromUpload, Pull: "docker.io/x@" + digest}
	if i := got.Image; i.Task != want || i.Host != "" || i.MatchedWith != "" || got.Rows != nil {
		t.Errorf("%+v, rows %v", i, got.Rows)
	}
}
