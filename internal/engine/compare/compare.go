// Package compare tells what changed from one image to another: packages,
// vulnerabilities, configuration, files. It is pure: what is known of both
// images goes in.
//
// Things are known again by what a person calls them. A package is its name and
// type, so that an upgrade is a change and not a removal with an addition; a
// vulnerability is its id and such a package, so that one that an upgrade did
// not fix is still the same.
package compare

import (
	"windlass/internal/engine"
)

// Side is what is known of one image.
type Side struct {
	Image    engine.Image
	Verdict  *engine.ImageVerdict
	Packages []engine.Package
	Matches  []engine.Match
	Config   []byte // its configuration; nil: not known
	Files    []engine.File
}

// Images compares two sides. Files are compared when withFiles says so.
func Images(before, after Side, withFiles bool) engine.Comparison {
	c := engine.Comparison{
		Before: engine.ComparedImage{Image: before.Image, Verdict: before.Verdict}, After: engine.ComparedImage{Image: after.Image, Verdict: after.Verdict},
		WithFiles: withFiles,
	}
	a, b := parseConfig(before.Config), parseConfig(after.Config)
	c.Before.Layers, c.After.Layers = len(a.RootFS.DiffIDs), len(b.RootFS.DiffIDs)
	for c.SharedLayers < min(c.Before.Layers, c.After.Layers) && a.RootFS.DiffIDs[c.SharedLayers] == b.RootFS.DiffIDs[c.SharedLayers] {
		c.SharedLayers++
	}
	c.Packages, c.PackageCount = packages(before.Packages, after.Packages)
	c.Matches, c.MatchCount = matches(before, after)
	c.Config, c.ConfigCount = configs(a, b)
	if withFiles {
		c.Files, c.FileCount = files(before.Files, after.Files)
	}
	return c
}
