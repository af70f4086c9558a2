package python

import (
	"fmt"
	"regexp"
	"strings"
)

// yamlWidth is the column after which text is folded.
const yamlWidth = 80

// YAML is a value in block style with sorted keys: sequences not indented
// inside mappings, text quoted only where a YAML 1.1 reader would take it for
// something else, all beyond ASCII escaped, long text folded at blanks.
func YAML(v any) string {
	e := &emitter{indent: -1, whitespace: true, indention: true}
	plain := e.node(v, false, false)
	if plain { // a bare value is closed, lest what follows be read as its continuation
		e.indent = -1
		e.writeIndent()
		e.write("...")
	}
	if e.column > 0 {
		e.newline("\n")
	}
	return e.out.String()
}

// emitter writes a document. whitespace: the last thing written was a blank;
// indention: only indentation was written on this line.
type emitter struct {
	out        strings.Builder
	column     int
	indent     int
	whitespace bool
	indention  bool
}

// node writes a value and reports whether it was a bare scalar.
func (e *emitter) node(v any, inMapping, isKey bool) bool {
	switch v := v.(type) {
	case []any:
		if len(v) == 0 {
			e.indicator("[", true, true, false)
			e.indicator("]", false, false, false)
			return false
		}
		old := e.indent
		e.deeper(inMapping && !e.indention)
		for _, item := range v {
			e.writeIndent()
			e.indicator("-", true, false, true)
			e.node(item, false, false)
		}
		e.indent = old
	case *Object:
		if len(v.keys) == 0 {
			e.indicator("{", true, true, false)
			e.indicator("}", false, false, false)
			return false
		}
		old := e.indent
		e.deeper(false)
		for _, k := range v.sorted() {
			e.writeIndent()
			e.pair(k, v.values[k])
		}
		e.indent = old
	case string:
		old := e.indent
		e.indent = max(old, 0) + 2 // of the lines that follow the first
		plain := e.text(v, isKey)
		e.indent = old
		return plain
	default:
		e.plain(yamlScalar(v), !isKey)
		return true
	}
	return false
}

func (e *emitter) deeper(indentless bool) {
	switch {
	case e.indent < 0:
		e.indent = 0
	case !indentless:
		e.indent += 2
	}
}

// pair writes a key and its value; a key that is empty, long or of several
// lines needs the long form.
func (e *emitter) pair(key string, v any) {
	const longest = 122
	if key != "" && len([]rune(key)) <= longest && !analyse(key).breaks {
		e.node(key, true, true)
		e.indicator(":", false, false, false)
		e.node(v, true, false)
		return
	}
	e.indicator("?", true, false, true)
	old := e.indent
	e.node(key, true, false)
	e.indent = old
	e.writeIndent()
	e.indicator(":", true, false, true)
	e.node(v, true, false)
}

func yamlScalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	s := numeral(v)
	switch s {
	case "inf", "-inf", "nan":
		return strings.Replace("."+s, ".-", "-.", 1)
	}
	if TypeName(v) == "float" && !strings.Contains(s, ".") {
		s = strings.Replace(s, "e", ".0e", 1)
	}
	return s
}

func (e *emitter) text(s string, isKey bool) (plain bool) {
	a := analyse(s)
	switch {
	case a.plain && !resolves(s) && !(isKey && a.breaks):
		e.plain(s, !isKey)
		return true
	case a.single && !(isKey && a.breaks):
		e.single(s, !isKey)
	default:
		e.double(s, !isKey)
	}
	return false
}

func (e *emitter) write(s string) {
	e.out.WriteString(s)
	e.column += len(s) // what is written is ASCII, but for the breaks of newline
}

func (e *emitter) newline(br string) {
	e.out.WriteString(br)
	e.whitespace, e.indention, e.column = true, true, 0
}

func (e *emitter) writeIndent() {
	indent := max(e.indent, 0)
	if !e.indention || e.column > indent || e.column == indent && !e.whitespace {
		e.newline("\n")
	}
	if e.column < indent {
		e.whitespace = true
		e.write(strings.Repeat(" ", indent-e.column))
	}
}

func (e *emitter) indicator(s string, needBlank, whitespace, indention bool) {
	if !e.whitespace && needBlank {
		s = " " + s
	}
	e.whitespace = whitespace
	e.indention = e.indention && indention
	e.write(s)
}

func (e *emitter) plain(s string, fold bool) {
	if s == "" {
		return
	}
	if !e.whitespace {
		e.write(" ")
	}
	e.whitespace, e.indention = false, false
	for s != "" {
		n := strings.IndexByte(s, ' ')
		if n < 0 {
			n = len(s)
		}
		e.write(s[:n])
		s = s[n:]
		blanks := len(s) - len(strings.TrimLeft(s, " "))
		if blanks == 1 && e.column > yamlWidth && fold {
			e.writeIndent()
			e.whitespace, e.indention = false, false
		} else {
			e.write(s[:blanks])
		}
		s = s[blanks:]
	}
}

// single writes text in single quotes: folded at single blanks, a line break
// doubled.
func (e *emitter) single(s string, fold bool) {
	e.indicator("'", true, false, false)
	for at := 0; at < len(s); {
		switch n := run(s[at:], " "); {
		case n > 0:
			if n == 1 && e.column > yamlWidth && fold && at != 0 && at+n != len(s) {
				e.writeIndent()
			} else {
				e.write(s[at : at+n])
			}
			at += n
			continue
		}
		if n := run(s[at:], "\n"); n > 0 {
			for range n + 1 {
				e.newline("\n")
			}
			e.writeIndent()
			at += n
			continue
		}
		n := strings.IndexAny(s[at:], " \n'")
		if n < 0 {
			n = len(s) - at
		}
		e.write(s[at : at+n])
		at += n
		if at < len(s) && s[at] == '\'' {
			e.write("''")
			at++
		}
	}
	e.indicator("'", false, false, false)
}

func run(s, char string) int { return len(s) - len(strings.TrimLeft(s, char)) }

var escapes = map[rune]string{
	0: "0", 7: "a", 8: "b", '\t': "t", '\n': "n", 0xb: "v", 0xc: "f", '\r': "r", 0x1b: "e",
	'"': `"`, '\\': `\`, 0x85: "N", 0xa0: "_", 0x2028: "L", 0x2029: "P",
}

// double writes text in double quotes, folded with a backslash at blanks and
// after escapes.
func (e *emitter) double(s string, fold bool) {
	e.indicator(`"`, true, false, false)
	text := []rune(s)
	start := 0
	for end := 0; end <= len(text); end++ {
		special := end == len(text) || text[end] < ' ' || text[end] > '~' || text[end] == '"' || text[end] == '\\'
		if special {
			e.write(string(text[start:end]))
			start = end
			if end < len(text) {
				e.write(escape(text[end]))
				start = end + 1
			}
		}
		if 0 < end && end < len(text)-1 && (text[end] == ' ' || start >= end) && e.column+end-start > yamlWidth && fold {
			if start < end {
				e.write(string(text[start:end]))
				start = end
			}
			e.write(`\`)
			e.writeIndent()
			e.whitespace, e.indention = false, false
			if text[start] == ' ' {
				e.write(`\`)
			}
		}
	}
	e.indicator(`"`, false, false, false)
}

func escape(r rune) string {
	if s, ok := escapes[r]; ok {
		return `\` + s
	}
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02X`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04X`, r)
	}
	return fmt.Sprintf(`\U%08X`, r)
}

// styles says how a text may be written.
type styles struct{ plain, single, breaks bool }

func analyse(s string) styles {
	if s == "" {
		return styles{plain: true, single: true}
	}
	const breaks, blanks = "\n\u0085\u2028\u2029", "\x00 \t\r\n\u0085\u2028\u2029"
	text := []rune(s)
	blank := func(i int) bool { return i < 0 || i >= len(text) || strings.ContainsRune(blanks, text[i]) }
	isBreak := func(i int) bool { return i >= 0 && i < len(text) && strings.ContainsRune(breaks, text[i]) }

	indicator := strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...")
	var special, hasBreaks, breakSpace, spaceBreak bool
	for i, r := range text {
		switch {
		case i == 0 && strings.ContainsRune("#,[]{}&*!|>'\"%@`", r),
			i == 0 && strings.ContainsRune("?:-", r) && blank(1),
			i > 0 && r == ':' && blank(i+1),
			i > 0 && r == '#' && blank(i-1):
			indicator = true
		}
		if r != '\n' && (r < ' ' || r > '~') {
			special = true
		}
		hasBreaks = hasBreaks || isBreak(i)
		breakSpace = breakSpace || r == ' ' && isBreak(i-1)
		spaceBreak = spaceBreak || isBreak(i) && i > 0 && text[i-1] == ' '
	}
	last := len(text) - 1
	edge := text[0] == ' ' || isBreak(0) || text[last] == ' ' || isBreak(last)
	single := !breakSpace && !spaceBreak && !special
	return styles{plain: single && !edge && !hasBreaks && !indicator, single: single, breaks: hasBreaks}
}

// resolves reports whether a YAML 1.1 reader takes bare text for something
// other than text.
func resolves(s string) bool {
	return s == "" || notText.MatchString(s)
}

var notText = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF`,
	`~|null|Null|NULL`,
	`<<|=`,
	`[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?`,
	`\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?`,
	`[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*`,
	`[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)`,
	`[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+`,
	`[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+`,
	`[0-9]{4}-[0-9]{2}-[0-9]{2}`,
	`[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?`,
}, "|") + `)$`)
