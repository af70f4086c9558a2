package pattern

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// translate writes Python's spelling of an expression in the common one of
// both engines: \Z is the end of the text, {,n} begins at none, and names of
// groups have no P.
func translate(expr string) string {
	if !strings.Contains(expr, `\Z`) && !strings.Contains(expr, `{,`) && !strings.Contains(expr, `(?P`) {
		return expr
	}
	var b strings.Builder
	class := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			i++
			b.WriteByte('\\')
			if c = expr[i]; c == 'Z' && !class {
				c = 'z'
			}
		case class:
			class = c != ']'
		case c == '[':
			class = true
			// A bracket that comes first, or first after ^, is a member.
			b.WriteByte(c)
			if i+1 < len(expr) && expr[i+1] == '^' {
				i++
				b.WriteByte('^')
			}
			if i+1 < len(expr) && expr[i+1] == ']' {
				i++
				b.WriteString(`\]`)
			}
			continue
		case c == '{' && counted(expr[i:]):
			b.WriteString("{0")
			continue
		case strings.HasPrefix(expr[i:], "(?P<"):
			b.WriteString("(?<")
			i += len("(?P<") - 1
			continue
		case strings.HasPrefix(expr[i:], "(?P="):
			if name, _, ok := strings.Cut(expr[i+len("(?P="):], ")"); ok {
				b.WriteString(`\k<` + name + ">")
				i += len("(?P=") + len(name)
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// counted reports whether s begins with {,n}.
func counted(s string) bool {
	digits, ok := strings.CutPrefix(s, "{,")
	if !ok {
		return false
	}
	digits, _, ok = strings.Cut(digits, "}")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// required finds the longest text that every match of an expression contains,
// and whether a match from the start must begin with it. Letters without case
// are left out of it.
func required(tree *syntax.Regexp) (text string, prefix bool) {
	switch tree.Op {
	case syntax.OpLiteral:
		// The replacement character also matches bytes that are no text.
		if tree.Flags&syntax.FoldCase == 0 && !slices.Contains(tree.Rune, utf8.RuneError) {
			return string(tree.Rune), true
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(tree.Sub[0])
	case syntax.OpConcat:
		lead := true // nothing but anchors before
		for _, sub := range tree.Sub {
			if s, p := required(sub); len(s) > len(text) {
				text, prefix = s, lead && p
			}
			switch sub.Op {
			case syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEmptyMatch:
			default:
				lead = false
			}
		}
	}
	return text, prefix
}
