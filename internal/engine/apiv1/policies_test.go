package apiv1

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// fakePolicies has the bundles one, which is active, and two.
type fakePolicies struct {
	testAuth
	bundles map[string]engine.PolicyBundle
}

func newFakePolicies() *fakePolicies {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	f := &fakePolicies{bundles: map[string]engine.PolicyBundle{}}
	for _, id := range []string{"one", "two"} {
		doc := `{"id":"` + id + `","version":"1_0","name":"N ` + id + `","policies":[],"mappings":[],"x-own":{"b":1.0,"a":"<&>"}}`
		f.bundles[id] = engine.PolicyBundle{
			ID: id, Name: "N " + id, Source: "local", Active: id == "one", Document: []byte(doc), Digest: strings.Repeat("ab", 32),
			CreatedAt: at, UpdatedAt: at.Add(time.Hour), DocumentAt: at,
		}
	}
	return f
}

func (f *fakePolicies) EachPolicy(_ context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error {
	for _, id := range slices.Sorted(maps.Keys(f.bundles)) {
		b := f.bundles[id]
		if b.Account = account; !documents {
			b.Document = nil
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakePolicies) Policy(_ context.Context, account, id string) (engine.PolicyBundle, error) {
	b, ok := f.bundles[id]
	if !ok {
		return b, engine.ErrNotFound
	}
	b.Account = account
	return b, nil
}

func (f *fakePolicies) AddPolicy(_ context.Context, account string, document []byte) (engine.PolicyBundle, error) {
	if strings.Contains(string(document), `"nope"`) {
		return engine.PolicyBundle{}, &engine.Fault{Kind: engine.ErrInvalid, Message: "Bundle failed validation", Detail: map[string]any{
			"validation_details": []map[string]string{{"severity": "error", "problem_type": "GateNotFoundError", "details": "no gate nope"}},
		}}
	}
	b := f.bundles["two"]
	b.Account, b.ID, b.Document = account, "new", document
	f.bundles["new"] = b
	return b, nil
}

func (f *fakePolicies) UpdatePolicy(ctx context.Context, account, id string, document []byte, active bool) (engine.PolicyBundle, error) {
	b, err := f.Policy(ctx, account, id)
	if err != nil {
		return b, err
	}
	if b.Active && !active {
		return b, engine.Conflictf("cannot deactivate an active policy - can only activate an inactive policy")
	}
	b.Active, b.Document = active, document
	return b, nil
}

func (f *fakePolicies) DeletePolicy(_ context.Context, _, id string) error {
	switch id {
	case "one":
		return engine.Conflictf("cannot delete an active policy - activate a different policy then delete this one")
	case "two":
		return nil
	}
	return engine.ErrNotFound
}

func TestPolicies(t *testing.T) {
	const bundle = `{"id":"new","version":"1_0","policies":[],"mappings":[]}`
	record := func(id, more string) string { return `{"policyId":"` + id + `","policybundle":` + bundle + more + `}` }
	tests := map[string]struct {
		method, target, body string
		code                 int
		says                 string
	}{
		"list":                    {"GET", "/v1/policies", "", 200, `"policybundle":{},"policybundlemeta":{},"name":"N one"`},
		"list with detail":        {"GET", "/v1/policies?detail=True", "", 200, `"x-own":{"b":1.0,"a":"<&>"}`},
		"list, no boolean":        {"GET", "/v1/policies?detail=maybe", "", 400, "boolean"},
		"get":                     {"GET", "/v1/policies/one", "", 200, `"x-own":{"b":1.0,"a":"<&>"}`},
		"get without detail":      {"GET", "/v1/policies/one?detail=False", "", 200, `"policybundle":{}`},
		"get unknown":             {"GET", "/v1/policies/no", "", 404, "policy not found in DB"},
		"add":                     {"POST", "/v1/policies?detail=True", bundle, 200, `"policyId":"new","userId":"admin","active":false,"policy_source":"local"`},
		"add without detail":      {"POST", "/v1/policies?detail=False", bundle, 200, `"policybundle":{}`},
		"add without mappings":    {"POST", "/v1/policies", `{"id":"a","version":"1_0","policies":[]}`, 400, "mappings"},
		"add a list":              {"POST", "/v1/policies", `[]`, 400, "about:blank"},
		"add no JSON":             {"POST", "/v1/policies", `{"id"`, 400, "not valid JSON"},
		"add nothing":             {"POST", "/v1/policies", ``, 400, "required"},
		"add what is not valid":   {"POST", "/v1/policies", `{"id":"a","version":"1_0","policies":[],"mappings":[],"name":"nope"}`, 400, `"validation_details":[{`},
		"put":                     {"PUT", "/v1/policies/two", record("two", ""), 200, `[{"policyId":"two","userId":"admin","active":false`},
		"put, active in body":     {"PUT", "/v1/policies/two", record("two", `,"active":true,"created_at":"x"`), 200, `"active":true`},
		"put, active in query":    {"PUT", "/v1/policies/two?active=True", record("two", `,"active":false`), 200, `"active":true`},
		"put, query false":        {"PUT", "/v1/policies/two?active=false", record("two", `,"active":true`), 200, `"active":true`},
		"put the active as it is": {"PUT", "/v1/policies/one", record("one", `,"active":true`), 200, `"active":true`},
		"put, deactivating":       {"PUT", "/v1/policies/one", record("one", ""), 500, "cannot deactivate an active policy - can only activate an inactive policy"},
		"put another id":          {"PUT", "/v1/policies/two", record("one", ""), 500, "different"},
		"put without id":          {"PUT", "/v1/policies/two", `{"policybundle":` + bundle + `}`, 500, "policyId"},
		"put without bundle":      {"PUT", "/v1/policies/two", `{"policyId":"two"}`, 500, "policybundle"},
		"put an empty bundle":     {"PUT", "/v1/policies/two", `{"policyId":"two","policybundle":{}}`, 400, "policybundle"},
		"put unknown":             {"PUT", "/v1/policies/no", record("no", ""), 404, "policy not found in DB"},
		"delete":                  {"DELETE", "/v1/policies/two", "", 200, `"deleted"`},
		"delete the active":       {"DELETE", "/v1/policies/one", "", 500, "cannot delete an active policy - activate a different policy then delete this one"},
		"delete unknown":          {"DELETE", "/v1/policies/no", "", 404, "policy not found in DB"},
		"patch is not known":      {"PATCH", "/v1/policies/one", "", 405, "not allowed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, newFakePolicies(), tc.method, tc.target, tc.body, asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s\nwant %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
		})
	}
	if w := ask(t, newFakePolicies(), http.MethodGet, "/policies", "", asNobody); w.Code != 401 {
		t.Errorf("without credentials: %d", w.Code)
	}
	other := askServer(t, New(newFakePolicies(), Options{}), "DELETE", "/policies/two", "", asBob, http.Header{"X-Anchore-Account": {"admin"}})
	if other.Code != 403 || !strings.Contains(other.Body.String(), "domain=admin action=deletePolicy target=") {
		t.Errorf("in another's account: %d %s", other.Code, other.Body)
	}
	spec := ask(t, newFakePolicies(), "GET", "/system/policy_spec", "", asBob)
	if !strings.HasPrefix(spec.Body.String(), `[{"name":"always","description":`) || !strings.Contains(spec.Body.String(), `"superceded_by":"gems"`) {
		t.Errorf("policy_spec: %d %.300s", spec.Code, spec.Body)
	}
	w := ask(t, newFakePolicies(), "GET", "/v1/policies?detail=true", "", asBob)
	golden(t, "policies", w.Body.Bytes())
}
