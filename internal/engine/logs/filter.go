package logs

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"

	"windlass/internal/engine"
)

// maxPattern bounds what is searched for.
const maxPattern = 512

// filter is a LogQuery made ready to be asked of each line.
type filter struct {
	rank    int // least rank of the level
	literal []byte
	pattern *regexp.Regexp
	invert  bool
	folded  []byte // scratch
	context int
}

// Check reports whether a query can be answered; engine.ErrInvalid if not.
func Check(q engine.LogQuery) error {
	_, err := compile(q)
	return err
}

func compile(q engine.LogQuery) (*filter, error) {
	for _, s := range q.Services {
		if !slices.Contains(engine.ServiceNames, s) {
			return nil, engine.Invalidf("service %q: expected one of %v", s, engine.ServiceNames)
		}
	}
	f := &filter{invert: q.Invert && q.Text != "", context: min(max(q.Context, 0), maxContext)}
	if q.Level != "" {
		if f.rank = Rank(q.Level); f.rank < 0 {
			return nil, engine.Invalidf("log level %q: expected one of fatal, error, warn, info, debug, spew", q.Level)
		}
	}
	if len(q.Text) > maxPattern || !utf8.ValidString(q.Text) {
		return nil, engine.Invalidf("search text: expected at most %d bytes of valid text", maxPattern)
	}
	switch {
	case q.Text == "":
	case q.Regex:
		p, err := regexp.Compile("(?i)" + q.Text)
		if err != nil {
			return nil, engine.Invalidf("The search pattern %q cannot be used: %s.", q.Text, reason(err))
		}
		f.pattern = p
	case ascii(q.Text):
		f.literal = fold(nil, []byte(q.Text))
	default:
		f.pattern = regexp.MustCompile("(?i)" + regexp.QuoteMeta(q.Text))
	}
	return f, nil
}

// reason is what is wrong with a pattern, without the pattern itself.
func reason(err error) string {
	var e *syntax.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return err.Error()
}

// match reports whether the query asks for this line. A line whose level is
// not known counts as info.
func (f *filter) match(r record) bool {
	if f.rank > 0 {
		level := Rank(r.level)
		if level < 0 {
			level = Rank("info")
		}
		if level < f.rank {
			return false
		}
	}
	switch {
	case f.pattern != nil:
		return f.pattern.Match(r.text) != f.invert
	case f.literal != nil:
		f.folded = fold(f.folded[:0], r.text)
		return bytes.Contains(f.folded, f.literal) != f.invert
	}
	return true
}

// Rank orders levels from spew, 0, up; -1 is no level.
func Rank(name string) int {
	for i, l := range levels {
		if l.name == name {
			return len(levels) - 1 - i
		}
	}
	return -1
}

// fold appends b in lower case, byte by byte.
func fold(to, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
