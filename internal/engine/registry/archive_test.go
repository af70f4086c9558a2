package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

// ociArchive packs an image as an OCI archive; edit may alter its files.
func ociArchive(t testing.TB, img v1.Image, edit func(map[string][]byte)) []byte {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, indexOf())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = body
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(files)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, body := range files {
		writeEntry(t, w, tar.Header{Name: name, Typeflag: tar.TypeReg}, body)
	}
	w.Close()
	return b.Bytes()
}

func writeEntry(t testing.TB, w *tar.Writer, h tar.Header, body []byte) {
	t.Helper()
	h.Mode, h.Size = 0o644, int64(len(body))
	if err := w.WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
}

func entries(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		writeEntry(t, w, h, nil)
	}
	w.Close()
	return b.Bytes()
}

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

func TestOpenArchive(t *testing.T) {
	img := enginetest.Image(t, enginetest.Files{"a": "1"}, enginetest.Files{"b": "2"})
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("demo/app:1")
	if err != nil {
		t.Fatal(err)
	}
	var docker bytes.Buffer
	if err := tarball.Write(tag, img, &docker); err != nil {
		t.Fatal(err)
	}
	c := registry.New(registry.Options{})
	for name, body := range map[string][]byte{"oci": ociArchive(t, img, nil), "oci, gzip": zipped(ociArchive(t, img, nil)), "docker": docker.Bytes()} {
		t.Run(name, func(t *testing.T) {
			uploads := t.TempDir()
			got, err := c.OpenArchive(t.Context(), bytes.NewReader(body), uploads, "docker.io/demo/app:1")
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "oci") && string(got.Digest) != want.String() {
				t.Errorf("digest %s, want %s", got.Digest, want)
			}
			hexDigest := strings.TrimPrefix(string(got.Digest), "sha256:")
			again, err := registry.OpenLayout(filepath.Join(uploads, hexDigest))
			if err != nil || again.Digest != got.Digest || len(again.Layers) != 2 {
				t.Fatalf("OpenLayout = %+v, %v", again, err)
			}
			if err := c.Pull(t.Context(), again, t.TempDir(), nil); err != nil {
				t.Error(err)
			}
			if list, _ := os.ReadDir(uploads); len(list) != 1 {
				t.Errorf("uploads holds %v", list)
			}
		})
	}
}

func TestOpenArchiveOfSeveralPlatforms(t *testing.T) {
	images := enginetest.Shared(t, "data/images")
	c := registry.New(registry.Options{})
	for file, want := range map[string]struct{ digest, parent string }{
		"multiarch.oci.tar":           {"", "sha256:1229e74d4766dd6ebf9a9032c784b51d15c04013158af56b117bc31ee1543f49"},
		"alpine-synthetic.docker.tar": {"", ""},
		"alpine-synthetic.oci.tar":    {"", ""},
	} {
		f, err := os.Open(filepath.Join(images, file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := c.OpenArchive(t.Context(), f, t.TempDir(), "")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if want.parent != "" && string(got.ParentDigest) != want.parent {
			t.Errorf("%s: parent %s, want %s", file, got.ParentDigest, want.parent)
		}
	}
}

func TestOpenArchiveRefuses(t *testing.T) {
	img := enginetest.Image(t, enginetest.Files{"a": "1"})
	good := ociArchive(t, img, nil)
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	tests := map[string][]byte{
		"nothing":       nil,
		"no tar":        bytes.Repeat([]byte("x"), 2000),
		"truncated":     good[:len(good)/2],
		"no image":      entries(t, file("hello")),
		"traversal":     entries(t, file("../../etc/passwd")),
		"absolute path": entries(t, file("/etc/passwd")),
		"link outside":  entries(t, tar.Header{Name: "index.json", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"}),
		"device":        entries(t, tar.Header{Name: "index.json", Typeflag: tar.TypeChar}),
		"twice":         entries(t, file("a"), file("a")),
		"other bytes": ociArchive(t, img, func(m map[string][]byte) {
			for name, body := range m {
				if strings.HasPrefix(name, "blobs/") {
					m[name] = append(bytes.Clone(body), ' ')
				}
			}
		}),
		"missing blob": ociArchive(t, img, func(m map[string][]byte) {
			layers, _ := img.Layers()
			d, _ := layers[0].Digest()
			delete(m, "blobs/sha256/"+d.Hex)
		}),
	}
	c := registry.New(registry.Options{})
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			uploads := t.TempDir()
			_, err := c.OpenArchive(t.Context(), bytes.NewReader(body), uploads, "")
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("OpenArchive = %v, want ErrInvalid", err)
			}
			if name == "no image" && !errors.Is(err, registry.ErrNoImage) {
				t.Errorf("OpenArchive = %v, want ErrNoImage", err)
			}
			if list, _ := os.ReadDir(uploads); len(list) != 0 {
				t.Errorf("uploads holds %v", list)
			}
		})
	}
}

func FuzzOpenArchive(f *testing.F) {
	img := enginetest.Image(f, enginetest.Files{"a": "1"})
	f.Add(ociArchive(f, img, nil))
	f.Add(entries(f, tar.Header{Name: "manifest.json", Typeflag: tar.TypeReg}))
	f.Add([]byte("x"))
	c := registry.New(registry.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		uploads := t.TempDir()
		_, err := c.OpenArchive(context.Background(), io.LimitReader(bytes.NewReader(body), 1<<20), uploads, "")
		list, _ := os.ReadDir(uploads)
		if (err == nil) != (len(list) == 1) {
			t.Errorf("%v left %v", err, list)
		}
	})
}
