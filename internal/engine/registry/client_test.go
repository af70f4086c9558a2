package registry_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

func parse(t *testing.T, s string) registry.Reference {
	t.Helper()
	ref, err := registry.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func indexOf() v1.ImageIndex { return empty.Index }

func platformIndex(t *testing.T, platforms ...v1.Platform) v1.ImageIndex {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for i, p := range platforms {
		img := enginetest.Image(t, enginetest.Files{"etc/n": strings.Repeat("x", i+1)})
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	return index
}

func TestResolveAndPull(t *testing.T) {
	reg := enginetest.Registry(t)
	name := reg.Push(t, "demo/app:1", enginetest.Image(t, enginetest.Files{"a": "1"}, enginetest.Files{"b": strings.Repeat("2", 1<<16)}))
	c := registry.New(registry.Options{})

	got, err := c.Resolve(t.Context(), parse(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Layers) != 2 || got.Size != got.Layers[0].Size+got.Layers[1].Size || got.ParentDigest != got.Digest || len(got.ImageID) != 64 {
		t.Errorf("Resolve = %+v", got)
	}
	dir := t.TempDir()
	var last, total atomic.Int64
	if err := c.Pull(t.Context(), got, dir, func(d, all int64) { last.Store(max(d, last.Load())); total.Store(all) }); err != nil {
		t.Fatal(err)
	}
	if last.Load() != total.Load() || total.Load() <= got.Size {
		t.Errorf("progress ended at %d of %d", last.Load(), total.Load())
	}
	for _, l := range got.Layers {
		if _, err := os.Stat(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(l.Digest, "sha256:"))); err != nil {
			t.Error(err)
		}
	}
	byDigest, err := c.Resolve(t.Context(), parse(t, reg.Host+"/demo/app@"+string(got.Digest)), nil)
	if err != nil || byDigest.Digest != got.Digest {
		t.Errorf("by digest: %+v, %v", byDigest.Digest, err)
	}
}

func TestResolveFollowsAnIndex(t *testing.T) {
	reg := enginetest.Registry(t)
	index := platformIndex(t, v1.Platform{OS: "linux", Architecture: "arm64"}, v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "windows", Architecture: "amd64"})
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	got, err := registry.New(registry.Options{}).Resolve(t.Context(), parse(t, reg.PushIndex(t, "multi:1", index)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Digest) != m.Manifests[1].Digest.String() || string(got.ParentDigest) != parent.String() || got.Arch != "amd64" {
		t.Errorf("Resolve = %s within %s (%s)", got.Digest, got.ParentDigest, got.Arch)
	}
}

func TestResolveFailures(t *testing.T) {
	reg := enginetest.Registry(t)
	arm := reg.PushIndex(t, "arm:1", platformIndex(t, v1.Platform{OS: "linux", Architecture: "arm64"}, v1.Platform{OS: "linux", Architecture: "s390x"}))
	known := reg.Push(t, "known:1", enginetest.Image(t, enginetest.Files{"a": "1"}))
	closed := enginetest.Registry(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		})
	})
	down := httptest.NewServer(nil)
	down.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()

	tests := map[string]struct{ name, code, cause string }{
		"unknown tag":        {strings.TrimSuffix(known, "1") + "2", "REGISTRY_IMAGE_NOT_FOUND", engine.CauseManifestUnknown},
		"unknown repository": {reg.Host + "/nothing:1", "REGISTRY_IMAGE_NOT_FOUND", engine.CauseManifestUnknown},
		"no platform":        {arm, "OSARCH_MISMATCH", engine.CausePlatform},
		"refused access":     {closed.Host + "/x:1", "REGISTRY_PERMISSION_DENIED", engine.CauseRegistryAuth},
		"nobody listens":     {strings.TrimPrefix(down.URL, "http://") + "/x:1", "REGISTRY_NOT_ACCESSIBLE", engine.CauseRegistryUnreachable},
		"not a registry":     {strings.TrimPrefix(plain.URL, "http://") + "/x:1", "REGISTRY_NOT_SUPPORTED", engine.CauseRegistryUnsupported},
	}
	c := registry.New(registry.Options{})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Resolve(t.Context(), parse(t, tc.name), nil)
			var f *engine.Fault
			cause, _ := engine.CauseOf(err)
			if !errors.As(err, &f) || !slices.Equal(f.Codes, []string{tc.code}) || cause.Code != tc.cause {
				t.Errorf("Resolve(%s) = %v (%s), want %s, %s", tc.name, err, cause.Code, tc.code, tc.cause)
			}
		})
	}
}

func TestResolveUsesTheCredential(t *testing.T) {
	// Locked only after the test's own push, which is anonymous.
	lock := func(locked *atomic.Bool) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if u, p, _ := r.BasicAuth(); !locked.Load() || u == "me" && p == "secret" {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
		}
	}
	var locked atomic.Bool
	reg := enginetest.Registry(t, lock(&locked))
	name := reg.Push(t, "private:1", enginetest.Image(t, enginetest.Files{"a": "1"}))
	locked.Store(true)

	c := registry.New(registry.Options{})
	if _, err := c.Resolve(t.Context(), parse(t, name), nil); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("anonymous = %v, want refusal", err)
	}
	cred := engine.Registry{Name: reg.Host, User: "me", Password: "secret", Verify: true}
	got, err := c.Resolve(t.Context(), parse(t, name), []engine.Registry{cred})
	if err != nil || got.Credential != reg.Host {
		t.Errorf("with credential = %q, %v", got.Credential, err)
	}
	if err := c.Verify(t.Context(), cred); err != nil {
		t.Errorf("Verify = %v", err)
	}
	cred.Password = "wrong"
	if err := c.Verify(t.Context(), cred); err == nil {
		t.Error("Verify took a wrong password")
	}
}

func TestMirrorsComeFirst(t *testing.T) {
	mirror, origin := enginetest.Registry(t), enginetest.Registry(t)
	img := enginetest.Image(t, enginetest.Files{"a": "1"})
	mirror.Push(t, "library/alpine:3", img)
	mirror.Push(t, "plain:3", img)
	both := origin.Push(t, "only/here:1", img)
	mirrors, err := registry.ParseMirrors("docker.io=" + mirror.URL + ", " + origin.Host + "=" + mirror.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := registry.New(registry.Options{Mirrors: mirrors})
	for name, from := range map[string]string{"alpine:3": mirror.Host, "plain:3": mirror.Host, both: origin.Host} {
		got, err := c.Resolve(t.Context(), parse(t, name), nil)
		if err != nil || got.From != from {
			t.Errorf("%s came from %q, want %q (%v)", name, got.From, from, err)
		}
	}
}

func TestPullRefusesOtherBytes(t *testing.T) {
	var lie atomic.Bool
	reg := enginetest.Registry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lie.Load() && strings.Contains(r.URL.Path, "/blobs/") {
				next.ServeHTTP(tamper{w}, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	name := reg.Push(t, "x:1", enginetest.Image(t, enginetest.Files{"a": "1"}))
	c := registry.New(registry.Options{})
	got, err := c.Resolve(t.Context(), parse(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	lie.Store(true)
	err = c.Pull(t.Context(), got, t.TempDir(), nil)
	if cause, _ := engine.CauseOf(err); cause.Code != engine.CauseDigest {
		t.Errorf("Pull = %v (%s), want a digest mismatch", err, cause.Code)
	}
}

type tamper struct{ http.ResponseWriter }

func (w tamper) Write(p []byte) (int, error) {
	q := append([]byte(nil), p...)
	for i := range q {
		q[i] ^= 1
	}
	return w.ResponseWriter.Write(q)
}

func TestSizeLimit(t *testing.T) {
	reg := enginetest.Registry(t)
	raw := make([]byte, 1<<16)
	rand.NewChaCha8([32]byte{}).Read(raw) // does not compress
	name := reg.Push(t, "big:1", enginetest.Image(t, enginetest.Files{"a": string(raw)}))
	_, err := registry.New(registry.Options{MaxImageSize: 100}).Resolve(t.Context(), parse(t, name), nil)
	var f *engine.Fault
	if !errors.As(err, &f) || f.Message != "Image size is too large based on max size specified in the configuration" || f.Detail["max_compressed_image_size_mb"] == nil {
		t.Errorf("Resolve = %v", err)
	}
}
