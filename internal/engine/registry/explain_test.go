package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
)

func TestExplain(t *testing.T) {
	creds := []engine.Registry{
		{Name: "docker.io", User: "hub", Verify: true}, {Name: "docker.io/team/*", User: "team", Verify: true},
		{Name: "docker.io/team/app", User: "app", Verify: true}, {Name: "mirror:5001", User: "mirror"},
		{Name: "reg*", User: "wild", Verify: true}, {Name: "reg:5000", User: "reg", Verify: true},
	}
	tests := map[string]struct {
		image   string
		mirrors map[string][]string
		asks    []string // address and user
		passed  []string // of the last
	}{
		"an official image": {"alpine", nil, []string{"https://index.docker.io/v2/library/alpine/manifests/latest hub"}, nil},
		"a prefix before the host": {"docker.io/team/web:1", nil,
			[]string{"https://index.docker.io/v2/team/web/manifests/1 team"}, []string{"docker.io"}},
		"the repository itself before a prefix": {"team/app:1", nil,
			[]string{"https://index.docker.io/v2/team/app/manifests/1 app"}, []string{"docker.io/team/*", "docker.io"}},
		"a host before a shorter prefix": {"reg:5000/a/b:1", nil, []string{"https://reg:5000/v2/a/b/manifests/1 reg"}, []string{"reg*"}},
		"nothing matches":                {"quay.io/a/b:1", nil, []string{"https://quay.io/v2/a/b/manifests/1 "}, nil},
		"mirrors go before, with their own": {"alpine:3", map[string][]string{"docker.io": {"http://mirror:5001/hub", "https://other"}}, []string{
			"http://mirror:5001/v2/hub/library/alpine/manifests/3 mirror", "http://mirror:5001/v2/hub/alpine/manifests/3 mirror",
			"https://other/v2/library/alpine/manifests/3 ", "https://other/v2/alpine/manifests/3 ",
			"https://index.docker.io/v2/library/alpine/manifests/3 hub"}, nil},
		"by digest": {"quay.io/a/b@" + digestOf([]byte("x")), nil, []string{"https://quay.io/v2/a/b/manifests/" + digestOf([]byte("x")) + " "}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ref, err := ParseReference(tc.image)
			if err != nil {
				t.Fatal(err)
			}
			route := New(Options{Mirrors: tc.mirrors}).Explain(ref, creds)
			var asks []string
			for _, a := range route.Asks {
				asks = append(asks, a.Address+" "+a.Choice.Registry.User)
			}
			if !slices.Equal(asks, tc.asks) {
				t.Errorf("asked %q\nwant  %q", asks, tc.asks)
			}
			last := route.Asks[len(route.Asks)-1].Choice
			if !slices.Equal(last.Others, tc.passed) {
				t.Errorf("passed over %q, want %q", last.Others, tc.passed)
			}
			used := 0
			for n, m := range route.Stored {
				if m.Used {
					used++
				}
				if m.Used && (m.Name != last.Registry.Name || !m.Matches) || n > 0 && len(m.Name) > len(route.Stored[n-1].Name) {
					t.Errorf("compared %+v", route.Stored)
				}
			}
			if (used == 1) != last.Found {
				t.Errorf("%d are used, found %v", used, last.Found)
			}
		})
	}
}

// The mirror has no such image, the registry has it: each says so, and what is
// after the one that has it is not asked.
func TestTrySaysWhatEachAddressAnswered(t *testing.T) {
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`, http.StatusNotFound)
		}
	}))
	defer empty.Close()
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		d := "sha256:" + strings.Repeat("1", 64)
		w.Write([]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"` + d +
			`"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":7,"digest":"sha256:` + strings.Repeat("2", 64) + `"}]}`))
	}))
	defer full.Close()
	var used []string
	c := New(Options{
		Mirrors: map[string][]string{"quay.io": {empty.URL, full.URL, empty.URL}},
		Used:    func(_ context.Context, r engine.Registry, what string) { used = append(used, r.Name+" "+what) },
	})
	host := strings.TrimPrefix(full.URL, "http://")
	ref, _ := ParseReference("quay.io/a/b:1")
	route, err := c.Try(t.Context(), ref, []engine.Registry{{Name: host}})
	if err != nil || len(route.Asks) != 4 {
		t.Fatalf("%+v, %v", route, err)
	}
	first, second := route.Asks[0].Tried, route.Asks[1].Tried
	if first == nil || first.Cause != engine.CauseManifestUnknown || first.OK() || !strings.Contains(first.Text, "no such image") {
		t.Errorf("the empty mirror: %+v", first)
	}
	if second == nil || !second.OK() || second.Size != 7 || second.Layers != 1 || second.Digest == "" {
		t.Errorf("the full one: %+v", second)
	}
	if route.Asks[2].Tried != nil || route.Asks[3].Tried != nil {
		t.Error("asked on after it was found")
	}
	if want := []string{host + " quay.io/a/b:1"}; !slices.Equal(used, want) {
		t.Errorf("used %q, want %q", used, want)
	}
}
