package pattern

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Where Go's package knows an expression, the short cuts must not change what
// it says.
func FuzzMatchStart(f *testing.F) {
	for _, seed := range [][2]string{
		{`.*\.pem$`, "/etc/x.pem"}, {`a{,3}\Z`, "aaa"}, {`[]\Z]+`, "]Z"}, {`(?i)ab|c`, "AB"}, {`(?<!a)b\1`, "ab"},
		{`(?m)^a|\bb`, "b"}, {`(x+x+)+y`, "xxxxxxxxxxxx"}, {"\ufffd", "\xff"}, {`(?:ab)+?c`, "ababc"}, {`(?=(a+)+$)b`, "aaaaaaaaa!"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expr, s string) {
		if len(expr) > 200 || len(s) > 500 {
			return
		}
		re, err := Compile(expr)
		if err != nil {
			return
		}
		began := time.Now()
		got, err := re.MatchStart(NewBudget(time.Second), s)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%q on %q took %v", expr, s, took)
		}
		if err != nil {
			if !errors.Is(err, ErrBudget) {
				t.Errorf("%v", err)
			}
			return
		}
		if strings.Contains(expr, `\Z`) || strings.Contains(expr, `{,`) {
			return
		}
		plain, err := regexp.Compile(`\A(?:` + expr + `)`)
		if err == nil && re.linear != nil && plain.MatchString(s) != got {
			t.Errorf("%q on %q: %v, want %v", expr, s, got, !got)
		}
	})
}

// A star is .* of an expression in which all else is literal.
func FuzzGlob(f *testing.F) {
	f.Add("a*b*c", "abbc")
	f.Add("**", "")
	f.Add("CVE-*+*", "CVE-2020-1+x")
	f.Fuzz(func(t *testing.T, text, s string) {
		if strings.HasPrefix(text, rawPrefix) || len(text) > 12 || len(s) > 30 {
			return
		}
		g, err := CompileGlob(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Match(budget(), s)
		if err != nil {
			t.Fatal(err)
		}
		if want := slow(text, s); got != want {
			t.Errorf("%q on %q: %v, want %v", text, s, got, want)
		}
	})
}

// slow is the definition, tried in full.
func slow(p, s string) bool {
	head, tail, star := strings.Cut(p, "*")
	if !star {
		return p == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	for s = s[len(head):]; ; s = s[1:] {
		if slow(tail, s) {
			return true
		}
		if s == "" {
			return false
		}
	}
}
