package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"windlass/internal/engine/enginetest"
)

// finding is what of a match must agree with the upstream tool.
type finding struct{ vuln, pkg, version, severity, fix string }

// Real images against a real feed, through the whole program, agree with the
// upstream command line tool on the same data: the same ids, packages,
// versions, severities and fixes. There are no differences to explain: the
// SBOM is made with the tool's own settings (Go symbols included), and where
// several fixes are known both list them in the same order. The API's default
// leaves out what a vendor will not fix, so it is asked for all.
//
// A later build of the feed then takes the place of the first, and the stored
// SBOMs are matched again without another analysis.
func TestRealDataAgreesWithTheReferenceTool(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	first, second := enginetest.Shared(t, "data/feed"), enginetest.Shared(t, "data/feed-next")
	var next atomic.Bool
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dir := first
		if next.Load() {
			dir = second
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	defer feed.Close()
	reg := enginetest.Registry(t)
	p := start(t, dataDir(t), "--feeds-url="+feed.URL)
	p.sync(t)

	// multiarch is analyzed by its amd64 entry; debian12-app stands last since
	// it is the largest.
	names := []string{"debian12", "alpine-synthetic", "multiarch", "debian12-app"}
	digests := map[string]string{}
	for _, name := range names {
		image := reg.PushArchive(t, name+":latest", enginetest.Shared(t, "data/images/"+name+".oci.tar"))
		var list []struct {
			Digest string `json:"imageDigest"`
		}
		if code := p.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":%q}`, image), &list); code != http.StatusOK {
			t.Fatalf("POST /images %s = %d", name, code)
		}
		digests[name] = list[0].Digest
	}
	analyzedAt := map[string]string{}
	for name, digest := range digests {
		until(t, name+" is analyzed", func() bool {
			var list []struct {
				State string `json:"analysis_status"`
				At    string `json:"analyzed_at"`
			}
			p.call(t, http.MethodGet, "/images/"+digest, "", &list)
			if list[0].State == "analysis_failed" {
				t.Fatalf("the analysis of %s failed", name)
			}
			analyzedAt[name] = list[0].At
			return list[0].State == "analyzed"
		})
	}
	for _, name := range names {
		want := reference(t, "feed", name)
		if got := p.findings(t, digests[name]); !slices.Equal(got, want) {
			t.Errorf("%s: %s", name, differences(got, want))
		}
	}

	next.Store(true)
	p.sync(t)
	for _, name := range names {
		want := reference(t, "feed-next", name)
		var got []finding
		defer func() {
			if t.Failed() {
				t.Logf("%s after the update: %s", name, differences(got, want))
			}
		}()
		until(t, name+" is matched with the later feed", func() bool {
			got = p.findings(t, digests[name])
			return slices.Equal(got, want)
		})
		var list []struct {
			At string `json:"analyzed_at"`
		}
		p.call(t, http.MethodGet, "/images/"+digests[name], "", &list)
		if list[0].At != analyzedAt[name] {
			t.Errorf("%s was analyzed again at %s", name, list[0].At)
		}
	}
}

func (p *program) sync(t *testing.T) {
	t.Helper()
	var results []struct {
		Feed   string `json:"feed"`
		Status string `json:"status"`
	}
	var code int
	var body json.RawMessage
	until(t, "the starter data is in place", func() bool { // a first start puts it there under the same lock
		code = p.call(t, http.MethodPost, "/system/feeds", "", &body)
		return code != http.StatusConflict
	})
	if err := json.Unmarshal(body, &results); err != nil || code != http.StatusOK || len(results) == 0 {
		t.Fatalf("POST /system/feeds = %d, %s", code, body)
	}
	for _, r := range results {
		if r.Status != "success" {
			t.Fatalf("sync of %s: %s", r.Feed, r.Status)
		}
	}
}

func (p *program) findings(t *testing.T, digest string) []finding {
	t.Helper()
	var body struct {
		Vulnerabilities []struct {
			Vuln     string `json:"vuln"`
			Name     string `json:"package_name"`
			Version  string `json:"package_version"`
			Severity string `json:"severity"`
			Fix      string `json:"fix"`
		} `json:"vulnerabilities"`
	}
	if code := p.call(t, http.MethodGet, "/images/"+digest+"/vuln/all?vendor_only=false", "", &body); code != http.StatusOK {
		t.Fatalf("GET vuln/all = %d", code)
	}
	list := make([]finding, 0, len(body.Vulnerabilities))
	for _, v := range body.Vulnerabilities {
		list = append(list, finding{v.Vuln, v.Name, v.Version, v.Severity, v.Fix})
	}
	return sorted(list)
}

func reference(t *testing.T, feed, name string) []finding {
	t.Helper()
	var list []finding
	for _, m := range enginetest.ReferenceMatches(t, enginetest.Shared(t, "data/reference/"+feed+"/"+name+".grype.json")) {
		fix := strings.Join(m.Fixes, ", ")
		if fix == "" {
			fix = "None" // how v1 says that there is no fix
		}
		list = append(list, finding{m.ID, m.Package, m.Version, m.Severity, fix})
	}
	return sorted(list)
}

func sorted(list []finding) []finding {
	slices.SortFunc(list, func(a, b finding) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

func differences(got, want []finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d matches, want %d", len(got), len(want))
	for _, f := range got {
		if !slices.Contains(want, f) {
			fmt.Fprintf(&b, "\n  more: %v", f)
		}
	}
	for _, f := range want {
		if !slices.Contains(got, f) {
			fmt.Fprintf(&b, "\n  less: %v", f)
		}
	}
	return b.String()
}
