package present

import (
	"regexp"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// LogRows shapes lines one after another: it remembers the day of the last.
type LogRows struct {
	form  LogForm
	clock Clock
	hosts bool // they are told apart
	found *regexp.Regexp
	aim   engine.LogSource
	at    engine.LogPosition
	day   string
}

// NewLogRows prepares the marks for what the form searches. Lines that do not
// match have nothing to mark.
func NewLogRows(f LogForm, c Clock, hosts bool) *LogRows {
	r := &LogRows{form: f, clock: c, hosts: hosts}
	for r.aim, r.at = range f.Line {
	}
	if f.Query.Text == "" || f.Query.Invert {
		return r
	}
	pattern := f.Query.Text
	if !f.Query.Regex {
		pattern = regexp.QuoteMeta(pattern)
	}
	r.found, _ = regexp.Compile("(?i)" + pattern) // a bad pattern was refused by the engine
	return r
}

// After tells of the day that is already shown, so that it is not shown again.
func (r *LogRows) After(at time.Time) { r.day = r.dayOf(at) }

func (r *LogRows) dayOf(at time.Time) string {
	return at.In(r.clock.zone()).Format("Monday, 2 January 2006")
}

// Rows shapes the next lines.
func (r *LogRows) Rows(lines []engine.LogLine) []view.LogRow {
	rows := make([]view.LogRow, 0, len(lines))
	for _, l := range lines {
		rows = append(rows, r.row(l))
	}
	return rows
}

func (r *LogRows) row(l engine.LogLine) view.LogRow {
	v := view.LogRow{
		ID: "l-" + logPlace(l), Time: r.clock.Clock(l.At), Source: l.Service, Level: l.Level, Href: r.link(l),
		Title: visible(l.Component + " " + l.Module + "\n" + l.File + " on " + l.Host), Near: l.Context, Aim: l.Source() == r.aim && l.Position() == r.at,
	}
	if r.hosts {
		v.Source += "@" + visible(l.Host)
	}
	text, cut := r.shorten(l.Text)
	v.Text = r.parts(text)
	if cut > 0 {
		v.Cut = Bytes(int64(cut)) + " more"
	}
	v.Letter, v.Tone = levelLetter(l.Level)
	if v.Level == "" {
		v.Level = "no level"
	}
	if day := r.dayOf(l.At); day != r.day {
		r.day, v.Day = day, day
	}
	return v
}

// logPlace names a line for good.
func logPlace(l engine.LogLine) string { return engine.LogCursor{l.Source(): l.Position()}.String() }

// link is the address of a line among its neighbours. It has the time beside
// the position, so that it leads near the line when the line itself is gone.
func (r *LogRows) link(l engine.LogLine) string {
	around := LogForm{Query: engine.LogQuery{Services: r.form.Query.Services, Hosts: r.form.Query.Hosts}, OneLine: r.form.OneLine}
	place := logPlace(l)
	return around.address("/logs", "line", place, "at", moment(l.At)) + "#l-" + place
}

// maxShown is how much of a line is drawn in the list; the rest is shown when
// it is opened.
const maxShown = 2000

// shorten cuts a long line to the part that was searched for, or its
// beginning.
func (r *LogRows) shorten(text string) (shown string, cut int) {
	if len(text) <= maxShown {
		return text, 0
	}
	from := 0
	if r.found != nil {
		if m := r.found.FindStringIndex(text); m != nil && m[1] > maxShown {
			from = min(m[0]-maxShown/4, len(text)-maxShown)
		}
	}
	shown = strings.ToValidUTF8(text[from:from+maxShown], "")
	if from > 0 {
		shown = "… " + shown
	}
	return shown + " …", len(text) - maxShown
}

// levelLetter gives a level's letter and the class that colours it.
func levelLetter(level string) (letter, tone string) {
	switch level {
	case "fatal":
		return "F", "E"
	case "error":
		return "E", "E"
	case "warn":
		return "W", "W"
	case "debug":
		return "D", "D"
	case "spew":
		return "S", "D"
	case "":
		return "-", "I"
	}
	return "I", "I"
}

// maxMarks bounds the marks in one line; a pattern may match everywhere.
const maxMarks = 50

// logKey finds the names of values in " key=value".
var logKey = regexp.MustCompile(` [A-Za-z_][A-Za-z0-9_.-]{0,40}=`)

// parts splits a line's text into what was searched, names of values, and the
// rest, as it can be shown.
func (r *LogRows) parts(text string) []view.Part {
	var marks [][]int
	if r.found != nil {
		marks = r.found.FindAllStringIndex(text, maxMarks)
	}
	var out []view.Part
	last := 0
	for _, m := range marks {
		if m[1] == m[0] {
			continue
		}
		out = keys(out, text[last:m[0]])
		out = append(out, view.Part{Text: text[m[0]:m[1]], Kind: "mark"})
		last = m[1]
	}
	out = keys(out, text[last:])
	for i := range out {
		out[i].Text = visible(out[i].Text)
	}
	return out
}

// keys adds text, with the names of values apart.
func keys(out []view.Part, text string) []view.Part {
	last := 0
	for _, k := range logKey.FindAllStringIndex(text, maxMarks) {
		if inQuotes(text[last:k[0]]) {
			continue
		}
		if k[0]+1 > last {
			out = append(out, view.Part{Text: text[last : k[0]+1]})
		}
		out = append(out, view.Part{Text: text[k[0]+1 : k[1]], Kind: "key"})
		last = k[1]
	}
	if last < len(text) {
		out = append(out, view.Part{Text: text[last:]})
	}
	return out
}

// inQuotes reports whether a quoted value is open at the end of text.
func inQuotes(text string) bool {
	text = strings.ReplaceAll(text, `\\`, "")
	return (strings.Count(text, `"`)-strings.Count(text, `\"`))%2 == 1
}
