package apiv1

import (
	"net/http"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
)

// TestStockClients sends requests in the shapes that clients in use send them:
// slashes, letter cases, bodies and headers where nobody asked for any.
func TestStockClients(t *testing.T) {
	json := http.Header{"Content-Type": {"application/json"}}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	tests := map[string]struct {
		method, path, body, auth string
		header                   http.Header
		code                     int
		has                      string
	}{
		"root":                           {"GET", "/", "", asNobody, nil, 200, `"v1"`},
		"prefix":                         {"GET", "/v1", "", asNobody, nil, 200, `"v1"`},
		"prefix and slash":               {"GET", "/v1/", "", asNobody, nil, 200, `"v1"`},
		"trailing slash":                 {"GET", "/system/", "", asBob, nil, 200, "service_states"},
		"trailing slash, before login":   {"GET", "/system/", "", asNobody, nil, 401, "Unauthorized"},
		"trailing slash of a parameter":  {"GET", "/v1/accounts/bob/", "", asBob, nil, 200, `"name":"bob"`},
		"prefix twice":                   {"GET", "/v1/v1/system", "", asBob, nil, 404, "about:blank"},
		"other prefix":                   {"GET", "/v2/system", "", asBob, nil, 404, "about:blank"},
		"letter case of a path":          {"GET", "/System", "", asBob, nil, 404, "about:blank"},
		"enterprise, GET":                {"GET", "/enterprise/corrections", "", asNobody, nil, 404, "about:blank"},
		"enterprise, POST":               {"POST", "/v1/enterprise/corrections", "{}", asNobody, nil, 404, "about:blank"},
		"enterprise, one":                {"DELETE", "/enterprise/corrections/1", "", asNobody, nil, 404, "about:blank"},
		"an import that never was":       {"POST", "/imageimport", "{}", asNobody, nil, 404, "about:blank"},
		"method of another path":         {"POST", "/images/sha256:1/check", "{}", asNobody, nil, 405, "about:blank"},
		"method nobody has":              {"BREW", "/system", "", asNobody, nil, 405, "about:blank"},
		"OPTIONS":                        {"OPTIONS", "/system", "", asNobody, nil, 405, "about:blank"},
		"PUT on a list":                  {"PUT", "/accounts", "{}", asNobody, nil, 405, "about:blank"},
		"GET says JSON":                  {"GET", "/system", "", asBob, json, 200, "service_states"},
		"GET says form":                  {"GET", "/system", "", asBob, form, 200, "service_states"},
		"GET with a body that is none":   {"GET", "/system", "{", asBob, json, 200, "service_states"},
		"GET with a form":                {"GET", "/system", "a=b", asBob, form, 200, "service_states"},
		"DELETE with a body":             {"DELETE", "/system/services/analyzer/h2", `{"a":1}`, asAdmin, json, 200, "true"},
		"DELETE says text":               {"DELETE", "/system/services/analyzer/h2", "x", asAdmin, http.Header{"Content-Type": {"text/plain"}}, 200, "true"},
		"unknown query":                  {"GET", "/account?detail=yes&tag=", "", asBob, nil, 200, `"name":"bob"`},
		"unknown query, twice":           {"GET", "/account?x=1&x=2", "", asBob, nil, 200, `"name":"bob"`},
		"unknown key":                    {"POST", "/user/credentials", `{"type":"password","value":"x","more":{"a":[1]}}`, asBob, nil, 200, "**"},
		"media type in another case":     {"POST", "/user/credentials", `{"type":"password","value":"x"}`, asBob, http.Header{"Content-Type": {"Application/JSON"}}, 200, "**"},
		"text for JSON, before login":    {"POST", "/user/credentials", `{"type":"password","value":"x"}`, asNobody, http.Header{"Content-Type": {"text/plain"}}, 415, "about:blank"},
		"array for object, before login": {"POST", "/user/credentials", `[]`, asNobody, nil, 400, "about:blank"},
		"null for object, before login":  {"POST", "/user/credentials", `null`, asNobody, nil, 400, "about:blank"},
		"two values":                     {"POST", "/user/credentials", `{"type":"password","value":"x"}{}`, asNobody, nil, 400, "about:blank"},
		"no value, before login":         {"DELETE", "/accounts/a/users/b/credentials", "", asNobody, nil, 400, "credential_type"},
		"wrong value, before login":      {"GET", "/accounts?state=asleep", "", asNobody, nil, 400, "state"},
		"permission before the handler":  {"GET", "/accounts/ghost", "", asBob, nil, 403, "domain=ghost action=getAccount target=*"},
		"state before permission":        {"GET", "/accounts/bob", "", asEve, nil, 403, "Account eve not enabled"},
		"password before state":          {"GET", "/accounts/bob", "", "eve:wrong", nil, 401, "Unauthorized"},
		"header without meaning":         {"GET", "/accounts/bob", "", asBob, http.Header{"X-Anchore-Account": {"admin"}}, 200, `"name":"bob"`},
		"scheme in another case":         {"GET", "/user", "", asNobody, http.Header{"Authorization": {"bEaReR token-of-bob"}}, 200, "bob"},
		"scheme without value":           {"GET", "/user", "", asNobody, http.Header{"Authorization": {"Bearer"}}, 401, "Unauthorized"},
		"user without a name":            {"GET", "/user", "", ":right", nil, 401, "Unauthorized"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(newFakeSystem(), Options{Log: enginetest.Logger(t)})
			w := askServer(t, s, tc.method, tc.path, tc.body, tc.auth, tc.header)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Errorf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
		})
	}
}

// A large body that the document refuses is looked into for users only: it
// costs many times its size.
func TestLargeBodiesAreForUsers(t *testing.T) {
	_, s := newPeopled(t)
	large := `{"name":7,"x":[` + strings.Repeat(`{},`, largeBody/3) + `{}]}`
	for _, d := range []do{
		{"", "POST", "/accounts", `{"name":7}`, 400, "about:blank"},
		{"", "POST", "/accounts", large, 401, "Unauthorized"},
		{"ann", "POST", "/accounts", large, 400, "about:blank"},
	} {
		d.on(t, s)
	}
}
