package support

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"windlass/internal/engine"
)

const redacted = "[redacted]"

// Redactor takes secrets out of text: those that it is told of, however they
// are written, and whatever looks like one.
type Redactor struct {
	known *strings.Replacer
	short []*regexp.Regexp // known ones that are too short to be looked for within words
}

// A known secret shorter than wholeWord is only taken out where it stands
// alone: "ann" is a part of too many words. One shorter than leastSecret is
// nobody's secret.
const (
	wholeWord   = 6
	leastSecret = 3
)

// NewRedactor is told the secrets there are.
func NewRedactor(secrets []engine.Secret) *Redactor {
	r := &Redactor{}
	var all []string
	for _, s := range secrets {
		text := s.Reveal()
		switch {
		case len(text) < leastSecret:
			continue
		case len(text) < wholeWord && utf8.ValidString(text):
			r.short = append(r.short, regexp.MustCompile(`(^|[^\pL\pN])`+regexp.QuoteMeta(text)+`($|[^\pL\pN])`))
			continue
		}
		all = append(all, forms(text)...)
	}
	// The longest first: a secret may begin with another.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, s := range slices.Compact(all) {
		pairs = append(pairs, s, redacted)
	}
	r.known = strings.NewReplacer(pairs...)
	return r
}

// forms are the ways in which a text is written by programs.
func forms(s string) []string {
	quoted, _ := json.Marshal(s) // a string cannot fail
	list := []string{
		s, url.QueryEscape(s), url.PathEscape(s), url.UserPassword("", s).String()[1:], string(quoted[1 : len(quoted)-1]),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s)),
		base64.RawStdEncoding.EncodeToString([]byte(s)),
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// What looks like a secret, and what is put in its place. An expression is only
// tried on a line that has one of its hints, in small letters: there may be
// hundreds of thousands of lines.
var looks = []struct {
	hints []string
	re    *regexp.Regexp
	with  string
}{
	{[]string{"://"}, regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s"'@<>]+@`), "${1}" + redacted + "@"},
	{[]string{"basic", "bearer"}, regexp.MustCompile(`(?i)\b(basic|bearer)\s+[a-z0-9+/_.~=-]{8,}`), "$1 " + redacted},
	{[]string{"eyj"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`), redacted},
	{[]string{engine.TokenPrefix}, regexp.MustCompile(`\b` + engine.TokenPrefix + `[A-Z2-7]{20,}`), redacted},
	{[]string{"akia", "asia"}, regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`), redacted},
	{[]string{"gh", "glpat", "xox", "dckr_", "npm_"}, regexp.MustCompile(`\b(ghp|gho|ghs|ghu|glpat|xox[abprs]|dckr_pat|npm)[_-][A-Za-z0-9_-]{10,}`), redacted},
	{names, regexp.MustCompile(`(?i)("[a-z0-9_.-]*(?:` + named + `)"\s*:\s*")(?:[^"\\]|\\.)+`), "${1}" + redacted},
	{names, regexp.MustCompile(`(?i)((?:^|[\s,;?&({\[])"?[a-z0-9_.-]*(?:` + named + `)s?=)("(?:[^"\\]|\\.)*"|[^\s&,;"')}\]]+)`), "${1}" + redacted},
	{[]string{"cookie"}, regexp.MustCompile(`(?i)\b((?:set-)?cookie:\s*).+`), "${1}" + redacted},
}

// names of what is secret, as they end.
var (
	names = []string{"pass", "secret", "token", "api_key", "apikey", "authorization", "cookie", "credential", "windlass_session"}
	named = `password|passwd|passphrase|_pass|secret|token|api_?key|authorization|cookie|credential|windlass_session`
)

var privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)

// Text is s without the secrets in it.
func (r *Redactor) Text(s string) string {
	s = r.known.Replace(s)
	for _, re := range r.short {
		s = re.ReplaceAllString(s, "${1}"+redacted+"${2}")
	}
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllString(s, redacted)
	}
	var b strings.Builder
	b.Grow(len(s))
	for line := range strings.Lines(s) {
		b.WriteString(guess(line))
	}
	return b.String()
}

// guess takes out of one line what looks like a secret.
func guess(line string) string {
	small := strings.ToLower(line)
	for _, l := range looks {
		for _, hint := range l.hints {
			if strings.Contains(small, hint) {
				line = l.re.ReplaceAllString(line, l.with)
				break
			}
		}
	}
	return line
}
