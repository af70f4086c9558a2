package pattern

import "strings"

// rawPrefix begins a pattern that is a regular expression as it stands.
const rawPrefix = "regexp:"

// Glob is a pattern of a bundle: literal text in which * stands for any
// characters, slashes and none included, matched whole and case-sensitively;
// or, after "regexp:", a regular expression matched from the start.
type Glob struct {
	parts []string // between the stars
	raw   *Regexp
}

// CompileGlob reads a pattern. Only a raw expression can be wrong.
func CompileGlob(text string) (*Glob, error) {
	if expr, ok := strings.CutPrefix(text, rawPrefix); ok {
		re, err := Compile(expr)
		if err != nil {
			return nil, err
		}
		return &Glob{raw: re}, nil
	}
	return &Glob{parts: strings.Split(text, "*")}, nil
}

// Literal is the text before the first star. exact says that there is no star;
// a raw expression has no such text.
func (g *Glob) Literal() (text string, exact bool) {
	if g.raw != nil {
		return "", false
	}
	return g.parts[0], len(g.parts) == 1
}

// Tail reports whether the pattern is its literal text and one star at the end.
func (g *Glob) Tail() bool { return len(g.parts) == 2 && g.parts[1] == "" }

// Match reports whether s matches. Stars are taken greedily from the left,
// which needs no going back.
func (g *Glob) Match(b *Budget, s string) (bool, error) {
	if g.raw != nil {
		return g.raw.MatchStart(b, s)
	}
	if len(g.parts) == 1 {
		return g.parts[0] == s, nil
	}
	if err := b.spend(len(s)); err != nil {
		return false, err
	}
	first, last := g.parts[0], g.parts[len(g.parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false, nil
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range g.parts[1 : len(g.parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false, nil
		}
		s = s[i+len(part):]
	}
	return true, nil
}
