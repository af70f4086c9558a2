package bundles

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"windlass/internal/engine"
)

// placed gives each fault the line and column of its path, and sorts them by
// these. What is missing has the place of what it is missing from.
func placed(text []byte, list []engine.BundleFault) []engine.BundleFault {
	if len(list) > maxFaults {
		list = list[:maxFaults]
	}
	wanted := map[string]int{"": 0}
	for _, f := range list {
		for p := f.Path; p != ""; p = parent(p) {
			wanted[p] = -1
		}
	}
	locate(text, wanted)
	lines := lineStarts(text)
	for i := range list {
		p := list[i].Path
		for wanted[p] < 0 {
			p = parent(p)
		}
		list[i].Line, list[i].Column = lines.of(text, wanted[p])
	}
	slices.SortStableFunc(list, func(a, b engine.BundleFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}

func parent(pointer string) string {
	return pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
}

// level is an object or a list that the walk is in.
type level struct {
	list bool
	n    int    // index of the value that the walk is at or in
	key  string // of that value, in an object
	open bool   // of an object: a key was read, its value comes next
}

// locate walks a JSON text once and notes at which byte the value of each
// wanted pointer begins. Of a key that stands twice the last counts, as it does
// for whoever reads the document.
func locate(text []byte, wanted map[string]int) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // one too large for a float is no reason to stop
	var in []level
	for {
		start := begins(text, int(d.InputOffset()))
		token, err := d.Token()
		if err != nil {
			return // the end; or what Diagnose has told already
		}
		if t, ok := token.(json.Delim); ok && (t == '}' || t == ']') {
			in = in[:len(in)-1]
			continue
		}
		if n := len(in); n > 0 && !in[n-1].list && !in[n-1].open {
			in[n-1].key, _ = token.(string)
			in[n-1].open = true
			continue
		}
		if n := len(in); n > 0 {
			in[n-1].n++
			in[n-1].open = false
		}
		if p, ok := pointerOf(in); ok {
			if _, ok := wanted[p]; ok {
				wanted[p] = start
			}
		}
		if t, ok := token.(json.Delim); ok {
			in = append(in, level{list: t == '[', n: -1})
		}
	}
}

// maxPointer is deeper than any path of a bundle's own parts: what lies below
// is walked over and not named.
const maxPointer = 8

func pointerOf(in []level) (string, bool) {
	if len(in) > maxPointer {
		return "", false
	}
	var p strings.Builder
	for _, l := range in {
		p.WriteByte('/')
		if l.list {
			p.WriteString(strconv.Itoa(l.n))
		} else {
			p.WriteString(escaper.Replace(l.key))
		}
	}
	return p.String(), true
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// begins is where the next token stands after an offset.
func begins(text []byte, at int) int {
	for at < len(text) && bytes.IndexByte([]byte(" \t\r\n,:"), text[at]) >= 0 {
		at++
	}
	return at
}

// starts are the offsets at which the lines of a text begin.
type starts []int

func lineStarts(text []byte) starts {
	s := starts{0}
	for i, c := range text {
		if c == '\n' {
			s = append(s, i+1)
		}
	}
	return s
}

// of is the line and the column, in characters, of an offset.
func (s starts) of(text []byte, offset int) (line, column int) {
	offset = min(offset, len(text))
	n, found := slices.BinarySearch(s, offset)
	if !found {
		n--
	}
	return n + 1, utf8.RuneCount(text[s[n]:offset]) + 1
}

func lineOf(text []byte, offset int) (line, column int) { return lineStarts(text).of(text, offset) }
