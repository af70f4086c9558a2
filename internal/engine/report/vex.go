package report

import (
	"bytes"
	"cmp"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"

	"windlass/internal/engine"
)

// maxVersion is how long a version may be in CycloneDX.
const maxVersion = 1024

// vex writes a CycloneDX document: the affected packages as components, under
// the names by which the image's CycloneDX SBOM has them, and each
// vulnerability with what is known of it. What a VEX document of the account
// says is its analysis; where none says anything there is no analysis, for
// nobody has made one.
func (r Report) vex(w io.Writer) error {
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: r.at(),
		Tools: &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{
			{Type: cyclonedx.ComponentTypeApplication, Name: "windlass", Version: engine.Version},
		}},
		Component: r.container(),
	}
	components := r.components()
	bom.Components = &components
	vulnerabilities := r.vulnerabilities()
	bom.Vulnerabilities = &vulnerabilities

	// The serial number names this content, so that the same is never known by
	// two numbers.
	var plain bytes.Buffer
	if err := encodeBOM(&plain, bom); err != nil {
		return err
	}
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceOID, plain.Bytes()).URN()
	return encodeBOM(w, bom)
}

// encodeBOM writes version 1.6, the newest that most receivers read.
func encodeBOM(w io.Writer, bom *cyclonedx.BOM) error {
	e := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON)
	e.SetEscapeHTML(false)
	return e.EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}

// container is the image itself.
func (r Report) container() *cyclonedx.Component {
	c := &cyclonedx.Component{
		BOMRef: string(r.Image.Digest), Type: cyclonedx.ComponentTypeContainer, Name: r.name(), Version: string(r.Image.Digest),
	}
	if len(r.Image.Tags) > 0 {
		t := r.Image.Tags[0]
		q := url.Values{"repository_url": {t.Registry + "/" + t.Repository}, "tag": {t.Tag}}
		if m := r.Image.Meta; m != nil && m.Arch != "" && m.Arch != "N/A" {
			q.Set("arch", m.Arch)
		}
		base := t.Repository[strings.LastIndexByte(t.Repository, '/')+1:]
		c.PackageURL = "pkg:oci/" + url.PathEscape(strings.ToLower(base)) + "@" + url.QueryEscape(string(r.Image.Digest)) + "?" + q.Encode()
	}
	return c
}

func (r Report) components() []cyclonedx.Component {
	list := []cyclonedx.Component{}
	seen := map[string]bool{}
	for _, m := range r.Matches {
		ref := r.ref(m)
		if seen[ref] {
			continue
		}
		seen[ref] = true
		c := cyclonedx.Component{
			BOMRef: ref, Type: cyclonedx.ComponentTypeLibrary, Name: m.Package, Version: m.Version, PackageURL: r.PURLs[m.PackageKey], CPE: m.CPE23,
		}
		if m.Path != "" && m.Path != "pkgdb" {
			c.Evidence = &cyclonedx.Evidence{Occurrences: &[]cyclonedx.EvidenceOccurrence{{Location: m.Path}}}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b cyclonedx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })
	return list
}

// ref names a package as syft's CycloneDX documents do.
func (r Report) ref(m engine.Match) string {
	purl := r.PURLs[m.PackageKey]
	if purl == "" {
		return m.PackageKey
	}
	base, sub, cut := strings.Cut(purl, "#")
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	base += sep + "package-id=" + m.PackageKey
	if cut {
		base += "#" + sub
	}
	return base
}

// vulnerabilities lists each vulnerability once, or once for each thing that is
// said of it: an analysis belongs to the whole of an entry.
func (r Report) vulnerabilities() []cyclonedx.Vulnerability {
	type said struct {
		id, namespace string
		engine.VEX
	}
	index := map[said]int{}
	list := []cyclonedx.Vulnerability{}
	for _, m := range r.Matches {
		k := said{id: m.Vuln, namespace: m.Namespace}
		if m.VEX != nil {
			k.VEX = *m.VEX
			k.At = k.At.UTC()
		}
		at, ok := index[k]
		if !ok {
			at = len(list)
			index[k] = at
			list = append(list, vulnerability(m))
		}
		affects := list[at].Affects
		affected := cyclonedx.Affects{Ref: r.ref(m)}
		if m.Version != "" {
			affected.Range = &[]cyclonedx.AffectedVersions{{Version: cut(m.Version, maxVersion), Status: cyclonedx.VulnerabilityStatusAffected}}
		}
		*affects = append(*affects, affected)
		if len(m.Fixes) > 0 {
			advice := "Upgrade " + m.Package + " to " + strings.Join(m.Fixes, " or ") + "."
			if !strings.Contains(list[at].Recommendation, advice) {
				list[at].Recommendation = strings.TrimSpace(list[at].Recommendation + " " + advice)
			}
		}
	}
	return list
}

func vulnerability(m engine.Match) cyclonedx.Vulnerability {
	v := cyclonedx.Vulnerability{
		ID: m.Vuln, Source: &cyclonedx.Source{Name: cmp.Or(m.Namespace, m.Group), URL: link(m.URL)}, Description: m.Description,
		Affects: &[]cyclonedx.Affects{}, Analysis: analysis(m.VEX),
	}
	ratings := append([]cyclonedx.VulnerabilityRating{{Source: v.Source, Severity: severities[engine.SeverityName(m.Severity)]}}, ratings(m)...)
	v.Ratings = &ratings
	var refs []cyclonedx.VulnerabilityReference
	for _, id := range m.CVEs {
		if id != m.Vuln {
			refs = append(refs, cyclonedx.VulnerabilityReference{ID: id, Source: &cyclonedx.Source{Name: "NVD", URL: "https://nvd.nist.gov/vuln/detail/" + url.PathEscape(id)}})
		}
	}
	if len(refs) > 0 {
		v.References = &refs
	}
	var props []cyclonedx.Property
	if m.EPSS > 0 {
		props = append(props, cyclonedx.Property{Name: "windlass:epss", Value: strconv.FormatFloat(m.EPSS, 'f', 5, 64)})
	}
	if m.KnownExploited {
		props = append(props, cyclonedx.Property{Name: "windlass:known_exploited", Value: "true"})
	}
	if m.FixState != "" {
		props = append(props, cyclonedx.Property{Name: "windlass:fix_state", Value: m.FixState})
	}
	if len(props) > 0 {
		v.Properties = &props
	}
	return v
}

var severities = map[string]cyclonedx.Severity{
	"Critical": cyclonedx.SeverityCritical, "High": cyclonedx.SeverityHigh, "Medium": cyclonedx.SeverityMedium, "Low": cyclonedx.SeverityLow,
	"Negligible": cyclonedx.SeverityInfo, "Unknown": cyclonedx.SeverityUnknown,
}

// ratings are the CVSS scores that each source gives.
func ratings(m engine.Match) []cyclonedx.VulnerabilityRating {
	var list []cyclonedx.VulnerabilityRating
	for _, from := range []struct {
		name   string
		scores []engine.CVSSData
	}{{"NVD", m.NVD}, {cmp.Or(m.Namespace, m.Group), m.Vendor}} {
		for _, d := range from.scores {
			for _, s := range []struct {
				base   float64
				method cyclonedx.ScoringMethod
			}{{d.V3.Base, method(d.Vector)}, {d.V2.Base, cyclonedx.ScoringMethodCVSSv2}} {
				if s.base < 0 {
					continue
				}
				rating := cyclonedx.VulnerabilityRating{Source: &cyclonedx.Source{Name: from.name}, Score: &s.base, Severity: scoreSeverity(s.base), Method: s.method}
				if strings.HasPrefix(d.Vector, "CVSS:") == (s.method != cyclonedx.ScoringMethodCVSSv2) {
					rating.Vector = d.Vector
				}
				list = append(list, rating)
			}
		}
	}
	return list
}

func method(vector string) cyclonedx.ScoringMethod {
	switch {
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		return cyclonedx.ScoringMethodCVSSv31
	case strings.HasPrefix(vector, "CVSS:4"):
		return cyclonedx.ScoringMethodCVSSv4
	}
	return cyclonedx.ScoringMethodCVSSv3
}

// scoreSeverity is CVSS 3's word for a score.
func scoreSeverity(base float64) cyclonedx.Severity {
	switch {
	case base >= 9:
		return cyclonedx.SeverityCritical
	case base >= 7:
		return cyclonedx.SeverityHigh
	case base >= 4:
		return cyclonedx.SeverityMedium
	case base > 0:
		return cyclonedx.SeverityLow
	}
	return cyclonedx.SeverityNone
}
