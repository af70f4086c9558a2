package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// fakeSystem answers the system and account roles.
type fakeSystem struct {
	testAuth
	services []engine.Service
	err      error
	password engine.Secret
}

func (f *fakeSystem) Services(context.Context) ([]engine.Service, error) { return f.services, f.err }

func (f *fakeSystem) RemoveService(_ context.Context, name, host string) error {
	for _, v := range f.services {
		if v.Name == name && v.Host == host {
			if v.Up() {
				return fmt.Errorf("remove service: %w", engine.ErrConflict)
			}
			return nil
		}
	}
	return fmt.Errorf("remove service: %w", engine.ErrNotFound)
}

func (f *fakeSystem) Account(_ context.Context, name string) (engine.Account, error) {
	if f.err != nil {
		return engine.Account{}, f.err
	}
	if name == "ghost" {
		return engine.Account{}, fmt.Errorf("account: %w", engine.ErrNotFound)
	}
	return engine.Account{Name: name, Type: engine.AccountUser, State: engine.AccountEnabled}, nil
}

func (f *fakeSystem) User(_ context.Context, _, name string) (engine.Login, error) {
	return engine.Login{User: engine.User{Name: name}, Hash: "12345678"}, nil
}

func (f *fakeSystem) SetPassword(_ context.Context, _, _ string, password engine.Secret) error {
	f.password = password
	return nil
}

func up(name, host string) engine.Service {
	return engine.Service{Name: name, Host: host, State: engine.ServiceAvailable, Detail: engine.ServiceDetail{Up: true, Available: true}}
}

func newFakeSystem() *fakeSystem {
	down := up(engine.Analyzer, "h2")
	down.State, down.Detail = engine.ServiceOrphaned, engine.ServiceDetail{}
	return &fakeSystem{services: []engine.Service{up(engine.APIExt, "h1"), up(engine.Analyzer, "h1"), down}}
}

func TestOrderOfChecks(t *testing.T) {
	const problemBody, appBody, plain = "problem", "application", "plain"
	tests := map[string]struct {
		method, path, body, auth string
		header                   http.Header
		code                     int
		shape                    string
		has                      string
	}{
		"unknown path before login":     {"GET", "/nothing", "", asNobody, nil, 404, problemBody, "about:blank"},
		"unknown method before login":   {"PATCH", "/system", "", asNobody, nil, 405, problemBody, "not allowed"},
		"bad body before login":         {"POST", "/user/credentials", "{", asNobody, nil, 400, problemBody, "not valid JSON"},
		"missing key before login":      {"POST", "/user/credentials", `{"type":"password"}`, asNobody, nil, 400, problemBody, "value"},
		"wrong enum before login":       {"POST", "/user/credentials", `{"type":"x","value":"s3cret"}`, asNobody, nil, 400, problemBody, "type"},
		"no body at all":                {"POST", "/user/credentials", "", asNobody, nil, 400, problemBody, "required"},
		"other content type":            {"POST", "/user/credentials", "a=b", asNobody, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415, problemBody, "JSON"},
		"charset is JSON":               {"POST", "/user/credentials", `{"type":"password","value":"x"}`, asBob, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, 200, "", "********"},
		"no content type is JSON":       {"POST", "/user/credentials", `{"type":"password","value":"x"}`, asBob, http.Header{"Content-Type": nil}, 200, "", "********"},
		"nobody":                        {"GET", "/system", "", asNobody, nil, 401, plain, "Unauthorized"},
		"wrong password":                {"GET", "/system", "", "admin:wrong", nil, 401, plain, "Unauthorized"},
		"unknown user":                  {"GET", "/system", "", "zoe:right", nil, 401, plain, "Unauthorized"},
		"other scheme":                  {"GET", "/system", "", asNobody, http.Header{"Authorization": {"Digest x"}}, 401, plain, "Unauthorized"},
		"garbage credentials":           {"GET", "/system", "", asNobody, http.Header{"Authorization": {"Basic !!"}}, 401, plain, "Unauthorized"},
		"throttled":                     {"GET", "/system", "", "admin:guess", nil, 429, appBody, "Too many failed logins"},
		"bearer":                        {"GET", "/system", "", asNobody, http.Header{"Authorization": {"Bearer token-of-bob"}}, 200, "", "service_states"},
		"jwt in any case":               {"GET", "/system", "", asNobody, http.Header{"Authorization": {"JWT token-of-bob"}}, 200, "", "service_states"},
		"bad bearer":                    {"GET", "/system", "", asNobody, http.Header{"Authorization": {"Bearer x"}}, 401, plain, "Unauthorized"},
		"disabled account":              {"GET", "/system", "", asEve, nil, 403, appBody, "Not authorized. Account eve not enabled."},
		"admin's operation":             {"GET", "/system/services", "", asBob, nil, 403, appBody, "Not authorized. Requires permissions: domain=system action=listServices target=*"},
		"own account by header":         {"GET", "/account", "", asBob, http.Header{"X-Anchore-Account": {"bob"}}, 200, "", `"name":"bob"`},
		"other account by header":       {"GET", "/account", "", asBob, http.Header{"X-Anchore-Account": {"admin"}}, 403, appBody, "domain=admin action=getAccount"},
		"admin in another account":      {"GET", "/account", "", asAdmin, http.Header{"X-Anchore-Account": {"bob"}}, 200, "", `"name":"bob"`},
		"admin in no account":           {"GET", "/account", "", asAdmin, http.Header{"X-Anchore-Account": {"ghost"}}, 404, appBody, "Account not found"},
		"empty header is own":           {"GET", "/account", "", asBob, http.Header{"X-Anchore-Account": {""}}, 200, "", `"name":"bob"`},
		"header where it cannot matter": {"GET", "/user", "", asBob, http.Header{"X-Anchore-Account": {"admin"}}, 200, "", `"username":"bob"`},
		"open operations":               {"GET", "/v1/version", "", asNobody, nil, 200, "", `"api":{}`},
		"root":                          {"GET", "/", "", asNobody, nil, 200, "", `"v1"`},
		"document":                      {"GET", "/v1/swagger.json", "", asNobody, nil, 200, "", `"0.1.20"`},
		"unknown query is ignored":      {"GET", "/v1/system/?lookuptag=x", "", asBob, nil, 200, "", "service_states"},
		"a GET may carry a body":        {"GET", "/system", `{"tag":"x"}`, asBob, nil, 200, "", "service_states"},
		"a bad escape":                  {"GET", "/system?a=%zz", "", asNobody, nil, 400, problemBody, "escaped"},
		"unknown service name":          {"GET", "/system/services/nope", "", asAdmin, nil, 200, "", "[]"},
		"unknown host":                  {"GET", "/system/services/catalog/nope", "", asAdmin, nil, 404, appBody, "service not found"},
		"delete what is up":             {"DELETE", "/system/services/apiext/h1", "", asAdmin, nil, 409, appBody, "cannot delete an active service"},
		"delete what is down":           {"DELETE", "/system/services/analyzer/h2", "", asAdmin, nil, 200, "", "true"},
		"error codes":                   {"GET", "/system/error_codes", "", asBob, nil, 200, "", "OSARCH_MISMATCH"},
		"status":                        {"GET", "/status", "", asBob, nil, 200, "", `"message":"all good","detail":{}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := New(newFakeSystem(), Options{Log: enginetest.Logger(t)})
			w := askServer(t, s, tc.method, tc.path, tc.body, tc.auth, tc.header)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Fatalf("%d %s\nwant %d with %q", w.Code, w.Body, tc.code, tc.has)
			}
			if strings.Contains(w.Body.String(), "s3cret") {
				t.Error("the reply repeats the password")
			}
			checkShape(t, w, tc.shape)
		})
	}
}

func checkShape(t *testing.T, w *httptest.ResponseRecorder, shape string) {
	t.Helper()
	var body map[string]any
	switch shape {
	case "plain":
		if w.Body.String() != "Unauthorized" || w.Header().Get("WWW-Authenticate") != `basic realm="Authentication required"` {
			t.Errorf("401 with %q, %v", w.Body, w.Header())
		}
		return
	case "problem", "application":
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
	}
	switch shape {
	case "problem":
		if body["status"] != float64(w.Code) || body["title"] != http.StatusText(w.Code) || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("problem %v, %v", body, w.Header())
		}
	case "application":
		detail, _ := body["detail"].(map[string]any)
		if body["httpcode"] != float64(w.Code) || detail["error_codes"] == nil {
			t.Errorf("application error %v", body)
		}
	}
}

func TestBooleans(t *testing.T) {
	d, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"true": "true", "True": "true", "FALSE": "false", "fAlse": "false", "1": "400", "yes": "400", "": "400",
	} {
		r := &request{Request: httptest.NewRequest("DELETE", "/images/x?force="+value, nil), params: map[string]string{"imageDigest": "x"}}
		got := "400"
		if err := d.endpoints["deleteImage"].read(r); err == nil {
			got = fmt.Sprint(r.queryBool("force", false))
		}
		if got != want {
			t.Errorf("force=%s is %s, want %s", value, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	fault := &engine.Fault{
		Kind: engine.ErrInvalid, Message: "cannot fetch image digest/manifest from registry",
		Codes: []string{"REGISTRY_NOT_ACCESSIBLE"}, Detail: map[string]any{"raw_exception_message": "refused"},
	}
	tests := map[string]struct {
		err  error
		code int
		body string
	}{
		"fault with codes":  {fmt.Errorf("add: %w", fault), 400, `{"message":"cannot fetch image digest/manifest from registry","httpcode":400,"detail":{"error_codes":["REGISTRY_NOT_ACCESSIBLE"],"raw_exception_message":"refused"}}`},
		"other code":        {status(engine.NotFoundf("no"), 500), 500, `{"message":"no","httpcode":500,"detail":{"error_codes":[]}}`},
		"mismatch":          {mismatched(engine.NotFoundf("no"), 500, 404), 500, `{"message":"no","httpcode":404,"detail":{"error_codes":[]}}`},
		"bare sentinel":     {fmt.Errorf("x: %w", engine.ErrConflict), 409, `{"message":"conflict","httpcode":409,"detail":{"error_codes":[]}}`},
		"too slow":          {context.DeadlineExceeded, 503, `{"message":"the request took too long","httpcode":503,"detail":{"error_codes":[]}}`},
		"unforeseen":        {errors.New("pq: password=hunter2"), 500, `{"message":"internal error","httpcode":500,"detail":{"error_codes":[]}}`},
		"cause is not told": {&engine.Fault{Kind: engine.ErrUnavailable, Message: "The registry is away.", Cause: errors.New("hunter2")}, 503, `{"message":"The registry is away.","httpcode":503,"detail":{"error_codes":[]}}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeSystem()
			f.err = tc.err
			w := ask(t, f, "GET", "/system/services", "", asAdmin)
			if got := strings.TrimSpace(w.Body.String()); w.Code != tc.code || got != tc.body {
				t.Errorf("%d %s\nwant %d %s", w.Code, got, tc.code, tc.body)
			}
		})
	}
}

func TestSystemAnswersWithoutRecords(t *testing.T) {
	f := newFakeSystem()
	f.err = engine.ErrUnavailable
	w := ask(t, f, "GET", "/system", "", asBob)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"service_states":[]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBodyIsBounded(t *testing.T) {
	s := New(newFakeSystem(), Options{MaxBody: 100})
	body := `{"type":"password","value":"` + strings.Repeat("x", 200) + `"}`
	if w := askServer(t, s, "POST", "/user/credentials", body, asNobody, nil); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	s := New(testAuth{}, Options{}) // no Account behind it: a nil dereference
	w := askServer(t, s, "GET", "/account", "", asBob, nil)
	if w.Code != 500 || !strings.Contains(w.Body.String(), "about:blank") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHeavyRequestsAreLimited(t *testing.T) {
	s := New(newFakeSystem(), Options{MaxHeavy: 1, HeavyWait: time.Nanosecond})
	s.heavy <- struct{}{}
	body := `{"type":"password","value":"x"}`
	if w := askServer(t, s, "POST", "/user/credentials", body, asBob, nil); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("while full: %d %s", w.Code, w.Body)
	}
	<-s.heavy
	if w := askServer(t, s, "POST", "/user/credentials", body, asBob, nil); w.Code != 200 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestReplyList(t *testing.T) {
	broken := errors.New("boom")
	items := func(n int, err error) func(func(int, error) bool) {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			if err != nil {
				yield(0, err)
			}
		}
	}
	tests := map[string]struct {
		n    int
		err  error
		want string
	}{
		"none":               {0, nil, "[]\n"},
		"three":              {3, nil, "[0,1,2]\n"},
		"fails first":        {0, broken, ""},
		"fails in the midst": {2, broken, "[0,1"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := replyList(w, items(tc.n, tc.err)); !errors.Is(err, tc.err) || w.Body.String() != tc.want {
				t.Errorf("%q, %v; want %q, %v", w.Body, err, tc.want, tc.err)
			}
		})
	}
}

func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v1/images/sha256:ab/vuln/all?vendor_only=False", "", "application/json")
	f.Add("POST", "/images?force=TRUE", `{"source":{"tag":{"pullstring":"a"}}}`, "application/json")
	f.Add("PUT", "/registries/a%2Fb%2f", `{"registry_verify":"x"}`, "text/plain")
	f.Add("DELETE", "/images?imageDigests=,,&force=", "\x00", "multipart/form-data")
	s := New(newFakeSystem(), Options{})
	f.Fuzz(func(t *testing.T, method, target, body, contentType string) {
		r, err := http.NewRequest(method, "http://h", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		if r.URL, err = r.URL.Parse(target); err != nil || r.URL.Host != "h" {
			t.Skip()
		}
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 401, 404, 405, 415:
		default:
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	})
}
