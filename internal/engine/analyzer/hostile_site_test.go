package analyzer_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// site is a registry that says what it is told to, true or not.
type site struct {
	host string

	mu    sync.Mutex
	repos map[string]*image
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{repos: map[string]*image{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.CloseClientConnections) // those that are kept waiting too
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	s.host = strings.TrimPrefix(srv.URL, "http://")
	return s
}

func (s *site) put(repo string, i *image) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[repo] = i
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _ := strings.CutPrefix(r.URL.Path, "/v2/")
	if path == "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	repo, what, _ := strings.Cut(path, "/manifests/")
	kind := "manifests"
	if what == "" {
		repo, what, _ = strings.Cut(path, "/blobs/")
		kind = "blobs"
	}
	s.mu.Lock()
	i := s.repos[repo]
	s.mu.Unlock()
	switch {
	case i == nil:
		http.NotFound(w, r)
	case i.serve != nil && i.serve(w, r, kind, what):
	case kind == "manifests" && what == i.digest():
		w.Header().Set("Content-Type", i.mediaType)
		w.Write(i.manifest)
	case kind == "blobs" && i.blobs[what] != nil:
		w.Write(i.blobs[what])
	default:
		http.NotFound(w, r)
	}
}

// image is what a site has of one.
type image struct {
	manifest  []byte
	mediaType string
	subject   string // the digest it is asked for by; empty: the manifest's own
	blobs     map[string][]byte
	layers    []string // digests
	// serve may answer in the site's place.
	serve func(w http.ResponseWriter, r *http.Request, kind, what string) bool
}

func (i *image) digest() string {
	if i.subject != "" {
		return i.subject
	}
	return digest(i.manifest)
}

func (i *image) id() string { return strings.TrimPrefix(i.digest(), "sha256:") }

func (i *image) blob(b []byte) string {
	if i.blobs == nil {
		i.blobs = map[string][]byte{}
	}
	d := digest(b)
	if b == nil {
		b = []byte{}
	}
	i.blobs[d] = b
	return d
}

// doc is JSON that may be bent before it is written.
type doc = map[string]any

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// blob is a layer: its bytes, and what they unpack to.
type blob struct{ body, plain []byte }

// gz and zst compress a layer, plainly leaves it.
func gz(plain []byte) blob {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w.Write(plain)
	w.Close()
	return blob{b.Bytes(), plain}
}

func zst(plain []byte) blob {
	w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	return blob{w.EncodeAll(plain, nil), plain}
}

func plainly(b []byte) blob { return blob{b, b} }

// build makes the image of layers as a good builder would, but for what bend
// does to the configuration and the manifest.
func build(layers []blob, bend func(config, manifest doc)) *image {
	i := &image{mediaType: manifestType}
	diffs, list := []any{}, []any{}
	for _, l := range layers {
		d := i.blob(l.body)
		i.layers = append(i.layers, d)
		diffs = append(diffs, digest(l.plain))
		list = append(list, doc{"mediaType": layerType, "digest": d, "size": len(l.body)})
	}
	config := doc{"architecture": "amd64", "os": "linux", "config": doc{}, "rootfs": doc{"type": "layers", "diff_ids": diffs}}
	manifest := doc{"schemaVersion": 2, "mediaType": manifestType, "layers": list}
	if bend != nil {
		bend(config, manifest)
	}
	raw, ok := config["raw"].([]byte)
	if !ok {
		raw = jsonOf(config)
	}
	if _, bent := manifest["config"]; !bent {
		manifest["config"] = doc{"mediaType": configType, "digest": i.blob(raw), "size": len(raw)}
	}
	i.manifest = jsonOf(manifest)
	return i
}

// of is an image of one layer, of files.
func of(files ...item) *image { return build([]blob{gz(packed(files...))}, nil) }

func jsonOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// item is an entry of a layer.
type item struct {
	tar.Header
	body string
}

func text(name, body string) item {
	return item{tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg}, body}
}

func symlink(name, to string) item {
	return item{tar.Header{Name: name, Linkname: to, Mode: 0o777, Typeflag: tar.TypeSymlink}, ""}
}

func hard(name, to string) item {
	return item{tar.Header{Name: name, Linkname: to, Mode: 0o644, Typeflag: tar.TypeLink}, ""}
}

func special(name string, kind byte) item {
	return item{tar.Header{Name: name, Mode: 0o644, Typeflag: kind}, ""}
}

func packed(files ...item) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		f.Size = int64(len(f.body))
		if err := w.WriteHeader(&f.Header); err != nil {
			panic(err)
		}
		io.WriteString(w, f.body)
	}
	w.Close()
	return b.Bytes()
}

// raw is the block of a header that no library would write. size is as it
// stands in the block.
func raw(name string, kind byte, size, linkname string) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:136], size)
	copy(b[136:], "00000000000\x00        ")
	b[156] = kind
	copy(b[157:257], linkname)
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// octal is a size as headers have it.
func octal(n int) string { return fmt.Sprintf("%011o\x00", n) }

// padded fills the last block of a file.
func padded(b string) []byte {
	return append([]byte(b), make([]byte, (512-len(b)%512)%512)...)
}

// record is one of a PAX header.
func record(key, value string) string {
	n := len(key) + len(value) + 3
	for size := n + 1; ; size++ {
		if s := fmt.Sprintf("%d %s=%s\n", size, key, value); len(s) == size {
			return s
		}
	}
}

// pax is a PAX header and what follows it.
func pax(records string, rest ...[]byte) []byte {
	return bytes.Join(append([][]byte{raw("pax", 'x', octal(len(records)), ""), padded(records)}, rest...), nil)
}

var end = make([]byte, 1024)

func zerosOf(n int) []byte { return make([]byte, n) }

// good is an image that nothing is wrong with.
func good(n int) *image {
	return of(text("etc/os-release", "ID=alpine\nVERSION_ID=3.20.1\nNAME=\"Alpine Linux\"\n"),
		text("lib/apk/db/installed", fmt.Sprintf("P:musl\nV:1.2.5-r%d\nA:x86_64\nS:1\nI:1\nT:t\nL:MIT\no:musl\n\n", n)))
}

// both gives a second manifest beside the first.
func both(i *image, second []byte, mediaType string) *image {
	i.serve = func(w http.ResponseWriter, _ *http.Request, kind, what string) bool {
		if kind != "manifests" || what != digest(second) {
			return false
		}
		w.Header().Set("Content-Type", mediaType)
		w.Write(second)
		return true
	}
	return i
}
