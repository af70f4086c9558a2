package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"windlass/internal/engine"
)

// OpenLayout resolves the image of a layout that OpenArchive has written.
func OpenLayout(dir string) (Resolved, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, os.ErrNotExist) {
		return Resolved{}, refuse(engine.CauseUpload, "REGISTRY_IMAGE_NOT_FOUND", "uploaded image", "its archive is no longer in this host's spool: upload it again")
	}
	if err != nil {
		return Resolved{}, fmt.Errorf("open layout: %w", err)
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil || len(index.Manifests) != 1 {
		return Resolved{}, fmt.Errorf("open layout: index of %d manifests (%w)", len(index.Manifests), err)
	}
	d := index.Manifests[0]
	manifest, err := os.ReadFile(blobPath(dir, d.Digest.String()))
	if err != nil {
		return Resolved{}, fmt.Errorf("open layout: %w", err)
	}
	r, err := follow("uploaded image", manifest, string(d.MediaType), nil)
	if err != nil {
		return Resolved{}, err
	}
	r.Reference = Reference{Registry: DockerHub, Digest: string(r.Digest)}
	r.From, r.source = "upload", dirSource{dir}
	return r, nil
}

// dirSource gives blobs of a layout on this host. They were checked when it
// was written.
type dirSource struct{ dir string }

func (s dirSource) blob(_ context.Context, digest string, size int64, to string, progress func(int64)) error {
	from := blobPath(s.dir, digest)
	if err := os.Link(from, to); err == nil {
		progress(size)
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	n, err := io.Copy(out, in)
	if err != nil {
		return err
	}
	progress(n)
	return out.Close()
}
