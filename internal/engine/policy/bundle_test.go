package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
)

func TestParseNamesThePlace(t *testing.T) {
	tests := map[string]struct{ doc, want string }{
		"not JSON":       {`{`, "bundle: not JSON"},
		"not an object":  {`[]`, "bundle: want an object, got []"},
		"null":           {`null`, "bundle: want an object, got null"},
		"id":             {`{"id":1}`, "bundle.id: want a text, got 1"},
		"policies":       {`{"policies":{}}`, "bundle.policies: want a list, got {}"},
		"policy":         {`{"policies":[{},3]}`, "bundle.policies[1]: want an object, got 3"},
		"rule":           {`{"policies":[{"rules":[{"gate":true}]}]}`, "bundle.policies[0].rules[0].gate: want a text, got true"},
		"parameter":      {`{"policies":[{"rules":[{"params":[{"name":{}}]}]}]}`, "bundle.policies[0].rules[0].params[0].name: want a text, got {}"},
		"item":           {`{"whitelists":[{"items":["x"]}]}`, `bundle.whitelists[0].items[0]: want an object, got "x"`},
		"expiry":         {`{"whitelists":[{"items":[{"expires_on":5}]}]}`, "bundle.whitelists[0].items[0].expires_on: want a text, got 5"},
		"image":          {`{"mappings":[{"image":"x"}]}`, `bundle.mappings[0].image: want an object, got "x"`},
		"image value":    {`{"whitelisted_images":[{"image":{"value":[]}}]}`, "bundle.whitelisted_images[0].image.value: want a text, got []"},
		"policy_ids":     {`{"mappings":[{"policy_ids":["a",2]}]}`, "bundle.mappings[0].policy_ids[1]: want a text, got 2"},
		"too deep":       {`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "bundle: nested more than 64 deep"},
		"too many":       {`{"policies":[` + strings.Repeat("{},", maxPolicies) + `{}]}`, "bundle.policies: 1001 entries, at most 1000"},
		"too many bytes": {strings.Repeat(" ", maxBytes+1), "at most"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tc.doc))
			if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestParseKeeps(t *testing.T) {
	b := parse(t, []byte(`{"id":"b","version":"1_0","name":"n","description":"d","comment":"c","unknown":{"x":[1]},
		"policies":null,"mappings":[],"whitelists":[{"id":"w","version":"1_0","items":[{"gate":"g","trigger_id":"t","reason":"r"}]}]}`))
	if b.ID != "b" || b.Name != "n" || b.Description != "d" || b.Whitelists[0].Items[0].Reason != "r" {
		t.Errorf("%+v", b)
	}
	if problems := b.Problems(); len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
}

func TestProblems(t *testing.T) {
	good := []map[string]any{always("r1", "GO")}
	one := func(r map[string]any) []byte { return doc(t, []map[string]any{r}) }
	with := func(change func(map[string]any)) []byte { return doc(t, good, change) }
	list := func(items ...any) func(map[string]any) {
		return func(b map[string]any) {
			whitelisted()(b)
			b["whitelists"].([]any)[0].(map[string]any)["items"] = items
		}
	}
	second := func(key string, version string, more ...any) func(map[string]any) {
		return func(b map[string]any) {
			id := b[key].([]any)[0].(map[string]any)["id"]
			b[key] = append(b[key].([]any), map[string]any{"id": id, "version": version})
		}
	}
	tests := map[string]struct {
		doc  []byte
		want []string // types, in order
	}{
		"none":                   {doc(t, good), nil},
		"no id":                  {with(func(b map[string]any) { delete(b, "id") }), []string{ProblemValidation}},
		"version of the bundle":  {with(func(b map[string]any) { b["version"] = "1_1" }), []string{ProblemVersion}},
		"no version":             {with(func(b map[string]any) { delete(b, "version") }), []string{ProblemVersion}},
		"version of a policy":    {with(func(b map[string]any) { b["policies"].([]any)[0].(map[string]any)["version"] = "2" }), []string{ProblemVersion}},
		"version of a whitelist": {with(func(b map[string]any) { list()(b); b["whitelists"].([]any)[0].(map[string]any)["version"] = "" }), []string{ProblemVersion}},
		"policy twice":           {with(second("policies", "1_0")), []string{ProblemDuplicate}},
		"whitelist twice":        {with(func(b map[string]any) { list()(b); second("whitelists", "1_0")(b) }), []string{ProblemDuplicate}},
		"missing references":     {with(mappings(mapping([]string{"p1", "p2"}, "w1"))), []string{ProblemReference, ProblemReference}},
		"one reference twice":    {with(mappings(mapping("p2"), mapping("p2"))), []string{ProblemReference}},
		"not referenced": {with(func(b map[string]any) {
			b["mappings"] = []any{}
			b["policies"].([]any)[0].(map[string]any)["version"] = "2"
		}), nil},
		"no policy of a mapping":       {with(mappings(selector("m", "*", "*", "tag", "*"))), []string{ProblemValidation}},
		"policy_id and policy_ids":     {with(func(b map[string]any) { b["mappings"].([]any)[0].(map[string]any)["policy_ids"] = []string{"p1"} }), []string{ProblemValidation}},
		"image type":                   {with(mappings(of(selector("m", "*", "*", "name", "*"), "p1"))), []string{ProblemValidation}},
		"no registry":                  {with(mappings(of(selector("m", "", "*", "tag", "*"), "p1"))), []string{ProblemValidation}},
		"bad expression in a mapping":  {with(mappings(of(selector("m", "*", "regexp:(", "tag", "*"), "p1"))), []string{ProblemValidation}},
		"image list":                   {with(func(b map[string]any) { b["blacklisted_images"] = []any{selector("m", "*", "*", "id", "")} }), []string{ProblemValidation}},
		"expiry":                       {with(list(map[string]any{"gate": "g", "trigger_id": "t", "expires_on": "tomorrow"})), []string{ProblemValidation}},
		"expiry is well":               {with(list(map[string]any{"gate": "g", "trigger_id": "t", "expires_on": "2026-01-02T03:04:05.678+02:00"})), nil},
		"item without gate":            {with(list(map[string]any{"trigger_id": "t"})), []string{ProblemValidation}},
		"bad expression in an item":    {with(list(map[string]any{"gate": "g", "trigger_id": "regexp:["})), []string{ProblemValidation}},
		"action":                       {one(rule("r", "DENY", "always", "always")), []string{ProblemValidation}},
		"action in any case":           {one(rule("r", "wArN", "always", "always")), nil},
		"gate":                         {one(rule("r", "GO", "alway", "always")), []string{ProblemGate}},
		"gate and trigger in any case": {one(rule("r", "GO", "ALWAYS", "Always")), nil},
		"trigger":                      {one(rule("r", "GO", "always", "never")), []string{ProblemTrigger}},
		"end of life, gate":            {one(rule("r", "GO", "anchoresec", "vulnlow")), []string{ProblemEndOfLife}},
		"end of life, unknown trigger": {one(rule("r", "GO", "anchoresec", "always")), []string{ProblemTrigger}},
		"parameter that there is not":  {one(rule("r", "GO", "always", "always", "x", "y")), []string{ProblemParameter}},
		"parameter in capitals":        {one(rule("r", "GO", "packages", "required_package", "NAME", "x")), nil},
		"parameter required":           {one(rule("r", "GO", "packages", "required_package")), []string{ProblemValue}},
		"parameter wrong":              {one(rule("r", "GO", "vulnerabilities", "package", "package_type", "All")), []string{ProblemValue}},
		"several in one rule":          {one(rule("r", "NO", "vulnerabilities", "package", "severity", "x", "y", "z")), []string{ProblemValidation, ProblemParameter, ProblemValue, ProblemValue}},
		"parameter that is not a text": {[]byte(strings.Replace(string(one(rule("r", "GO", "packages", "required_package", "name", "NUMBER"))), `"NUMBER"`, `3`, 1)), []string{ProblemValue}},
		"parameter without a value":    {[]byte(strings.Replace(string(one(rule("r", "GO", "packages", "required_package", "name", "N"))), `"value":"N"`, `"v":1`, 1)), []string{ProblemValue}},
		"linked to another, by size":   {one(rule("r", "GO", "metadata", "attribute", "attribute", "size", "check", "=", "value", "1 GB")), []string{ProblemValue}},
		"linked to another, by layers": {one(rule("r", "GO", "metadata", "attribute", "attribute", "layer_count", "check", "=", "value", "x")), []string{ProblemValue}},
		"linked to another, else":      {one(rule("r", "GO", "metadata", "attribute", "attribute", "distro", "check", "=", "value", "1 GB")), nil},
		"a policy and a list, together": {with(func(b map[string]any) {
			list(map[string]any{})(b)
			b["policies"].([]any)[0].(map[string]any)["version"] = ""
		}), []string{ProblemVersion, ProblemValidation}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range parse(t, tc.doc).Problems() {
				got = append(got, p.Type)
				if p.Severity != "error" || p.Details == "" {
					t.Errorf("problem %+v", p)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", parse(t, tc.doc).Problems(), tc.want)
			}
		})
	}
}

func TestDefault(t *testing.T) {
	b := parse(t, Default())
	if problems := b.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if b.ID != "2c53a13c-1765-11e8-82ef-23527761d060" || b.Name != "Default bundle" || len(b.Policies[0].Rules) != 6 {
		t.Errorf("%+v", b)
	}
	img := exampleMatches()
	img.Mode, img.Dockerfile = "Guessed", "FROM scratch\nEXPOSE 22"
	v := evaluate(t, b, img)
	var got []string
	for _, r := range v.Rows {
		got = append(got, fmt.Sprintf("%s %s/%s %s", r.Action, r.Gate, r.Trigger, r.Why.RuleID[:8]))
	}
	want := []string{
		"stop dockerfile/exposed_ports ce7b8000",
		"warn dockerfile/instruction 312d9e41",
		"warn vulnerabilities/stale_feed_data 6b5c14e7",
		"warn vulnerabilities/package 6063fdde",
		"stop vulnerabilities/package b30e8abc",
	}
	if !slices.Equal(got, want) || v.Action != Stop || v.Mapping.Name != "default" {
		t.Errorf("%s by %s\n got %q\nwant %q", v.Action, v.Mapping.Name, got, want)
	}
	var raw map[string]any
	if err := json.Unmarshal(Default(), &raw); err != nil || len(raw) != 9 {
		t.Errorf("%d keys: %v", len(raw), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Default())
	f.Add([]byte(`{"policies":[{"rules":[{"gate":"files","trigger":"name_match","action":"go","params":[{"name":"regex","value":"(?<!a)b"}]}]}]}`))
	f.Add([]byte(`{"id":"b","version":"1_0","mappings":[{"registry":"*","repository":"regexp:x","image":{"type":"tag","value":"*"},"policy_ids":["p"]}],"policies":[{"id":"p","version":"1_0","rules":[{"gate":"vulnerabilities","trigger":"package","action":"STOP","params":[{"name":"package_type","value":"all"}]}]}]}`))
	img := exampleMatches()
	img.Files, img.Mode, img.Dockerfile = exampleFiles().Files, "Actual", exampleDockerfile
	f.Fuzz(func(t *testing.T, doc []byte) {
		b, err := Parse(doc)
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		b.Problems()
		b.Needs(tag, "sha256:aa", "bb")
		v, err := Evaluate(b, tag, img, now)
		if err != nil {
			return
		}
		worst := Go
		for _, r := range v.Rows {
			worst = worse(worst, r.Action)
		}
		if len(v.Problems) == 0 && worst != v.PolicyAction {
			t.Errorf("the rows say %s, the policies %s", worst, v.PolicyAction)
		}
	})
}
