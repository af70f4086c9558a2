package apiv1

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a body says of accounts, users, their passwords, roles and tokens is
// taken or refused, on the real store: nothing in it is the server's fault.
func FuzzAccountBodies(f *testing.F) {
	f.Add(`{"name":"team","email":"a@b.example","type":"user"}`)
	f.Add(`{"username":"carol","password":"long enough"}`)
	f.Add(`{"type":"password","value":"another one"}`)
	f.Add(`{"state":"disabled"}`)
	f.Add(`{"roles":["read-only","image-developer"]}`)
	f.Add(`{"name":"x","role":"read-only","account":"bob","expires_at":"2030-01-01T00:00:00Z"}`)
	f.Add(`{"name":"\u0000","password":null,"roles":[null]}`)
	_, s := newPeopled(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, to := range []string{
			"POST /accounts", "PUT /accounts/ann/state", "POST /accounts/bob/users", "POST /accounts/bob/users/bob/credentials",
			"PUT /console/accounts/ann/users/ann2/roles", "POST /console/accounts/ann/users/ann2/tokens",
		} {
			method, path, _ := strings.Cut(to, " ")
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("admin", secret)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %q: %d %s", to, body, w.Code, w.Body)
			}
		}
	})
}
