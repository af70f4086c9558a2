package apiv1

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// Vulnerabilities is what the vulnerability operations ask of the engine.
type Vulnerabilities interface {
	// ImageMatches is an image with what it is affected by; tags and
	// descriptions may be left out.
	ImageMatches(ctx context.Context, account, digest string) (engine.Image, []engine.Match, error)
	// RematchImage matches an analyzed image anew, against the active data.
	RematchImage(ctx context.Context, account, digest string) error
}

var vulnTypes = []string{"os", "non-os", "all"}

func (s *Server) vulnerabilitiesOps() map[string]op {
	read := acct("getImage")
	return map[string]op{
		"listImageVulnTypes":          {perm: read, call: names(vulnTypes)},
		"listImageVulnTypesById":      {perm: read, call: names(vulnTypes)},
		"getImageVulnerabilities":     {perm: read, call: s.getVulnerabilities},
		"getImageVulnerabilitiesById": {perm: read, call: s.getVulnerabilities},
	}
}

func (s *Server) getVulnerabilities(w http.ResponseWriter, r *request) error {
	kind := r.param("vtype")
	if !slices.Contains(vulnTypes, kind) {
		return engine.NotFoundf("content type (%s) not available", kind)
	}
	refresh, vendorOnly := r.queryBool("force_refresh", false), r.queryBool("vendor_only", true)
	digest := r.param("imageDigest")
	if r.param("imageId") != "" {
		i, err := s.imageOf(r)
		if err != nil {
			return err
		}
		digest, refresh, vendorOnly = string(i.Digest), false, true // no parameter is honoured on this path
	}
	list, err := s.matchesOf(r, digest)
	if err != nil {
		return err
	}
	if refresh {
		if err := s.backend.RematchImage(r.Context(), r.Account, digest); err != nil {
			return cannotFetch(err)
		}
		if list, err = s.matchesOf(r, digest); err != nil {
			return err
		}
	}
	body := vulnReply{ImageDigest: digest, Type: kind, Vulnerabilities: make([]vulnEntry, 0, len(list))}
	base := apiBase(r)
	for _, m := range list {
		if kind != "all" && (kind == "os") != engine.OSPackage(m.PackageType) || vendorOnly && m.WillNotFix {
			continue
		}
		body.Vulnerabilities = append(body.Vulnerabilities, wireMatch(m, base))
	}
	return reply(w, body)
}

// matchesOf is what an analyzed image is affected by.
func (s *Server) matchesOf(r *request, digest string) ([]engine.Match, error) {
	i, list, err := s.backend.ImageMatches(r.Context(), r.Account, digest)
	switch {
	case isMissing(err):
		return nil, missing(err, "image not found in DB")
	case err != nil:
		return nil, cannotFetch(err)
	case i.State != engine.Analyzed:
		return nil, notAnalyzed(i)
	}
	return list, nil
}

func cannotFetch(err error) error {
	if errors.Is(err, context.Canceled) {
		return err // nobody waits for the answer
	}
	return status(&engine.Fault{
		Kind: engine.ErrUnavailable, Message: "could not fetch vulnerabilities - exception: " + engine.MessageOf(err, "internal error"), Cause: err,
	}, http.StatusInternalServerError)
}

// apiBase is the address under which the caller reached this API.
func apiBase(r *request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/v1"
}

type vulnReply struct {
	ImageDigest     string      `json:"imageDigest"`
	Type            string      `json:"vulnerability_type"`
	Vulnerabilities []vulnEntry `json:"vulnerabilities"`
}

type vulnEntry struct {
	Vuln           string      `json:"vuln"`
	Severity       string      `json:"severity"`
	URL            string      `json:"url"`
	Fix            string      `json:"fix"`
	Package        string      `json:"package"`
	PackageName    string      `json:"package_name"`
	PackageVersion string      `json:"package_version"`
	PackageType    string      `json:"package_type"`
	PackagePath    string      `json:"package_path"`
	PackageCPE     string      `json:"package_cpe"`
	PackageCPE23   string      `json:"package_cpe23"`
	Feed           string      `json:"feed"`
	FeedGroup      string      `json:"feed_group"`
	WillNotFix     bool        `json:"will_not_fix"`
	NVD            []scoreData `json:"nvd_data"`
	Vendor         []scoreData `json:"vendor_data"`
	VEX            *vexMark    `json:"vex,omitempty"` // beyond v1, and only where there is one
}

type scoreData struct {
	ID string `json:"id"`
	V2 scores `json:"cvss_v2"`
	V3 scores `json:"cvss_v3"`
}

type scores struct {
	Base           score `json:"base_score"`
	Exploitability score `json:"exploitability_score"`
	Impact         score `json:"impact_score"`
}

// score is written with a decimal point even when it is whole, as it always
// was: -1.0 and not -1.
type score float64

// MarshalJSON writes the score.
func (f score) MarshalJSON() ([]byte, error) {
	b := strconv.AppendFloat(make([]byte, 0, 8), float64(f), 'f', -1, 64)
	if !slices.Contains(b, '.') {
		b = append(b, ".0"...)
	}
	return b, nil
}

func wireMatch(m engine.Match, base string) vulnEntry {
	w := vulnEntry{
		Vuln: m.Vuln, Severity: m.Severity, URL: m.URL, Fix: orNone(strings.Join(m.Fixes, ", ")),
		Package: m.Package + "-" + m.Version, PackageName: m.Package, PackageVersion: m.Version, PackageType: m.PackageType,
		PackagePath: m.Path, PackageCPE: orNone(m.CPE), PackageCPE23: orNone(m.CPE23), Feed: m.Feed, FeedGroup: m.Group,
		WillNotFix: m.WillNotFix, NVD: wireScores(m.NVD), Vendor: wireScores(m.Vendor),
		VEX: wireMark(m.VEX),
	}
	if w.URL == "" {
		w.URL = base + "/query/vulnerabilities?id=" + url.QueryEscape(m.Vuln)
	}
	if w.PackagePath == "" && engine.OSPackage(m.PackageType) {
		w.PackagePath = "pkgdb"
	}
	return w
}

func wireScores(list []engine.CVSSData) []scoreData {
	out := make([]scoreData, len(list))
	for n, d := range list {
		out[n] = scoreData{d.ID, wireCVSS(d.V2), wireCVSS(d.V3)}
	}
	return out
}

func wireCVSS(c engine.CVSS) scores {
	return scores{score(c.Base), score(c.Exploitability), score(c.Impact)}
}

// orNone is the text None where v1 has it in place of null.
func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}
