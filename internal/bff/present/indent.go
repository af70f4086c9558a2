package present

import (
	"bytes"
	"encoding/json"
)

// What indentation may make of a text: documents that people write grow to
// twice their size, one of brackets in brackets to thousands of times.
const (
	indentGrowth = 4
	indentSpare  = 1 << 20
)

// indented is a JSON text over lines, as a person reads it; a text that is no
// JSON, or that would grow beyond reason, stays as it is.
func indented(text []byte) []byte {
	if indentedSize(text) > indentGrowth*len(text)+indentSpare {
		return text
	}
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return text
	}
	return b.Bytes()
}

// indentedSize is about how many bytes a JSON text has once it is indented: it
// counts the beginnings of its lines.
func indentedSize(text []byte) int {
	size, depth, quoted := len(text), 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{':
			depth++
			size += 1 + 2*depth
		case c == ']', c == '}':
			depth = max(depth-1, 0)
			size += 1 + 2*depth
		case c == ',':
			size += 1 + 2*depth
		}
	}
	return size
}
