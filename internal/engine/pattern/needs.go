package pattern

import (
	"bytes"
	"cmp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxNeeds is how many texts are worth looking for before a match is tried.
const maxNeeds = 6

// Needs are texts that, after Fold, all that the expression matches contains.
// It covers expressions with lookarounds and those that ignore case, of which
// Literal knows nothing. Callers with many texts look for them first, longest
// first; none means that every text has to be tried.
func (r *Regexp) Needs() []string { return r.needs }

// Fold appends text with its letters made small, and those few letters beyond
// ASCII that count as the same as one of ASCII when case is ignored made so.
func Fold(to, text []byte) []byte {
	at := len(to)
	to = append(to, text...)
	for i, c := range to[at:] {
		if c >= 0x80 {
			return foldSpecial(to[:at+i], text[i:])
		}
		if 'A' <= c && c <= 'Z' {
			to[at+i] = c + 'a' - 'A'
		}
	}
	return to
}

// foldSpecial goes on where a text leaves ASCII.
func foldSpecial(to, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z':
			to = append(to, c+'a'-'A')
		case c == 0xe2 && bytes.HasPrefix(text[i:], []byte("\u212a")): // the sign of kelvin
			to, i = append(to, 'k'), i+2
		case c == 0xc5 && bytes.HasPrefix(text[i:], []byte("\u017f")): // the long s
			to, i = append(to, 's'), i+1
		case c == 0xc4 && (bytes.HasPrefix(text[i:], []byte("\u0130")) || bytes.HasPrefix(text[i:], []byte("\u0131"))):
			to, i = append(to, 'i'), i+1
		default:
			to = append(to, c)
		}
	}
	return to
}

// needsOf finds the texts in a translated expression. Taking lookarounds out
// only lets it match more, so what it needs without them it needs with them.
func needsOf(text string) []string {
	// Both mean another thing to the backtracking engine.
	if strings.Contains(text, "-[") || strings.Contains(text, `\Q`) {
		return nil
	}
	plain, ok := withoutLooks(text)
	if !ok {
		return nil
	}
	tree, err := syntax.Parse(plain, syntax.Perl)
	if err != nil {
		return nil
	}
	list := needed(nil, tree)
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var out []string
	for _, s := range list {
		if !slices.ContainsFunc(out, func(longer string) bool { return strings.Contains(longer, s) }) && len(out) < maxNeeds {
			out = append(out, s)
		}
	}
	return out
}

func needed(list []string, tree *syntax.Regexp) []string {
	switch tree.Op {
	case syntax.OpLiteral:
		// Runs of ASCII; the rest has cases of its own.
		for _, run := range strings.FieldsFunc(string(tree.Rune), func(r rune) bool { return r >= 0x80 }) {
			list = append(list, string(Fold(nil, []byte(run))))
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(list, tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return needed(list, tree.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			list = needed(list, sub)
		}
	}
	return list
}

// withoutLooks puts a group that matches nothing in the place of every
// lookaround.
func withoutLooks(expr string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(expr); {
		if look(expr[i:]) {
			n := group(expr[i:])
			if n == 0 {
				return "", false
			}
			b.WriteString("(?:)")
			i += n
			continue
		}
		n := 1
		switch expr[i] {
		case '\\':
			n = min(2, len(expr)-i)
		case '[':
			if n = class(expr[i:]); n == 0 {
				return "", false
			}
		}
		b.WriteString(expr[i : i+n])
		i += n
	}
	return b.String(), true
}

func look(s string) bool {
	return strings.HasPrefix(s, "(?=") || strings.HasPrefix(s, "(?!") || strings.HasPrefix(s, "(?<=") || strings.HasPrefix(s, "(?<!")
}

// group is the length of the group that s begins with; 0 when it has no end.
func group(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			n := class(s[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// class is the length of the class that s begins with; 0 when it has no end.
func class(s string) int {
	i := 1
	if strings.HasPrefix(s[i:], "^") {
		i++
	}
	if strings.HasPrefix(s[i:], "]") {
		i++
	}
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ']':
			return i + 1
		}
	}
	return 0
}
