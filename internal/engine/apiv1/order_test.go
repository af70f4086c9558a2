package apiv1

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRouter(t *testing.T) {
	d, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	tr := newTree()
	for id, e := range d.endpoints {
		tr.add(e.route.Method, e.route.Path, &bound{op: op{}, endpoint: d.endpoints[id]})
	}
	tests := map[string]struct {
		method, path string
		want, param  string // operation or status; name=value
	}{
		"prefixed":               {"GET", "/v1/images", "listImages", ""},
		"bare":                   {"GET", "/images", "listImages", ""},
		"trailing slash":         {"GET", "/v1/images/", "listImages", ""},
		"root":                   {"GET", "/", "ping", ""},
		"root of v1":             {"GET", "/v1/", "ping", ""},
		"head is get":            {"HEAD", "/v1", "ping", ""},
		"literal wins":           {"GET", "/images/by_id/abc", "getImageById", "imageId=abc"},
		"parameter":              {"GET", "/images/sha256:ab/content", "listImageContent", "imageDigest=sha256:ab"},
		"both could match":       {"GET", "/images/by_id/content", "getImageById", "imageId=content"},
		"literal below by_id":    {"GET", "/images/by_id/x/vuln/os", "getImageVulnerabilitiesById", "vtype=os"},
		"escaped slash":          {"GET", "/registries/host%2Frepo", "getRegistry", "registry=host/repo"},
		"plain slash in rest":    {"PUT", "/registries/host:5000/a/b", "updateRegistry", "registry=host:5000/a/b"},
		"rest is not empty":      {"GET", "/registries", "listRegistries", ""},
		"doubled slash":          {"GET", "//images//x", "getImage", "imageDigest=x"},
		"unknown":                {"GET", "/nothing", "404", ""},
		"v1 twice":               {"GET", "/v1/v1/images", "404", ""},
		"too deep":               {"GET", "/images/a/b/c/d", "404", ""},
		"method":                 {"PATCH", "/images", "405", ""},
		"method on rest":         {"POST", "/registries/x", "405", ""},
		"method by the 2nd path": {"DELETE", "/system/feeds/a/b", "deleteFeedGroup", "group=b"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "http://h"+tc.path, nil)
			b, params, err := tr.find(r.Method, r.URL.EscapedPath())
			got := ""
			if err != nil {
				got = err.Error()[:3]
			} else {
				got = b.endpoint.route.Operation.OperationID
			}
			if got != tc.want {
				t.Fatalf("%s %s = %s, want %s", tc.method, tc.path, got, tc.want)
			}
			if key, value, ok := strings.Cut(tc.param, "="); ok && params[key] != value {
				t.Errorf("parameters %v, want %s", params, tc.param)
			}
		})
	}
}
