package registry

import (
	"regexp"
	"strings"

	"windlass/internal/engine"
)

// DockerHub is the registry of names that give none.
const DockerHub = "docker.io"

// Reference is an image's name, taken apart. Repository is as it was written:
// the "library/" of official images is added only when the hub is asked.
type Reference struct {
	Registry   string
	Repository string // empty for a bare digest or id
	Tag        string // empty when a digest was given
	Digest     string // sha256:<64 hex>, or empty
	ImageID    string // 64 hex, when the text was an image id
}

// Full is registry/repository:tag.
func (r Reference) Full() string { return r.Registry + "/" + r.Repository + ":" + r.Tag }

// String is the name in full, by digest when there is one.
func (r Reference) String() string {
	switch {
	case r.ImageID != "":
		return r.ImageID
	case r.Repository == "":
		return r.Digest
	case r.Digest != "":
		return r.Registry + "/" + r.Repository + "@" + r.Digest
	}
	return r.Full()
}

var (
	reOdd    = regexp.MustCompile(`[^a-zA-Z0-9@:/_.\-]`)
	reID     = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	reDigest = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)
	reTag    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}$`)
	rePart   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.\-]*$`)
	reHost   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.\-]*(:[0-9]{1,5})?$`)
)

// maxReference is longer than any name a registry accepts.
const maxReference = 512

// namedHosts are registries although their names have neither dot nor port.
var namedHosts = map[string]bool{DockerHub: true, "localhost": true, "localhost.localdomain": true, "localbuild": true}

// ParseReference reads an image name the way the v1 API does.
func ParseReference(text string) (Reference, error) {
	s := strings.TrimSpace(text)
	bad := func(why string) (Reference, error) {
		return Reference{}, engine.Invalidf("cannot handle image input string %q: %s", clip(s), why)
	}
	switch {
	case s == "":
		return bad("it is empty")
	case len(s) > maxReference:
		return bad("it is too long")
	case reOdd.MatchString(s):
		return bad("a name has letters, digits and @ : / _ . - only")
	case strings.HasPrefix(s, "sha256:"):
		if !reDigest.MatchString(s) {
			return bad("a digest is sha256: and 64 hex digits")
		}
		return Reference{Registry: DockerHub, Digest: strings.ToLower(s)}, nil
	case reID.MatchString(s):
		return Reference{Registry: DockerHub, ImageID: strings.ToLower(s)}, nil
	}

	ref := Reference{Registry: DockerHub}
	rest := s
	if host, path, ok := strings.Cut(s, "/"); ok && (strings.ContainsAny(host, ":.") || namedHosts[host]) {
		ref.Registry, rest = host, path
	}
	if !reHost.MatchString(ref.Registry) {
		return bad("the registry is not a host name")
	}
	if name, digest, ok := strings.Cut(rest, "@"); ok {
		if !reDigest.MatchString(digest) {
			return bad("a digest is sha256: and 64 hex digits")
		}
		name, _, _ = strings.Cut(name, ":") // repository:tag@digest: the digest decides
		ref.Repository, ref.Digest = name, strings.ToLower(digest)
	} else if name, tag, ok := cutLast(rest, ':'); ok {
		ref.Repository, ref.Tag = name, tag
	} else {
		ref.Repository, ref.Tag = rest, "latest"
	}
	if ref.Digest == "" && !reTag.MatchString(ref.Tag) {
		return bad("the tag is not a tag")
	}
	for part := range strings.SplitSeq(ref.Repository, "/") {
		if !rePart.MatchString(part) {
			return bad("the repository is not a path of names")
		}
	}
	return ref, nil
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
