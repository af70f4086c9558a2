package registry

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// writeLayout writes what makes a folder an OCI layout of one image: the
// marker, the index and the manifest. Blobs come separately.
func writeLayout(dir string, r Resolved) error {
	h, err := v1.NewHash(string(r.Digest))
	if err != nil {
		return fmt.Errorf("manifest digest: %w", err)
	}
	index := v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex,
		Manifests: []v1.Descriptor{{MediaType: manifestType(r.MediaType), Size: int64(len(r.Manifest)), Digest: h}},
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	for name, body := range map[string][]byte{
		"oci-layout":                            []byte(`{"imageLayoutVersion":"1.0.0"}`),
		"index.json":                            raw,
		filepath.Join("blobs", "sha256", h.Hex): r.Manifest,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func manifestType(s string) types.MediaType {
	if mt := types.MediaType(s); mt.IsImage() {
		return mt
	}
	return types.OCIManifestSchema1
}
