package cli

import (
	"regexp"
	"strings"
	"unicode"
)

// style is how tables look. Piped, they are the original's bytes. On a terminal
// columns stand two blanks apart with nothing trailing, the header is bold and
// words that matter are coloured, unless NO_COLOR or a dumb terminal says not to;
// and control characters of foreign text are not sent there.
type style struct{ terminal, colour bool }

func newStyle(w World) style {
	noColour, _ := w.Env("NO_COLOR")
	kind, _ := w.Env("TERM")
	return style{terminal: w.OutTerminal && kind != "dumb", colour: w.OutTerminal && noColour == "" && kind != "dumb"}
}

const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	faint  = "\x1b[2m"
	normal = "\x1b[0m"
)

// tones are the words that stand out wherever they fill a cell.
var tones = map[string]string{
	"Critical": bold + red, "High": red, "Medium": yellow, "Negligible": faint,
	"error": red, "analysis_failed": red, "stop": red, "fail": red, "failure": red,
	"warn": yellow, "analyzing": yellow, "pending": yellow,
	"analyzed": green, "pass": green, "go": green, "success": green, "archived": green,
}

// clean takes control characters out of what a terminal will show.
func (s style) clean(rows [][][]string) {
	if !s.terminal {
		return
	}
	for _, row := range rows {
		for _, cell := range row {
			for i := range cell {
				cell[i] = printable(cell[i])
			}
		}
	}
}

// row is the lines of one row.
func (s style) row(row [][]string, widths []int, header bool) []string {
	var out []string
	for n := range height(row) {
		var line strings.Builder
		for i, w := range widths {
			cell := cellLine(row[i], n)
			if !s.terminal {
				line.WriteString(padded(cell, w+gap))
				continue
			}
			line.WriteString(s.toned(cell, header))
			line.WriteString(strings.Repeat(" ", max(w-width(cell), 0)+2))
		}
		text := line.String()
		if s.terminal {
			text = strings.TrimRight(text, " ")
		}
		out = append(out, text)
	}
	return out
}

func (s style) toned(cell string, header bool) string {
	tone := tones[cell]
	if header {
		tone = bold
	}
	if !s.colour || tone == "" || cell == "" {
		return cell
	}
	return tone + cell + normal
}

// harmless is what may go to a terminal: text, line ends, tabs, our own colours.
var harmless = regexp.MustCompile(`\x1b\[(?:0|1|2|31|32|33)m|[\n\t]|[^\x00-\x1f\x7f-\x{9f}]+`)

// calm takes out of a text what foreign parts of it could do to a terminal.
func (s style) calm(text string) string {
	if !s.terminal {
		return text
	}
	return strings.Join(harmless.FindAllString(text, -1), "")
}

// printable is a text without what moves a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
