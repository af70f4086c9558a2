package vuln

import (
	"slices"
	"strings"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/anchore/grype/grype/match"
	"github.com/anchore/grype/grype/pkg"
	"github.com/anchore/grype/grype/presenter/models"
	"github.com/anchore/grype/grype/vulnerability"
	"github.com/anchore/syft/syft/artifact"

	"windlass/internal/engine"
)

func artifactID(id pkg.ID) artifact.ID { return artifact.ID(id) }

// scores fills in the CVE ids a record refers to, NVD's scores of each and the
// record's own.
func (c *converter) scores(m *engine.Match, f match.Match, v models.Vulnerability) error {
	if isCVE(v.ID) {
		m.CVEs = append(m.CVEs, v.ID)
	}
	for _, r := range f.Vulnerability.RelatedVulnerabilities {
		if isCVE(r.ID) && !slices.Contains(m.CVEs, r.ID) {
			m.CVEs = append(m.CVEs, r.ID)
		}
	}
	own := cvssOf(v.ID, v.Cvss)
	if strings.HasPrefix(f.Vulnerability.Namespace, "nvd:") {
		m.NVD = []engine.CVSSData{own}
		return nil
	}
	if len(v.Cvss) > 0 {
		m.Vendor = []engine.CVSSData{own}
	}
	for _, id := range m.CVEs {
		meta, err := c.nvdRecord(id)
		if err != nil {
			return err
		}
		if meta != nil {
			m.NVD = append(m.NVD, cvssOf(id, models.NewVulnerabilityMetadata(id, nvd, meta).Cvss))
		}
	}
	return nil
}

// nvdRecord is NVD's record of a CVE, asked for once a match; nil when NVD has
// none: the provider then makes one up that has no scores and no description.
func (c *converter) nvdRecord(id string) (*vulnerability.Metadata, error) {
	if meta, ok := c.cves[id]; ok {
		return meta, nil
	}
	meta, err := c.reference(vulnerability.Reference{ID: id, Namespace: nvd})
	if err != nil {
		return nil, err
	}
	if meta != nil && len(meta.Cvss) == 0 && meta.Description == "" && len(meta.URLs) == 0 && meta.DataSource == "nvd" {
		meta = nil
	}
	c.cves[id] = meta
	return meta, nil
}

// metadata is what a record says beside the packages it is about.
func (c *converter) metadata(h *v6.VulnerabilityHandle, namespace string) (*vulnerability.Metadata, error) {
	return c.reference(vulnerability.Reference{ID: h.Name, Namespace: namespace, Internal: h})
}

func (c *converter) reference(r vulnerability.Reference) (*vulnerability.Metadata, error) {
	//lint:ignore SA1019 the only way to a reference's record
	return c.h.provider.VulnerabilityMetadata(r)
}

// cvssOf gives the first score of each CVSS version: sources list the primary
// one first. CVSS 4 has no place in the contract's shape.
func cvssOf(id string, list []models.Cvss) engine.CVSSData {
	d := engine.CVSSData{ID: id, V2: engine.NoCVSS, V3: engine.NoCVSS}
	for _, s := range list {
		switch {
		case strings.HasPrefix(s.Version, "2") && d.V2 == engine.NoCVSS:
			d.V2 = cvss(s.Metrics)
			if d.Vector == "" {
				d.Vector = s.Vector
			}
		case strings.HasPrefix(s.Version, "3") && d.V3 == engine.NoCVSS:
			d.V3, d.Vector = cvss(s.Metrics), s.Vector
		}
	}
	return d
}

func cvss(m models.CvssMetrics) engine.CVSS {
	c := engine.CVSS{Base: m.BaseScore, Exploitability: -1, Impact: -1}
	if m.ExploitabilityScore != nil {
		c.Exploitability = *m.ExploitabilityScore
	}
	if m.ImpactScore != nil {
		c.Impact = *m.ImpactScore
	}
	return c
}

// recordScores gives the first score of each CVSS version with its vector.
func recordScores(id string, list []vulnerability.Cvss) engine.RecordScores {
	r := engine.RecordScores{ID: id}
	for _, s := range list {
		of := &r.V2
		switch {
		case strings.HasPrefix(s.Version, "3"):
			of = &r.V3
		case !strings.HasPrefix(s.Version, "2"):
			continue // CVSS 4 has no place in the contract's shape
		}
		if *of != nil {
			continue
		}
		*of = &engine.VectorScore{
			Version: s.Version, Vector: s.Vector, Severity: scoreSeverity(s.Version, s.Metrics.BaseScore),
			CVSS: engine.CVSS{
				Base: s.Metrics.BaseScore, Exploitability: orMissing(s.Metrics.ExploitabilityScore), Impact: orMissing(s.Metrics.ImpactScore),
			},
		}
	}
	return r
}

func orMissing(f *float64) float64 {
	if f == nil {
		return -1
	}
	return *f
}

// scoreSeverity is the class of a base score by the contract, in which 0 has
// none of its own and version 2 ends at High.
func scoreSeverity(cvss string, base float64) string {
	switch {
	case base < 0 || base > 10:
		return "Unknown"
	case base <= 3.9:
		return "Low"
	case base <= 6.9:
		return "Medium"
	case base <= 8.9 || strings.HasPrefix(cvss, "2"):
		return "High"
	}
	return "Critical"
}
