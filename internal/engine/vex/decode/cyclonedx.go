package decode

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"windlass/internal/engine"
	"windlass/internal/engine/vex"
)

// states are CycloneDX's words for a status.
var states = map[cdx.ImpactAnalysisState]engine.VEXStatus{
	cdx.IASNotAffected:          engine.VEXNotAffected,
	cdx.IASFalsePositive:        engine.VEXNotAffected,
	cdx.IASResolved:             engine.VEXFixed,
	cdx.IASResolvedWithPedigree: engine.VEXFixed,
	cdx.IASExploitable:          engine.VEXAffected,
	cdx.IASInTriage:             engine.VEXInvestigating,
}

var justifications = []cdx.ImpactAnalysisJustification{
	cdx.IAJCodeNotPresent, cdx.IAJCodeNotReachable, cdx.IAJRequiresConfiguration, cdx.IAJRequiresDependency, cdx.IAJRequiresEnvironment,
	cdx.IAJProtectedByCompiler, cdx.IAJProtectedAtRuntime, cdx.IAJProtectedAtPerimeter, cdx.IAJProtectedByMitigatingControl,
}

// bom is what is read of a CycloneDX document: what speaks of other things
// cannot spoil it.
type bom struct {
	Format   string          `json:"bomFormat"`
	Spec     string          `json:"specVersion"`
	Serial   string          `json:"serialNumber"`
	Version  json.RawMessage `json:"version"`
	Metadata struct {
		Timestamp string     `json:"timestamp"`
		Component *component `json:"component"`
		Authors   []contact  `json:"authors"`
		Supplier  contact    `json:"supplier"`
		Maker     contact    `json:"manufacturer"`
	} `json:"metadata"`
	Components      []component       `json:"components"`
	Vulnerabilities []json.RawMessage `json:"vulnerabilities"`
}

type contact struct {
	Name string `json:"name"`
}

// component is what tells which software a component is.
type component struct {
	Ref        string            `json:"bom-ref"`
	Type       cdx.ComponentType `json:"type"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	PURL       string            `json:"purl"`
	Components []component       `json:"components"`
}

// cyclone reads one CycloneDX document.
type cyclone struct {
	*reader
	subject    *component
	components map[string]*component // by bom-ref
}

func (r *reader) cycloneDX(body []byte) error {
	var doc bom
	top := place{n: -1}
	if err := top.decode(body, &doc); err != nil {
		return err
	}
	if doc.Format != "CycloneDX" {
		return top.wrong("bomFormat", "%q is not CycloneDX", clip(doc.Format))
	}
	if !strings.HasPrefix(doc.Spec, "1.") || doc.Spec < "1.4" && len(doc.Spec) == 3 {
		return top.wrong("specVersion", "%q has no analyses of vulnerabilities: 1.4 or later is asked for", clip(doc.Spec))
	}
	r.doc.Format, r.doc.Name, r.doc.Version = engine.VEXCycloneDX, doc.Serial, strings.Trim(string(doc.Version), `"`)
	r.doc.Author = authorOf(&doc)
	if err := r.head(top, "serialNumber", "metadata.authors"); err != nil {
		return err
	}
	var err error
	if r.doc.IssuedAt, err = r.at(top, "metadata.timestamp", doc.Metadata.Timestamp); err != nil {
		return err
	}
	if err := r.count(top, "vulnerabilities", len(doc.Vulnerabilities)); err != nil {
		return err
	}
	c := cyclone{reader: r, subject: doc.Metadata.Component, components: map[string]*component{}}
	c.collect(doc.Components)
	if c.subject != nil {
		c.collect(c.subject.Components)
		if c.subject.Ref != "" {
			c.components[c.subject.Ref] = c.subject
		}
	}
	for i, raw := range doc.Vulnerabilities {
		if err := c.vulnerability(place{n: i, path: fmt.Sprintf("vulnerabilities[%d]", i)}, raw); err != nil {
			return err
		}
	}
	if len(r.list) == 0 {
		return top.wrong("vulnerabilities", "none of the %d has an analysis with a state: the document says what is there, not whether it matters", len(doc.Vulnerabilities))
	}
	return nil
}

func authorOf(doc *bom) string {
	for _, a := range doc.Metadata.Authors {
		if a.Name != "" {
			return a.Name
		}
	}
	return or(doc.Metadata.Supplier.Name, doc.Metadata.Maker.Name)
}

func (c *cyclone) collect(list []component) {
	for i := range list {
		if list[i].Ref != "" {
			c.components[list[i].Ref] = &list[i]
		}
		c.collect(list[i].Components)
	}
}

// vulnerability makes a statement of a vulnerability that has been analyzed.
func (c *cyclone) vulnerability(p place, raw json.RawMessage) error {
	var in struct {
		ID         string                       `json:"id"`
		References []cdx.VulnerabilityReference `json:"references"`
		Analysis   *cdx.VulnerabilityAnalysis   `json:"analysis"`
		Affects    []cdx.Affects                `json:"affects"`
	}
	if err := p.decode(raw, &in); err != nil {
		return err
	}
	if in.Analysis == nil || in.Analysis.State == "" {
		return nil // it is listed, and nothing is said of it
	}
	ids := []string{in.ID}
	for _, ref := range in.References {
		ids = append(ids, ref.ID)
	}
	out := engine.VEXStatement{Place: p.n + 1, Justification: string(in.Analysis.Justification), Impact: in.Analysis.Detail}
	var err error
	if out.Vulns, err = p.vulns("id", ids); err != nil {
		return err
	}
	if in.ID == "" {
		return p.wrong("id", "missing")
	}
	p.vuln = in.ID
	var ok bool
	if out.Status, ok = states[in.Analysis.State]; !ok {
		return p.wrong("analysis.state", "%q is not one of resolved, resolved_with_pedigree, exploitable, in_triage, false_positive, not_affected", clip(string(in.Analysis.State)))
	}
	if j := in.Analysis.Justification; j != "" && !slices.Contains(justifications, j) {
		return p.wrong("analysis.justification", "%q is not one of CycloneDX's", clip(string(j)))
	}
	if err := p.text("analysis.detail", out.Impact, maxText); err != nil {
		return err
	}
	issued, err := c.at(p, "analysis.firstIssued", in.Analysis.FirstIssued)
	if err != nil {
		return err
	}
	updated, err := c.at(p, "analysis.lastUpdated", in.Analysis.LastUpdated)
	if err != nil {
		return err
	}
	if out.At = later(issued, updated); out.At.IsZero() {
		out.At = c.doc.IssuedAt
	}
	if out.At.IsZero() { // a document without any time says it when it is uploaded
		out.At = c.now.UTC()
	}
	if len(in.Affects) > maxProducts {
		return p.wrong("affects", "%d of them, more than %d", len(in.Affects), maxProducts)
	}
	for i, a := range in.Affects {
		product, err := c.affected(p, fmt.Sprintf("affects[%d]", i), a)
		if err != nil {
			return err
		}
		out.Products = append(out.Products, product)
	}
	if len(in.Affects) == 0 {
		return p.wrong("affects", "missing: the statement speaks of nothing")
	}
	c.list = append(c.list, out)
	return nil
}

// affected is what a reference of a document means. The component that the
// document is about is the product, the others are parts of it.
func (c *cyclone) affected(p place, path string, a cdx.Affects) (engine.VEXProduct, error) {
	var none engine.VEXProduct
	if a.Ref == "" {
		return none, p.wrong(path+".ref", "missing")
	}
	if err := c.name(p, path+".ref", a.Ref); err != nil {
		return none, err
	}
	names, own := c.resolve(a.Ref)
	for _, n := range names {
		if err := c.name(p, path+".ref", n); err != nil {
			return none, err
		}
	}
	names, err := c.versions(p, path, names, a.Range)
	if err != nil {
		return none, err
	}
	if own || c.subject == nil {
		return engine.VEXProduct{IDs: names}, nil
	}
	return engine.VEXProduct{IDs: c.subject.names(), Parts: [][]string{names}}, nil
}

// resolve gives the names of what a reference points to, and whether that is
// what the whole document is about.
func (c *cyclone) resolve(ref string) (names []string, own bool) {
	if rest, ok := strings.CutPrefix(ref, "urn:cdx:"); ok {
		_, ref, _ = strings.Cut(rest, "#")
	}
	for _, r := range []string{ref, unescaped(ref)} {
		if k := c.components[r]; k != nil {
			return k.names(), k == c.subject
		}
	}
	// A document of analyses alone refers to components of another by their
	// package URL.
	for _, r := range []string{ref, unescaped(ref)} {
		if strings.HasPrefix(r, "pkg:") && vex.CheckPackageURL(r) == nil {
			return []string{r}, false
		}
	}
	return nil, false
}

func unescaped(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// names are those of a component that say which software it is.
func (k *component) names() []string {
	var list []string
	if k.PURL != "" {
		list = append(list, k.PURL)
	}
	if k.Type == cdx.ComponentTypeContainer && k.Name != "" {
		switch {
		case strings.HasPrefix(k.Version, "sha256:"):
			list = append(list, k.Version)
		case strings.ContainsAny(k.Name, ":@"):
			list = append(list, k.Name)
		case k.Version != "":
			list = append(list, k.Name+":"+k.Version)
		}
	}
	if len(list) == 0 && k.Name != "" {
		list = append(list, k.Name) // which says nothing but to a document bound to an image
	}
	return list
}

// versions narrows package URLs without version to the versions that are
// listed. A range cannot be looked for, so that nothing is left where there
// are only ranges.
func (c *cyclone) versions(p place, path string, names []string, list *[]cdx.AffectedVersions) ([]string, error) {
	if list == nil || len(*list) == 0 {
		return names, nil
	}
	if len(*list) > maxProducts {
		return nil, p.wrong(path+".versions", "%d of them, more than %d", len(*list), maxProducts)
	}
	var out []string
	for _, n := range names {
		if vex.HasVersion(n) {
			out = append(out, n)
			continue
		}
		for i, v := range *list {
			if v.Version == "" {
				continue
			}
			of, ok := vex.WithVersion(n, v.Version)
			if !ok {
				continue
			}
			if err := c.name(p, fmt.Sprintf("%s.versions[%d].version", path, i), of); err != nil {
				return nil, err
			}
			out = append(out, of)
		}
	}
	return out, nil
}
