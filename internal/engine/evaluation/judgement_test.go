package evaluation

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

const twoRules = `{"id":"b","name":"House","version":"1_0",
 "policies":[{"id":"p","name":"Base","version":"1_0","rules":[
  {"id":"r1","gate":"metadata","trigger":"attribute","action":"STOP","params":[{"name":"attribute","value":"os_type"},{"name":"check","value":"="},{"name":"value","value":"linux"}]},
  {"id":"twice","gate":"always","trigger":"always","action":"WARN","params":[]},{"id":"twice","gate":"always","trigger":"always","action":"GO","params":[]}]}],
 "whitelists":[{"id":"w","name":"Accepted","version":"1_0","items":[
  {"id":"old","gate":"ALWAYS","trigger_id":"alw*","expires_on":"2026-01-01T00:00:00Z","reason":"for a while"},
  {"id":"other","gate":"metadata","trigger_id":"nothing"}]}],
 "mappings":[{"name":"all","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p","whitelist_ids":["w"]}]}`

func evaluated(t *testing.T, document string, at time.Time) engine.Evaluation {
	t.Helper()
	b, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	v, err := policy.Evaluate(b, "docker.io/a:1", &policy.Image{Digest: "sha256:1", OS: "linux"}, at)
	if err != nil {
		t.Fatal(err)
	}
	e := engine.Evaluation{Account: "one", Policy: "b", Tag: "docker.io/a:1", Bundle: []byte(document), BundleDigest: document, At: at}
	if err := put(&e, engine.Image{}, v); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestVerdictNamesRulesAndExceptions(t *testing.T) {
	before, after := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	v := JudgementOf(evaluated(t, twoRules, after))
	if v.PolicyName != "House" || v.Mapping == nil || v.Mapping.Images != "*/*:*" || v.Policies[0].Name != "Base" || v.Whitelists[0].Name != "Accepted" {
		t.Errorf("verdict %+v", v)
	}
	if len(v.Rows) != 3 {
		t.Fatalf("rows %+v, problems %+v", v.Rows, v.Problems)
	}
	if r := v.Rows[0]; r.Rule != "r1" || r.Ruled != "stop" || len(r.Params) != 3 || r.Params[0].Value != "os_type" || r.Lapsed != nil {
		t.Errorf("row %+v", r)
	}
	for _, r := range v.Rows[1:] {
		if len(r.Params) != 0 || r.Exception != nil || r.Lapsed == nil || r.Lapsed.Item != "old" || r.Lapsed.Reason != "for a while" {
			t.Errorf("row after the exception expired: %+v", r)
		}
	}
	v = JudgementOf(evaluated(t, twoRules, before))
	if r := v.Rows[1]; r.Action != "go" || r.Ruled != "warn" || r.Lapsed != nil || r.Exception == nil || r.Exception.Expires.IsZero() {
		t.Errorf("row while the exception is in force: %+v", r)
	}
	// A result that cannot be read, and a document that is gone, still tell the outcome.
	v = JudgementOf(engine.Evaluation{Action: "stop", Result: []byte("{"), Bundle: nil})
	if v.Action != "stop" || len(v.Problems) != 1 {
		t.Errorf("an unreadable result: %+v", v)
	}
}

func TestStepsTellWhatChanged(t *testing.T) {
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	var s Steps
	newest := evaluated(t, twoRules, at)
	s.Add(newest, true)
	other := newest
	other.Policy = "strict"
	s.Add(other, true)
	s.Add(evaluated(t, twoRules, at.AddDate(0, 0, -2)), false) // the exception was in force then
	if len(s.List) != 2 || !s.Waiting() {
		t.Fatalf("%d entries, waiting %v", len(s.List), s.Waiting())
	}
	first := s.List[0]
	if first.First || first.Document || first.More != 2 || first.Fewer != 0 || len(first.Came) != 2 || first.Came[0].Action != "warn" || first.Rows != 3 || first.Stop != 1 {
		t.Errorf("entry %+v", first)
	}
	if !s.List[1].First {
		t.Errorf("the other bundle's entry %+v", s.List[1])
	}
}

func TestImagesAreFoundByTheirVerdict(t *testing.T) {
	w := newWorld(t)
	w.add("one", "mine", ruleCritical, true)
	bad, good := w.analyzed("one", 1, critical()), w.analyzed("one", 2)
	w.analyzed("one", 3) // nobody asks about this one
	w.check(Request{Image: bad})
	w.check(Request{Image: good})
	w.add("one", "strict", ruleAlwaysStop, false)
	w.check(Request{Image: good, Policy: "strict"}) // not the active one: does not count
	for verdict, want := range map[string]engine.Digest{"stop": bad.Digest, "go": good.Digest, "none": digestOf(3), "warn": ""} {
		list, _, err := w.s.Images(t.Context(), "one", engine.ImageFilter{Verdict: verdict})
		n, counted := w.s.CountImages(t.Context(), "one", engine.ImageFilter{Verdict: verdict})
		if err != nil || counted != nil || n != len(list) || want == "" && n != 0 || want != "" && (n != 1 || list[0].Digest != want) {
			t.Errorf("%s: %d images, %v, %v, %v", verdict, n, list, err, counted)
		}
	}
	if n, err := w.s.CountImages(t.Context(), "two", engine.ImageFilter{Verdict: "stop"}); n != 0 || err != nil {
		t.Errorf("another account: %d, %v", n, err)
	}
}
