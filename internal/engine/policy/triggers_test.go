package policy

import (
	"crypto/md5"
	"encoding/hex"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// check is one case of a trigger: the parameters and the messages of the rows.
type check struct {
	params []string
	image  *Image // nil: the table's
	want   []string
}

// runner holds a trigger against its cases.
type runner func(t *testing.T, gate, trigger string, image *Image, cases map[string]check)

// trials are all tables of triggers.
func trials() map[string]func(*testing.T, runner) {
	return map[string]func(*testing.T, runner){
		"passwd":                   tryPasswd,
		"retrieved":                tryRetrieved,
		"secrets":                  trySecrets,
		"dockerfile instruction":   tryDockerfileInstruction,
		"dockerfile directives":    tryDockerfileDirectives,
		"dockerfile user":          tryDockerfileUser,
		"dockerfile ports":         tryDockerfilePorts,
		"dockerfile provided":      tryDockerfileProvided,
		"files content":            tryFilesContent,
		"files name":               tryFilesName,
		"files attribute":          tryFilesAttribute,
		"files set i d":            tryFilesSetID,
		"metadata":                 tryMetadata,
		"always":                   tryAlways,
		"malware":                  tryMalware,
		"packages required":        tryPackagesRequired,
		"packages blacklist":       tryPackagesBlacklist,
		"packages verify":          tryPackagesVerify,
		"feed gates":               tryFeedGates,
		"licenses":                 tryLicenses,
		"vulnerabilities package":  tryVulnerabilitiesPackage,
		"vulnerability scores":     tryVulnerabilityScores,
		"vulnerability severities": tryVulnerabilitySeverities,
		"vulnerability data":       tryVulnerabilityData,
	}
}

// TestTriggers holds every trigger against its cases, and then the cases
// against the table of gates: a trigger, a parameter or a word of an
// enumeration that is added there fails until it has its cases.
func TestTriggers(t *testing.T) {
	seen := tried{}
	for name, try := range trials() {
		t.Run(name, func(t *testing.T) { try(t, seen.run) })
	}
	if t.Failed() || strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // only some of the cases were run
	}
	for _, g := range gates {
		for _, tr := range g.triggers {
			name := g.name + "/" + tr.name
			if tr.eol {
				if seen[name] != nil {
					t.Errorf("%s has cases, and is past its life", name)
				}
				continue
			}
			if seen[name] == nil {
				t.Errorf("%s has no cases", name)
				continue
			}
			seen[name].complete(t, g, tr)
		}
	}
}

// tried is the cases that were run, by gate and trigger.
type tried map[string]*record

type record struct {
	cases            []ran
	fired, silent    int
	exact, wild, odd int // rows set aside by their id, by a pattern; rows an exception of another gate left alone
}

type ran struct {
	params args
	image  *Image
}

// run holds a trigger against its cases. Each row must have the trigger id that
// the specification says, and be set aside by an exception of that id and of
// patterns of it, and not by one of another gate.
func (s tried) run(t *testing.T, gate, trigger string, image *Image, cases map[string]check) {
	t.Helper()
	name := gate + "/" + trigger
	if s[name] == nil {
		s[name] = &record{}
	}
	rec := s[name]
	for what, tc := range cases {
		t.Run(what, func(t *testing.T) {
			img := image
			if tc.image != nil {
				img = tc.image
			}
			params := args{}
			for i := 0; i < len(tc.params); i += 2 {
				params[tc.params[i]] = tc.params[i+1]
			}
			rec.cases = append(rec.cases, ran{params, img})

			rules := []map[string]any{rule("r1", "STOP", gate, trigger, tc.params...)}
			b := parse(t, doc(t, rules))
			if problems := b.Problems(); len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			v := evaluate(t, b, img)
			var got []string
			for _, r := range v.Rows {
				got = append(got, r.Output)
				if r.Gate != gate || r.Trigger != trigger || r.Action != Stop || r.PolicyID != "p1" || r.Why.RuleID != "r1" {
					t.Errorf("row %+v", r)
				}
				if want := specifiedID(name, &r); r.TriggerID != want {
					t.Errorf("trigger id %q of %q, want %q", r.TriggerID, r.Output, want)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("rows\n got %q\nwant %q", got, tc.want)
			}
			if (v.Action == Stop) != (len(tc.want) > 0) {
				t.Errorf("final action %s of %d rows", v.Action, len(tc.want))
			}
			if len(v.Rows) == 0 {
				rec.silent++
				return
			}
			rec.fired++
			rec.exceptions(t, rules, img, v.Rows)
		})
	}
}

// exceptions sets the rows aside one by one.
func (rec *record) exceptions(t *testing.T, rules []map[string]any, img *Image, rows []Row) {
	t.Helper()
	for i, r := range rows {
		id := r.TriggerID
		apply := func(gate, pattern string) bool {
			v := evaluate(t, parse(t, doc(t, rules, whitelisted("always2", id, gate, pattern))), img)
			e := v.Rows[i].Exception
			if (e == nil) != (v.Rows[i].Action == Stop) || e != nil && (e.WhitelistID != "w1" || e.ItemID != "i"+pattern) {
				t.Errorf("row %+v, exception %+v", v.Rows[i], e)
			}
			return e != nil
		}
		if apply(r.Gate, id) {
			rec.exact++
		} else {
			t.Errorf("the exception %s did not apply", id)
		}
		for _, pattern := range []string{id[:len(id)/2] + "*", "*" + id[len(id)/2:], id[:1] + "*" + id[len(id)-1:], "regexp:" + strings.Repeat(".", len(id)-1)} {
			if apply(strings.ToUpper(r.Gate), pattern) {
				rec.wild++
			} else {
				t.Errorf("the exception %s did not apply to %s", pattern, id)
			}
		}
		if apply("none", id) || apply("none", "*") || apply(r.Gate, id+"x") || apply(r.Gate, "x"+id) {
			t.Errorf("an exception of another gate or id applied to %s", id)
		} else {
			rec.odd++
		}
	}
}

// specifiedID is the trigger id that the specification gives a row.
func specifiedID(name string, r *Row) string {
	sum := func(s string) string {
		b := md5.Sum([]byte(s))
		return hex.EncodeToString(b[:])
	}
	switch name {
	case "always/always":
		return "always"
	case "malware/scans":
		return r.Why.Matcher + "+" + r.Why.Record + "+" + sum(r.Why.Path)
	case "retrieved_files/content_regex":
		return r.Why.RuleID + "+file://" + r.Why.Path
	case "vulnerabilities/package":
		return r.Why.Record + "+" + map[string]string{
			"CVE-1": "openssl", "CVE-2": "bash", "GHSA-3": "log4j.jar", "GHSA-4": "rails.gemspec", "GHSA-5": "left-pad", "CVE-6": "six-1.0",
		}[r.Why.Record]
	}
	return sum(r.Gate + r.Trigger + r.Output)
}

// complete tells what a trigger's cases leave out.
func (rec *record) complete(t *testing.T, g *gate, tr *trigger) {
	t.Helper()
	name := g.name + "/" + tr.name
	if rec.fired == 0 {
		t.Errorf("%s: no case fires", name)
	}
	if rec.silent == 0 && name != "always/always" {
		t.Errorf("%s: no case does not fire", name)
	}
	if rec.exact == 0 || rec.wild == 0 || rec.odd == 0 {
		t.Errorf("%s: no exception was tried", name)
	}
	for i := range tr.params {
		p := &tr.params[i]
		given, alias := map[string]bool{}, false
		for _, c := range rec.cases {
			for _, as := range []string{p.name, p.alias} {
				if v, ok := c.params[as]; ok && as != "" {
					given[v] = true
				}
			}
			alias = alias || p.alias != "" && c.params[p.alias] != ""
		}
		if len(given) == 0 {
			t.Errorf("%s: no case gives the parameter %s", name, p.name)
			continue
		}
		if p.alias != "" && !alias {
			t.Errorf("%s: no case gives the parameter %s by its older name %s", name, p.name, p.alias)
		}
		words := enumOf(p)
		for _, word := range words {
			if !given[word] && (p.is.kind != "BooleanString" || !given[strings.ToUpper(word[:1])+word[1:]] && !given[strings.ToUpper(word)]) {
				t.Errorf("%s: no case gives the parameter %s the value %s", name, p.name, word)
			}
		}
		if len(words) != 1 && !rec.matters(t, g, tr, p, given) {
			t.Errorf("%s: whatever the parameter %s is, all cases come out the same", name, p.name)
		}
	}
}

func enumOf(p *param) []string {
	if s, ok := p.is.criteria.(schema); ok {
		return s.Enum
	}
	return nil
}

// matters reports whether there is a case that comes out otherwise when nothing
// but one parameter is another: one of the values that other cases have, or
// none where it may be left out. What counts is what fired, not its message.
func (rec *record) matters(t *testing.T, g *gate, tr *trigger, p *param, given map[string]bool) bool {
	t.Helper()
	outcome := func(params args, img *Image) (string, bool) {
		list := []string{}
		for k, v := range params {
			list = append(list, k, v)
		}
		b := parse(t, doc(t, []map[string]any{rule("r1", "STOP", g.name, tr.name, list...)}))
		if len(b.Problems()) > 0 {
			return "", false
		}
		v, err := Evaluate(b, tag, img, now)
		if err != nil {
			return "", false
		}
		var s strings.Builder
		for _, r := range v.Rows {
			fmt.Fprintln(&s, r.Gate, r.Why.Record, r.Why.Package, r.Why.Path, r.Why.Version)
		}
		return s.String(), true
	}
	for _, c := range rec.cases {
		as := p.name
		if _, ok := c.params[p.alias]; ok && p.alias != "" {
			as = p.alias
		}
		if _, ok := c.params[as]; !ok {
			continue
		}
		is, ok := outcome(c.params, c.image)
		if !ok {
			continue
		}
		for other := range given {
			changed := args{}
			for k, v := range c.params {
				changed[k] = v
			}
			changed[as] = other
			if would, ok := outcome(changed, c.image); ok && would != is {
				return true
			}
		}
		if p.required {
			continue
		}
		changed := args{}
		for k, v := range c.params {
			if k != as {
				changed[k] = v
			}
		}
		if would, ok := outcome(changed, c.image); ok && would != is {
			return true
		}
	}
	return false
}
