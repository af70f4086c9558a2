package analyzer

import (
	"path"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
	"windlass/internal/engine/ident"
)

// packages lists what an SBOM found in the words of the v1 API.
func packages(s *sbom.SBOM) []engine.Package {
	var list []engine.Package
	seen, parts := map[string]bool{}, owned(s)
	for _, p := range s.Artifacts.Packages.Sorted() {
		if id := string(p.ID()); !seen[id] && !parts[p.ID()] {
			seen[id] = true
			list = append(list, packageOf(p))
		}
	}
	return list
}

func packageOf(p pkg.Package) engine.Package {
	id := ident.Of(p)
	out := engine.Package{
		Key: id.Key, Name: engine.Text(p.Name, maxText), Version: engine.Text(p.Version, maxText), Type: id.Type, Class: id.Class,
		Path: engine.Text(id.Path, maxPath), Licenses: licenses(p), PURL: engine.Text(p.PURL, maxPath),
	}
	for _, c := range p.CPEs {
		out.CPEs = append(out.CPEs, engine.Text(c.Attributes.BindToFmtString(), maxText))
	}
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		out.Origin, out.Source, out.Size = m.Maintainer, m.Source, int64(m.InstalledSize)<<10
	case pkg.RpmDBEntry:
		out.Origin, out.Source, out.Size = m.Vendor, m.SourceRpm, int64(m.Size)
	case pkg.ApkDBEntry:
		out.Origin, out.Source, out.Size = m.Maintainer, m.OriginPackage, int64(m.InstalledSize)
	case pkg.NpmPackage:
		out.Origin = m.Author
	case pkg.RubyGemspec:
		out.Origin = strings.Join(m.Authors, ",")
	case pkg.PythonPackage:
		out.Origin = strings.TrimSpace(m.Author + " <" + m.AuthorEmail + ">")
		if m.AuthorEmail == "" {
			out.Origin = m.Author
		}
	case pkg.JavaArchive:
		out.Origin, out.Extra = javaExtra(p, m)
	}
	out.Origin, out.Source = engine.Text(out.Origin, maxText), engine.Text(out.Source, maxText)
	return out
}

// licenses are the licences as they were written, each once.
func licenses(p pkg.Package) []string {
	var list []string
	seen := map[string]bool{}
	for _, l := range p.Licenses.ToSlice() {
		text := l.SPDXExpression
		if text == "" {
			text = l.Value
		}
		// A licence given as its full text has no name to show.
		if text == "" || len(text) > 200 || strings.HasPrefix(text, "sha256:") || seen[text] {
			continue
		}
		seen[text] = true
		list = append(list, engine.Text(text, maxText))
	}
	return list
}

// javaExtra gathers what v1 shows of a Java archive beside the usual.
func javaExtra(p pkg.Package, m pkg.JavaArchive) (origin string, extra map[string]any) {
	manifest, pom := map[string]string{}, map[string]string{}
	if m.Manifest != nil {
		for _, kv := range m.Manifest.Main {
			manifest[engine.Text(kv.Key, maxText)] = engine.Text(kv.Value, maxStep)
		}
	}
	if m.PomProperties != nil {
		for k, v := range map[string]string{"groupId": m.PomProperties.GroupID, "artifactId": m.PomProperties.ArtifactID, "version": m.PomProperties.Version} {
			if v != "" {
				pom[k] = engine.Text(v, maxText)
			}
		}
		for k, v := range m.PomProperties.Extra {
			pom[engine.Text(k, maxText)] = engine.Text(v, maxStep)
		}
	}
	kind := strings.TrimPrefix(path.Ext(m.VirtualPath), ".")
	if kind == "" || len(kind) > 4 {
		kind = "jar"
	}
	extra = map[string]any{
		"specification-version":  or(manifest["Specification-Version"], "N/A"),
		"implementation-version": or(manifest["Implementation-Version"], "N/A"),
		"maven-version":          or(pom["version"], "N/A"),
		"kind":                   "java-" + strings.ToLower(kind),
		"metadata":               map[string]any{"manifest": manifest, "pom_properties": pom},
	}
	return or(manifest["Specification-Vendor"], manifest["Implementation-Vendor"], pom["groupId"]), extra
}

// or is the first text that is not empty.
func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
