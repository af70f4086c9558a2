package present

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// yamlText writes a JSON value in block style with sorted keys, folded at 80
// columns: the same text as the command line client prints, so that what is
// copied from the console compares equal to what scripts have stored.
func yamlText(v any) string {
	w := &yamlWriter{}
	w.node(v, 0, false)
	return w.b.String()
}

type yamlWriter struct {
	b      strings.Builder
	column int
}

const yamlWidth = 80

func (w *yamlWriter) write(s string) {
	w.b.WriteString(s)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		w.column = len(s) - i - 1
	} else {
		w.column += utf8.RuneCountInString(s)
	}
}

func (w *yamlWriter) line(indent int) { w.write("\n" + strings.Repeat(" ", indent)) }

// node writes a value. The cursor stands after "key:" or "-" when inline is
// set, else at the start of a line that is already indented.
func (w *yamlWriter) node(v any, indent int, inline bool) {
	switch v := v.(type) {
	case map[string]any:
		w.mapping(v, indent, inline)
	case []any:
		w.sequence(v, indent, inline)
	default:
		if inline {
			w.write(" ")
		}
		w.scalar(v, indent+2)
		w.write("\n")
	}
}

func (w *yamlWriter) mapping(m map[string]any, indent int, inline bool) {
	if len(m) == 0 {
		w.empty("{}", inline)
		return
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		switch {
		case i == 0 && inline:
			w.line(indent)
		case i > 0:
			w.write(strings.Repeat(" ", indent))
		}
		w.scalarText(k, indent, false)
		w.write(":")
		child := indent + 2
		if _, list := m[k].([]any); list {
			child = indent // a list stands under its key, not within
		} else if _, deep := m[k].(map[string]any); !deep {
			child = indent
		}
		w.node(m[k], child, true)
	}
}

func (w *yamlWriter) sequence(l []any, indent int, inline bool) {
	if len(l) == 0 {
		w.empty("[]", inline)
		return
	}
	for i, e := range l {
		switch {
		case i == 0 && inline:
			w.line(indent)
		case i > 0:
			w.write(strings.Repeat(" ", indent))
		}
		w.write("-")
		switch e := e.(type) {
		case map[string]any:
			if len(e) > 0 { // its first key follows the dash
				w.write(" ")
				w.mapping(e, indent+2, false)
				continue
			}
		case []any:
			if len(e) > 0 {
				w.write(" ")
				w.sequence(e, indent+2, false)
				continue
			}
		}
		w.node(e, indent, true)
	}
}

func (w *yamlWriter) empty(s string, inline bool) {
	if inline {
		w.write(" ")
	}
	w.write(s + "\n")
}

func (w *yamlWriter) scalar(v any, indent int) {
	switch v := v.(type) {
	case nil:
		w.write("null")
	case bool, json.Number, int, int64, float64:
		w.write(fmt.Sprint(v))
	case string:
		w.scalarText(v, indent, true)
	default:
		w.scalarText(fmt.Sprint(v), indent, true)
	}
}

// scalarText writes a text plain where it reads back as the same text, else
// in single quotes, else (control and non-ASCII characters) in double quotes.
func (w *yamlWriter) scalarText(s string, indent int, fold bool) {
	switch {
	case !yamlASCII(s), strings.Contains(s, " \n"), strings.Contains(s, "\n "), !fold && strings.Contains(s, "\n"):
		w.double(s, indent, fold)
	case yamlPlain(s):
		w.fold(s, indent, fold)
	default:
		w.write("'")
		lines := strings.Split(strings.ReplaceAll(s, "'", "''"), "\n")
		for i := 0; i < len(lines); i++ {
			if i > 0 {
				// A break is an empty line, since a single one would be folded.
				w.write("\n")
				for i < len(lines)-1 && lines[i] == "" {
					w.write("\n")
					i++
				}
				w.line(indent)
			}
			w.fold(lines[i], indent, fold)
		}
		w.write("'")
	}
}

// fold writes a line, broken at single spaces beyond the width.
func (w *yamlWriter) fold(s string, indent int, fold bool) {
	for start := 0; start < len(s); {
		i := strings.IndexByte(s[start:], ' ')
		if i < 0 {
			w.write(s[start:])
			return
		}
		w.write(s[start : start+i])
		end := start + i
		for end < len(s) && s[end] == ' ' {
			end++
		}
		if single := end == start+i+1; fold && single && w.column > yamlWidth && start+i > 0 && end < len(s) {
			w.line(indent)
		} else {
			w.write(s[start+i : end])
		}
		start = end
	}
}

// yamlOther are plain texts that would be read as something else than text.
var yamlOther = regexp.MustCompile(`^(?:` +
	`yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF` +
	`|~|null|Null|NULL|<<|=` +
	`|[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+` +
	`|[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
	`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)` +
	`|[0-9]{4}-[0-9]{2}-[0-9]{2}` +
	`|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?` +
	`)$`)

func yamlPlain(s string) bool {
	if s == "" || yamlOther.MatchString(s) || strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		return false
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' || strings.ContainsAny(s[:1], "#,[]{}&*!|>'\"%@`") {
		return false
	}
	if strings.ContainsAny(s[:1], "?:-") && (len(s) == 1 || s[1] == ' ') {
		return false
	}
	return !strings.Contains(s, "\n") && !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && !strings.Contains(s, " #")
}

// yamlASCII reports whether a text needs no escape.
func yamlASCII(s string) bool {
	for _, r := range s {
		if r != '\n' && (r < ' ' || r > '~') {
			return false
		}
	}
	return true
}

var yamlEscapes = map[rune]string{
	0: `\0`, 7: `\a`, 8: `\b`, 9: `\t`, 10: `\n`, 11: `\v`, 12: `\f`, 13: `\r`, 27: `\e`, '"': `\"`, '\\': `\\`,
	0x85: `\N`, 0xA0: `\_`, 0x2028: `\L`, 0x2029: `\P`,
}

// double writes a text in double quotes. A folded line ends in a backslash.
func (w *yamlWriter) double(s string, indent int, fold bool) {
	text := []rune(s)
	w.write(`"`)
	for start, end := 0, 0; end <= len(text); end++ {
		special := end == len(text) || text[end] < ' ' || text[end] > '~' || text[end] == '"' || text[end] == '\\'
		if special {
			w.write(string(text[start:end]))
			start = end
			if end < len(text) {
				w.write(yamlEscape(text[end]))
				start = end + 1
			}
		}
		if fold && end > 0 && end < len(text)-1 && (text[end] == ' ' || start >= end) && w.column+max(end-start, 0) > yamlWidth {
			w.write(string(text[start:max(start, end)]) + `\`)
			start = max(start, end)
			w.line(indent)
			if text[start] == ' ' {
				w.write(`\`)
			}
		}
	}
	w.write(`"`)
}

func yamlEscape(r rune) string {
	esc, ok := yamlEscapes[r]
	switch {
	case ok:
		return esc
	case r <= 0xFF:
		return fmt.Sprintf(`\x%02X`, r)
	case r <= 0xFFFF:
		return fmt.Sprintf(`\u%04X`, r)
	}
	return fmt.Sprintf(`\U%08X`, r)
}
