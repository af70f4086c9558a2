package apiv1

import (
	"net/url"
	"time"

	"windlass/internal/engine"
)

type queryImage struct {
	ImageDigest string     `json:"imageDigest"`
	ImageID     string     `json:"imageId"`
	AnalyzedAt  any        `json:"analyzed_at"`
	TagHistory  []queryTag `json:"tag_history"`
}

type queryTag struct {
	Registry   string `json:"registry"`
	Repo       string `json:"repo"`
	Tag        string `json:"tag"`
	FullTag    string `json:"fulltag"`
	DetectedAt any    `json:"tag_detected_at"`
}

// stampOrZero is a time of a query's answer, in which an unknown one is the
// number 0.
func stampOrZero(t time.Time) any {
	if t.IsZero() {
		return 0
	}
	return stamp(t)
}

func wireQueryImage(h engine.ImageHit) queryImage {
	w := queryImage{
		ImageDigest: string(h.Digest), ImageID: h.ImageID, AnalyzedAt: stampOrZero(h.AnalyzedAt), TagHistory: make([]queryTag, len(h.Tags)),
	}
	for n, t := range h.Tags {
		w.TagHistory[n] = queryTag{t.Registry, t.Repository, t.Tag, t.Full(), stampOrZero(t.DetectedAt)}
	}
	return w
}

type vulnerableImage struct {
	Image    queryImage          `json:"image"`
	Packages []vulnerablePackage `json:"vulnerable_packages"`
}

type vulnerablePackage struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Type      string `json:"type"`
	Namespace string `json:"namespace"`
	Severity  string `json:"severity"`
}

func wireVulnerableImage(h engine.ImageHit) vulnerableImage {
	w := vulnerableImage{Image: wireQueryImage(h), Packages: make([]vulnerablePackage, len(h.Packages))}
	for n, p := range h.Packages {
		w.Packages[n] = vulnerablePackage(p)
	}
	return w
}

type packageImage struct {
	Image    queryImage     `json:"image"`
	Packages []queryPackage `json:"packages"`
}

type queryPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Type    string `json:"type"`
}

func wirePackageImage(h engine.ImageHit) packageImage {
	w := packageImage{Image: wireQueryImage(h), Packages: make([]queryPackage, len(h.Packages))}
	for n, p := range h.Packages {
		w.Packages[n] = queryPackage{p.Name, p.Version, p.Type}
	}
	return w
}

type vulnRecord struct {
	ID          string            `json:"id"`
	Namespace   string            `json:"namespace"`
	Severity    string            `json:"severity"`
	Link        string            `json:"link"`
	Description *string           `json:"description"`
	References  []recordReference `json:"references"`
	Affected    []recordPackage   `json:"affected_packages"`
	NVD         []recordScores    `json:"nvd_data"`
	Vendor      []recordScores    `json:"vendor_data"`
}

type recordReference struct {
	Source string `json:"source"`
	URL    string `json:"url"`
}

type recordPackage struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Type       string `json:"type"`
	WillNotFix bool   `json:"will_not_fix"`
}

type recordScores struct {
	ID string       `json:"id"`
	V2 *recordScore `json:"cvss_v2"`
	V3 *recordScore `json:"cvss_v3"`
}

type recordScore struct {
	Version  string      `json:"version"`
	Vector   string      `json:"vector_string"`
	Severity string      `json:"severity"`
	Metrics  baseMetrics `json:"base_metrics"`
}

// baseMetrics has a misspelled key that clients know.
type baseMetrics struct {
	Base           score `json:"base_score"`
	Exploitability score `json:"expolitability_score"`
	Impact         score `json:"impact_score"`
}

func wireRecord(v engine.VulnRecord, base string) vulnRecord {
	w := vulnRecord{
		ID: v.ID, Namespace: v.Namespace, Severity: v.Severity, Link: v.Link, Description: orNil(v.Description),
		References: make([]recordReference, len(v.References)), Affected: make([]recordPackage, len(v.Affected)),
		NVD: wireRecordScores(v.NVD), Vendor: wireRecordScores(v.Vendor),
	}
	if w.Link == "" {
		w.Link = base + "/query/vulnerabilities?id=" + url.QueryEscape(v.ID)
	}
	for n, ref := range v.References {
		w.References[n] = recordReference(ref)
	}
	for n, p := range v.Affected {
		w.Affected[n] = recordPackage(p)
	}
	return w
}

func wireRecordScores(list []engine.RecordScores) []recordScores {
	out := make([]recordScores, len(list))
	for n, d := range list {
		out[n] = recordScores{d.ID, wireVector(d.V2), wireVector(d.V3)}
	}
	return out
}

func wireVector(v *engine.VectorScore) *recordScore {
	if v == nil {
		return nil
	}
	return &recordScore{v.Version, v.Vector, v.Severity, baseMetrics{score(v.Base), score(v.Exploitability), score(v.Impact)}}
}
