package policy

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"
)

func always(id, action string) map[string]any { return rule(id, action, "always", "always") }

func TestFinalAction(t *testing.T) {
	star := selector("every", "*", "*", "tag", "*")
	tests := map[string]struct {
		actions        []string
		white, black   []any
		final, byRules Action
		reason, status string
	}{
		"no rows":                     {nil, nil, nil, Go, Go, ReasonPolicy, "pass"},
		"go":                          {[]string{"GO"}, nil, nil, Go, Go, ReasonPolicy, "pass"},
		"warn is worse than go":       {[]string{"warn", "GO"}, nil, nil, Warn, Warn, ReasonPolicy, "pass"},
		"stop is worse than warn":     {[]string{"WARN", "Stop", "GO"}, nil, nil, Stop, Stop, ReasonPolicy, "fail"},
		"whitelisted":                 {[]string{"STOP"}, []any{star}, nil, Go, Stop, ReasonWhitelisted, "pass"},
		"blacklisted":                 {[]string{"GO"}, nil, []any{star}, Stop, Go, ReasonBlacklisted, "fail"},
		"blacklisted and whitelisted": {[]string{"GO"}, []any{star}, []any{star}, Stop, Go, ReasonBlacklisted, "fail"},
		"by digest":                   {nil, nil, []any{selector("d", "*", "*", "digest", "sha256:aa")}, Stop, Go, ReasonBlacklisted, "fail"},
		"by id":                       {nil, nil, []any{selector("i", "*", "*", "id", "bb")}, Stop, Go, ReasonBlacklisted, "fail"},
		"not this digest":             {nil, nil, []any{selector("d", "*", "*", "digest", "sha256:cc")}, Go, Go, ReasonPolicy, "pass"},
		"not this repository":         {[]string{"WARN"}, []any{selector("d", "*", "other", "tag", "*")}, nil, Warn, Warn, ReasonPolicy, "pass"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			rules := []map[string]any{}
			for _, a := range tc.actions {
				rules = append(rules, always("r"+a, a))
			}
			b := parse(t, doc(t, rules, func(b map[string]any) {
				b["whitelisted_images"], b["blacklisted_images"] = tc.white, tc.black
			}))
			v := evaluate(t, b, &Image{Digest: "sha256:aa", ID: "bb"})
			if v.Action != tc.final || v.PolicyAction != tc.byRules || v.Reason != tc.reason || v.Status() != tc.status {
				t.Errorf("got %s, rules %s, %s, %s", v.Action, v.PolicyAction, v.Reason, v.Status())
			}
			if (v.Whitelisted != nil) != (tc.white != nil && tc.reason != ReasonPolicy) || (v.Blacklisted != nil) != (tc.reason == ReasonBlacklisted) {
				t.Errorf("image rules %v %v", v.Whitelisted, v.Blacklisted)
			}
			if len(v.Rows) != len(tc.actions) {
				t.Errorf("%d rows", len(v.Rows))
			}
		})
	}
}

// Policies run in the order of the mapping, rules grouped by gate in the order
// in which gates first appear, within a gate as they stand.
func TestOrderOfRows(t *testing.T) {
	img := &Image{Mode: "Actual", Dockerfile: "FROM x\nEXPOSE 22"}
	rules := []map[string]any{
		rule("d1", "WARN", "dockerfile", "instruction", "instruction", "FROM", "check", "exists"),
		always("a1", "GO"),
		rule("d2", "WARN", "DockerFile", "Exposed_Ports", "PORTS", "22", "type", "blacklist"),
		always("a2", "GO"),
	}
	b := parse(t, doc(t, rules, func(b map[string]any) {
		b["policies"] = append(b["policies"].([]any), map[string]any{"id": "p2", "version": "1_0", "rules": []any{always("b1", "STOP")}})
		b["mappings"] = []any{mapping([]string{"p2", "p1"})}
	}))
	if problems := b.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	v := evaluate(t, b, img)
	var got []string
	for _, r := range v.Rows {
		got = append(got, r.PolicyID+"/"+r.Gate+"/"+r.Why.RuleID)
	}
	want := []string{"p2/always/b1", "p1/dockerfile/d1", "p1/dockerfile/d2", "p1/always/a1", "p1/always/a2"}
	if !slices.Equal(got, want) || v.Action != Stop {
		t.Errorf("rows\n got %v\nwant %v", got, want)
	}
}

func TestCells(t *testing.T) {
	row := Row{TriggerID: "t", Gate: "g", Trigger: "tr", Output: "o", Action: Warn, PolicyID: "p"}
	if got, want := row.Cells("i", "tag"), []any{"i", "tag", "t", "g", "tr", "o", "warn", false, "p"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(Header) != 9 {
		t.Errorf("%d cells are named", len(Header))
	}
	row.Exception = &Exception{WhitelistID: "w", WhitelistName: "n", ItemID: "i"}
	if got, want := row.Cells("i", "tag")[7], map[string]any{"whitelist_id": "w", "whitelist_name": "n", "matched_rule_id": "i"}; !reflect.DeepEqual(got, want) {
		t.Errorf("exception %v, want %v", got, want)
	}
	row.Exception.Reason, row.Exception.ExpiresAt = "why", now
	if got, want := row.Cells("i", "tag")[7], map[string]any{"whitelist_id": "w", "whitelist_name": "n", "matched_rule_id": "i", "reason": "why", "expires_on": "2026-03-10T12:00:00Z"}; !reflect.DeepEqual(got, want) {
		t.Errorf("exception %v, want %v", got, want)
	}
}

func TestBrokenBundleStops(t *testing.T) {
	good := []map[string]any{always("r1", "GO")}
	tests := map[string]struct {
		doc  []byte
		want []string
	}{
		"version":         {doc(t, good, func(b map[string]any) { b["version"] = "2_0" }), []string{ProblemVersion}},
		"gate":            {doc(t, append(good, rule("r2", "GO", "nothing", "x"))), []string{ProblemGate}},
		"several":         {doc(t, []map[string]any{rule("r2", "GO", "always", "x"), rule("r3", "NO", "always", "always")}), []string{ProblemTrigger, ProblemValidation}},
		"reference":       {doc(t, good, mappings(mapping("p9", "w9"))), []string{ProblemReference, ProblemReference}},
		"beside the dead": {doc(t, []map[string]any{rule("r2", "GO", "anchoresec", "vulnlow"), rule("r3", "GO", "x", "y")}), []string{ProblemEndOfLife, ProblemGate}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v := evaluate(t, parse(t, tc.doc), &Image{})
			var got []string
			for _, p := range v.Problems {
				got = append(got, p.Type)
			}
			if v.Action != Stop || v.Status() != "fail" || len(v.Rows) != 0 || !slices.Equal(got, tc.want) {
				t.Errorf("%s, %d rows, problems %v", v.Action, len(v.Rows), v.Problems)
			}
		})
	}
}

// What another mapping would use cannot spoil this image's evaluation.
func TestBrokenElsewhere(t *testing.T) {
	b := parse(t, doc(t, []map[string]any{always("r1", "WARN")}, func(b map[string]any) {
		b["policies"] = append(b["policies"].([]any), map[string]any{"id": "p2", "version": "9", "rules": []any{rule("x", "GO", "y", "z")}})
		b["mappings"] = []any{mapping("p1"), mapping("p2")}
	}))
	if v := evaluate(t, b, &Image{}); v.Action != Warn || len(v.Problems) != 0 {
		t.Errorf("%s, problems %v", v.Action, v.Problems)
	}
	if got := b.Problems(); len(got) != 2 {
		t.Errorf("problems %v", got)
	}
}

func TestEndOfLifeIsNotRun(t *testing.T) {
	b := parse(t, doc(t, []map[string]any{rule("r1", "STOP", "anchoresec", "vulnlow", "odd", "parameter"), always("r2", "WARN")}))
	v := evaluate(t, b, &Image{})
	if v.Action != Warn || len(v.Rows) != 1 || len(v.Problems) != 1 || v.Problems[0].Type != ProblemEndOfLife || v.Problems[0].Severity != "error" {
		t.Errorf("%s, rows %v, problems %v", v.Action, v.Rows, v.Problems)
	}
}

func TestBadExpressionFailsTheEvaluation(t *testing.T) {
	files := exampleFiles()
	tests := map[string]map[string]any{
		"file name": rule("r2", "GO", "files", "name_match", "regex", "(["),
		"line":      rule("r2", "GO", "dockerfile", "instruction", "instruction", "RUN", "check", "like", "value", "*"),
		"attribute": rule("r2", "GO", "metadata", "attribute", "attribute", "distro", "check", "not_like", "value", "(?P<x"),
		"content":   rule("r2", "GO", "retrieved_files", "content_regex", "path", "/x", "check", "match", "regex", "a**"),
		"secrets":   rule("r2", "GO", "secret_scans", "content_regex_checks", "filename_regex", ")"),
		"path":      rule("r2", "GO", "vulnerabilities", "package", "package_type", "all", "package_path_exclude", "["),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			b := parse(t, doc(t, []map[string]any{always("r1", "GO"), bad}))
			if problems := b.Problems(); len(problems) > 0 {
				t.Errorf("it is not a fault of the document: %v", problems)
			}
			v, err := Evaluate(b, tag, files, now)
			if err == nil || len(v.Rows) > 0 {
				t.Errorf("verdict %+v, error %v", v, err)
			}
		})
	}
}

func TestHostileExpressionIsBounded(t *testing.T) {
	img := &Image{Mode: "Actual", Dockerfile: "RUN " + strings.Repeat("a", 5000) + "!"}
	b := parse(t, doc(t, []map[string]any{rule("r1", "GO", "dockerfile", "instruction", "instruction", "RUN", "check", "like", "value", `(?!x)(a+)+\1$`)}))
	began := time.Now()
	_, err := Evaluate(b, tag, img, now)
	if took := time.Since(began); err == nil || took > 10*matchingTime {
		t.Errorf("error %v after %v", err, took)
	}
}

// The final action, and what fired, do not depend on the order of the rules.
func TestRuleOrderDoesNotMatter(t *testing.T) {
	img := exampleMatches()
	img.Files, img.Mode, img.Dockerfile = exampleFiles().Files, "Guessed", exampleDockerfile
	pool := []map[string]any{
		rule("", "", "vulnerabilities", "package", "package_type", "all", "severity", "medium"),
		rule("", "", "vulnerabilities", "package", "package_type", "os", "severity", "high", "severity_comparison", ">="),
		rule("", "", "vulnerabilities", "stale_feed_data", "max_days_since_sync", "2"),
		rule("", "", "dockerfile", "exposed_ports", "ports", "22", "type", "blacklist"),
		rule("", "", "dockerfile", "instruction", "instruction", "HEALTHCHECK", "check", "not_exists"),
		rule("", "", "files", "suid_or_guid_set"),
		rule("", "", "files", "name_match", "regex", `.*\.pem`),
		rule("", "", "always", "always"),
		rule("", "", "packages", "required_package", "name", "zsh"),
		rule("", "", "suiddiff", "suidfileadd"),
	}
	outcome := func(rules []map[string]any) (Action, []string) {
		v := evaluate(t, parse(t, doc(t, rules, whitelisted("vulnerabilities", "CVE-1+*", "files", "*"))), img)
		var rows []string
		for _, r := range v.Rows {
			rows = append(rows, r.Gate+r.TriggerID+string(r.Action)+string(r.Why.Ruled))
		}
		slices.Sort(rows)
		return v.Action, rows
	}
	same := func(seed uint64) bool {
		random := rand.New(rand.NewPCG(seed, 7))
		var rules []map[string]any
		for range random.IntN(12) {
			r := map[string]any{}
			for k, v := range pool[random.IntN(len(pool))] {
				r[k] = v
			}
			r["action"] = []string{"GO", "WARN", "STOP"}[random.IntN(3)]
			rules = append(rules, r)
		}
		action, rows := outcome(rules)
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		again, rowsAgain := outcome(rules)
		return action == again && slices.Equal(rows, rowsAgain)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
}

// A bundle is shared by whoever evaluates: the race detector watches.
func TestBundleIsShared(t *testing.T) {
	b := parse(t, doc(t, []map[string]any{
		rule("r1", "STOP", "vulnerabilities", "package", "package_type", "all", "package_path_exclude", "(?!/x).*y"),
		rule("r2", "STOP", "files", "name_match", "regex", `.*\.pem`),
	}, whitelisted("vulnerabilities", "CVE-*", "files", "regexp:a")))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			img := exampleMatches()
			img.Files = exampleFiles().Files
			if v, err := Evaluate(b, tag, img, now); err != nil || v.Action != Stop {
				t.Errorf("%s, %v", v.Action, err)
			}
			b.Problems()
			b.Needs(tag, "", "")
		})
	}
	wg.Wait()
}
