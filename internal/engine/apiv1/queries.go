package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// Queries is what the query operations ask of the engine. Each walks one page
// of an answer and returns how many elements there are on all pages.
type Queries interface {
	ImagesByVuln(ctx context.Context, account string, q engine.VulnQuery, each func(engine.ImageHit) error) (int, error)
	ImagesByPackage(ctx context.Context, account string, q engine.PackageQuery, each func(engine.ImageHit) error) (int, error)
	VulnRecords(ctx context.Context, q engine.RecordQuery, each func(engine.VulnRecord) error) (int, error)
}

func (s *Server) queriesOps() map[string]op {
	return map[string]op{
		"queryImagesByVulnerability": {perm: acct("listImages"), call: s.queryImagesByVuln, heavy: true},
		"queryImagesByPackage":       {perm: acct("listImages"), call: s.queryImagesByPackage, heavy: true},
		"queryVulnerabilities":       {perm: anyo, call: s.queryVulnerabilities, heavy: true},
	}
}

func (s *Server) queryImagesByVuln(w http.ResponseWriter, r *request) error {
	q := engine.VulnQuery{
		Vuln: r.queryText("vulnerability_id"), Namespace: r.queryText("namespace"), Package: r.queryText("affected_package"),
		Severity: r.queryText("severity"), VendorOnly: r.queryBool("vendor_only", true), Page: queryPage(r),
	}
	return replyPage(w, "images", q.Page, func(emit func(any) error) (int, error) {
		return s.backend.ImagesByVuln(r.Context(), r.Account, q, func(h engine.ImageHit) error { return emit(wireVulnerableImage(h)) })
	})
}

func (s *Server) queryImagesByPackage(w http.ResponseWriter, r *request) error {
	q := engine.PackageQuery{
		Name: r.queryText("name"), Type: r.queryText("package_type"), Version: r.queryText("version"), Page: queryPage(r),
	}
	return replyPage(w, "images", q.Page, func(emit func(any) error) (int, error) {
		return s.backend.ImagesByPackage(r.Context(), r.Account, q, func(h engine.ImageHit) error { return emit(wirePackageImage(h)) })
	})
}

func (s *Server) queryVulnerabilities(w http.ResponseWriter, r *request) error {
	q := engine.RecordQuery{
		IDs: r.queryList("id"), Namespaces: r.queryList("namespace"),
		Package: r.queryText("affected_package"), Version: r.queryText("affected_package_version"), Page: queryPage(r),
	}
	switch {
	case len(q.IDs) == 0:
		return engine.Invalidf("id must name at least one vulnerability")
	case q.Version != "" && q.Package == "":
		return engine.Invalidf("affected_package_version needs affected_package")
	}
	base := apiBase(r)
	return replyPage(w, "vulnerabilities", q.Page, func(emit func(any) error) (int, error) {
		return s.backend.VulnRecords(r.Context(), q, func(v engine.VulnRecord) error { return emit(wireRecord(v, base)) })
	})
}
