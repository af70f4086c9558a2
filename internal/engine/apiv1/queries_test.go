package apiv1

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// queriesBackend answers queries with n hits and keeps what was asked.
type queriesBackend struct {
	imagesBackend
	n     int
	err   error
	asked *any
}

func (b queriesBackend) walk(q any, p engine.QueryPage, each func(n int) error) (int, error) {
	if b.asked != nil {
		*b.asked = q
	}
	for n := range b.n {
		if p.Limit > 0 && n/p.Limit != p.Number-1 {
			continue
		}
		if err := each(n); err != nil {
			return 0, err
		}
	}
	return b.n, b.err
}

func (b queriesBackend) hit(n int) engine.ImageHit {
	h := engine.ImageHit{
		Digest: engine.Digest(fmt.Sprintf("sha256:%064d", n)), ImageID: fmt.Sprintf("%064d", n),
		Packages: []engine.PackageHit{{Name: "openssl", Version: "1.1.1d", Type: "dpkg", Namespace: "debian:10", Severity: "High"}},
	}
	if n == 0 {
		h.AnalyzedAt = happened
		h.Tags = []engine.ImageTag{{Registry: "docker.io", Repository: "alpine", Tag: "latest", DetectedAt: happened}, {Registry: "r", Repository: "x", Tag: "y"}}
	}
	return h
}

func (b queriesBackend) ImagesByVuln(_ context.Context, _ string, q engine.VulnQuery, each func(engine.ImageHit) error) (int, error) {
	return b.walk(q, q.Page, func(n int) error { return each(b.hit(n)) })
}

func (b queriesBackend) ImagesByPackage(_ context.Context, _ string, q engine.PackageQuery, each func(engine.ImageHit) error) (int, error) {
	return b.walk(q, q.Page, func(n int) error { return each(b.hit(n)) })
}

func (b queriesBackend) VulnRecords(_ context.Context, q engine.RecordQuery, each func(engine.VulnRecord) error) (int, error) {
	records := []engine.VulnRecord{
		{ID: "CVE-2020-1234", Namespace: "debian:10", Severity: "High", Link: "https://example.test/?a&b", Description: "A flaw",
			References: []engine.VulnReference{{Source: "debian", URL: "https://example.test"}},
			Affected:   []engine.AffectedPackage{{Name: "openssl", Version: "< 1.1.1d-0+deb10u3", Type: "dpkg", WillNotFix: true}},
			NVD: []engine.RecordScores{{ID: "CVE-2020-1234",
				V2: &engine.VectorScore{Version: "2.0", Vector: "AV:N/AC:L/Au:N/C:N/I:N/A:P", Severity: "Medium", CVSS: engine.CVSS{Base: 5, Exploitability: 10, Impact: 2.9}}}}},
		{ID: "CVE-2020-1234", Namespace: "ol:7", Severity: "Unknown"},
	}
	return b.walk(q, q.Page, func(n int) error { return each(records[n]) })
}

func TestQueryReplies(t *testing.T) {
	tests := []struct {
		name, path string
		n          int
		err        error
		code       int
	}{
		{"query_vulnerability", "/query/images/by_vulnerability?vulnerability_id=CVE-2020-1234", 2, nil, 200},
		{"query_vulnerability_none", "/query/images/by_vulnerability?vulnerability_id=x", 0, nil, 200},
		{"query_vulnerability_no_id", "/query/images/by_vulnerability", 2, nil, 400},
		{"query_vulnerability_bad_severity", "/query/images/by_vulnerability?vulnerability_id=x&severity=high", 2, nil, 400},
		{"query_package", "/query/images/by_package?name=openssl&limit=1&page=1", 2, nil, 200},
		{"query_package_last", "/query/images/by_package?name=openssl&limit=1&page=2", 2, nil, 200},
		{"query_package_past", "/query/images/by_package?name=openssl&limit=2&page=3", 2, nil, 200},
		{"query_package_bad_page", "/query/images/by_package?name=openssl&limit=2&page=two", 2, nil, 400},
		{"query_package_fails", "/query/images/by_package?name=openssl", 0, engine.ErrUnavailable, 503},
		{"query_records", "/query/vulnerabilities?id=CVE-2020-1234,CVE-2020-1235", 2, nil, 200},
		{"query_records_no_id", "/query/vulnerabilities", 0, nil, 400},
		{"query_records_empty_id", "/query/vulnerabilities?id=,", 0, nil, 400},
		{"query_records_version_alone", "/query/vulnerabilities?id=x&affected_package_version=1", 0, nil, 400},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := ask(t, queriesBackend{n: tc.n, err: tc.err}, "GET", "http://api.test/v1"+tc.path, "", "admin:right")
			if w.Code != tc.code {
				t.Errorf("status %d, want %d", w.Code, tc.code)
			}
			golden(t, tc.name, w.Body.Bytes())
		})
	}
}

func TestQueriesAsk(t *testing.T) {
	whole := engine.QueryPage{Number: 1}
	for target, want := range map[string]any{
		"/query/images/by_vulnerability?vulnerability_id=CVE-1": engine.VulnQuery{Vuln: "CVE-1", VendorOnly: true, Page: whole},
		"/query/images/by_vulnerability?vulnerability_id=CVE-1&vendor_only=False&namespace=debian:10&affected_package=a&severity=High&page=2&limit=3": engine.VulnQuery{
			Vuln: "CVE-1", Namespace: "debian:10", Package: "a", Severity: "High", Page: engine.QueryPage{Number: 2, Limit: 3}},
		"/query/images/by_package?name=a&package_type=dpkg&version=1&page=2": engine.PackageQuery{Name: "a", Type: "dpkg", Version: "1", Page: whole},
		"/query/images/by_package?name=a&page=2&limit=0":                     engine.PackageQuery{Name: "a", Page: whole},
		"/query/vulnerabilities?id=a&page=99999999999999999999&limit=1": engine.RecordQuery{
			IDs: []string{"a"}, Page: engine.QueryPage{Number: math.MaxInt, Limit: 1}},
		"/query/vulnerabilities?id=a,b&namespace=debian:10,nvd&affected_package=x&affected_package_version=1&page=2&limit=1": engine.RecordQuery{
			IDs: []string{"a", "b"}, Namespaces: []string{"debian:10", "nvd"}, Package: "x", Version: "1", Page: engine.QueryPage{Number: 2, Limit: 1}},
	} {
		var got any
		if w := ask(t, queriesBackend{asked: &got}, "GET", target, "", "admin:right"); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s asks for\n%+v, want\n%+v", target, got, want)
		}
	}
}

// A failure after the first element breaks the reply off: half an answer must
// not look like a whole one.
func TestQueryBreaksOff(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the reply ended as if it were whole")
		}
	}()
	ask(t, queriesBackend{n: 1, err: errors.New("connection lost")}, "GET", "/query/images/by_package?name=a", "", "admin:right")
}

// The counts stand behind a list of any length.
func TestQueryCounts(t *testing.T) {
	w := ask(t, queriesBackend{n: 20_000}, "GET", "/query/images/by_package?name=a", "", "admin:right")
	if !strings.HasSuffix(w.Body.String(), `],"page":"1","returned_count":20000,"total_count":20000}`+"\n") {
		t.Errorf("ends with %s", w.Body.String()[w.Body.Len()-200:])
	}
}
