package vuln

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anchore/grype/grype/match"
	"github.com/anchore/grype/grype/pkg"
	"github.com/anchore/grype/grype/presenter/models"
	"github.com/anchore/grype/grype/vulnerability"
	"github.com/anchore/syft/syft/cpe"
	syftpkg "github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/ident"
)

// nvd is the namespace of NVD's own records.
const nvd = "nvd:cpe"

// maxText is what is kept of the name and the version that an image gives a
// package.
const maxText = 1000

// converter turns the matcher's findings into the engine's words.
type converter struct {
	h    *handle
	sbom *sbom.SBOM
	off  map[[2]string]bool
	cves map[string]*vulnerability.Metadata // NVD's record by id; nil: none
}

func newConverter(h *handle, s *sbom.SBOM, off []engine.FeedGroup) *converter {
	c := &converter{h: h, sbom: s, off: map[[2]string]bool{}, cves: map[string]*vulnerability.Metadata{}}
	for _, g := range off {
		c.off[[2]string{g.Feed, g.Name}] = true
	}
	return c
}

func (c *converter) all(found []match.Match) ([]engine.Match, error) {
	list := make([]engine.Match, 0, len(found))
	for _, f := range found {
		feed, group := feeds.GroupOf(f.Vulnerability.Namespace, f.Vulnerability.ID)
		if c.off[[2]string{feed, group}] {
			continue
		}
		m, err := c.one(f)
		if err != nil {
			return nil, err
		}
		m.Feed, m.Group = feed, group
		list = append(list, m)
	}
	return list, nil
}

func (c *converter) one(f match.Match) (engine.Match, error) {
	meta := f.Vulnerability.Metadata
	if meta == nil {
		var err error
		//lint:ignore SA1019 the only way to a reference's record
		if meta, err = c.h.provider.VulnerabilityMetadata(f.Vulnerability.Reference); err != nil {
			return engine.Match{}, fmt.Errorf("record %s: %w", f.Vulnerability.ID, err)
		}
	}
	v := models.NewVulnerability(f.Vulnerability, meta, pkg.VersionFormat(f.Package))
	m := engine.Match{
		Package: engine.Text(f.Package.Name, maxText), Version: engine.Text(f.Package.Version, maxText),
		Vuln: v.ID, Severity: severity(v.Severity), Fixes: v.Fix.Versions, FixState: v.Fix.State,
		URL: link(v), Namespace: f.Vulnerability.Namespace, Description: v.Description,
		WillNotFix:     f.Vulnerability.Fix.State == vulnerability.FixStateWontFix,
		KnownExploited: len(v.KnownExploited) > 0,
		Sample:         c.h.data.Starter,
	}
	if f.Vulnerability.Constraint != nil {
		m.Constraint = f.Vulnerability.Constraint.Value()
	}
	for _, fix := range f.Vulnerability.Fix.Available {
		if !fix.Date.IsZero() && (m.FixAt.IsZero() || fix.Date.Before(m.FixAt)) {
			m.FixAt = fix.Date.UTC()
		}
	}
	for _, e := range v.EPSS {
		m.EPSS = max(m.EPSS, e.EPSS)
	}
	if len(f.Details) > 0 {
		m.Matcher = string(f.Details[0].Matcher)
	}
	c.identify(&m, f)
	c.cpes(&m, f)
	return m, c.scores(&m, f, v)
}

// identify says which stored package it is.
func (c *converter) identify(m *engine.Match, f match.Match) {
	m.PackageKey = string(f.Package.ID)
	if p := c.sbom.Artifacts.Packages.Package(artifactID(f.Package.ID)); p != nil {
		id := ident.Of(*p)
		m.PackageKey, m.PackageType, m.Path = id.Key, id.Type, engine.Text(id.Path, 4*maxText)
		return
	}
	m.PackageType, _ = ident.Type(f.Package.Type)
}

// cpes names the CPE by which the package is known: the one that matched, or
// for packages outside the distribution the first of its own.
func (c *converter) cpes(m *engine.Match, f match.Match) {
	var own *cpe.CPE
	byCPE := slices.ContainsFunc(f.Details, func(d match.Detail) bool { return d.Type == match.CPEMatch })
	switch {
	case byCPE && len(f.Vulnerability.CPEs) > 0:
		own = &f.Vulnerability.CPEs[0]
	case len(f.Package.CPEs) > 0 && f.Package.Type != syftpkg.DebPkg && f.Package.Type != syftpkg.RpmPkg && f.Package.Type != syftpkg.ApkPkg:
		own = &f.Package.CPEs[0]
	default:
		return
	}
	m.CPE23 = own.Attributes.BindToFmtString()
	m.CPE = uri(own.Attributes)
}

// uri writes a CPE in the older form, to the last part that says something.
func uri(a cpe.Attributes) string {
	parts := []string{a.Part, a.Vendor, a.Product, a.Version, a.Update, a.Edition, a.Language}
	for len(parts) > 1 && (parts[len(parts)-1] == "" || parts[len(parts)-1] == "*") {
		parts = parts[:len(parts)-1]
	}
	for i, p := range parts {
		if p == "*" {
			parts[i] = ""
		}
	}
	return "cpe:/" + strings.Join(parts, ":")
}

// link is the address of the record: where the data came from, else its first
// reference. Empty: the API gives its own.
func link(v models.Vulnerability) string {
	for _, u := range append([]string{v.DataSource}, v.URLs...) {
		if strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
			return u
		}
	}
	return ""
}

// severity is one of the engine's six words.
func severity(word string) string {
	for _, s := range engine.SeverityNames {
		if strings.EqualFold(s, word) {
			return s
		}
	}
	return "Unknown"
}
