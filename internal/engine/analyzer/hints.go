package analyzer

import (
	"bytes"
	"context"
	"log/slog"
	"path"
	"strings"

	"github.com/anchore/packageurl-go"
	"github.com/anchore/syft/syft/cpe"
	sfile "github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/linux"
	"github.com/anchore/syft/syft/pkg"
	gencpe "github.com/anchore/syft/syft/pkg/cataloger/common/cpe"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine/hints"
)

// foundByHint stands where an SBOM says how a package was found.
const foundByHint = "user-hints"

// hint adds the packages that the image itself names to its SBOM, so that they
// are listed, downloaded and matched like all others. Those that were found
// anyway are left as they were found. Hints that cannot be read are told in the
// log and hold up nothing.
func (a *Analyzer) hint(ctx context.Context, fs *rootfs, s *sbom.SBOM, log *slog.Logger) error {
	if a.Search == nil || !a.Search.Hints {
		return nil
	}
	file := fs.tree.behind(hints.File)
	if file == nil {
		return nil
	}
	if file.size > hints.MaxSize {
		log.WarnContext(ctx, "hints not read", "file", hints.File, "bytes", file.size, "limit", hints.MaxSize)
		return nil
	}
	text, err := fs.read(ctx, hints.MaxSize, hints.File)
	if err != nil {
		return err
	}
	list, notes, err := hints.Read(bytes.NewReader(text[hints.File]))
	if err != nil {
		log.WarnContext(ctx, "hints not read", "file", hints.File, "err", err)
		return nil
	}
	for _, n := range notes {
		log.WarnContext(ctx, "hint left out", "why", n)
	}
	log.InfoContext(ctx, "hints read", "packages", len(list), "new", addHints(ctx, s, list))
	return nil
}

// addHints adds packages to an SBOM, and tells how many were new to it.
func addHints(ctx context.Context, s *sbom.SBOM, list []hints.Package) (added int) {
	for _, h := range list {
		p := hinted(ctx, h, s.Artifacts.LinuxDistribution)
		if !known(s.Artifacts.Packages, p) {
			s.Artifacts.Packages.Add(p)
			added++
		}
	}
	return added
}

func known(all *pkg.Collection, p pkg.Package) bool {
	for _, other := range all.PackagesByName(p.Name) {
		if other.Type == p.Type && other.Version == p.Version {
			return true
		}
	}
	return false
}

// hinted is a hint as syft would have found the package.
func hinted(ctx context.Context, h hints.Package, distro *linux.Release) pkg.Package {
	at := h.Location
	if at == "" {
		at = hints.File
	}
	location := sfile.NewLocation(at)
	p := pkg.Package{
		Name: h.Name, Version: h.Version, FoundBy: foundByHint,
		Locations: sfile.NewLocationSet(location.WithAnnotation(pkg.EvidenceAnnotationKey, pkg.PrimaryEvidenceAnnotation)),
		Licenses:  pkg.NewLicenseSet(pkg.NewLicensesFromValuesWithContext(ctx, h.Licenses...)...),
	}
	kind, namespace, name := "", "", h.Name
	var release *linux.Release
	qualifiers := map[string]string{}
	system := func(k string) { // packages of a distribution
		kind, release = k, distro
		if distro != nil {
			namespace = distro.ID
		}
		if h.Arch != "" {
			qualifiers["arch"] = h.Arch
		}
	}
	split := func(k string) { // names that contain their namespace
		kind = k
		if dir, base := path.Split(h.Name); dir != "" && base != "" {
			namespace, name = strings.TrimSuffix(dir, "/"), base
		}
	}
	switch h.Type {
	case "dpkg":
		system(packageurl.TypeDebian)
		p.Type = pkg.DebPkg
		p.Metadata = pkg.DpkgDBEntry{
			Package: h.Name, Version: h.Version, Source: h.Source, Architecture: h.Arch, Maintainer: h.Origin,
			InstalledSize: int((h.Size + 1023) >> 10), Files: []pkg.DpkgFileRecord{},
		}
	case "rpm":
		system(packageurl.TypeRPM)
		p.Type = pkg.RpmPkg
		version, release, _ := strings.Cut(h.Version, "-")
		p.Metadata = pkg.RpmDBEntry{
			Name: h.Name, Version: version, Release: release, Arch: h.Arch, SourceRpm: h.Source, Vendor: h.Origin,
			Size: int(h.Size), Files: []pkg.RpmFileRecord{},
		}
	case "apkg":
		system("apk")
		p.Type = pkg.ApkPkg
		p.Metadata = pkg.ApkDBEntry{
			Package: h.Name, Version: h.Version, OriginPackage: h.Source, Architecture: h.Arch, Maintainer: h.Origin,
			InstalledSize: int(h.Size), Files: []pkg.ApkFileRecord{},
		}
	case "python":
		kind = packageurl.TypePyPi
		p.Type, p.Language = pkg.PythonPkg, pkg.Python
		p.Metadata = pkg.PythonPackage{Name: h.Name, Version: h.Version, Author: h.Origin}
	case "npm":
		split(packageurl.TypeNPM)
		p.Type, p.Language = pkg.NpmPkg, pkg.JavaScript
		p.Metadata = pkg.NpmPackage{Name: h.Name, Version: h.Version, Author: h.Origin}
	case "gem":
		kind = packageurl.TypeGem
		p.Type, p.Language = pkg.GemPkg, pkg.Ruby
		m := pkg.RubyGemspec{Name: h.Name, Version: h.Version}
		if h.Origin != "" {
			m.Authors = strings.Split(h.Origin, ",")
		}
		p.Metadata = m
	case "java":
		kind = packageurl.TypeMaven
		p.Type, p.Language = pkg.JavaPkg, pkg.Java
		p.Metadata = pkg.JavaArchive{VirtualPath: at}
	case "go":
		split(packageurl.TypeGolang)
		p.Type, p.Language = pkg.GoModulePkg, pkg.Go
		p.Metadata = pkg.GolangModuleEntry{}
	default:
		kind = packageurl.TypeGeneric
		p.Type = pkg.BinaryPkg
		p.Metadata = pkg.BinarySignature{}
	}
	p.PURL = packageurl.NewPackageURL(kind, namespace, name, h.Version, pkg.PURLQualifiers(qualifiers, release), "").ToString()
	for _, text := range h.CPEs {
		if c, err := cpe.New(text, cpe.DeclaredSource); err == nil {
			p.CPEs = append(p.CPEs, c)
		}
	}
	if len(p.CPEs) == 0 {
		p.CPEs = gencpe.Generate(p)
	}
	p.SetID()
	return p
}
