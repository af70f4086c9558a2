package pattern

import (
	"slices"
	"strings"
	"testing"
)

func TestNeeds(t *testing.T) {
	tests := map[string][]string{
		`(?i).*aws_access_key_id( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20}(?![A-Z0-9]).*`: {"aws_access_key_id", "="},
		`(?i)-+BEGIN(.*)PRIVATE KEY-+`:                                             {"private key", "begin", "-"},
		`(?i).*"auth": *".+"`:                                                      {`"auth":`},
		`(?i).*api(-|_)key( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20,60}(?![A-Z0-9]).*`:    {"api", "key", "="},
		`a|b`:                   nil,
		`(abc)?d*`:              nil,
		`(abc)+x{2,}`:           {"abc", "x"},
		`(?=(a[)]\)))abc`:       {"abc"},
		`(?=open`:               nil,
		`[a-z-[aeiou]](?=x)yes`: nil,
		`größe(?!x)`:            {"gr", "e"},
		`(?<name>x)\k<name>`:    nil,
	}
	for expr, want := range tests {
		if got := needsOf(expr); !slices.Equal(got, want) {
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("needs of %s = %q, want %q", expr, got, want)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"": "", "aBZ[@": "abz[@", "A\u212a\u017fÄ\xffB": "aks" + "Ä\xffb", "\u0130D\u0131": "idi", "\xe2": "\xe2"} {
		if got := string(Fold([]byte("x"), []byte(in))); got != "x"+want {
			t.Errorf("Fold(%q) = %q", in, got)
		}
	}
}

// What an expression matches contains all that it is said to need.
func FuzzNeeds(f *testing.F) {
	for _, expr := range []string{`(?i).*api(-|_)key(?![A-Z])`, `a(?=b)*c`, `(?<!\\)[]a]b+`, `(?i)[k]s|t`, `(?:x(?!y))(?i)K`, `\u0041(?=b)`} {
		f.Add(expr, "API_key \u212a c ab")
	}
	f.Fuzz(func(t *testing.T, expr, s string) {
		if len(expr) > 200 || len(s) > 200 {
			return
		}
		re, err := Compile(expr)
		if err != nil || len(re.Needs()) == 0 {
			return
		}
		if ok, _ := re.MatchStart(budget(), s); !ok {
			return
		}
		for _, need := range re.Needs() {
			if !strings.Contains(string(Fold(nil, []byte(s))), need) {
				t.Errorf("%q matches %q, which has no %q", expr, s, need)
			}
		}
	})
}
