package vuln_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/vuln"
)

func records(t *testing.T, m *vuln.Matcher, q engine.RecordQuery) ([]engine.VulnRecord, int) {
	t.Helper()
	var list []engine.VulnRecord
	total, err := m.Records(t.Context(), q, func(r engine.VulnRecord) error {
		list = append(list, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, total
}

// names lists records as "id namespace: package version type, ...".
func names(list []engine.VulnRecord) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		var pkgs []string
		for _, a := range r.Affected {
			text := a.Name + " " + a.Version + " " + a.Type
			if a.WillNotFix {
				text += " wont-fix"
			}
			pkgs = append(pkgs, text)
		}
		out = append(out, r.ID+" "+r.Namespace+": "+strings.Join(pkgs, ", "))
	}
	return out
}

func queryWorld(t *testing.T) *world {
	w := newWorld(t)
	w.use(t, 1,
		build.Record{Provider: "debian", ID: "CVE-2023-0001", Severity: "High", Description: "In curl", URL: "https://debian.example/1", Affects: []build.Affected{
			{OS: "debian:12", Ecosystem: "deb", Package: "curl", Fixed: "7.1"},
			{OS: "debian:12", Ecosystem: "deb", Package: "curl-doc", State: "wont-fix"},
			{OS: "debian:11", Ecosystem: "deb", Package: "curl", Fixed: "6.9"}}},
		build.Record{Provider: "rhel", ID: "CVE-2023-0001", Severity: "Medium", Affects: []build.Affected{{OS: "rhel:8", Ecosystem: "rpm", Package: "curl", Fixed: "0:7.1-2.el8"}}},
		build.Record{Provider: "nvd", ID: "CVE-2023-0001", CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Description: "NVD says", URL: "https://nvd.example/1"},
		build.Record{Provider: "github", ID: "GHSA-aaaa-bbbb-cccc", Severity: "Critical", Aliases: []string{"CVE-2023-0001"}, Affects: []build.Affected{{Ecosystem: "npm", Package: "curl", Constraint: ">=1.0.0,<2.0.0", Fixed: "2.0.0"}}},
		build.Record{Provider: "nvd", ID: "CVE-2024-0002"},
	)
	return w
}

func TestRecords(t *testing.T) {
	w := queryWorld(t)
	deb11 := "CVE-2023-0001 debian:11: curl < 6.9 dpkg"
	deb12 := "CVE-2023-0001 debian:12: curl < 7.1 dpkg, curl-doc * dpkg wont-fix"
	nvd := "CVE-2023-0001 nvddb:2023: "
	rhel := "CVE-2023-0001 rhel:8: curl < 0:7.1-2.el8 rpm"
	npm := "GHSA-aaaa-bbbb-cccc github:npm: curl >=1.0.0,<2.0.0 npm"
	tests := map[string]struct {
		q     engine.RecordQuery
		want  []string
		total int
	}{
		"all of an id":    {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}}, []string{deb11, deb12, nvd, rhel}, 4},
		"twice, any case": {engine.RecordQuery{IDs: []string{"cve-2023-0001", "CVE-2023-0001"}}, []string{deb11, deb12, nvd, rhel}, 4},
		"two ids":         {engine.RecordQuery{IDs: []string{"GHSA-aaaa-bbbb-cccc", "CVE-2024-0002", "CVE-1"}}, []string{"CVE-2024-0002 nvddb:2024: ", npm}, 2},
		"group":           {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Namespaces: []string{"debian:12", "rhel:8"}}, []string{deb12, rhel}, 2},
		"namespace":       {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Namespaces: []string{"debian:distro:debian:11"}}, []string{deb11}, 1},
		"nvd":             {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Namespaces: []string{"nvd"}}, []string{nvd}, 1},
		"nvd as of old":   {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Namespaces: []string{"nvdv2:cves"}}, []string{nvd}, 1},
		"no namespace":    {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Namespaces: []string{"vulnerabilities"}}, nil, 0},
		"package":         {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Package: "curl-doc"}, []string{"CVE-2023-0001 debian:12: curl-doc * dpkg wont-fix"}, 1},
		"version":         {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Package: "curl", Version: "7.0"}, []string{"CVE-2023-0001 debian:12: curl < 7.1 dpkg", rhel}, 2},
		"version of npm":  {engine.RecordQuery{IDs: []string{"GHSA-aaaa-bbbb-cccc"}, Package: "curl", Version: "2.0.0"}, nil, 0},
		"the range":       {engine.RecordQuery{IDs: []string{"GHSA-aaaa-bbbb-cccc"}, Package: "curl", Version: ">=1.0.0,<2.0.0"}, []string{npm}, 1},
		"page":            {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Page: engine.QueryPage{Number: 2, Limit: 3}}, []string{rhel}, 4},
		"past the end":    {engine.RecordQuery{IDs: []string{"CVE-2023-0001"}, Page: engine.QueryPage{Number: 3, Limit: 3}}, nil, 4},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			list, total := records(t, w.m, tc.q)
			if got := names(list); !slices.Equal(got, tc.want) || total != tc.total {
				t.Errorf("%q of %d\nwant %q of %d", got, total, tc.want, tc.total)
			}
		})
	}
}

func TestRecordScores(t *testing.T) {
	w := queryWorld(t)
	list, _ := records(t, w.m, engine.RecordQuery{IDs: []string{"CVE-2023-0001", "GHSA-aaaa-bbbb-cccc"}})
	for _, r := range list {
		if len(r.NVD) != 1 || r.NVD[0].ID != "CVE-2023-0001" || r.NVD[0].V2 != nil || r.NVD[0].V3 == nil {
			t.Errorf("%s %s: NVD's scores %+v", r.ID, r.Namespace, r.NVD)
			continue
		}
		if v := r.NVD[0].V3; v.Version != "3.1" || v.Base != 7.5 || v.Severity != "High" || v.Exploitability != 3.9 || v.Impact != 3.6 || !strings.HasPrefix(v.Vector, "CVSS:3.1/") {
			t.Errorf("%s %s: %+v", r.ID, r.Namespace, v)
		}
		if len(r.Vendor) != 0 {
			t.Errorf("%s %s: scores of its own %+v", r.ID, r.Namespace, r.Vendor)
		}
	}
	if r := list[1]; r.Link != "https://debian.example/1" || r.Description != "In curl" || r.Severity != "High" || len(r.References) != 1 || r.References[0].Source != "debian" {
		t.Errorf("debian's record is %+v", r)
	}
}

func TestRecordsOfDisabledGroups(t *testing.T) {
	w := queryWorld(t)
	if err := w.s.SetGroupEnabled(t.Context(), "vulnerabilities", "debian:12", false); err != nil {
		t.Fatal(err)
	}
	list, total := records(t, w.m, engine.RecordQuery{IDs: []string{"CVE-2023-0001"}})
	if got := names(list); total != 3 || strings.Contains(strings.Join(got, "\n"), "debian:12") {
		t.Errorf("%q of %d", got, total)
	}
}

func TestRecordsWithoutData(t *testing.T) {
	w := newWorld(t)
	if list, total := records(t, w.m, engine.RecordQuery{IDs: []string{"CVE-2023-0001"}}); len(list) != 0 || total != 0 {
		t.Errorf("%v of %d before any data", list, total)
	}
	w.use(t, 1, deb("CVE-2023-0001", "curl", "7.1"))
	away := vuln.New(w.s, t.TempDir(), enginetest.Logger(t))
	defer away.Close()
	_, err := away.Records(t.Context(), engine.RecordQuery{IDs: []string{"CVE-2023-0001"}}, nil)
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("away from the data: %v, want ErrUnavailable", err)
	}
}
