package registry

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// FuzzManifest holds what is made of any manifest or index to the bounds, and
// every refusal to a cause.
func FuzzManifest(f *testing.F) {
	const sha = `"sha256:` + "0123456789012345678901234567890123456789012345678901234567890123" + `"`
	for _, s := range []string{
		`{"schemaVersion":2,"config":{"digest":` + sha + `,"size":2},"layers":[{"digest":` + sha + `,"size":2,"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip"}]}`,
		`{"schemaVersion":2,"manifests":[{"digest":` + sha + `,"size":2,"platform":{"os":"linux","architecture":"amd64"}}]}`,
		`{"schemaVersion":1,"fsLayers":[{"blobSum":` + sha + `}]}`,
		`{"schemaVersion":2,"manifests":[],"layers":[],"config":null}`,
		`{"mediaType":"application/vnd.oci.image.index.v1+json"}`, `[]`, `null`, `{"layers":{}}`, `{"schemaVersion":2,"config":{"size":-1}}`,
	} {
		f.Add([]byte(s), "application/vnd.oci.image.manifest.v1+json")
		f.Add([]byte(s), "application/vnd.oci.image.index.v1+json")
	}
	f.Fuzz(func(t *testing.T, raw []byte, mediaType string) {
		r, err := follow("a/b:1", raw, mediaType, func(string) ([]byte, string, error) { return raw, mediaType, nil })
		if err != nil {
			if _, ok := engine.CauseOf(err); !ok || !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("no cause: %v", err)
			}
			return
		}
		if len(r.Layers) > maxLayers || r.Size < 0 || r.Size > maxImage || r.config.Size < 0 || r.config.Size > maxConfig || len(r.ImageID) != 64 {
			t.Fatalf("beyond the bounds: %+v", r)
		}
		for _, p := range r.parts() {
			if path := blobPath("/d", p.digest); strings.Contains(path, "..") || !strings.HasPrefix(path, "/d/blobs/sha256/") {
				t.Fatalf("a blob would be written to %q", path)
			}
		}
	})
}

// FuzzConfig holds what is made of any configuration to the bounds.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		`{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:` + strings.Repeat("a", 64) + `"]},"history":[{"created_by":"x"},{}]}`,
		`{"rootfs":{"diff_ids":null},"history":null}`, `{"rootfs":[]}`, `{"history":"x"}`, `{"rootfs":{"diff_ids":["x"]}}`, `null`, `[]`, `{"History":[{}],"history":[{},{}]}`,
	} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, raw []byte, layers int) {
		cfg, err := DecodeConfig(raw, layers)
		if err != nil {
			return
		}
		if len(cfg.RootFS.DiffIDs) != layers {
			t.Fatalf("%d layers, %d were asked for", len(cfg.RootFS.DiffIDs), layers)
		}
		if len(cfg.History) > maxHistory {
			t.Fatalf("a history of %d steps", len(cfg.History))
		}
		for _, h := range cfg.History {
			if strings.Contains(h.CreatedBy, "\x00") || len(h.CreatedBy) > 3*maxStep {
				t.Fatalf("step %q", h.CreatedBy)
			}
		}
	})
}

// FuzzNextPage holds the address of a further page to what may be sent.
func FuzzNextPage(f *testing.F) {
	f.Add(`</v2/a/tags/list?last=x&n=10>; rel="next"`)
	f.Add(`<http://elsewhere/?a=b>; rel=next, <x>; rel=prev`)
	f.Fuzz(func(t *testing.T, link string) {
		if q := nextPage([]string{link}); strings.ContainsAny(q, " \r\n#?/") || len(q) > 4*maxTagCursor {
			t.Errorf("query %q", q)
		}
	})
}

func TestDecodeConfigCounts(t *testing.T) {
	raw := []byte(`{"rootfs":{"diff_ids":[]},"history":[` + strings.Repeat("{},", maxHistory) + `{}]}`)
	if _, err := DecodeConfig(raw, 0); err == nil || !strings.Contains(err.Error(), "steps") {
		t.Errorf("DecodeConfig = %v", err)
	}
	raw = bytes.Replace(raw, []byte("{},"), nil, 1)
	if _, err := DecodeConfig(raw, 0); err != nil {
		t.Errorf("DecodeConfig of %d steps = %v", maxHistory, err)
	}
}
