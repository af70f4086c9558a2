package feeds

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"

	v6 "github.com/anchore/grype/grype/db/v6"

	"windlass/internal/engine"
)

// placePackage marks the number of a package among those of releases.
const placePackage = 1 << 31

// groupName is one feed and group.
type groupName struct{ feed, group string }

// tally counts distinct records a group. A record may stand in one group under
// several releases (each minor version of RHEL), so numbers are not enough.
type tally map[groupName]map[int64]struct{}

func (t tally) add(g groupName, record int64) {
	m := t[g]
	if m == nil {
		m = map[int64]struct{}{}
		t[g] = m
	}
	m[record] = struct{}{}
}

// count says how many vulnerability records each group of a database has.
//
// The table of affected packages has millions of rows, one for each package
// and release a record touches. Rows of a record lie together, so a scan in
// the table's own order finds the distinct pairs in a fifth of the time that
// the query planner's choice, the index by release, takes: hence NOT INDEXED.
func count(ctx context.Context, dir string) ([]engine.FeedGroup, int64, error) {
	const (
		releases = `SELECT id, name, major_version, minor_version, label_version, codename, channel FROM operating_systems`
		packages = `SELECT id, ecosystem, name FROM packages`
		records  = `SELECT id, provider_id, name FROM vulnerability_handles`
		// Record and place in one number, the quickest for DISTINCT. A place is a
		// release, or from placePackage on a package that is in none.
		byPackage = `
			SELECT DISTINCT vulnerability_id << 32 | CASE WHEN operating_system_id IS NULL THEN package_id | 0x80000000 ELSE operating_system_id END FROM affected_package_handles NOT INDEXED
			UNION ALL
			SELECT DISTINCT vulnerability_id << 32 | CASE WHEN operating_system_id IS NULL THEN package_id | 0x80000000 ELSE operating_system_id END FROM unaffected_package_handles NOT INDEXED`
		byCPE = `
			SELECT DISTINCT vulnerability_id FROM affected_cpe_handles
			UNION ALL
			SELECT DISTINCT vulnerability_id FROM unaffected_cpe_handles`
	)
	db, err := openReadOnly(dir)
	if err != nil {
		return nil, 0, err
	}
	defer db.Close()

	oss := map[int64]*v6.OperatingSystem{}
	err = each(ctx, db, releases, func(scan scanner) error {
		var id int64
		var o v6.OperatingSystem
		var f [6]sql.NullString
		if err := scan(&id, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]); err != nil {
			return err
		}
		o.Name, o.MajorVersion, o.MinorVersion = f[0].String, f[1].String, f[2].String
		o.LabelVersion, o.Codename, o.Channel = f[3].String, f[4].String, f[5].String
		oss[id] = &o
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	pkgs := map[int64]*v6.Package{}
	err = each(ctx, db, packages, func(scan scanner) error {
		var id int64
		var eco, name sql.NullString
		if err := scan(&id, &eco, &name); err != nil {
			return err
		}
		pkgs[id] = &v6.Package{Ecosystem: eco.String, Name: name.String}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	type record struct{ provider, name string }
	recs := map[int64]record{}
	t := tally{}
	err = each(ctx, db, records, func(scan scanner) error {
		var id int64
		var r record
		if err := scan(&id, &r.provider, &r.name); err != nil {
			return err
		}
		recs[id] = r
		if r.provider == FeedNVD { // many of NVD's records name no product; their scores count
			feed, group := GroupOf("nvd:cpe", r.name)
			t.add(groupName{feed, group}, id)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}

	// The group of an OS record depends on provider and release alone.
	type release struct {
		provider string
		os       int64
	}
	known := map[release]groupName{}
	name := func(r record, os *v6.OperatingSystem, p *v6.Package) groupName {
		h := &v6.VulnerabilityHandle{Name: r.name, Provider: &v6.Provider{ID: r.provider}}
		var a *v6.AffectedPackageHandle
		if p != nil {
			a = &v6.AffectedPackageHandle{Package: p, OperatingSystem: os}
		}
		feed, group := GroupOf(v6.MimicV5Namespace(h, a), r.name)
		return groupName{feed, group}
	}
	err = each(ctx, db, byPackage, func(scan scanner) error {
		var key int64
		if err := scan(&key); err != nil {
			return err
		}
		vuln, where := key>>32, key&(1<<32-1)
		r := recs[vuln]
		if where&placePackage != 0 {
			t.add(name(r, nil, pkgs[where&^placePackage]), vuln)
			return nil
		}
		k := release{r.provider, where}
		g, ok := known[k]
		if !ok && oss[where] != nil {
			g = name(r, oss[where], &v6.Package{})
			known[k] = g
		}
		t.add(g, vuln)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	err = each(ctx, db, byCPE, func(scan scanner) error {
		var vuln int64
		if err := scan(&vuln); err != nil {
			return err
		}
		t.add(name(recs[vuln], nil, nil), vuln)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	list := make([]engine.FeedGroup, 0, len(t))
	for g, m := range t {
		list = append(list, engine.FeedGroup{Feed: g.feed, Name: g.group, Records: int64(len(m)), Enabled: true})
	}
	slices.SortFunc(list, func(a, b engine.FeedGroup) int {
		return cmp.Or(cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Name, b.Name))
	})
	return list, int64(len(recs)), nil
}

type scanner func(dest ...any) error

// each runs a query and hands its rows to f.
func each(ctx context.Context, db *sql.DB, query string, f func(scanner) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("count records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fmt.Errorf("count records: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count records: %w", err)
	}
	return nil
}

// openReadOnly opens a finished database. The driver is the one that grype
// brings: two SQLite drivers in one program would claim one name.
func openReadOnly(dir string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, v6.VulnerabilityDBFileName)+"?mode=ro&immutable=1")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}
