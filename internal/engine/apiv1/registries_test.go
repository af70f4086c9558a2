package apiv1

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// fakeRegistries has one registry, reg:5000, and takes the password "good".
type fakeRegistries struct {
	testAuth
	saved *engine.Registry
}

func (fakeRegistries) Registries(_ context.Context, account string) ([]engine.Registry, error) {
	return []engine.Registry{{Account: account, Name: "reg:5000", Label: "ours", Type: "docker_v2", User: "me", Password: "good", Verify: true}}, nil
}

func (f fakeRegistries) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	if name != "reg:5000" && name != "reg/a/*" {
		return engine.Registry{}, engine.ErrNotFound
	}
	return engine.Registry{Account: account, Name: name}, nil
}

func (fakeRegistries) CheckRegistry(_ context.Context, r engine.Registry) error {
	if r.Password != "good" {
		return &engine.Fault{Kind: engine.ErrInvalid, Message: "refused", Codes: []string{"REGISTRY_PERMISSION_DENIED"}}
	}
	return nil
}

func (f fakeRegistries) AddRegistry(_ context.Context, r engine.Registry) (engine.Registry, error) {
	if r.Name == "reg:5000" {
		return r, engine.ErrConflict
	}
	*f.saved = r
	return r, nil
}

func (f fakeRegistries) UpdateRegistry(_ context.Context, r engine.Registry) (engine.Registry, error) {
	*f.saved = r
	return r, nil
}

func (fakeRegistries) RemoveRegistry(context.Context, string, string) error { return nil }

func TestRegistries(t *testing.T) {
	tests := map[string]struct {
		method, target, body string
		code                 int
		says                 string
	}{
		"list":                   {"GET", "/v1/registries", "", 200, `"registry":"reg:5000"`},
		"get":                    {"GET", "/v1/registries/reg:5000", "", 200, `"userId":"admin"`},
		"get with a path":        {"GET", "/v1/registries/reg%2Fa%2F*", "", 200, `reg/a/*`},
		"get unknown":            {"GET", "/v1/registries/no", "", 404, "registry not found in DB"},
		"add":                    {"POST", "/v1/registries", `{"registry":"new","registry_user":"me","registry_pass":"good","registry_verify":false}`, 200, `"registry_name":"new"`},
		"add, wrong password":    {"POST", "/v1/registries", `{"registry":"new","registry_user":"me","registry_pass":"bad"}`, 406, "cannot ping supplied registry"},
		"add without validation": {"POST", "/v1/registries?validate=False", `{"registry":"new","registry_pass":"bad"}`, 200, `"new"`},
		"add one that exists":    {"POST", "/v1/registries", `{"registry":"reg:5000","registry_pass":"bad"}`, 500, "registry already exists in DB"},
		"add, body no object":    {"POST", "/v1/registries", `[]`, 400, "about:blank"},
		"add, wrong type":        {"POST", "/v1/registries", `{"registry":"x","registry_verify":"yes"}`, 400, "registry_verify"},
		"add ECR, unvalidated":   {"POST", "/v1/registries?validate=false", `{"registry":"1.dkr.ecr.eu-west-1.amazonaws.com","registry_type":"awsecr","registry_pass":"bad"}`, 406, "refused"},
		"add with scheme":        {"POST", "/v1/registries", `{"registry":"https://new"}`, 409, "cannot end"},
		"add with slash":         {"POST", "/v1/registries", `{"registry":"new/"}`, 409, "cannot end"},
		"add without name":       {"POST", "/v1/registries", `{}`, 500, "body does not contain registry key"},
		"add awsauto":            {"POST", "/v1/registries", `{"registry":"x","registry_user":"awsauto"}`, 406, "awsauto"},
		"awsecr is always tried": {"POST", "/v1/registries?validate=False", `{"registry":"new","registry_type":"awsecr","registry_pass":"bad"}`, 406, "cannot ping supplied registry"},
		"change":                 {"PUT", "/v1/registries/reg:5000", `{"registry":"reg:5000","registry_pass":"good"}`, 200, `"reg:5000"`},
		"change another":         {"PUT", "/v1/registries/reg:5000", `{"registry":"reg:5001","registry_pass":"good"}`, 409, "does not match"},
		"change unknown":         {"PUT", "/v1/registries/no", `{"registry":"no","registry_pass":"good"}`, 404, "registry not found in DB"},
		"change to awsauto":      {"PUT", "/v1/registries/reg:5000", `{"registry":"reg:5000","registry_user":"awsauto"}`, 406, "awsauto"},
		"change, wrong password": {"PUT", "/v1/registries/reg:5000", `{"registry":"reg:5000","registry_pass":"bad"}`, 406, "cannot ping supplied registry"},
		"change with a path":     {"PUT", "/v1/registries/reg%2Fa%2F*?validate=false", `{"registry":"reg/a/*"}`, 200, "reg/a/*"},
		"delete":                 {"DELETE", "/v1/registries/no", "", 200, "true"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := fakeRegistries{saved: &engine.Registry{}}
			w := ask(t, b, tc.method, tc.target, tc.body, asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
			if body := w.Body.String(); strings.Contains(body, "good") || strings.Contains(body, "redacted") {
				t.Errorf("the password is in %s", body)
			}
			if name == "add" && (b.saved.Verify || b.saved.Password != "good" || b.saved.Type != "docker_v2") {
				t.Errorf("saved %+v", b.saved)
			}
		})
	}
	if w := ask(t, fakeRegistries{}, http.MethodGet, "/registries", "", asNobody); w.Code != 401 {
		t.Errorf("without credentials: %d", w.Code)
	}
}

func FuzzRegistry(f *testing.F) {
	for _, seed := range []string{
		`{"registry":"new","registry_user":"me","registry_pass":"good","registry_verify":false}`, `{"registry":"https://x/"}`, `{}`, `null`, `[1]`,
		`{"registry":"reg/*","registry_type":"awsecr","registry_user":"_iam_role","registry_pass":"arn;x"}`, `{"registry":{"a":1}}`,
	} {
		f.Add([]byte(seed), true)
	}
	s := New(fakeRegistries{saved: &engine.Registry{}}, Options{})
	f.Fuzz(func(t *testing.T, body []byte, post bool) {
		r := httptest.NewRequest("POST", "/registries", bytes.NewReader(body))
		if !post {
			r = httptest.NewRequest("PUT", "/registries/reg:5000", bytes.NewReader(body))
		}
		r.SetBasicAuth("admin", "right")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 404, 406, 409:
		case 500:
			if !strings.Contains(w.Body.String(), "registry") {
				t.Errorf("%q: %s", body, w.Body)
			}
		default:
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
