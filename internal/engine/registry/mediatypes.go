package registry

import "strings"

// Configurations and layers of container images. Builders that say nothing, or
// only that there are bytes, are believed: the bytes are looked at anyway.
const (
	dockerConfig = "application/vnd.docker.container.image.v1+json"
	ociConfig    = "application/vnd.oci.image.config.v1+json"
	anyBytes     = "application/octet-stream"
)

func isConfig(mediaType string) bool {
	switch plainType(mediaType) {
	case "", dockerConfig, ociConfig, anyBytes:
		return true
	}
	return false
}

// layerKind is what is known of a layer before its bytes are looked at.
type layerKind int

const (
	layerUnknown layerKind = iota
	layerPlain
	layerForeign // comes from elsewhere, and often not at all
	layerEncrypted
)

func layerKindOf(mediaType string) layerKind {
	t := plainType(mediaType)
	if strings.HasSuffix(t, "+encrypted") {
		return layerEncrypted
	}
	t = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(t, ".gzip"), ".zstd"), "+gzip")
	switch strings.TrimSuffix(t, "+zstd") {
	case "", anyBytes, "application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar":
		return layerPlain
	case "application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar":
		return layerForeign
	}
	return layerUnknown
}

// plainType is a media type without parameters.
func plainType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}
