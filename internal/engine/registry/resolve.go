package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"windlass/internal/engine"
)

// Layer is one layer of an image as its manifest lists it.
type Layer struct {
	Digest    string
	Size      int64
	MediaType string
}

// Resolved is an image found: the exact manifest behind a name. Pull may be
// called on it without a second look at the name.
type Resolved struct {
	Reference    Reference
	Digest       engine.Digest // of the platform manifest
	ParentDigest engine.Digest // of the index it was reached through, else Digest
	ImageID      string        // 64 hex
	MediaType    string
	Manifest     []byte // raw
	Parent       []byte // raw index, nil without one
	Size         int64  // bytes of the compressed layers
	Layers       []Layer
	Arch, OS     string // as the index says; empty without one
	Credential   string // name of the record used; empty: anonymous
	From         string // host that answered: the registry or a mirror of it
	Name         string // of an archive's image, as the archive gives it; may be empty

	config v1.Descriptor
	source source
}

// source gives the blobs of a resolved image.
type source interface {
	blob(ctx context.Context, digest string, size int64, to string, progress func(int64)) error
}

const acceptManifests = string(types.OCIImageIndex) + "," + string(types.DockerManifestList) + "," +
	string(types.OCIManifestSchema1) + "," + string(types.DockerManifestSchema2)

// Resolve asks the registry of ref, or a mirror of it, for the manifest, and
// follows an index to its first amd64 entry.
func (c *Client) Resolve(ctx context.Context, ref Reference, creds []engine.Registry) (Resolved, error) {
	if ref.Repository == "" {
		return Resolved{}, engine.Invalidf("%s: a registry is asked by repository, not by digest or id alone", ref)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Answer)
	defer cancel()
	var last error
	for _, e := range c.endpoints(ref, creds) {
		r, err := c.resolveAt(ctx, ref, e)
		if err == nil {
			c.log.DebugContext(ctx, "manifest found", "image", ref.String(), "from", e.host, "digest", r.Digest, "credential", e.cred())
			c.used(ctx, e, ref.String())
			return r, c.checkSize(r)
		}
		if cause := context.Cause(ctx); cause != nil && errors.Is(cause, context.Canceled) {
			return Resolved{}, cause
		}
		if e.mirror {
			c.log.DebugContext(ctx, "mirror passed over", "image", ref.String(), "mirror", e.host, "err", err)
		}
		// What a mirror knows for certain is worth more than that the
		// registry behind it cannot be reached.
		if next := fault(err, ref.String()); last == nil || !knowsLess(next, last) {
			last = next
		}
	}
	return Resolved{}, last
}

func knowsLess(next, last error) bool {
	a, _ := engine.CauseOf(next)
	b, _ := engine.CauseOf(last)
	return a.Unanswered() && !b.Unanswered()
}

func (c *Client) resolveAt(ctx context.Context, ref Reference, e endpoint) (Resolved, error) {
	s, err := c.open(ctx, e)
	if err != nil {
		return Resolved{}, err
	}
	what := ref.Digest
	if what == "" {
		what = ref.Tag
	}
	raw, mediaType, err := s.manifest(ctx, what)
	if err != nil {
		return Resolved{}, err
	}
	r, err := follow(ref.String(), raw, mediaType, func(digest string) ([]byte, string, error) { return s.manifest(ctx, digest) })
	if err != nil {
		return Resolved{}, err
	}
	r.Reference, r.Credential, r.From, r.source = ref, e.cred(), e.host, s
	return r, nil
}

// manifest fetches a manifest by tag or digest; by digest it is verified.
func (s *session) manifest(ctx context.Context, what string) (raw []byte, mediaType string, err error) {
	resp, err := s.get(ctx, "/manifests/"+what, acceptManifests)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if raw, err = readAll(resp.Body, maxManifest); errors.Is(err, errTooMuch) {
		return nil, "", fmt.Errorf("%w: more than %d bytes", errLongManifest, maxManifest)
	}
	if err != nil {
		return nil, "", fmt.Errorf("manifest: %w", err)
	}
	if strings.HasPrefix(what, "sha256:") && digestOf(raw) != what {
		return nil, "", fmt.Errorf("manifest %s: %w", what, errDigest)
	}
	return raw, resp.Header.Get("Content-Type"), nil
}

// follow reads a manifest, through an index if it is one.
func follow(ref string, raw []byte, mediaType string, fetch func(digest string) ([]byte, string, error)) (Resolved, error) {
	var r Resolved
	index, err := isIndex(raw, mediaType)
	if err != nil {
		return r, invalid(ref, "%w", err)
	}
	if index {
		entry, err := pick(ref, raw)
		if err != nil {
			return r, err
		}
		r.Parent, r.ParentDigest = raw, engine.Digest(digestOf(raw))
		if entry.Platform != nil {
			r.Arch, r.OS = entry.Platform.Architecture, entry.Platform.OS
		}
		if raw, mediaType, err = fetch(entry.Digest.String()); err != nil {
			return r, err
		}
		if index, err = isIndex(raw, mediaType); err != nil {
			return r, invalid(ref, "%w", err)
		}
		if index {
			return r, refuse(engine.CauseUnsupported, "SKOPEO_UNKNOWN_ERROR", ref, "an index within an index is not supported")
		}
	}
	m, err := decodeManifest(raw)
	if err != nil {
		return r, invalid(ref, "%w", err)
	}
	if m.SchemaVersion != 2 {
		return r, refuse(engine.CauseUnsupported, "SKOPEO_UNKNOWN_ERROR", ref, "manifest schema version %d is not supported, only 2 is", m.SchemaVersion)
	}
	r.Manifest, r.Digest = raw, engine.Digest(digestOf(raw))
	if r.MediaType = string(m.MediaType); r.MediaType == "" {
		r.MediaType = mediaType
	}
	if r.ParentDigest == "" {
		r.ParentDigest = r.Digest
	}
	return r, r.fill(ref, m)
}

func invalid(ref, format string, args ...any) error {
	return refuse(engine.CauseManifestInvalid, "SKOPEO_UNKNOWN_ERROR", ref, format, args...)
}

// decodeManifest reads the manifest of schema 2; of others just the version.
func decodeManifest(raw []byte) (v1.Manifest, error) {
	var probe struct {
		SchemaVersion int64   `json:"schemaVersion"`
		Layers        counted `json:"layers"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return v1.Manifest{}, errors.New("the manifest is not readable JSON")
	}
	m := v1.Manifest{SchemaVersion: probe.SchemaVersion}
	if m.SchemaVersion != 2 {
		return m, nil
	}
	if probe.Layers > maxHistory { // counted no further
		m.Layers = make([]v1.Descriptor, probe.Layers)
		return m, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, errors.New("the manifest is not that of an image")
	}
	return m, nil
}

func (r *Resolved) fill(ref string, m v1.Manifest) error {
	if len(m.Layers) > maxLayers {
		return refuse(engine.CauseTooManyEntries, "SKOPEO_UNKNOWN_ERROR", ref, "the image has more than %d layers", maxLayers)
	}
	if !isConfig(string(m.Config.MediaType)) {
		return refuse(engine.CauseMediaType, "SKOPEO_UNKNOWN_ERROR", ref, "this is not a container image but an artifact with a configuration of type %q", clip(string(m.Config.MediaType)))
	}
	if m.Config.Digest.Hex == "" {
		return refuse(engine.CauseConfigInvalid, "SKOPEO_UNKNOWN_ERROR", ref, "the manifest names no image configuration")
	}
	if m.Config.Size < 0 {
		return invalid(ref, "the image configuration has no valid size")
	}
	if m.Config.Size > maxConfig {
		return refuse(engine.CauseConfigInvalid, "SKOPEO_UNKNOWN_ERROR", ref, "the image configuration has %d bytes, more than %d", m.Config.Size, maxConfig)
	}
	if !reDigest.MatchString(m.Config.Digest.String()) {
		return invalid(ref, "the image configuration's digest is not sha256")
	}
	r.config, r.ImageID = m.Config, m.Config.Digest.Hex
	sizes := map[v1.Hash]int64{m.Config.Digest: m.Config.Size}
	for i, l := range m.Layers {
		if l.Size < 0 || r.Size > math.MaxInt64-l.Size || !reDigest.MatchString(l.Digest.String()) {
			return invalid(ref, "layer %d has no valid size and sha256 digest", i+1)
		}
		if size, again := sizes[l.Digest]; again && size != l.Size {
			return invalid(ref, "layer %d is listed before with another size", i+1)
		}
		switch layerKindOf(string(l.MediaType)) {
		case layerEncrypted:
			return refuse(engine.CauseMediaType, "SKOPEO_UNKNOWN_ERROR", ref, "layer %d is encrypted", i+1)
		case layerUnknown:
			return refuse(engine.CauseMediaType, "SKOPEO_UNKNOWN_ERROR", ref, "layer %d is of type %q, which is no file system", i+1, clip(string(l.MediaType)))
		}
		sizes[l.Digest] = l.Size
		r.Size += l.Size
		r.Layers = append(r.Layers, Layer{Digest: l.Digest.String(), Size: l.Size, MediaType: string(l.MediaType)})
	}
	if r.Size > maxImage {
		return refuse(engine.CauseTooLarge, "SKOPEO_UNKNOWN_ERROR", ref, "its layers have %d bytes, more than %d", r.Size, int64(maxImage))
	}
	return nil
}

// isIndex tells an index from a manifest. What could be taken for either is
// neither: two readers of it would see two images.
func isIndex(raw []byte, mediaType string) (bool, error) {
	var probe struct {
		MediaType string  `json:"mediaType"`
		Manifests skipped `json:"manifests"`
		Layers    skipped `json:"layers"`
		Config    skipped `json:"config"`
	}
	if json.Unmarshal(raw, &probe) != nil {
		return false, nil // told when it is read
	}
	if probe.Manifests && (probe.Layers || probe.Config) {
		return false, errors.New("it is a manifest and an index at once")
	}
	if probe.MediaType != "" {
		mediaType = probe.MediaType
	}
	return bool(probe.Manifests) || types.MediaType(mediaType).IsIndex() && !bool(probe.Layers), nil
}

// skipped reports that a JSON value is there and not null.
type skipped bool

func (s *skipped) UnmarshalJSON(raw []byte) error {
	*s = string(raw) != "null"
	return nil
}

// maxManifests is how many entries of an index are looked at.
const maxManifests = 2000

// pick chooses the entry of an index that is analyzed.
func pick(ref string, raw []byte) (v1.Descriptor, error) {
	var probe struct {
		Manifests counted `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return v1.Descriptor{}, invalid(ref, "the image index is not readable JSON")
	}
	if probe.Manifests > maxManifests {
		return v1.Descriptor{}, refuse(engine.CauseTooManyEntries, "SKOPEO_UNKNOWN_ERROR", ref, "its index has more than %d entries", maxManifests)
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(raw, &index); err != nil {
		return v1.Descriptor{}, invalid(ref, "the image index is not that of an image")
	}
	for _, m := range index.Manifests {
		if p := m.Platform; p != nil && p.Architecture == "amd64" && (p.OS == "linux" || p.OS == "windows") && reDigest.MatchString(m.Digest.String()) {
			return m, nil
		}
	}
	// An index of one image that names no platform leaves nothing to choose.
	images := slices.DeleteFunc(index.Manifests, func(m v1.Descriptor) bool {
		return m.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
	})
	if len(images) == 1 && images[0].Platform == nil && reDigest.MatchString(images[0].Digest.String()) {
		return images[0], nil
	}
	return v1.Descriptor{}, refuse(engine.CausePlatform, "OSARCH_MISMATCH", ref, "no image found in manifest list for architecture amd64, OS linux")
}

// checkSize enforces the configured limit in the words of the v1 API.
func (c *Client) checkSize(r Resolved) error {
	if c.opts.MaxImageSize <= 0 {
		return nil
	}
	mb := math.Round(float64(r.Size)/(1<<20)*100) / 100
	limit := float64(c.opts.MaxImageSize) / (1 << 20)
	if mb <= limit {
		return nil
	}
	const text = "Image size is too large based on max size specified in the configuration"
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: text,
		Detail: map[string]any{"requested_image_compressed_size_mb": mb, "max_compressed_image_size_mb": limit},
		Cause:  &engine.Problem{Cause: engine.CauseTooLarge, Err: errors.New("compressed size limit")},
	}
}
