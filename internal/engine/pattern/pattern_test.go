package pattern

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func budget() *Budget { return NewBudget(time.Minute) }

func TestMatchStart(t *testing.T) {
	tests := map[string]struct {
		expr      string
		yes, no   []string
		backtrack bool
	}{
		"from the start":           {expr: `abc`, yes: []string{"abc", "abcd"}, no: []string{"xabc", "ab"}},
		"alternatives":             {expr: `a|bc`, yes: []string{"a", "bcd"}, no: []string{"xbc", "b"}},
		"anchors of its own":       {expr: `^abc$`, yes: []string{"abc"}, no: []string{"abcd"}},
		"end of text":              {expr: `abc\Z`, yes: []string{"abc"}, no: []string{"abcd"}},
		"a class with Z":           {expr: `[\\Z]+\Z`, yes: []string{`Z\`}, no: []string{"Zx"}},
		"brackets in a class":      {expr: `[]a]+\Z`, yes: []string{"a]"}, no: []string{"b"}},
		"brackets not in a class":  {expr: `[^]a]+\Z`, yes: []string{"b"}, no: []string{"b]"}},
		"at most":                  {expr: `a{,2}b`, yes: []string{"b", "ab", "aab"}, no: []string{"aaab"}},
		"braces that count not":    {expr: `a{,x}`, yes: []string{"a{,x}"}, no: []string{"a"}},
		"braces in a class":        {expr: `[{,2}]+x`, yes: []string{"{2},x"}, no: []string{"ax"}},
		"named group":              {expr: `(?P<n>a+)b`, yes: []string{"aab"}, no: []string{"b"}},
		"in any case":              {expr: `(?i)ABC`, yes: []string{"aBc"}, no: []string{"ab"}},
		"dot and newline":          {expr: `a.c`, yes: []string{"abc"}, no: []string{"a\nc"}},
		"empty":                    {expr: ``, yes: []string{"", "x"}},
		"look ahead":               {expr: `a(?=b)`, yes: []string{"ab"}, no: []string{"ac", "xab"}, backtrack: true},
		"look behind":              {expr: `.*(?<![A-Z])[A-Z]{3}(?![A-Z])`, yes: []string{"x ABC"}, no: []string{"ABCD"}, backtrack: true},
		"back reference":           {expr: `(a|b)\1`, yes: []string{"aa", "bbx"}, no: []string{"ab"}, backtrack: true},
		"named back reference":     {expr: `(?P<q>['"]).*(?P=q)`, yes: []string{`"x"`}, no: []string{`"x'`}, backtrack: true},
		"alternatives that look":   {expr: `(?!x)a|b`, yes: []string{"a", "b"}, no: []string{"xb"}, backtrack: true},
		"not UTF-8":                {expr: `.*x`, yes: []string{"\xff\xfex"}, no: []string{"\xff"}},
		"replacement character":    {expr: "\ufffdx", yes: []string{"\ufffdx", "\xffx"}, no: []string{"x"}},
		"a literal in the middle":  {expr: `.*key.*`, yes: []string{"akeyb"}, no: []string{"keb"}},
		"a literal that may fail":  {expr: `(?:key)?b`, yes: []string{"b", "keyb"}, no: []string{"key"}},
		"a literal among two":      {expr: `(?:key|lock)b`, yes: []string{"keyb", "lockb"}, no: []string{"b"}},
		"a literal, repeated":      {expr: `(?:ab){2}c`, yes: []string{"ababc"}, no: []string{"abc"}},
		"a literal at a line":      {expr: `(?m)^ab`, yes: []string{"abc"}, no: []string{"x\nab"}},
		"a literal after a guess":  {expr: `.?abc`, yes: []string{"abc", "xabc"}, no: []string{"xxabc"}},
		"a literal after a border": {expr: `\babc`, yes: []string{"abc"}, no: []string{" abc"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			re, err := Compile(tc.expr)
			if err != nil {
				t.Fatal(err)
			}
			if (re.back != nil) != tc.backtrack {
				t.Errorf("runs in the backtracking engine: %v", re.back != nil)
			}
			for _, s := range tc.yes {
				if ok, err := re.MatchStart(budget(), s); !ok || err != nil {
					t.Errorf("%q: %v, %v, want a match", s, ok, err)
				}
			}
			for _, s := range tc.no {
				if ok, err := re.MatchStart(budget(), s); ok || err != nil {
					t.Errorf("%q: %v, %v, want none", s, ok, err)
				}
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	for name, expr := range map[string]string{
		"open group":      "(",
		"open class":      "[a",
		"nothing to do":   "*",
		"too long":        strings.Repeat("a", maxLength+1),
		"too large":       strings.Repeat("(a{1000})", 100),
		"open look ahead": "(?=a",
	} {
		t.Run(name, func(t *testing.T) {
			if re, err := Compile(expr); err == nil {
				t.Errorf("accepted as %v", re)
			}
		})
	}
}

func TestLiteral(t *testing.T) {
	tests := map[string]struct {
		want   string
		prefix bool
	}{
		`/etc/passwd`:     {"/etc/passwd", true},
		`^/etc/.*`:        {"/etc/", true},
		`(/etc)/x?`:       {"/etc", true},
		`.*\.pem$`:        {".pem", false},
		`/a.*longer`:      {"longer", false},
		`(?i)abc`:         {"", false},
		`a|b`:             {"", false},
		`.*(?:ab|cd).*ef`: {"ef", false},
		`x*`:              {"", false},
	}
	for expr, tc := range tests {
		re, err := Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		if text, prefix := re.Literal(); text != tc.want || prefix != tc.prefix && text != "" {
			t.Errorf("%s: %q, prefix %v; want %q, %v", expr, text, prefix, tc.want, tc.prefix)
		}
	}
}

func TestBudget(t *testing.T) {
	slow, err := Compile(`(?!x)(a+)+\1$`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := slow.MatchStart(budget(), strings.Repeat("a", 5000)+"!"); !errors.Is(err, ErrBudget) {
		t.Errorf("a match that takes for ever: %v", err)
	}
	quick, err := Compile(`(?!x)a`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := quick.MatchStart(NewBudget(-1), "a"); !errors.Is(err, ErrBudget) {
		t.Errorf("a spent budget: %v", err)
	}
	linear, err := Compile(`a*b`)
	if err != nil {
		t.Fatal(err)
	}
	text, b := strings.Repeat("ab", 500), NewBudget(-1)
	for range 2 * budgetStep / len(text) {
		if _, err = linear.MatchStart(b, text); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrBudget) {
		t.Errorf("a spent budget, of a linear expression: %v", err)
	}
}

func TestGlob(t *testing.T) {
	tests := map[string]struct{ yes, no []string }{
		"abc":           {[]string{"abc"}, []string{"abcd", "ABC", ""}},
		"*":             {[]string{"", "a/b"}, nil},
		"a*":            {[]string{"a", "abc"}, []string{"ba"}},
		"*a":            {[]string{"a", "bca"}, []string{"ab"}},
		"a*b*c":         {[]string{"abc", "axbxbxc"}, []string{"acb", "abcd"}},
		"a*a":           {[]string{"aa", "aba"}, []string{"a"}},
		"a.c":           {[]string{"a.c"}, []string{"abc"}},
		"**":            {[]string{"", "x"}, nil},
		"regexp:a.c":    {[]string{"abc", "abcd"}, []string{"xabc"}},
		"regexp:a(?!b)": {[]string{"ac"}, []string{"ab"}},
	}
	for text, tc := range tests {
		g, err := CompileGlob(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range tc.yes {
			if ok, err := g.Match(budget(), s); !ok || err != nil {
				t.Errorf("%q does not match %q: %v", text, s, err)
			}
		}
		for _, s := range tc.no {
			if ok, err := g.Match(budget(), s); ok || err != nil {
				t.Errorf("%q matches %q: %v", text, s, err)
			}
		}
	}
	if _, err := CompileGlob("regexp:("); err == nil {
		t.Error("a bad expression is accepted")
	}
}
