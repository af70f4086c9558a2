package present

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// LogForm is what the log viewer's address asks for.
type LogForm struct {
	Query   engine.LogQuery
	At      time.Time // show what lies around this moment
	OneLine bool
}

// Live reports whether the page follows the log: it does unless it was asked
// for a place in the past.
func (f LogForm) Live() bool {
	return f.At.IsZero() && f.Query.Before.IsZero() && f.Query.From == nil && f.Query.Until == nil
}

// values are the filters as an address has them, without the place.
func (f LogForm) values() url.Values {
	v := url.Values{}
	for _, s := range f.Query.Services {
		v.Add("service", s)
	}
	for _, h := range f.Query.Hosts {
		v.Add("host", h)
	}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("level", f.Query.Level)
	set("text", f.Query.Text)
	for name, on := range map[string]bool{"regex": f.Query.Regex, "invert": f.Query.Invert, "oneline": f.OneLine} {
		if on {
			v.Set(name, "1")
		}
	}
	return v
}

// address is path with the filters and further values; empty ones are left out.
func (f LogForm) address(path string, more ...string) string {
	v := f.values()
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			v.Set(more[i], more[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

const momentLayout = "2006-01-02T15:04:05.000"

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(momentLayout) + "Z"
}

// field is a moment as an input of date and time has it.
func (c Clock) field(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.zone()).Format(momentLayout)
}

// Logs shapes the viewer's page. page is nil when the search was refused, for
// the reason in fault.
func Logs(f LogForm, page *engine.LogPage, files []engine.LogFile, fault string, c Clock) view.Logs {
	q := f.Query
	v := view.Logs{
		Text: q.Text, Regex: q.Regex, Invert: q.Invert, OneLine: f.OneLine, Whole: len(q.Services) == 0,
		At: c.field(f.At), Since: c.field(q.Since), Before: c.field(q.Before), Fault: fault,
		Clear: "/logs", Files: logFiles(files, c),
	}
	for _, name := range engine.ServiceNames {
		v.Services = append(v.Services, view.Choice{Value: name, Text: name, On: contains(q.Services, name)})
	}
	for _, l := range []view.Choice{{Value: "", Text: "all levels"}, {Value: "debug", Text: "debug and above"}, {Value: "info", Text: "info and above"}, {Value: "warn", Text: "warn and above"}, {Value: "error", Text: "error and above"}} {
		l.On = l.Value == q.Level
		v.Levels = append(v.Levels, l)
	}
	since, before := moment(q.Since), moment(q.Before)
	v.Download = f.address("/logs/download", "since", since, "before", before)
	v.Newest = f.address("/logs", "since", since)
	if page == nil {
		return v
	}
	v.Rows = NewLogRows(f, c).Rows(page.Lines)
	v.Missed = page.Missed
	v.Sub = Plural(len(page.Lines), "line", "lines")
	v.After = page.Last.String()
	if f.Live() {
		v.Socket = f.address("/ws/logs")
		v.Sub = "the newest " + v.Sub
	} else {
		v.Newer = f.address("/logs", "from", page.Last.String(), "before", before)
		v.Older = f.address("/logs", "until", page.First.String(), "since", since)
	}
	if f.Live() || q.Until != nil || !q.Before.IsZero() {
		v.Older = ""
		if page.More {
			v.Older = f.address("/logs", "until", page.First.String(), "since", since)
		}
	}
	if q.From != nil && !page.More {
		v.Newer = ""
	}
	if !page.Seen.IsZero() {
		t := c.Exact(page.Seen)
		v.Searched = &t
	}
	return v
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func logFiles(files []engine.LogFile, c Clock) []view.LogFile {
	out := make([]view.LogFile, 0, len(files))
	for _, f := range files {
		out = append(out, view.LogFile{
			Service: f.Service, Name: f.Name, Size: Bytes(f.Bytes), Changed: c.Ago(f.ModTime), Current: f.Current,
			Href: "/logs/files/" + url.PathEscape(f.Host) + "/" + url.PathEscape(f.Name),
		})
	}
	return out
}

// LogRows shapes lines one after another: it remembers the day of the last.
type LogRows struct {
	form  LogForm
	clock Clock
	found *regexp.Regexp
	day   string
}

// NewLogRows prepares the marks for what the form searches. Lines that do not
// match have nothing to mark.
func NewLogRows(f LogForm, c Clock) *LogRows {
	r := &LogRows{form: f, clock: c}
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
	id := "l-" + engine.LogCursor{l.Source(): l.Position()}.String()
	v := view.LogRow{
		ID: id, Time: r.clock.Clock(l.At), Source: l.Service, Level: l.Level,
		Title: l.Component + " " + l.Module + "\n" + l.File + " on " + l.Host,
		Text:  r.parts(l.Text),
	}
	v.Letter, v.Tone = levelLetter(l.Level)
	if v.Level == "" {
		v.Level = "no level"
	}
	around := LogForm{Query: engine.LogQuery{Services: r.form.Query.Services, Hosts: r.form.Query.Hosts}, OneLine: r.form.OneLine}
	v.Href = around.address("/logs", "at", moment(l.At)) + "#" + id
	if day := r.dayOf(l.At); day != r.day {
		r.day, v.Day = day, day
	}
	return v
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
// rest.
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
	return keys(out, text[last:])
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

// LogGap says what a frame is missing; empty when it is whole.
func LogGap(f engine.LogFrame) string {
	switch {
	case f.Gap && f.Skipped > 0:
		return "More than " + Plural(f.Skipped, "line", "lines") + " skipped: rotation removed files before they were read"
	case f.Gap:
		return "Lines are missing here: rotation removed files before they were read"
	case f.Skipped > 0:
		return Plural(f.Skipped, "line", "lines") + " skipped while the viewer was behind"
	}
	return ""
}
