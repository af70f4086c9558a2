package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"windlass/internal/engine"
)

// image finds the image of an archive: the OCI layout where there is one
// (newer docker archives have both), else docker's manifest.json.
func (a *archive) image(tag string) (Resolved, error) {
	if _, ok := a.find("index.json"); ok {
		return a.ociImage(tag)
	}
	if _, ok := a.find("manifest.json"); ok {
		return a.dockerImage(tag)
	}
	if _, ok := a.find("archive_manifest"); ok {
		return Resolved{}, errArchived
	}
	return Resolved{}, ErrNoImage
}

// errArchived says that an archive of a stored analysis was given.
var errArchived = errors.New("it holds a stored analysis, not an image; analyses cannot be brought back from files")

func (a *archive) ociImage(tag string) (Resolved, error) {
	raw, err := a.text("index.json")
	if err != nil {
		return Resolved{}, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil {
		return Resolved{}, errors.New("its index.json is not readable")
	}
	entry, err := chooseEntry(index, raw, tag)
	if err != nil {
		return Resolved{}, err
	}
	a.name = entry.Annotations["io.containerd.image.name"]
	if a.name == "" {
		a.name = entry.Annotations["org.opencontainers.image.ref.name"]
	}
	manifest, err := a.manifest(entry.Digest.String())
	if err != nil {
		return Resolved{}, err
	}
	r, err := follow("archive", manifest, string(entry.MediaType), func(digest string) ([]byte, string, error) {
		b, err := a.manifest(digest)
		return b, "", err
	})
	if err != nil {
		return Resolved{}, err
	}
	return r, a.checkBlobs(r)
}

// chooseEntry picks the image of an archive's index: the one that carries the
// tag, the only one, or the one for this platform.
func chooseEntry(index v1.IndexManifest, raw []byte, tag string) (v1.Descriptor, error) {
	var images []v1.Descriptor
	for _, m := range index.Manifests {
		if m.Annotations["vnd.docker.reference.type"] == "attestation-manifest" || m.MediaType != "" && !m.MediaType.IsImage() && !m.MediaType.IsIndex() {
			continue
		}
		name := m.Annotations["org.opencontainers.image.ref.name"]
		if tag != "" && name != "" && (name == tag || strings.HasSuffix(tag, "/"+name) || strings.HasSuffix(tag, ":"+name)) {
			return m, nil
		}
		if !slices.ContainsFunc(images, func(d v1.Descriptor) bool { return d.Digest == m.Digest }) {
			images = append(images, m)
		}
	}
	switch {
	case len(images) == 0:
		return v1.Descriptor{}, ErrNoImage
	case len(images) == 1:
		return images[0], nil
	}
	return pick("archive", raw)
}

func (a *archive) manifest(digest string) ([]byte, error) {
	m, err := a.blob(digest)
	if err != nil {
		return nil, err
	}
	if m.size > maxManifest {
		return nil, fmt.Errorf("a manifest has more than %d bytes", maxManifest)
	}
	return os.ReadFile(m.file)
}

func (a *archive) checkBlobs(r Resolved) error {
	if r.config.Digest.Hex == "" {
		return errors.New("its manifest names no image configuration")
	}
	for _, l := range append([]Layer{{Digest: r.config.Digest.String(), Size: r.config.Size}}, r.Layers...) {
		m, err := a.blob(l.Digest)
		if err != nil {
			return err
		}
		if m.size != l.Size {
			return fmt.Errorf("the blob %s has %d bytes, its manifest says %d", engine.Digest(l.Digest).Short(), m.size, l.Size)
		}
	}
	return nil
}

// dockerImage makes an image manifest of what docker save wrote: such an
// archive has none. The same archive gives the same digest each time.
func (a *archive) dockerImage(tag string) (Resolved, error) {
	raw, err := a.text("manifest.json")
	if err != nil {
		return Resolved{}, err
	}
	var list []dockerEntry
	if err := json.Unmarshal(raw, &list); err != nil {
		return Resolved{}, errors.New("its manifest.json is not readable")
	}
	e, err := chooseDocker(list, tag)
	if err != nil {
		return Resolved{}, err
	}
	if len(e.RepoTags) > 0 {
		a.name = e.RepoTags[0]
	}
	config, ok := a.find(e.Config)
	if !ok {
		return Resolved{}, errors.New("the image configuration is missing")
	}
	if len(e.Layers) > maxLayers {
		return Resolved{}, archiveProblem(engine.CauseTooManyEntries, "the image has more than %d layers", maxLayers)
	}
	text, err := a.text(e.Config)
	if err != nil {
		return Resolved{}, err
	}
	cfg, err := DecodeConfig(text, len(e.Layers))
	if err != nil {
		return Resolved{}, archiveProblem(engine.CauseConfigInvalid, "%w", err)
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	if m.Config, err = a.describe(config, types.DockerConfigJSON); err != nil {
		return Resolved{}, err
	}
	for i, name := range e.Layers {
		layer, ok := a.find(name)
		if !ok {
			return Resolved{}, fmt.Errorf("layer %d is missing", i+1)
		}
		mt := types.DockerLayer
		if !bytes.HasPrefix(layer.head, []byte{0x1f, 0x8b}) {
			mt = types.DockerUncompressedLayer
			if layer.digest != cfg.RootFS.DiffIDs[i].String() {
				return Resolved{}, fmt.Errorf("layer %d has other bytes than its configuration says", i+1)
			}
		}
		d, err := a.describe(layer, mt)
		if err != nil {
			return Resolved{}, err
		}
		m.Layers = append(m.Layers, d)
	}
	made, err := json.Marshal(m)
	if err != nil {
		return Resolved{}, err
	}
	return follow("archive", made, string(m.MediaType), nil)
}

type dockerEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func chooseDocker(list []dockerEntry, tag string) (dockerEntry, error) {
	for _, e := range list {
		if tag != "" && len(list) > 1 && slices.ContainsFunc(e.RepoTags, func(t string) bool { return t == tag || strings.HasSuffix(tag, "/"+t) }) {
			return e, nil
		}
	}
	switch len(list) {
	case 0:
		return dockerEntry{}, ErrNoImage
	case 1:
		return list[0], nil
	}
	return dockerEntry{}, fmt.Errorf("it holds %d images and none of them is tagged %s", len(list), clip(tag))
}

// describe makes a file of the archive findable as the blob of its digest.
func (a *archive) describe(m member, mt types.MediaType) (v1.Descriptor, error) {
	h, err := v1.NewHash(m.digest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	a.files["blobs/sha256/"+h.Hex] = m
	return v1.Descriptor{MediaType: mt, Size: m.size, Digest: h}, nil
}

// keep moves the image's blobs into a layout of their own, complete before it
// gets its name.
func (a *archive) keep(uploads string, r Resolved) (string, error) {
	final := filepath.Join(uploads, strings.TrimPrefix(string(r.Digest), "sha256:"))
	if _, err := os.Stat(final); err == nil {
		now := time.Now() // uploaded before: the digest says that it is the same
		return final, os.Chtimes(final, now, now)
	}
	dir := filepath.Join(a.dir, "layout")
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		return "", err
	}
	if err := writeLayout(dir, r); err != nil {
		return "", err
	}
	for _, digest := range append([]string{r.config.Digest.String()}, digests(r.Layers)...) {
		m, err := a.blob(digest)
		if err != nil {
			return "", err
		}
		if err := os.Link(m.file, blobPath(dir, digest)); err != nil && !errors.Is(err, os.ErrExist) {
			return "", err
		}
	}
	err := os.Rename(dir, final)
	if _, there := os.Stat(final); err != nil && there == nil {
		return final, nil // a second upload of the same image was quicker
	}
	return final, err
}

func digests(layers []Layer) []string {
	var list []string
	for _, l := range layers {
		list = append(list, l.Digest)
	}
	return list
}
