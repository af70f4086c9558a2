package analyzer

import (
	"slices"

	"github.com/anchore/syft/syft/artifact"
	"github.com/anchore/syft/syft/sbom"
)

// dropAbsurd takes out packages whose name or version is longer than any is. A
// name of megabytes stands in an SBOM a dozen times, in every identifier made
// of it, and no advisory is about such a package.
func dropAbsurd(s *sbom.SBOM) int {
	gone := map[artifact.ID]bool{}
	for p := range s.Artifacts.Packages.Enumerate() {
		if len(p.Name) > maxText || len(p.Version) > maxText {
			gone[p.ID()] = true
		}
	}
	if len(gone) == 0 {
		return 0
	}
	for id := range gone {
		s.Artifacts.Packages.Delete(id)
	}
	s.Relationships = slices.DeleteFunc(s.Relationships, func(r artifact.Relationship) bool {
		return gone[r.From.ID()] || gone[r.To.ID()]
	})
	return len(gone)
}
