// Package ident says under which key, type, class and path the engine knows a
// package of an SBOM. The analyzer stores packages by it and the matcher names
// the affected ones by it: two answers would leave matches without a package,
// so there is one.
//
// The key is syft's own package id. It is a hash of what was found where, it
// is the same each time one image is analyzed, and it stands in the stored
// SBOM, so a match made later from that SBOM finds the same package.
package ident

import (
	"path"
	"strings"

	"github.com/anchore/syft/syft/pkg"
)

// Identity is how the v1 API names a package.
type Identity struct {
	Key   string // within its image
	Type  string // dpkg, rpm, apkg, npm, gem, python, java, go, binary, ...
	Class string // content type that lists it: os, npm, gem, python, java, go, binary
	Path  string // "pkgdb" for OS packages
}

// Of identifies a package of an SBOM.
func Of(p pkg.Package) Identity {
	id := Identity{Key: string(p.ID())}
	id.Type, id.Class = Type(p.Type)
	id.Path = location(p, id.Class)
	return id
}

// types maps syft's package types to those of the v1 API where they differ.
var types = map[pkg.Type][2]string{
	pkg.DebPkg:           {"dpkg", "os"},
	pkg.RpmPkg:           {"rpm", "os"},
	pkg.ApkPkg:           {"apkg", "os"},
	pkg.AlpmPkg:          {"alpm", "os"},
	pkg.PortagePkg:       {"portage", "os"},
	pkg.NpmPkg:           {"npm", "npm"},
	pkg.GemPkg:           {"gem", "gem"},
	pkg.PythonPkg:        {"python", "python"},
	pkg.JavaPkg:          {"java", "java"},
	pkg.JenkinsPluginPkg: {"java", "java"},
	pkg.GoModulePkg:      {"go", "go"},
	pkg.BinaryPkg:        {"binary", "binary"},
	pkg.PhpComposerPkg:   {"composer", "binary"},
	pkg.DotnetPkg:        {"nuget", "binary"},
}

// Type gives the v1 type and content class of one of syft's package types.
// v1 has seven classes; what fits none of the others is listed as binary.
func Type(t pkg.Type) (name, class string) {
	if v, ok := types[t]; ok {
		return v[0], v[1]
	}
	return string(t), "binary"
}

// location is where v1 says a package lies: nested jars by their way into the
// outer one, Python packages by the directory they are installed in.
func location(p pkg.Package, class string) string {
	if class == "os" {
		return "pkgdb"
	}
	if m, ok := p.Metadata.(pkg.JavaArchive); ok && m.VirtualPath != "" {
		return m.VirtualPath
	}
	locs := p.Locations.ToSlice()
	if len(locs) == 0 {
		return ""
	}
	at := locs[0].RealPath
	for _, l := range locs {
		if l.Annotations["evidence"] == "primary" {
			at = l.RealPath
			break
		}
	}
	if class == "python" {
		dir := path.Dir(at)
		if strings.HasSuffix(dir, ".dist-info") || strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, "EGG-INFO") {
			return path.Dir(dir)
		}
		if strings.HasSuffix(at, ".egg-info") {
			return dir
		}
	}
	return at
}
