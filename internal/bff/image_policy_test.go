package bff

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func (e *imageEngine) ImageVerdicts(_ context.Context, _ string, digests []engine.Digest) ([]engine.ImageVerdict, error) {
	return []engine.ImageVerdict{{Digest: digests[0], Tag: "docker.io/library/debian:12", Action: engine.ActionStop, At: imageTime, Current: true}}, nil
}

func (e *imageEngine) EachPolicy(_ context.Context, _ string, _ bool, each func(engine.PolicyBundle) error) error {
	for _, b := range e.bundles {
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

func (e *imageEngine) Judgement(_ context.Context, i engine.Image, tag, policy string, store bool) (engine.Judgement, error) {
	if store {
		e.evaluated = append(e.evaluated, tag+" "+policy)
	}
	if policy == "broken" || policy == "" && !slices.ContainsFunc(e.bundles, func(b engine.PolicyBundle) bool { return b.Active }) {
		return engine.Judgement{}, engine.NotFoundf("could not find any evaluations for input images")
	}
	v := someVerdict()
	v.Tag = tag
	return v, nil
}

func (e *imageEngine) StoredJudgement(_ context.Context, _, _, tag string, at time.Time) (engine.Judgement, error) {
	if !at.Equal(imageTime) && !at.Equal(imageTime.Add(time.Hour)) {
		return engine.Judgement{}, engine.NotFoundf("This evaluation is no longer stored.")
	}
	return engine.Judgement{Policy: "mine", Tag: tag, Action: engine.ActionGo, PolicyAction: engine.ActionGo, At: at}, nil
}

func (e *imageEngine) JudgementHistory(context.Context, string, string, string, int) ([]engine.JudgementStep, bool, error) {
	return []engine.JudgementStep{
		{At: imageTime.Add(time.Hour), Policy: "mine", Active: true, Action: engine.ActionStop, Rows: 3, Stop: 1, Warn: 1, More: 22, Fewer: 0, Document: true,
			Came: []engine.JudgementRow{{Action: engine.ActionStop, Gate: "vulnerabilities", Trigger: "package", Message: "CRITICAL in <openssl>"}}},
		{At: imageTime, Policy: "gone", Action: engine.ActionGo, First: true},
	}, true, nil
}

func someBundles() []engine.PolicyBundle {
	return []engine.PolicyBundle{{ID: "mine", Name: "House <rules>", Active: true}, {ID: "broken", Name: "Broken"}}
}

// someVerdict has a row of each kind, and more than one page of them.
func someVerdict() engine.Judgement {
	v := engine.Judgement{
		Policy: "mine", PolicyName: "House <rules>", Action: engine.ActionStop, PolicyAction: engine.ActionStop, Reason: "policy_evaluation", Active: true, At: imageTime,
		Mapping:  &engine.JudgementRule{Name: "all", Images: "*/*:*"},
		Policies: []engine.NamedID{{ID: "p1", Name: "Base"}}, Whitelists: []engine.NamedID{{ID: "w1", Name: "Accepted"}},
		Problems: []engine.JudgementProblem{{Severity: "error", Type: "EndOfLifedError", Details: "the gate x is no more"}},
	}
	why := engine.JudgementWhy{Record: "CVE-2024-5535", Namespace: "debian:distro:debian:12", Package: "openssl", Version: "3.0.11", Against: "< 3.0.14", Fix: "3.0.14", Path: "pkgdb", Matcher: "dpkg-matcher"}
	row := func(action, id string) engine.JudgementRow {
		return engine.JudgementRow{
			TriggerID: id, Gate: "vulnerabilities", Trigger: "package", Message: "HIGH vulnerability <in> openssl", Action: action, Ruled: action,
			Policy: v.Policies[0], Rule: "r1", Params: []engine.JudgementParam{{Name: "severity", Value: "high"}}, Why: why,
		}
	}
	v.Rows = append(v.Rows, row(engine.ActionStop, "CVE-2024-5535+openssl"))
	lapsed := row(engine.ActionWarn, "CVE-2024-1+openssl")
	lapsed.Lapsed = &engine.JudgementException{List: v.Whitelists[0], Item: "i1", Reason: "until the sprint ends", Expires: imageTime.Add(-time.Hour)}
	aside := row(engine.ActionGo, "CVE-2024-2+openssl")
	aside.Ruled, aside.Exception = engine.ActionStop, &engine.JudgementException{List: v.Whitelists[0], Item: "i2", Reason: "not reachable", Expires: imageTime.AddDate(1, 0, 0)}
	vex := row(engine.ActionGo, "CVE-2024-3+openssl")
	vex.Ruled, vex.Exception = engine.ActionWarn, &engine.JudgementException{List: engine.NamedID{ID: "d1"}, Reason: "vulnerable_code_not_present", VEX: true}
	v.Rows = append(v.Rows, lapsed, aside, vex)
	for range 60 {
		v.Rows = append(v.Rows, engine.JudgementRow{TriggerID: "f00d", Gate: "files", Trigger: "suid_or_guid_set", Message: "File /bin/su has its setuid bit set", Action: engine.ActionWarn, Ruled: engine.ActionWarn, Why: engine.JudgementWhy{Record: "/bin/su", Path: "/bin/su"}})
	}
	return v
}

func TestPolicyTab(t *testing.T) {
	tab := "/images/" + url.PathEscape(string(imageDigest(1))) + "?tab=policy"
	tests := map[string]struct {
		bundles []engine.PolicyBundle
		path    string
		code    int
		want    []string
		not     []string
	}{
		"now": {someBundles(), tab, 200, []string{
			"1 finding asks to stop, 61 more warn; 2 are set aside by exceptions.", "House &lt;rules&gt; (active)", "mapping “all” (*/*:*)", "Base", "Accepted",
			"EndOfLifedError", "CVE-2024-5535+openssl", "tab=vulnerabilities", "&lt; 3.0.14", "severity", "not reachable", "vulnerable code not present", "/policies/vex/d1",
			"An exception has expired", "until the sprint ends", "1 to 50 of 64 findings", "Evaluate now", "+22 −0, the bundle was edited", "and 21 more", "the first by this bundle",
		}, nil},
		"second page":      {someBundles(), tab + "&page=2", 200, []string{"51 to 64 of 64 findings", "(continued)"}, nil},
		"past the end":     {someBundles(), tab + "&page=99", 200, []string{"51 to 64 of 64 findings"}, nil},
		"what stops":       {someBundles(), tab + "&action=stop", 200, []string{"CVE-2024-5535+openssl", "1 finding", "Clear"}, []string{"CVE-2024-1+openssl", "not reachable"}},
		"set aside":        {someBundles(), tab + "&aside=only", 200, []string{"not reachable", "2 findings"}, []string{"CVE-2024-5535+openssl"}},
		"not set aside":    {someBundles(), tab + "&aside=hide&gate=vulnerabilities", 200, []string{"CVE-2024-5535+openssl"}, []string{"not reachable"}},
		"text":             {someBundles(), tab + "&q=SETUID", 200, []string{"1 to 50 of 60 findings"}, []string{"CVE-2024-5535+openssl"}},
		"nothing matches":  {someBundles(), tab + "&q=nothing", 200, []string{"No row matches the filter"}, nil},
		"other tag":        {someBundles(), tab + "&tag=docker.io/library/debian:bookworm", 200, []string{`value="docker.io/library/debian:bookworm" selected`}, []string{"not a tag of this image"}},
		"foreign tag":      {someBundles(), tab + "&tag=quay.io/x/y:1", 200, []string{"not a tag of this image"}, nil},
		"broken bundle":    {someBundles(), tab + "&policy=broken", 200, []string{"The bundle could not be evaluated", "policy_engine"}, nil},
		"unknown bundle":   {someBundles(), tab + "&policy=gone", 404, []string{"There is no policy bundle gone"}, nil},
		"stored":           {someBundles(), tab + "&at=" + url.QueryEscape(imageTime.Format(time.RFC3339Nano)), 200, []string{"This is a stored evaluation", "What it says now"}, []string{"Evaluate now"}},
		"no longer stored": {someBundles(), tab + "&at=2020-01-01T00:00:00Z", 404, []string{"no longer stored"}, nil},
		"no bundle":        {nil, tab, 200, []string{"There is no policy bundle"}, nil},
		"none active":      {someBundles()[1:], tab, 200, []string{"No bundle is active"}, nil},
		"not analyzed":     {someBundles(), "/images/" + url.PathEscape(string(imageDigest(2))) + "?tab=policy", 200, []string{"is being analyzed"}, nil},
		"csv":              {someBundles(), strings.Replace(tab, "?", "/policy.csv?", 1) + "&action=stop", 200, []string{"CVE-2024-5535+openssl", "severity=high"}, []string{"CVE-2024-1+"}},
		"json":             {someBundles(), strings.Replace(tab, "?", "/policy.json?", 1), 200, []string{`"final_action": "stop"`, `"compared_with": "\u003c 3.0.14"`, `"expired_exception"`}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, body := send(t, &imageEngine{images: someImages(), bundles: tc.bundles}, http.MethodGet, tc.path, "", nil)
			if code != tc.code {
				t.Fatalf("%d, want %d\n%s", code, tc.code, body)
			}
			wantParts(t, body, tc.want...)
			for _, part := range tc.not {
				if strings.Contains(body, part) {
					t.Errorf("%q is on the page", part)
				}
			}
			if !strings.Contains(tc.path, ".json") {
				noNonsense(t, body)
			}
		})
	}
}

func TestEvaluateNow(t *testing.T) {
	e := &imageEngine{images: someImages(), bundles: someBundles()}
	target := "/images/" + string(imageDigest(1)) + "/evaluate"
	code, head, _ := post(t, e, target, url.Values{"tag": {"docker.io/library/debian:12"}, "policy": {"mine"}})
	if code != 303 || !strings.Contains(head.Get("Location"), "tab=policy") || len(e.evaluated) != 1 || e.evaluated[0] != "docker.io/library/debian:12 mine" {
		t.Errorf("%d %s %v", code, head.Get("Location"), e.evaluated)
	}
	for form, want := range map[string]int{"": 400, "docker.io/library/debian:12": 303} {
		if code, _, _ := post(t, e, target, url.Values{"tag": {form}, "policy": {"broken"}}); code != want {
			t.Errorf("tag %q: %d, want %d", form, code, want)
		}
	}
	if code, _, _ := post(t, e, "/images/"+string(imageDigest(2))+"/evaluate", url.Values{"tag": {"x"}}); code != 409 {
		t.Errorf("an image that is not analyzed: %d", code)
	}
}
