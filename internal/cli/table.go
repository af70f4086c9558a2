package cli

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"windlass/internal/cli/python"
)

// gap is what follows every cell of a plain table.
const gap = 8

// table has a header and rows of foreign values.
type table struct {
	header []string
	rows   [][]any
}

func columns(header ...string) *table { return &table{header: header} }

func (t *table) row(cells ...any) { t.rows = append(t.rows, cells) }

// sort orders by a column, then by all columns from the left. Values that
// cannot be ordered are a fault of the reader's payload.
func (t *table) sort(r *reader, column int, reverse bool) {
	slices.SortStableFunc(t.rows, func(a, b []any) int {
		if r.err != nil {
			return 0
		}
		if reverse {
			a, b = b, a
		}
		c, err := compareRows(a, b, column)
		if err != nil && r.err == nil {
			r.err = err
		}
		return c
	})
}

func compareRows(a, b []any, column int) (int, error) {
	if c, err := compare(a[column], b[column]); c != 0 || err != nil {
		return c, err
	}
	for i := range a {
		if c, err := compare(a[i], b[i]); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

func compare(a, b any) (int, error) { return python.Compare(a, b) }

// cells are the lines of each cell of a row, as text.
func cells(row []any) [][]string {
	out := make([][]string, len(row))
	for i, v := range row {
		out[i] = strings.Split(python.Str(v), "\n")
	}
	return out
}

// cells are the lines of every cell, the header's row first.
func (t *table) cells() [][][]string {
	header := make([]any, len(t.header))
	for i, h := range t.header {
		header[i] = h
	}
	all := [][][]string{cells(header)}
	for _, row := range t.rows {
		all = append(all, cells(row))
	}
	return all
}

// plain lays a table out without rules. One without rows is nothing at all.
func (a *app) plain(t *table) string {
	if len(t.rows) == 0 {
		return ""
	}
	all := t.cells()
	a.style.clean(all)
	widths := measure(all)
	var lines []string
	for i, row := range all {
		lines = append(lines, a.style.row(row, widths, i == 0)...)
	}
	return strings.Join(lines, "\n")
}

// ruled lays a table out in frames, a rule between all rows.
func ruled(t *table) string {
	all := t.cells()
	widths := measure(all)
	var b strings.Builder
	for _, w := range widths {
		b.WriteString("+" + strings.Repeat("-", w+2))
	}
	rule := b.String() + "+"
	lines := []string{rule}
	for _, row := range all {
		for n := range height(row) {
			var line strings.Builder
			for i, w := range widths {
				line.WriteString("| " + padded(cellLine(row[i], n), w) + " ")
			}
			lines = append(lines, line.String()+"|")
		}
		lines = append(lines, rule)
	}
	return strings.Join(lines, "\n")
}

func measure(rows [][][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			for _, line := range cell {
				widths[i] = max(widths[i], width(line))
			}
		}
	}
	return widths
}

func height(row [][]string) int {
	n := 1
	for _, cell := range row {
		n = max(n, len(cell))
	}
	return n
}

func cellLine(cell []string, n int) string {
	if n < len(cell) {
		return cell[n]
	}
	return ""
}

func padded(s string, w int) string {
	return s + strings.Repeat(" ", max(w-width(s), 0))
}

// wrapped breaks a text at blanks into lines of at most limit characters, the
// first of one less; a longer word stays whole. Other values stay what they are.
func wrapped(v any, limit int) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	var done []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if utf8.RuneCountInString(line)+utf8.RuneCountInString(word) < limit {
			line += " " + word
		} else {
			done = append(done, line)
			line = word
		}
	}
	return strings.TrimSpace(strings.Join(append(done, line), "\n"))
}

// narrow counts columns alike in every locale.
var narrow = &runewidth.Condition{StrictEmojiNeutral: true}

// width is the columns that a text takes, as the original counts: text with a
// control character in it counts as one less than nothing.
func width(s string) int {
	w := 0
	for _, r := range s {
		if r != 0 && unicode.IsControl(r) {
			return -1
		}
		w += narrow.RuneWidth(r)
	}
	return w
}

// lines collects "Key: value" lines.
type lines struct{ b strings.Builder }

func (l *lines) add(key string, v any) { l.b.WriteString(key + ": " + python.Str(v) + "\n") }

// some adds a line unless the value says nothing.
func (l *lines) some(key string, v any) {
	if python.Truthy(v) {
		l.add(key, v)
	}
}

func (l *lines) blank()         { l.b.WriteByte('\n') }
func (l *lines) String() string { return l.b.String() }
