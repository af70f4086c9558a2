package analyzer

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// contents puts together what is stored of an image.
func contents(ctx context.Context, img registry.Resolved, fs *rootfs, s *sbom.SBOM) (engine.Analysis, error) {
	doc, err := encodeSBOM(s)
	if err != nil {
		return engine.Analysis{}, err
	}
	history, err := json.Marshal(history(img, fs.config))
	if err != nil {
		return engine.Analysis{}, err
	}
	files, size := fs.tree.files()
	slices.SortFunc(files, func(a, b engine.File) int { return strings.Compare(a.Path, b.Path) })
	meta := engine.ImageMeta{
		Arch: or(fs.config.Architecture, img.Arch, "N/A"), DockerfileMode: "Guessed", Size: size, LayerCount: len(img.Layers),
	}
	if meta.Distro, meta.DistroVersion, err = identify(ctx, fs); err != nil {
		return engine.Analysis{}, err
	}
	return engine.Analysis{
		Meta: meta, Packages: packages(s), Files: files, SBOM: doc, Manifest: img.Manifest, History: history,
		Dockerfile: guessDockerfile(fs.config.History),
		Documents:  map[string][]byte{engine.DocConfig: fs.raw},
	}, nil
}

// layerRecord is one element of docker_history, in v1's own field names.
type layerRecord struct {
	Created   string
	CreatedBy string
	Comment   string
	ID        string `json:"Id"`
	Size      int64
	Tags      []string
}

// history pairs the steps of the image's configuration with the layers they
// made, oldest first.
func history(img registry.Resolved, cfg *v1.ConfigFile) []layerRecord {
	list := make([]layerRecord, 0, max(len(cfg.History), len(img.Layers)))
	next := 0
	for _, h := range cfg.History {
		r := layerRecord{CreatedBy: h.CreatedBy, ID: "<missing>", Tags: []string{}}
		if !h.Created.IsZero() {
			r.Created = h.Created.UTC().Format("2006-01-02T15:04:05.999999999Z")
		}
		if !h.EmptyLayer && next < len(img.Layers) {
			r.ID, r.Size = img.Layers[next].Digest, img.Layers[next].Size
			next++
		}
		list = append(list, r)
	}
	if len(list) == 0 {
		for _, l := range img.Layers {
			list = append(list, layerRecord{ID: l.Digest, Size: l.Size, Tags: []string{}})
		}
	}
	return list
}

// guessDockerfile writes the Dockerfile that the history suggests.
func guessDockerfile(steps []v1.History) string {
	var b strings.Builder
	b.WriteString("FROM scratch\n")
	for _, h := range steps {
		if h.CreatedBy == "" {
			continue
		}
		if _, text, ok := strings.Cut(h.CreatedBy, "/bin/sh -c #(nop) "); ok {
			b.WriteString(strings.TrimSpace(text))
		} else {
			b.WriteString("RUN " + h.CreatedBy)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
