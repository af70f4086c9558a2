package apiv1

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/policy"
)

// readingPolicies takes what package bundles takes.
type readingPolicies struct{ *fakePolicies }

func (readingPolicies) AddPolicy(_ context.Context, account string, document []byte) (engine.PolicyBundle, error) {
	return bundles.Read(account, document)
}

func (r readingPolicies) UpdatePolicy(ctx context.Context, account, id string, document []byte, active bool) (engine.PolicyBundle, error) {
	if b, err := r.Policy(ctx, account, id); err != nil {
		return b, err
	}
	b, err := bundles.Read(account, document)
	b.ID, b.Active = id, active
	return b, err
}

// FuzzPolicyBodies: whatever is sent, it is stored or refused with 400, and the
// reply is one the API document knows.
func FuzzPolicyBodies(f *testing.F) {
	std := string(policy.Default())
	f.Add(std)
	f.Add(strings.Replace(std, `"1_0"`, `1`, 1))
	f.Add(`{"id":"","version":"1_0","name":"\u0000","policies":[{"id":"p","version":"1_0","rules":[{"gate":"x","trigger":"y","action":"z"}]}],"mappings":[]}`)
	f.Add(`{"policyId":"two","active":true,"policybundle":{"id":"two","version":"1_0","policies":[],"mappings":[]}}`)
	f.Add(`{"policyId":"two","policybundle":null}`)
	f.Add(`{"id":"a","version":"1_0","policies":null,"mappings":[[]]}`)
	f.Add(`[[[[[[[[`)
	s := New(readingPolicies{newFakePolicies()}, Options{})
	f.Fuzz(func(t *testing.T, body string) {
		for target, method := range map[string]string{"/policies": http.MethodPost, "/policies/two?active=true": http.MethodPut} {
			r := httptest.NewRequest(method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("admin", "right")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if err := s.CheckReply(r, w.Code, w.Header(), w.Body.Bytes()); err != nil {
				t.Fatalf("%s %q answered %d against the API document: %v\n%s", method, body, w.Code, err, w.Body)
			}
			if !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s %q answered %q", method, body, w.Body)
			}
			told := strings.Contains(w.Body.String(), "policyId of the body") || strings.Contains(w.Body.String(), "policybundle key")
			if w.Code != 200 && w.Code != 400 && !(w.Code == 500 && method == http.MethodPut && told) {
				t.Fatalf("%s %q answered %d %s", method, body, w.Code, w.Body)
			}
		}
	})
}
