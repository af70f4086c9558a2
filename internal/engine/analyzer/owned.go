package analyzer

import (
	"slices"
	"strings"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
	"windlass/internal/engine/ident"
)

// owned are the packages that are parts of a package of the distribution, such
// as a Python module that an rpm installed: they are that package once more,
// under another name, and are not listed beside it.
//
// grype leaves the same ones out when it matches, and those only: where the
// distribution tells of fixed vulnerabilities alone, a part may be affected by
// what its package is not said to be, so there it is matched and listed. The
// rule is the same so that no match is of a package that nobody lists.
func owned(s *sbom.SBOM) map[artifact.ID]bool {
	parts := map[artifact.ID]bool{}
	if !tellsUnfixed(s.Artifacts.LinuxDistribution) {
		return parts
	}
	for _, r := range s.Relationships {
		whole, ok1 := r.From.(pkg.Package)
		part, ok2 := r.To.(pkg.Package)
		if !ok1 || !ok2 || r.Type != artifact.OwnershipByFileOverlapRelationship || !ofSystem(whole) || ofSystem(part) {
			continue
		}
		if strings.HasPrefix(whole.Version, part.Version) || strings.HasPrefix(part.Version, whole.Version) {
			parts[part.ID()] = true
		}
	}
	return parts
}

func ofSystem(p pkg.Package) bool {
	kind, _ := ident.Type(p.Type)
	return engine.OSPackage(kind)
}

// tellsUnfixed reports whether a distribution's data tell of vulnerabilities
// that have no fix too. The names are grype's, which knows some distributions
// by others than they give themselves.
func tellsUnfixed(r *linux.Release) bool {
	if r == nil || r.ID == "amzn" {
		return false
	}
	name := strings.ToLower(r.ID)
	switch name {
	case "arch":
		name = "archlinux"
	case "rhel":
		name = "redhat"
	}
	for _, name := range append([]string{name}, r.IDLike...) {
		if slices.Contains([]string{"archlinux", "azurelinux", "debian", "mariner", "redhat", "sles", "ubuntu"}, strings.ToLower(name)) {
			return true
		}
	}
	return false
}
