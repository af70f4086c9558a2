package logs

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	timeLayout = "2006-01-02 15:04:05.000-0700"
	// maxValue is where one attribute's text is cut, so that a stack or a
	// response body leaves room for the attributes behind it.
	maxValue  = 16 << 10
	maxGroups = 8
	cutMark   = "...[cut]"
)

// appendAttr renders " key=value"; a group becomes one pair for each member.
func appendAttr(line []byte, group string, a slog.Attr, depth int) []byte {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if depth == maxGroups {
			return line
		}
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, m := range v.Group() {
			line = appendAttr(line, group, m, depth+1)
		}
		return line
	}
	if a.Key == "" && v.Equal(slog.Value{}) {
		return line
	}
	line = append(line, ' ')
	line = appendKey(line, group+a.Key)
	line = append(line, '=')
	if secretKey(a.Key) {
		return append(line, redacted...)
	}
	return appendQuoted(line, scrub(text(v)))
}

// text renders a value. A struct goes through JSON and not through fmt: %+v
// prints unexported fields without asking the type how it wants to be shown,
// and so would print an engine.Secret in one.
func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format("2006-01-02T15:04:05.000Z07:00")
	case slog.KindAny:
		return anyText(v.Any())
	}
	return v.String()
}

func anyText(v any) (s string) {
	defer func() {
		if p := recover(); p != nil { // a nil pointer with a String method
			s = fmt.Sprintf("!PANIC %T", v)
		}
	}()
	switch v := v.(type) {
	case nil:
		return "<nil>"
	case error:
		return v.Error()
	case encoding.TextMarshaler:
		if b, err := v.MarshalText(); err == nil {
			return string(b)
		}
	case fmt.Stringer:
		return v.String()
	case []byte:
		return string(v[:min(len(v), maxValue)])
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.String { // a digest, a state: text of a named type
		return r.String()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%T", v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// appendPlain writes text that stands unquoted: what would end the line or
// steer a terminal is escaped.
func appendPlain(line []byte, s string) []byte {
	s = cut(s)
	if printable(s) {
		return append(line, s...)
	}
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			line = append(line, s[:n]...)
		} else {
			q := strconv.AppendQuote(nil, s[:n])
			line = append(line, q[1:len(q)-1]...)
		}
		s = s[n:]
	}
	return line
}

func appendKey(line []byte, key string) []byte {
	if key == "" || strings.ContainsAny(key, " =\"[]") || !printable(key) {
		return strconv.AppendQuote(line, cut(key))
	}
	return append(line, cut(key)...)
}

// appendQuoted writes a value, in quotes when it would not read as one word.
func appendQuoted(line []byte, s string) []byte {
	s = cut(s)
	if s == "" || strings.ContainsAny(s, " =\"") || !printable(s) {
		return strconv.AppendQuote(line, s)
	}
	return append(line, s...)
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return printableRunes(s[i:])
		}
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func printableRunes(s string) bool {
	for i, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

func cut(s string) string {
	if len(s) <= maxValue {
		return s
	}
	return strings.ToValidUTF8(s[:maxValue], "") + cutMark
}

// clip holds a line, without its end, under the limit for reading it back.
func clip(line []byte) []byte {
	const room = maxLine - len(cutMark) - 1
	if len(line) <= room {
		return line
	}
	end := room
	for end > 0 && !utf8.RuneStart(line[end]) {
		end--
	}
	return append(line[:end], cutMark...)
}
