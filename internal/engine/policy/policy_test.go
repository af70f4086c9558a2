package policy

import (
	"encoding/json"
	"testing"
	"time"
)

// now is when the tests' evaluations happen.
var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return now.AddDate(0, 0, -n) }

// p is parameters, as name and value in turn.
func p(nameValue ...string) []map[string]any {
	list := []map[string]any{}
	for i := 0; i < len(nameValue); i += 2 {
		list = append(list, map[string]any{"name": nameValue[i], "value": nameValue[i+1]})
	}
	return list
}

func rule(id, action, gate, trigger string, params ...string) map[string]any {
	return map[string]any{"id": id, "action": action, "gate": gate, "trigger": trigger, "params": p(params...)}
}

func mapping(policy any, whitelists ...string) map[string]any {
	m := map[string]any{
		"id": "m1", "name": "all", "registry": "*", "repository": "*",
		"image": map[string]any{"type": "tag", "value": "*"}, "whitelist_ids": whitelists,
	}
	switch policy := policy.(type) {
	case string:
		m["policy_id"] = policy
	case []string:
		m["policy_ids"] = policy
	}
	return m
}

// doc is a bundle of one policy of these rules, with changes.
func doc(t testing.TB, rules []map[string]any, change ...func(b map[string]any)) []byte {
	t.Helper()
	b := map[string]any{
		"id": "b1", "version": "1_0", "name": "bundle",
		"policies":   []any{map[string]any{"id": "p1", "version": "1_0", "name": "policy", "rules": rules}},
		"mappings":   []any{mapping("p1")},
		"whitelists": []any{}, "whitelisted_images": []any{}, "blacklisted_images": []any{},
	}
	for _, f := range change {
		f(b)
	}
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// whitelisted adds a whitelist of these items, gate and trigger id in turn.
func whitelisted(gateID ...string) func(map[string]any) {
	var items []any
	for i := 0; i < len(gateID); i += 2 {
		items = append(items, map[string]any{"id": "i" + gateID[i+1], "gate": gateID[i], "trigger_id": gateID[i+1]})
	}
	return func(b map[string]any) {
		b["whitelists"] = []any{map[string]any{"id": "w1", "version": "1_0", "name": "exceptions", "items": items}}
		b["mappings"] = []any{mapping("p1", "w1")}
	}
}

func parse(t testing.TB, doc []byte) *Bundle {
	t.Helper()
	b, err := Parse(doc)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, doc)
	}
	return b
}

const tag = "docker.io/library/app:1.0"

func evaluate(t testing.TB, b *Bundle, img *Image) Verdict {
	t.Helper()
	v, err := Evaluate(b, tag, img, now)
	if err != nil {
		t.Fatalf("Evaluate: %v", err)
	}
	return v
}
