package bff

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// policyEngine has an active bundle and another one; its diagnosis is that a
// text with the word "fault" has one at its second line.
type policyEngine struct {
	Engine
	who     engine.Identity
	list    []engine.PolicyBundle
	edit    engine.PolicyEdit
	editErr error
	tried   engine.PolicyTry
	deleted string
}

const tinyBundle = `{"id":"gates","name":"Tiny <b>team","version":"1_0","policies":[{"id":"p","version":"1_0","rules":[{"gate":"always","trigger":"always","action":"STOP"}]}],` +
	`"whitelists":[{"id":"w","version":"1_0","items":[]}],"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p","whitelist_ids":["w"]}]}`

// PolicyEngine lets the browser's tests have this engine.
func PolicyEngine() Policies {
	e := newPolicyEngine()
	e.list[0].ID, e.list[0].Name = "mine", "Payments, production"
	e.list[0].Document = []byte(strings.Replace(tinyBundle, "gates", "mine", 1))
	e.list[1].Name, e.list[1].Document = "House rules", []byte(houseBundle)
	return e
}

// houseBundle has something of each part.
const houseBundle = `{"id":"on","version":"1_0","name":"House rules","description":"What every image has to keep to",
"policies":[{"id":"base","version":"1_0","name":"Base","rules":[{"id":"r1","gate":"always","trigger":"always","action":"STOP","params":[{"name":"x","value":"left"}]},{"id":"r2","gate":"always","trigger":"always","action":"WARN","params":[{"name":"x","value":"right"}]}]}],
"whitelists":[{"id":"accepted","version":"1_0","name":"Accepted","items":[{"id":"i1","gate":"always","trigger_id":"always+left","reason":"Decided with the platform team"}]}],
"mappings":[{"id":"m1","name":"Payments","registry":"*","repository":"payments/*","image":{"type":"tag","value":"*"},"policy_ids":["base"],"whitelist_ids":["accepted"]},{"id":"m2","name":"All images","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["base"],"whitelist_ids":[]}]}`

func newPolicyEngine() *policyEngine {
	at := time.Now().Add(-time.Hour)
	return &policyEngine{
		who: engine.Identity{User: "admin", Account: "admin", Admin: true},
		list: []engine.PolicyBundle{
			{Account: "admin", ID: "gates", Name: "Tiny <b>team", Source: "local", Digest: strings.Repeat("a", 64), Document: []byte(tinyBundle), CreatedAt: at, UpdatedAt: at},
			{Account: "admin", ID: "on", Name: "In use", Source: "local", Active: true, Digest: strings.Repeat("b", 64), Document: []byte(`{"id":"on","version":"1_0","policies":[],"mappings":[]}`), CreatedAt: at, UpdatedAt: at},
		},
	}
}

func (e *policyEngine) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	return engine.Session{Identity: e.who, CSRF: "token"}, nil
}
func (e *policyEngine) Services(context.Context) ([]engine.Service, error) { return nil, nil }
func (e *policyEngine) LastChange(context.Context) (int64, error)          { return 1, nil }
func (e *policyEngine) EachPolicy(_ context.Context, _ string, _ bool, each func(engine.PolicyBundle) error) error {
	for _, b := range e.list {
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}
func (e *policyEngine) Policy(_ context.Context, _, id string) (engine.PolicyBundle, error) {
	for _, b := range e.list {
		if b.ID == id {
			return b, nil
		}
	}
	return engine.PolicyBundle{}, engine.ErrNotFound
}
func (e *policyEngine) EditPolicy(_ context.Context, q engine.PolicyEdit) (engine.PolicyBundle, error) {
	e.edit = q
	return engine.PolicyBundle{ID: "stored"}, e.editErr
}
func (e *policyEngine) DeletePolicy(_ context.Context, _, id string) error {
	e.deleted = id
	return nil
}
func (e *policyEngine) DiagnosePolicy(text []byte) []engine.BundleFault {
	if bytes.Contains(text, []byte("fault")) {
		return []engine.BundleFault{{Type: "ValidationError", Details: "that is one", Line: 2, Column: 3}}
	}
	return nil
}
func (e *policyEngine) DefaultPolicy() []byte { return []byte(tinyBundle) }
func (e *policyEngine) PolicyGates() []engine.PolicyGate {
	return []engine.PolicyGate{
		{Name: "always", About: "Fires.", Triggers: []engine.PolicyTrigger{{Name: "always", About: "Fires once.", Params: []engine.PolicyParam{{Name: "x", About: "Which", Required: true, Values: []string{"left", "right"}}}}}},
		{Name: "older", About: "Was.", Ended: true, Successor: "always", Triggers: []engine.PolicyTrigger{{Name: "one", Ended: true}}},
	}
}
func (e *policyEngine) TryPolicy(_ context.Context, q engine.PolicyTry) (engine.PolicyTrials, error) {
	e.tried = q
	now := engine.Verdict{Action: engine.ActionGo, Mapping: "m"}
	return engine.PolicyTrials{Against: "on", Analyzed: 2, Trials: []engine.PolicyTrial{
		{Image: "sha256:1", Tag: "r/one:1", Tried: engine.Verdict{Action: engine.ActionStop, Mapping: "m"}, Now: &now, TriedRows: engine.VerdictRows{Stop: 1},
			Changes: []engine.VerdictChange{{Kind: engine.RowNew, Row: engine.VerdictRow{Gate: "always", Trigger: "always", TriggerID: "t", Output: "It <always> fires", Action: engine.ActionStop}}}},
		{Image: "sha256:2", Tag: "r/two:1", Fault: "a rule cannot run", Now: &now},
	}}, nil
}
func (e *policyEngine) VerdictCounts(context.Context, string) (engine.VerdictCounts, error) {
	return engine.VerdictCounts{Go: 7, Warn: 1, Stop: 1234, Waiting: 2, At: time.Now()}, nil
}
func (e *policyEngine) Reevaluation(context.Context, string) (engine.Reevaluation, error) {
	return engine.Reevaluation{}, engine.ErrNotFound
}
func (e *policyEngine) Image(_ context.Context, account, digest string) (engine.Image, error) {
	return engine.Image{Account: account, Digest: engine.Digest(digest), State: engine.Analyzed}, nil
}

// sendBundle posts a form of parts, as the editor does.
func sendBundle(t *testing.T, e Engine, target string, fields map[string]string) (int, string, string) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := form.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	code, head, body := send(t, e, "POST", target+"?csrf=token", form.FormDataContentType(), &b)
	return code, head.Get("Location"), body
}

func TestPolicyPages(t *testing.T) {
	for path, want := range map[string][]string{
		"/policies":                          {"2 bundles", "In use", "Active", "1,234", "Tiny &lt;b&gt;team", "/policies/%67ates/activate", "1 policy", "1 rule", "2 images are not judged", "Upload a bundle"},
		"/policies/gates":                    {"Gate reference", "required", "left", "End of life", "always came after it", "A rule to begin with"},
		"/policies/gates?q=right":            {"1 gate, 1 trigger"},
		"/policies/gates?q=zzz":              {"Nothing found"},
		"/policies/gates.json":               {`"name":"always"`, `"values":["left","right"]`},
		"/policies/%67ates":                  {"Which images are judged by what", "every image", "Stop", "It sets nothing aside"},
		"/policies/%67ates?tab=edit":         {`&#34;id&#34;: &#34;gates&#34;`, "The bundle can be stored", `name="seen" value="aaaa`},
		"/policies/%67ates?tab=try":          {"Try this bundle", "In use (active)"},
		"/policies/%67ates?tab=try&run=1":    {"The verdict changes on 1 of the 2 analyzed images. On 1 there would be no verdict", "a rule cannot run", "changes"},
		"/policies/%67ates?tab=diff":         {"The policy is new", "Added", "removed"},
		"/policies/%67ates?tab=diff&with=no": {"any more"},
		"/policies/on/activate":              {"is the active bundle already"},
		"/policies/%67ates/activate":         {"Images are judged by In use now", "What would change", "r/one:1"},
		"/policies/%67ates/delete":           {"1 policy, 1 rule, 1 mapping", "cannot be undone"},
		"/policies/on/delete":                {"Activate another one first"},
		"/policies/new":                      {"New bundle", "mapping-1"},
		"/policies/new?from=default":         {"Default bundle, copy"},
		"/policies/new?from=gates":           {"team, copy"},
		"/policies/%67ates/exceptions/new?gate=files&trigger_id=abc&image=sha256:1&tag=r/one:1": {"Set a finding aside", "abc", "What it changes", "is not the active bundle", "What is written"},
	} {
		code, _, body := send(t, newPolicyEngine(), "GET", path, "", nil)
		if code != 200 {
			t.Errorf("%s answered %d", path, code)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q", path, w)
			}
		}
		noNonsense(t, body)
	}
	for path, want := range map[string]int{"/policies/gone": 404, "/policies/new?from=gone": 404, "/policies/on/exceptions/new": 400} {
		if code, _, _ := send(t, newPolicyEngine(), "GET", path, "", nil); code != want {
			t.Errorf("%s answered %d, want %d", path, code, want)
		}
	}
	code, head, body := send(t, newPolicyEngine(), "GET", "/policies/%67ates/download", "", nil)
	if code != 200 || !strings.Contains(head.Get("Content-Disposition"), `bundle-gates.json`) || !strings.HasPrefix(body, "{\n  \"id\": \"gates\"") {
		t.Errorf("download: %d %v %.60s", code, head, body)
	}
}

func TestBundlesAreEdited(t *testing.T) {
	const text = "{\r\n  \"id\": \"x\"\r\n}"
	tests := map[string]struct {
		target string
		fields map[string]string
		err    error
		code   int
		says   string
		stored bool
	}{
		"save":              {"/policies/%67ates/edit/upload", map[string]string{"document": text, "seen": "d1", "do": "save"}, nil, 303, "", true},
		"check":             {"/policies/%67ates/edit/upload", map[string]string{"document": text, "do": "check"}, nil, 200, "The bundle can be stored", false},
		"save with a fault": {"/policies/%67ates/edit/upload", map[string]string{"document": "a\nfault", "do": "save"}, nil, 400, "Line 2, column 3", false},
		"somebody else":     {"/policies/%67ates/edit/upload", map[string]string{"document": text, "seen": "d0", "do": "save"}, engine.Conflictf("Changed by another."), 409, "Changed by another.", true},
		"over another's":    {"/policies/%67ates/edit/upload", map[string]string{"document": text, "seen": "d0", "over": "d9", "do": "save"}, nil, 303, "", true},
		"compare":           {"/policies/%67ates/edit/upload", map[string]string{"document": text, "do": "diff"}, nil, 200, "As it is stored", false},
		"try":               {"/policies/%67ates/edit/upload", map[string]string{"document": text, "do": "try"}, nil, 200, "Try the edited text", false},
		"try a fault":       {"/policies/%67ates/edit/upload", map[string]string{"document": "fault", "do": "try"}, nil, 200, "that is one", false},
		"gone":              {"/policies/gone/edit/upload", map[string]string{"document": text, "do": "save"}, nil, 404, "", false},
		"new":               {"/policies/new/upload", map[string]string{"document": text, "do": "save"}, nil, 303, "", true},
		"new, checked":      {"/policies/new/upload", map[string]string{"document": text}, nil, 200, "New bundle", false},
		"new, taken":        {"/policies/new/upload", map[string]string{"document": text, "do": "save"}, engine.Conflictf("There is one."), 409, "Give this one another id", true},
		"file":              {"/policies/upload", map[string]string{"bundle": text}, nil, 303, "", true},
		"file with a fault": {"/policies/upload", map[string]string{"bundle": "fault"}, nil, 400, "that is one", false},
		"no file":           {"/policies/upload", map[string]string{"bundle": " "}, nil, 400, "Choose the file", false},
		"script":            {"/policies/check/upload", map[string]string{"document": "fault"}, nil, 200, `data-line="2"`, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := newPolicyEngine()
			e.editErr = tc.err
			code, to, body := sendBundle(t, e, tc.target, tc.fields)
			if code != tc.code || !strings.Contains(body, tc.says) {
				t.Errorf("%d, want %d with %q", code, tc.code, tc.says)
			}
			if stored := e.edit.Account != ""; stored != tc.stored {
				t.Errorf("stored: %v", stored)
			}
			if name == "save" && (e.edit.ID != "gates" || e.edit.Seen != "d1" || e.edit.Activate || string(e.edit.Document) != strings.ReplaceAll(text, "\r", "") || to != "/policies/%67ates") {
				t.Errorf("%+v, to %s", e.edit, to)
			}
			if name == "over another's" && e.edit.Seen != "d9" {
				t.Errorf("saved over %s", e.edit.Seen)
			}
			if name == "try" && string(e.tried.Document) != strings.ReplaceAll(text, "\r", "") {
				t.Errorf("tried %s", e.tried.Document)
			}
		})
	}
	// What takes seconds to look through is not, while it is being written; what
	// the engine would not take is not looked through at all.
	for size, want := range map[int]struct {
		code int
		says string
	}{bundleLive + 1: {200, "is looked through when it is saved"}, bundleText + 1: {400, "larger than"}} {
		target := map[bool]string{true: "/policies/check/upload", false: "/policies/new/upload"}[size == bundleLive+1]
		if code, _, body := sendBundle(t, newPolicyEngine(), target, map[string]string{"document": strings.Repeat(" ", size)}); code != want.code || !strings.Contains(body, want.says) {
			t.Errorf("%d bytes: %d", size, code)
		}
	}
	// A form without an end, and one of another kind.
	if code, _, _ := send(t, newPolicyEngine(), "POST", "/policies/check/upload?csrf=token", "multipart/form-data; boundary=b", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"document\"\r\n\r\nx")); code != 400 {
		t.Errorf("a form that is cut short: %d", code)
	}
	if code, _, _ := send(t, newPolicyEngine(), "POST", "/policies/check/upload?csrf=token", "text/plain", strings.NewReader("x")); code != 415 {
		t.Errorf("no form: %d", code)
	}
	if code, _, _ := send(t, newPolicyEngine(), "POST", "/policies/check/upload?csrf=wrong", "multipart/form-data; boundary=b", strings.NewReader("--b--\r\n")); code != 403 {
		t.Errorf("another's form: %d", code)
	}
}

func TestBundlesLive(t *testing.T) {
	e := newPolicyEngine()
	code, _, _ := post(t, e, "/policies/%67ates/activate", url.Values{"seen": {"d1"}})
	if code != 303 || !e.edit.Activate || e.edit.Seen != "d1" || e.edit.Document != nil {
		t.Errorf("activate: %d %+v", code, e.edit)
	}
	if post(t, e, "/policies/%67ates/activate", url.Values{}); e.edit.Seen != e.list[0].Digest {
		t.Errorf("the undo of an activation: %+v", e.edit)
	}
	if code, _, _ := post(t, e, "/policies/%67ates/delete", url.Values{}); code != 303 || e.deleted != "gates" {
		t.Errorf("delete: %d %s", code, e.deleted)
	}
}

func TestFindingsAreSetAside(t *testing.T) {
	tests := map[string]struct {
		form url.Values
		code int
		says string
	}{
		"plain":     {url.Values{"reason": {"because"}, "list": {"w"}, "back": {"/images/sha256:1?tab=policy"}}, 303, ""},
		"for a day": {url.Values{"reason": {"because"}, "list": {"w"}, "expires": {time.Now().UTC().Format(time.DateOnly)}}, 303, ""},
		"no reason": {url.Values{"list": {"w"}}, 400, "Say why"},
		"past":      {url.Values{"reason": {"r"}, "list": {"w"}, "expires": {"2001-01-01"}}, 400, "over already"},
		"no list":   {url.Values{"reason": {"r"}, "list": {"gone"}}, 404, "no whitelist gone"},
		"preview":   {url.Values{"reason": {"r"}, "list": {"w"}, "do": {"preview"}}, 200, "What is written"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := newPolicyEngine()
			tc.form.Set("gate", "files")
			tc.form.Set("trigger_id", "abc")
			code, head, body := post(t, e, "/policies/%67ates/exceptions", tc.form)
			if code != tc.code || !strings.Contains(body, tc.says) {
				t.Errorf("%d, want %d with %q", code, tc.code, tc.says)
			}
			if stored := e.edit.Document != nil; stored != (tc.code == 303) {
				t.Fatalf("stored: %v", stored)
			}
			if name == "plain" && (!strings.Contains(string(e.edit.Document), `"trigger_id":"abc","reason":"because"}`) || e.edit.Seen != e.list[0].Digest || head.Get("Location") != "/images/sha256:1?tab=policy") {
				t.Errorf("%s to %s", e.edit.Document, head.Get("Location"))
			}
		})
	}
}

func TestReadersAreOfferedNothing(t *testing.T) {
	e := newPolicyEngine()
	e.who = engine.Identity{User: "reader", Account: "admin", Rights: &engine.Rights{Grants: []engine.Grant{{Account: "admin", Role: engine.ImageAnalyzer, Enabled: true}}}}
	for _, path := range []string{"/policies", "/policies/%67ates", "/policies/%67ates?tab=edit"} {
		_, _, body := send(t, e, "GET", path, "", nil)
		for _, bad := range []string{"New bundle", "/activate\"", "value=\"save\"", "Upload"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s offers %s", path, bad)
			}
		}
	}
	if _, _, body := send(t, e, "GET", "/policies/%67ates?tab=try&run=1", "", nil); !strings.Contains(body, "does not allow to try") || e.tried.Account != "" {
		t.Error("a bundle was tried without leave")
	}
	if code, _, _ := send(t, e, "GET", "/policies/new", "", nil); code != 403 {
		t.Errorf("new: %d", code)
	}
}
