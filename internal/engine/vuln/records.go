package vuln

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/anchore/grype/grype/version"
	syftpkg "github.com/anchore/syft/syft/pkg"

	"windlass/internal/engine"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/ident"
)

// Records calls each with the records of the data in use that a query selects,
// in the order of their ids and namespaces, and returns how many there are on
// all pages. Ids are looked up one after the other: a page of many holds one
// id's records in memory. Without data, or with none on this host, there are
// none.
func (m *Matcher) Records(ctx context.Context, q engine.RecordQuery, each func(engine.VulnRecord) error) (int, error) {
	h, err := m.acquire(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return 0, nil
	}
	if errors.Is(err, errElsewhere) {
		return 0, &engine.Fault{Kind: engine.ErrUnavailable, Message: "The vulnerability data is not on this host.", Cause: err}
	}
	if err != nil {
		return 0, fmt.Errorf("records: %w", err)
	}
	defer h.release()
	off, err := m.source.GroupsOff(ctx)
	if err != nil {
		return 0, fmt.Errorf("records: %w", err)
	}
	l := lookup{converter: newConverter(h, nil, off), q: q}

	total := 0
	ids := slices.Clone(q.IDs)
	for i := range ids {
		ids[i] = strings.ToUpper(ids[i]) // ids differ by more than their case
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		list, err := l.records(id)
		if err != nil {
			return total, fmt.Errorf("records of %.40q: %w", id, err)
		}
		for _, r := range list {
			if total++; q.Page.Limit > 0 && (total-1)/q.Page.Limit != q.Page.Number-1 {
				continue
			}
			if err := each(r); err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// lookup answers one query from one database.
type lookup struct {
	*converter
	q engine.RecordQuery
}

// found is a record being put together.
type found struct {
	handle    *v6.VulnerabilityHandle
	namespace string // in the database
	cves      []string
	affected  map[engine.AffectedPackage]struct{} // some records name thousands, release by release
}

// records are those of one id, one a namespace.
func (l lookup) records(id string) ([]engine.VulnRecord, error) {
	byGroup := map[string]*found{}
	spec := v6.VulnerabilitySpecifier{Name: id}

	handles, err := l.h.reader.GetVulnerabilities(&spec, &v6.GetVulnerabilityOptions{Preload: true})
	if err != nil || len(handles) == 0 {
		return nil, err
	}
	byID := make(map[v6.ID]*v6.VulnerabilityHandle, len(handles))
	for i := range handles {
		h := &handles[i]
		byID[h.ID] = h
		if h.ProviderID == feeds.FeedNVD { // many of NVD's records name no product
			l.group(byGroup, h, nvd)
		}
	}
	pkgs, err := l.h.reader.GetAffectedPackages(nil, &v6.GetPackageOptions{
		PreloadOS: true, PreloadPackage: true, PreloadBlob: true, Vulnerabilities: v6.VulnerabilitySpecifiers{spec},
	})
	if err != nil {
		return nil, err
	}
	for i := range pkgs {
		p := &pkgs[i]
		h := byID[p.VulnerabilityID]
		if h == nil || p.Package == nil || p.BlobValue == nil {
			continue
		}
		f := l.group(byGroup, h, v6.MimicV5Namespace(h, p))
		if f == nil {
			continue
		}
		kind, _ := ident.Type(syftpkg.Type(p.Package.Ecosystem))
		f.add(l.q, p.Package.Name, kind, p.BlobValue)
	}
	cpes, err := l.h.reader.GetAffectedCPEs(nil, &v6.GetCPEOptions{
		PreloadCPE: true, PreloadBlob: true, Vulnerabilities: []v6.VulnerabilitySpecifier{spec},
	})
	if err != nil {
		return nil, err
	}
	for i := range cpes {
		c := &cpes[i]
		h := byID[c.VulnerabilityID]
		if h == nil || c.CPE == nil || c.BlobValue == nil {
			continue
		}
		if f := l.group(byGroup, h, v6.MimicV5Namespace(h, nil)); f != nil {
			f.add(l.q, c.CPE.Product, "cpe", c.BlobValue)
		}
	}

	var list []engine.VulnRecord
	for _, g := range slices.Sorted(maps.Keys(byGroup)) {
		f := byGroup[g]
		if l.q.Package != "" && len(f.affected) == 0 {
			continue
		}
		r, err := l.record(g, f)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// group finds or begins the record of a namespace; nil when the query leaves
// the namespace out, or a person has disabled its group.
func (l lookup) group(all map[string]*found, h *v6.VulnerabilityHandle, namespace string) *found {
	feed, group := feeds.GroupOf(namespace, h.Name)
	if l.off[[2]string{feed, group}] || !l.asked(feed, group, namespace) {
		return nil
	}
	f := all[group]
	if f == nil {
		f = &found{handle: h, namespace: namespace, affected: map[engine.AffectedPackage]struct{}{}}
		all[group] = f
	}
	return f
}

// asked reports whether a query names a namespace: by its group, by its name
// in the database, or by that of its feed.
func (l lookup) asked(feed, group, namespace string) bool {
	if len(l.q.Namespaces) == 0 {
		return true
	}
	return slices.ContainsFunc(l.q.Namespaces, func(n string) bool {
		// nvdv2:cves is what NVD's only namespace was called.
		return n == group || n == namespace || n == feed && feed != feeds.FeedVulnerabilities ||
			feed == feeds.FeedNVD && (n == "nvdv2:cves" || n == "nvdv2")
	})
}

// add notes a package that a record is about, once, when the query wants it.
func (f *found) add(q engine.RecordQuery, name, kind string, b *v6.PackageBlob) {
	for _, id := range b.CVEs {
		if isCVE(id) && !slices.Contains(f.cves, id) {
			f.cves = append(f.cves, id)
		}
	}
	if q.Package != "" && q.Package != name {
		return
	}
	var ranges []string
	wontFix, fixed, inside := false, false, len(b.Ranges) == 0
	for _, r := range b.Ranges {
		if r.Version.Constraint != "" {
			ranges = append(ranges, r.Version.Constraint)
		}
		inside = inside || affects(r.Version, q.Version)
		if r.Fix != nil {
			fixed = fixed || r.Fix.State == v6.FixedStatus
			wontFix = wontFix || r.Fix.State == v6.WontFixStatus
		}
	}
	a := engine.AffectedPackage{Name: name, Version: strings.Join(ranges, " || "), Type: kind, WillNotFix: wontFix && !fixed}
	if a.Version == "" {
		a.Version = "*"
	}
	if q.Version != "" && !inside && q.Version != a.Version {
		return
	}
	f.affected[a] = struct{}{}
}

// affects reports whether a range holds a version. What cannot be compared is
// taken for affected: the record names the package.
func affects(v v6.Version, installed string) bool {
	if v.Constraint == "" || installed == "" {
		return true
	}
	format := version.ParseFormat(v.Type)
	c, err := version.GetConstraint(v.Constraint, format)
	if err != nil {
		return true
	}
	ok, err := c.Satisfied(version.New(installed, format))
	return ok || err != nil
}

// record is what the query answers of one namespace.
func (l lookup) record(group string, f *found) (engine.VulnRecord, error) {
	r := engine.VulnRecord{ID: f.handle.Name, Namespace: group, Affected: slices.Collect(maps.Keys(f.affected))}
	meta, err := l.metadata(f.handle, f.namespace)
	if err != nil {
		return r, err
	}
	r.Severity, r.Description = severity(meta.Severity), meta.Description
	slices.SortFunc(r.Affected, func(a, b engine.AffectedPackage) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Version, b.Version))
	})
	if b := f.handle.BlobValue; b != nil {
		for _, ref := range b.References {
			source := strings.Join(ref.Tags, ", ")
			if source == "" {
				source = f.handle.ProviderID
			}
			r.References = append(r.References, engine.VulnReference{Source: source, URL: ref.URL})
			if r.Link == "" && (strings.HasPrefix(ref.URL, "https://") || strings.HasPrefix(ref.URL, "http://")) {
				r.Link = ref.URL
			}
		}
		for _, id := range b.Aliases {
			if isCVE(id) && !slices.Contains(f.cves, id) {
				f.cves = append(f.cves, id)
			}
		}
	}
	own := recordScores(r.ID, meta.Cvss)
	if f.namespace == nvd {
		r.NVD = []engine.RecordScores{own}
		return r, nil
	}
	if own.V2 != nil || own.V3 != nil {
		r.Vendor = []engine.RecordScores{own}
	}
	return r, l.nvdScores(&r, f)
}

// nvdScores adds NVD's scores of each CVE that a record refers to: none where
// NVD has not looked at it, but its id all the same.
func (l lookup) nvdScores(r *engine.VulnRecord, f *found) error {
	cves := f.cves
	if isCVE(r.ID) {
		cves = append([]string{r.ID}, slices.DeleteFunc(cves, func(id string) bool { return strings.EqualFold(id, r.ID) })...)
	}
	for _, id := range cves {
		meta, err := l.nvdRecord(id)
		if err != nil {
			return err
		}
		scores := engine.RecordScores{ID: id}
		if meta != nil {
			scores = recordScores(id, meta.Cvss)
		}
		r.NVD = append(r.NVD, scores)
	}
	return nil
}
