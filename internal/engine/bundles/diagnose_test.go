package bundles

import (
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Each text marks where its fault is to be found with a "§" in front.
func TestFaultsAreToldAtTheirPlace(t *testing.T) {
	const mapping = `"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p"}]`
	rule := func(rule string) string {
		return "{\n \"id\":\"b\",\"version\":\"1_0\",\n \"policies\":[{\"id\":\"p\",\"version\":\"1_0\",\"rules\":[\n  {\"gate\":\"always\",\"trigger\":\"always\",\"action\":\"GO\"},\n  " + rule + "]}],\n " + mapping + "}"
	}
	tests := map[string]struct{ text, says string }{
		"not JSON":             {"{\n  \"id\": §x\n}", "invalid character 'x'"},
		"cut short":            {"{\n  \"id\": \"a\"§\n", "unexpected end"},
		"nothing":              {"§", "no text"},
		"a list":               {"§[]", "want an object"},
		"shape":                {"{\"id\":\"a\",\n\"policies\": §{}}", "want a list"},
		"shape, deep":          {rule(`{"gate": §7}`), "want a text"},
		"version":              {"{\"id\":\"b\",\n \"version\": §\"2\", \"policies\":[], \"mappings\":[]}", "want \"1_0\""},
		"version, missing":     {"  §{\"id\":\"b\", \"policies\":[], \"mappings\":[]}", "want \"1_0\""},
		"gate":                 {rule(`{"action":"STOP","trigger":"x","gate": §"gone"}`), `no gate "gone"`},
		"trigger":              {rule(`{"action":"STOP","trigger": §"x","gate":"always"}`), `no trigger "x"`},
		"action":               {rule(`{"action": §"NO","trigger":"always","gate":"always"}`), `action "no"`},
		"parameter":            {rule(`{"action":"STOP","trigger":"package","gate":"vulnerabilities","params":[{"name":"package_type","value":"all"},{"name": §"gone","value":"1"}]}`), `no parameter "gone"`},
		"value":                {rule(`{"action":"STOP","trigger":"package","gate":"vulnerabilities","params":[{"name":"package_type","value": §"none"}]}`), "want one of"},
		"value, no text":       {rule(`{"action":"STOP","trigger":"package","gate":"vulnerabilities","params":[{"name":"package_type","value": §[1]}]}`), "must be a text"},
		"required":             {rule(`{"action":"STOP","trigger":"package","gate":"vulnerabilities","params": §[]}`), "package_type is required"},
		"required, no params":  {rule(`§{"action":"STOP","trigger":"package","gate":"vulnerabilities"}`), "package_type is required"},
		"reference":            {strings.Replace(rule(`{"gate":"always","trigger":"always","action":"GO"}`), `"policy_id":"p"`, `"policy_ids":["p", §"q"]`, 1), `the policy "q"`},
		"whitelist reference":  {strings.Replace(rule(`{"gate":"always","trigger":"always","action":"GO"}`), `"policy_id":"p"`, "\"policy_id\":\"p\",\"whitelist_ids\":[\n§\"w\"]", 1), `the whitelist "w"`},
		"a key twice":          {"{\"id\":\"b\",\"version\":\"1_0\",\"version\": §\"2\",\"policies\":[],\"mappings\":[]}", `has version "2"`},
		"after odd letters":    {"{\"id\":\"bü\U0001F30A\", \"version\": §\"2\",\"policies\":[],\"mappings\":[]}", `has version "2"`},
		"after a large number": {"{\"id\":\"b\", \"x/y\":{\"a~b\":[1e999,{}]}, \"version\": §\"2\",\"policies\":[],\"mappings\":[]}", `has version "2"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			before, _, _ := strings.Cut(tc.text, "§")
			line := strings.Count(before, "\n") + 1
			column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
			list := Diagnose([]byte(strings.Replace(tc.text, "§", "", 1)))
			if len(list) != 1 || list[0].Line != line || list[0].Column != column || !strings.Contains(list[0].Details, tc.says) || list[0].Warning {
				t.Errorf("got %+v\nwant one at %d:%d that says %s", list, line, column, tc.says)
			}
		})
	}
}

func TestFaultsStandInTheOrderOfTheText(t *testing.T) {
	list := Diagnose([]byte("{\"mappings\":[\n{\"registry\":\"*\"}],\n\"id\":\"b\",\n\"policies\":[{\"id\":\"p\",\n\"version\":\"0\"}],\n\"version\":\"0\"}"))
	for i := 1; i < len(list); i++ {
		if list[i].Line < list[i-1].Line {
			t.Errorf("line %d comes after line %d", list[i].Line, list[i-1].Line)
		}
	}
	warned := false
	for _, f := range list {
		warned = warned || f.Warning && f.Path == "/policies/0/version"
	}
	if !warned {
		t.Errorf("a policy that no mapping refers to is not warned of: %+v", list)
	}
}

// Whatever is told of a text stands within it, and a text with nothing but
// warnings is one that can be stored.
func FuzzDiagnose(f *testing.F) {
	f.Add(policy.Default())
	for _, s := range []string{"", "{", "[1,{\"a\":[]}]", "{\"id\":7}", "{\"policies\":[{\"rules\":[{\"params\":[{}]}]}]}", "\xff", "{\"a\":1e999}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		refused := false
		lines := strings.Count(string(text), "\n") + 1
		for _, fault := range Diagnose(text) {
			refused = refused || !fault.Warning
			if fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Column > len(text)+1 {
				t.Fatalf("%+v of %d lines", fault, lines)
			}
		}
		if _, err := Read("a", text); (err != nil) != refused {
			t.Fatalf("faults: %v, reading: %s", refused, engine.MessageOf(err, "taken"))
		}
	})
}
