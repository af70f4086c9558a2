package enginetest

import (
	"archive/tar"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// A TestRegistry is a container registry inside the test's process.
type TestRegistry struct {
	Host string // host:port, as an image name begins
	URL  string
}

// Registry starts a registry that lives as long as the test. Each wrap sees
// the requests first: to ask for a password, to be slow, to fail.
func Registry(t testing.TB, wrap ...func(http.Handler) http.Handler) *TestRegistry {
	t.Helper()
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	for _, w := range wrap {
		h = w(h)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &TestRegistry{Host: strings.TrimPrefix(srv.URL, "http://"), URL: srv.URL}
}

// Push stores an image under repository:tag and returns its full name.
func (r *TestRegistry) Push(t testing.TB, repoTag string, img v1.Image) string {
	t.Helper()
	ref := r.ref(t, repoTag)
	if err := remote.Write(ref, img); err != nil {
		t.Fatalf("push %s: %v", repoTag, err)
	}
	return r.Host + "/" + repoTag
}

// PushIndex stores an image index and all that it names.
func (r *TestRegistry) PushIndex(t testing.TB, repoTag string, index v1.ImageIndex) string {
	t.Helper()
	ref := r.ref(t, repoTag)
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatalf("push %s: %v", repoTag, err)
	}
	return r.Host + "/" + repoTag
}

// PushArchive stores the image of an OCI archive: its only image as such, its
// several as an index.
func (r *TestRegistry) PushArchive(t testing.TB, repoTag, archive string) string {
	t.Helper()
	index, err := layout.ImageIndexFromPath(Untar(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) != 1 {
		return r.PushIndex(t, repoTag, index)
	}
	if m.Manifests[0].MediaType.IsIndex() {
		inner, err := index.ImageIndex(m.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		return r.PushIndex(t, repoTag, inner)
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return r.Push(t, repoTag, img)
}

func (r *TestRegistry) ref(t testing.TB, repoTag string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(r.Host + "/" + repoTag)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// Untar unpacks a trusted archive of plain files into a folder of the test's.
func Untar(t testing.TB, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, tr); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
}
