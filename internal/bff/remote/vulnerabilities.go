package remote

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"windlass/internal/engine"
)

type wireMatch struct {
	Vuln       string      `json:"vuln"`
	Severity   string      `json:"severity"`
	URL        string      `json:"url"`
	Fix        string      `json:"fix"`
	Name       string      `json:"package_name"`
	Version    string      `json:"package_version"`
	Type       string      `json:"package_type"`
	Path       string      `json:"package_path"`
	CPE        string      `json:"package_cpe"`
	CPE23      string      `json:"package_cpe23"`
	Feed       string      `json:"feed"`
	Group      string      `json:"feed_group"`
	WillNotFix bool        `json:"will_not_fix"`
	NVD        []wireScore `json:"nvd_data"`
	Vendor     []wireScore `json:"vendor_data"`
	VEX        *wireMark   `json:"vex"` // of a Windlass
}

type wireScore struct {
	ID string   `json:"id"`
	V2 wireCVSS `json:"cvss_v2"`
	V3 wireCVSS `json:"cvss_v3"`
}

type wireCVSS struct {
	Base           *float64 `json:"base_score"`
	Exploitability *float64 `json:"exploitability_score"`
	Impact         *float64 `json:"impact_score"`
}

func matchOf(w wireMatch) engine.Match {
	m := engine.Match{
		Package: w.Name, Version: w.Version, PackageType: w.Type, Path: w.Path, Vuln: w.Vuln, Severity: engine.SeverityName(w.Severity),
		URL: w.URL, Feed: w.Feed, Group: w.Group, Namespace: w.Group, WillNotFix: w.WillNotFix, CPE: unsaid(w.CPE), CPE23: unsaid(w.CPE23),
		NVD: scoresOf(w.NVD), Vendor: scoresOf(w.Vendor), FixState: "not-fixed", VEX: markOf(w.VEX),
	}
	if fix := unsaid(w.Fix); fix != "" {
		for _, f := range strings.Split(fix, ",") {
			if f = strings.TrimSpace(f); f != "" {
				m.Fixes = append(m.Fixes, f)
			}
		}
		m.FixState = "fixed"
	} else if w.WillNotFix {
		m.FixState = "wont-fix"
	}
	// An address of the engine's own API is of no use to a person.
	if u, err := url.Parse(m.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Contains(u.Path, "/query/vulnerabilities") {
		m.URL = ""
	}
	if strings.HasPrefix(m.Vuln, "CVE-") {
		m.CVEs = []string{m.Vuln}
	}
	for _, d := range m.NVD {
		if strings.HasPrefix(d.ID, "CVE-") && !slices.Contains(m.CVEs, d.ID) {
			m.CVEs = append(m.CVEs, d.ID)
		}
	}
	return m
}

func scoresOf(list []wireScore) []engine.CVSSData {
	var out []engine.CVSSData
	for _, w := range list {
		out = append(out, engine.CVSSData{ID: w.ID, V2: cvssOf(w.V2), V3: cvssOf(w.V3)})
	}
	return out
}

func cvssOf(w wireCVSS) engine.CVSS {
	or := func(f *float64) float64 {
		if f == nil {
			return -1
		}
		return *f
	}
	return engine.CVSS{Base: or(w.Base), Exploitability: or(w.Exploitability), Impact: or(w.Impact)}
}

// Matches lists what an image is affected by, worst first; v1 does not name
// the data they were made with.
func (c *Client) Matches(ctx context.Context, account, digest string) ([]engine.Match, string, error) {
	list, err := kept(ctx, c, account, "matches "+digest, contentLife, func(ctx context.Context) ([]engine.Match, error) {
		var body struct {
			List []wireMatch `json:"vulnerabilities"`
		}
		q := url.Values{"vendor_only": {"false"}}
		if err := c.get(ctx, account, path("images", digest, "vuln", "all"), q, &body); err != nil {
			if contains(err.Error(), "is not analyzed") {
				return nil, nil
			}
			return nil, err
		}
		packages, _ := c.packages(ctx, account, digest) // to lead from a match to its package, where that can be
		list := make([]engine.Match, len(body.List))
		for n, w := range body.List {
			m := matchOf(w)
			if at := slices.IndexFunc(packages, func(p engine.Package) bool {
				return p.Name == m.Package && p.Version == m.Version && (p.Path == m.Path || m.Path == "")
			}); at >= 0 {
				m.PackageKey = packages[at].Key
			}
			list[n] = m
		}
		rank := func(m engine.Match) int { return slices.Index(engine.SeverityNames, m.Severity) }
		slices.SortStableFunc(list, func(a, b engine.Match) int {
			return cmp.Or(rank(a)-rank(b), strings.Compare(a.Vuln, b.Vuln), strings.Compare(a.Package, b.Package))
		})
		return list, nil
	})
	return list, "", err
}
