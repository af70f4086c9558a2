package policy

import (
	"encoding/json"
	"testing"
)

func selector(name, registry, repository, kind, value string) map[string]any {
	return map[string]any{"id": name, "name": name, "registry": registry, "repository": repository, "image": map[string]any{"type": kind, "value": value}}
}

// of makes a mapping of a selector.
func of(s map[string]any, policy string, lists ...string) map[string]any {
	s["policy_id"], s["whitelist_ids"] = policy, lists
	return s
}

func mappings(list ...any) func(map[string]any) {
	return func(b map[string]any) { b["mappings"] = list }
}

func TestMappingChoice(t *testing.T) {
	img := &Image{Digest: "sha256:aa", ID: "bb"}
	const docker, other = "docker.io", "library/app"
	tests := map[string]struct {
		mappings []any
		tag      string
		want     string // name of the mapping; empty: none
	}{
		"the first that matches":       {[]any{of(selector("a", "quay.io", "*", "tag", "*"), "p1"), of(selector("b", docker, "*", "tag", "*"), "p1"), of(selector("c", "*", "*", "tag", "*"), "p1")}, tag, "b"},
		"none":                         {[]any{of(selector("a", docker, "library", "tag", "*"), "p1")}, tag, ""},
		"no mappings":                  {[]any{}, tag, ""},
		"literal":                      {[]any{of(selector("a", docker, other, "tag", "1.0"), "p1")}, tag, "a"},
		"by case":                      {[]any{of(selector("a", docker, other, "tag", "1.O"), "p1"), of(selector("b", "Docker.io", "*", "tag", "*"), "p1")}, tag, ""},
		"a dot is a dot":               {[]any{of(selector("a", "dockerxio", "*", "tag", "*"), "p1")}, tag, ""},
		"star over slashes":            {[]any{of(selector("a", "*", "lib*p", "tag", "*"), "p1")}, tag, "a"},
		"star for nothing":             {[]any{of(selector("a", "docker.io*", "*library/app*", "tag", "1*.0"), "p1")}, tag, "a"},
		"anchored at the end":          {[]any{of(selector("a", "*", "library/a", "tag", "*"), "p1")}, tag, ""},
		"two stars do not share":       {[]any{of(selector("a", "*", "*", "tag", "1.*.0"), "p1")}, tag, ""},
		"raw expression":               {[]any{of(selector("a", "*", "regexp:lib", "tag", "regexp:[0-9]"), "p1")}, tag, "a"},
		"raw expression, at the start": {[]any{of(selector("a", "*", "regexp:app", "tag", "*"), "p1")}, tag, ""},
		"digest":                       {[]any{of(selector("a", "*", "*", "digest", "sha256:bb"), "p1"), of(selector("b", "*", "*", "digest", "sha256:aa"), "p1")}, tag, "b"},
		"id":                           {[]any{of(selector("a", "*", "*", "id", "bb"), "p1")}, tag, "a"},
		"digest of another registry":   {[]any{of(selector("a", "quay.io", "*", "digest", "sha256:aa"), "p1")}, tag, ""},
		"dockerhub is docker.io":       {[]any{of(selector("a", docker, other, "tag", "1.0"), "p1")}, "dockerhub/library/app:1.0", "a"},
		"registry with a port":         {[]any{of(selector("a", "localhost:5000", "x/y", "tag", "z"), "p1")}, "localhost:5000/x/y:z", "a"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := parse(t, doc(t, []map[string]any{always("r1", "STOP")}, mappings(tc.mappings...)))
			v, err := Evaluate(b, tc.tag, img, now)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if v.Mapping != nil || v.Action != Go || len(v.Rows) != 0 || v.Reason != ReasonPolicy || v.Status() != "pass" {
					t.Errorf("verdict %+v", v)
				}
				return
			}
			if v.Mapping == nil || v.Mapping.Name != tc.want || v.Action != Stop {
				t.Fatalf("mapping %+v, action %s, want %s", v.Mapping, v.Action, tc.want)
			}
			var raw map[string]any
			if err := json.Unmarshal(v.Mapping.Raw, &raw); err != nil || raw["name"] != tc.want {
				t.Errorf("raw rule %s: %v", v.Mapping.Raw, err)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	rules := []map[string]any{rule("r1", "GO", "files", "suid_or_guid_set"), rule("r2", "GO", "malware", "scan_not_run"), rule("r3", "GO", "filecheck", "suidsgidcheck")}
	b := parse(t, doc(t, rules, mappings(of(selector("a", "docker.io", "*", "tag", "*"), "p1"))))
	if got, want := b.Needs(tag, "", ""), FactFiles|FactMalware; got != want {
		t.Errorf("needs %b, want %b", got, want)
	}
	if got := b.Needs("quay.io/x:y", "", ""); got != 0 {
		t.Errorf("without a mapping: needs %b", got)
	}
	if got, want := parse(t, Default()).Needs(tag, "", ""), FactDockerfile|FactMatches|FactVulnData; got != want {
		t.Errorf("default bundle: needs %b, want %b", got, want)
	}
}
