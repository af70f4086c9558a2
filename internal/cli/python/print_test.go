package python

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// TestPrinted compares with what Python 3 and PyYAML printed of the same
// documents.
func TestPrinted(t *testing.T) {
	f, err := os.Open("testdata/printed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := 0
	for lines := bufio.NewScanner(f); lines.Scan(); seen++ {
		var c struct{ Doc, Repr, JSON, Line, YAML string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		v, err := Parse([]byte(c.Doc))
		if err != nil {
			t.Fatalf("Parse(%s): %v", c.Doc, err)
		}
		for form, got := range map[string][2]string{
			"Repr": {Repr(v), c.Repr}, "JSON": {JSON(v), c.JSON}, "Line": {Line(v), c.Line}, "YAML": {YAML(v), c.YAML},
		} {
			if got[0] != got[1] {
				t.Errorf("%s(%s)\n got %q\nwant %q", form, c.Doc, got[0], got[1])
			}
		}
	}
	if seen == 0 {
		t.Error("no document was read")
	}
}

func TestParseRefuses(t *testing.T) {
	deep := make([]byte, 0, 2*maxDepth+4)
	for range maxDepth + 2 {
		deep = append(deep, '[')
	}
	for range maxDepth + 2 {
		deep = append(deep, ']')
	}
	for _, text := range []string{"", "nonsense", `{"a":}`, `{"a"`, `[1,`, `1 2`, `{} x`, `{1:2}`, string(deep)} {
		if v, err := Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%.20q) = %v, want an error", text, v)
		}
	}
}

func TestCompare(t *testing.T) {
	tests := map[string]struct {
		a, b any
		want int
		err  string
	}{
		"text by code point":      {a: "Z", b: "a", want: -1},
		"numbers by value":        {a: json.Number("9"), b: json.Number("10"), want: -1},
		"a float and an integer":  {a: json.Number("2.0"), b: 2, want: 0},
		"true is one":             {a: true, b: 1, want: 0},
		"beyond 64 bits":          {a: json.Number("123456789012345678901234567890"), b: 1, want: 1},
		"lists from the left":     {a: []any{"a", 2}, b: []any{"a", 10}, want: -1},
		"nothing equals nothing":  {want: 0},
		"nothing against text":    {b: "a", err: "'<' not supported between instances of 'NoneType' and 'str'"},
		"text against a number":   {a: "1", b: 1, err: "'<' not supported between instances of 'str' and 'int'"},
		"equal dicts are alike":   {a: Dict("a", 1), b: Dict("a", 1), want: 0},
		"other dicts have no one": {a: Dict("a", 1), b: Dict("a", 2), err: "'<' not supported between instances of 'dict' and 'dict'"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Compare(tc.a, tc.b)
			said := ""
			if err != nil {
				said = err.Error()
			}
			if sign(got) != tc.want || said != tc.err {
				t.Errorf("Compare(%v, %v) = %d, %q, want %d, %q", tc.a, tc.b, got, said, tc.want, tc.err)
			}
		})
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

// FuzzPrint: whatever a server sends can be printed, and what is printed as
// JSON reads as the same value again.
func FuzzPrint(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,null,true,"x\u2028\ud800"]}`, `[[],{}]`, `"\u0000 \n' \""`, `1e999`, `-0`, `{"":{"":""}}`, `"a\n b \n c"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err != nil {
			return
		}
		Repr(v)
		YAML(v)
		Truthy(v)
		if _, err := Compare(v, v); err != nil && TypeName(v) != "float" && TypeName(v) != "list" {
			t.Errorf("Compare(v, v) of %s: %v", text, err)
		}
		again, err := Parse([]byte(Line(v)))
		if err != nil {
			return // numbers beyond the range print as Infinity, as there
		}
		if JSON(again) != JSON(v) {
			t.Errorf("%s reads as %s", JSON(v), JSON(again))
		}
	})
}
