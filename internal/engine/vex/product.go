package vex

import (
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"windlass/internal/engine"
)

// scope is an image, ready to be looked for among products.
type scope struct {
	digests map[string]bool
	names   []Name // with the hub's names made one
	arch    string
}

func newScope(img Image) scope {
	s := scope{digests: make(map[string]bool, len(img.Digests)), arch: arch(img.Arch)}
	for _, d := range img.Digests {
		s.digests[strings.ToLower(d)] = true
	}
	for _, n := range img.Names {
		n.Registry, n.Repository = repository(n.Registry, n.Repository)
		s.names = append(s.names, n)
	}
	return s
}

// takesIn says what of the image a product is: all of it, some packages, or
// neither.
func (s *scope) takesIn(p *engine.VEXProduct, bound bool) (whole bool, parts []packageURL) {
	image, is := false, false
	for _, id := range p.IDs {
		names, it := s.image(id)
		image, is = image || names, is || it
	}
	if image && !is {
		return false, nil // another image
	}
	if image || bound && len(p.IDs) > 0 && (len(p.Parts) > 0 || len(packagesOf(p.IDs)) == 0) {
		for _, ids := range p.Parts {
			parts = append(parts, packagesOf(ids)...)
		}
		return len(p.Parts) == 0, parts
	}
	return false, packagesOf(p.IDs)
}

// Placed reports whether the names of a product, and of its parts, say which
// image or package is meant; of a document that is bound to one image, or not.
func Placed(p engine.VEXProduct, bound bool) bool {
	if len(p.IDs) == 0 {
		return false
	}
	parts := slices.ContainsFunc(p.Parts, func(ids []string) bool { return len(packagesOf(ids)) > 0 })
	if bound {
		return parts || len(p.Parts) == 0
	}
	for _, id := range p.IDs {
		if image, _ := new(scope).image(id); image {
			return parts || len(p.Parts) == 0
		}
	}
	return len(packagesOf(p.IDs)) > 0
}

var reDigest = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)

// reImageURL spares the others the taking apart.
var reImageURL = regexp.MustCompile(`^pkg:/*(?i:oci|docker)/`)

// image reports whether a name is that of an image, and of this one.
func (s *scope) image(id string) (names, is bool) {
	switch {
	case reDigest.MatchString(id):
		return true, s.digests[strings.ToLower(id)]
	case !strings.HasPrefix(id, "pkg:"):
		return s.reference(id)
	case !reImageURL.MatchString(id):
		return false, false
	}
	u, ok := parsePackage(id)
	if !ok {
		return false, false
	}
	switch u.Type {
	case packageurl.TypeOCI:
		return true, s.oci(u)
	case packageurl.TypeDocker:
		return true, s.docker(u)
	}
	return false, false
}

// reName is an image's name with its tag, or its digest.
var reName = regexp.MustCompile(`^((?:[a-zA-Z0-9.\-]+(?::[0-9]{1,5})?/)?[a-zA-Z0-9][a-zA-Z0-9._/\-]*)(?::([a-zA-Z0-9_][a-zA-Z0-9_.\-]{0,127}))?(?:@(sha256:[0-9a-fA-F]{64}))?$`)

// reference reads an image's name as people write it. One without tag and
// digest is none: any word would be.
func (s *scope) reference(id string) (names, is bool) {
	part := reName.FindStringSubmatch(id)
	switch {
	case part == nil || part[2] == "" && part[3] == "":
		return false, false
	case part[3] != "":
		return true, s.digests[strings.ToLower(part[3])]
	}
	registry, repo := repository(cutRegistry(part[1]))
	return true, s.named(part[2], func(n Name) bool { return n.Registry == registry && n.Repository == repo })
}

// named reports whether a name that fits has the tag; no tag: any.
func (s *scope) named(tag string, fits func(Name) bool) bool {
	return slices.ContainsFunc(s.names, func(n Name) bool { return fits(n) && (tag == "" || n.Tag == tag && n.Newest) })
}

// oci reads pkg:oci/name@digest?repository_url=...&tag=...&arch=...
func (s *scope) oci(u packageURL) bool {
	for k := range u.qualifiers {
		if k != "repository_url" && k != "tag" && k != "arch" {
			return false // it asks for what is not known here
		}
	}
	if a := u.qualifiers["arch"]; a != "" && arch(a) != s.arch {
		return false
	}
	if u.Version != "" {
		return s.digests[strings.ToLower(u.Version)]
	}
	url := strings.TrimSuffix(u.qualifiers["repository_url"], "/")
	return s.named(u.qualifiers["tag"], func(n Name) bool {
		if !strings.EqualFold(last(n.Repository), u.Name) {
			return false
		}
		if url == "" {
			return true
		}
		registry, repo := repository(cutRegistry(url))
		return n.Registry == registry && (n.Repository == repo || n.Repository == strings.TrimPrefix(repo+"/"+u.Name, "/"))
	})
}

// docker reads pkg:docker/namespace/name@tag-or-digest?repository_url=registry
func (s *scope) docker(u packageURL) bool {
	for k := range u.qualifiers {
		if k != "repository_url" && k != "arch" {
			return false
		}
	}
	if a := u.qualifiers["arch"]; a != "" && arch(a) != s.arch {
		return false
	}
	if strings.HasPrefix(u.Version, "sha256:") {
		return s.digests[strings.ToLower(u.Version)]
	}
	registry := "docker.io"
	if url := u.qualifiers["repository_url"]; url != "" {
		registry, _, _ = strings.Cut(bare(url), "/")
	}
	registry, repo := repository(registry, strings.TrimPrefix(u.Namespace+"/"+u.Name, "/"))
	return s.named(u.Version, func(n Name) bool { return n.Registry == registry && n.Repository == repo })
}

// cutRegistry splits registry and path as clients do: the first part is a host
// when it looks like one.
func cutRegistry(name string) (registry, repo string) {
	name = bare(name)
	host, path, ok := strings.Cut(name, "/")
	switch {
	case ok && (strings.ContainsAny(host, ".:") || host == "localhost"):
		return host, path
	case !ok && strings.ContainsAny(host, "."):
		return host, "" // as a repository_url may be: the registry alone
	}
	return "docker.io", name
}

// bare is an address without its scheme.
func bare(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		return rest
	}
	return url
}

// repository makes the names that the hub and its official images go by one.
func repository(registry, repo string) (string, string) {
	registry = strings.ToLower(registry)
	switch registry {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		registry = "docker.io"
	}
	if registry == "docker.io" {
		repo = strings.TrimPrefix(repo, "library/")
	}
	return registry, repo
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// arch makes the names of one architecture one.
func arch(name string) string {
	switch name = strings.ToLower(name); name {
	case "x86_64", "x64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return name
}

// packageURL is a package URL, taken apart.
type packageURL struct {
	packageurl.PackageURL
	qualifiers map[string]string
}

func parsePackage(text string) (packageURL, bool) {
	if !strings.HasPrefix(text, "pkg:") {
		return packageURL{}, false
	}
	u, err := packageurl.FromString(text)
	if err != nil {
		return packageURL{}, false
	}
	p := packageURL{PackageURL: u}
	if len(u.Qualifiers) > 0 {
		p.qualifiers = u.Qualifiers.Map()
	}
	return p, true
}

// CheckPackageURL says what is wrong with a package URL.
func CheckPackageURL(text string) error {
	_, err := packageurl.FromString(text)
	return err
}

// HasVersion reports whether a name says which version is meant, or has none.
func HasVersion(name string) bool {
	u, ok := parsePackage(name)
	return !ok || u.Version != ""
}

// WithVersion is a package URL that says a version too.
func WithVersion(name, version string) (string, bool) {
	u, ok := parsePackage(name)
	if !ok {
		return "", false
	}
	u.Version = version
	return u.ToString(), true
}

// packagesOf are those of the names that are packages, not images.
func packagesOf(ids []string) []packageURL {
	var list []packageURL
	for _, id := range ids {
		if u, ok := parsePackage(id); ok && u.Type != packageurl.TypeOCI && u.Type != packageurl.TypeDocker {
			list = append(list, u)
		}
	}
	return list
}

// takesIn reports whether a package is one of those that p names: what p leaves
// out may be anything.
func (p *packageURL) takesIn(o *packageURL) bool {
	if p.Type != o.Type || p.Namespace != o.Namespace || p.Name != o.Name ||
		p.Version != "" && p.Version != o.Version || p.Subpath != "" && p.Subpath != o.Subpath {
		return false
	}
	for k, v := range p.qualifiers {
		if o.qualifiers[k] != v {
			return false
		}
	}
	return true
}
