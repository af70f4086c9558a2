package logs

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
)

// record is one line as it stands in a file. Its slices share the reader's
// buffer and hold until that reader moves on.
type record struct {
	at                time.Time
	level             string
	component, module []byte
	text              []byte
	generation        string
	file              string
	offset, end       int64
	cut               bool // the line went on
}

// timeParse reads the line's time with or without fractions of a second.
const timeParse = "2006-01-02 15:04:05-0700"

// parse takes a line apart. ok is false for a line of another shape, which
// still has its text: the rest of a foreign multi-line message, most often.
func parse(line []byte) (r record, ok bool) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	other := record{text: line}
	if len(line) < len(timeParse) || line[4] != '-' || line[10] != ' ' {
		return other, false
	}
	stop := bytes.IndexByte(line[11:], ' ') + 11
	if stop < 11 || stop > len(timeLayout) {
		return other, false
	}
	at, err := time.Parse(timeParse, string(line[:stop]))
	if err != nil {
		return other, false
	}
	rest := line[stop:]
	var field [4][]byte
	for i := range field {
		if !bytes.HasPrefix(rest, []byte(" [")) {
			return other, false
		}
		end := bytes.Index(rest, []byte("] "))
		if end < 0 {
			if i < 3 || rest[len(rest)-1] != ']' {
				return other, false
			}
			end = len(rest) - 1 // an empty message
		}
		field[i], rest = rest[2:end], rest[end+1:]
	}
	level := levelName(field[3])
	if level == "" {
		return other, false
	}
	return record{at: at.UTC(), level: level, component: field[1], module: field[2], text: bytes.TrimPrefix(rest, []byte(" "))}, true
}

func levelName(label []byte) string {
	for _, l := range levels {
		if string(label) == l.label {
			return l.name
		}
	}
	return ""
}

// line makes the vocabulary's line of a record.
func (r record) line(service, host string) engine.LogLine {
	text := r.text
	if r.cut {
		text = append(slices.Clip(text), cutMark...)
	}
	return engine.LogLine{
		Service: service, Host: host, At: r.at, Level: r.level,
		Component: string(r.component), Module: string(r.module),
		Text:   strings.ToValidUTF8(string(text), "\uFFFD"),
		Offset: r.offset, File: r.file, Generation: r.generation,
	}
}
