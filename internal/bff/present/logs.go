package present

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// LogPage is what the viewer's page is made of.
type LogPage struct {
	Form  LogForm
	Page  *engine.LogPage // nil when the search was refused, for the reason in Fault
	Hosts []engine.LogHost
	Fault string
	Gone  bool // the line that was asked for is not there any more
	Line  *engine.LogLine
}

// Logs shapes the viewer's page.
func Logs(p LogPage, c Clock) view.Logs {
	f, q := p.Form, p.Form.Query
	v := view.Logs{
		Text: q.Text, Regex: q.Regex, Invert: q.Invert, OneLine: f.OneLine,
		At: c.field(f.At), Since: c.field(q.Since), Before: c.field(q.Before), Fault: p.Fault, Clear: "/logs", Files: "/logs/files",
		Services: logServices(q), Hosts: logHosts(q, p.Hosts), Levels: logLevels(q.Level), Contexts: logContexts(q.Context),
		Jumps: logJumps(f), Same: logSame(q),
	}
	v.HostsText = "all"
	if len(q.Hosts) > 0 {
		v.HostsText = strings.Join(q.Hosts, ", ")
	}
	since, before := f.bound("since", q.Since), f.bound("before", q.Before)
	v.Download = f.address("/logs/download", "since", since, "before", before)
	v.NDJSON = f.address("/logs/download", "since", since, "before", before, "format", "ndjson")
	v.Newest = f.address("/logs", "since", since)
	if p.Page == nil {
		return v
	}
	page := p.Page
	rows := NewLogRows(f, c, len(v.Hosts) > 1)
	v.Rows = rows.Rows(page.Lines)
	v.Missed, v.Gone = page.Missed && !p.Gone, p.Gone
	v.After = page.Last.String()
	v.Past = f.address("/logs", "from", "-") // the script puts a position in
	v.Sub = logSub(page.Lines)
	for _, h := range page.Failed {
		v.Failed = append(v.Failed, view.LogFault{Host: h.Host, Reason: h.Reason})
	}
	if p.Line != nil {
		d := rows.Detail(*p.Line)
		v.Line = &d
	}
	logPlaces(&v, f, page, since, before)
	if f.Live() {
		v.Sub = "newest " + v.Sub
	}
	if !page.Seen.IsZero() {
		t := c.Exact(page.Seen)
		v.Searched = &t
	}
	return v
}

// logPlaces are the addresses of what lies before and behind the page.
func logPlaces(v *view.Logs, f LogForm, page *engine.LogPage, since, before string) {
	older := f.address("/logs", "until", page.First.String(), "since", since)
	newer := f.address("/logs", "from", page.Last.String(), "before", before)
	switch {
	case f.Live():
		v.Socket = f.address("/ws/logs")
		v.Older = older
	case f.Query.Oldest: // from a position on, or from the first line
		v.Newer = newer
		if f.Query.From != nil || !f.Query.Since.IsZero() {
			v.Older = older
		}
	case f.Query.Until != nil || !f.Query.Before.IsZero():
		v.Older, v.Newer = older, newer
	default: // around a moment: there may be more on both sides
		v.Older, v.Newer = older, newer
		return
	}
	if !page.More {
		if f.Query.Oldest {
			v.Newer = ""
		} else {
			v.Older = ""
		}
	}
}

// logSub says what the lines are.
func logSub(lines []engine.LogLine) string {
	beside := 0
	for _, l := range lines {
		if l.Context {
			beside++
		}
	}
	if beside == 0 {
		return Plural(len(lines), "line", "lines")
	}
	return Plural(len(lines)-beside, "hit", "hits") + " with " + Plural(beside, "line", "lines") + " around"
}

func logServices(q engine.LogQuery) (list []view.Choice) {
	for _, name := range engine.ServiceNames {
		list = append(list, view.Choice{Value: name, Text: name, On: slices.Contains(q.Services, name)})
	}
	return list
}

// logHosts are the hosts to choose from, and those that were chosen and are
// not known any more.
func logHosts(q engine.LogQuery, hosts []engine.LogHost) (list []view.Choice) {
	for _, h := range hosts {
		text := h.Name
		if h.Own {
			text += " (this one)"
		}
		list = append(list, view.Choice{Value: h.Name, Text: text, On: slices.Contains(q.Hosts, h.Name)})
	}
	for _, name := range q.Hosts {
		if !slices.ContainsFunc(hosts, func(h engine.LogHost) bool { return h.Name == name }) {
			list = append(list, view.Choice{Value: name, Text: name + " (not known)", On: true})
		}
	}
	return list
}

func logLevels(chosen string) []view.Choice {
	list := []view.Choice{{Value: "", Text: "all levels"}, {Value: "debug", Text: "debug and above"}, {Value: "info", Text: "info and above"},
		{Value: "warn", Text: "warn and above"}, {Value: "error", Text: "error and above"}, {Value: "fatal", Text: "fatal"}}
	for i := range list {
		list[i].On = list[i].Value == chosen
	}
	return list
}

func logContexts(chosen int) (list []view.Choice) {
	counts := []int{0, 1, 2, 5, 10, 20}
	if !slices.Contains(counts, chosen) {
		counts = append(counts, chosen)
	}
	for _, n := range counts {
		list = append(list, view.Choice{Value: strconv.Itoa(n), Text: "± " + strconv.Itoa(n) + " lines", On: n == chosen})
	}
	list[0].Value, list[0].Text, list[1].Text = "", "hits only", "± 1 line"
	return list
}

// logJumps lead to moments that are often wanted.
func logJumps(f LogForm) (list []view.LogLink) {
	for _, j := range [][2]string{{"5m", "5 minutes ago"}, {"1h", "an hour ago"}, {"24h", "a day ago"}} {
		list = append(list, view.LogLink{Href: f.address("/logs", "at", j[0]), Text: j[1]})
	}
	return append(list, view.LogLink{Href: f.address("/logs", "at", "start"), Text: "the oldest lines"})
}

// logSame is what shows the same on the host itself.
func logSame(q engine.LogQuery) view.SameBy {
	names := q.Services
	if len(names) == 0 {
		names = engine.ServiceNames
	}
	files := make([]string, len(names))
	for i, n := range names {
		files[i] = engine.LogFileNames[n]
	}
	cmd := "cd \"$CONSOLE_LOG_DIR\" && tail -n 500 -F " + strings.Join(files, " ")
	if q.Text != "" {
		flags := "-i"
		if q.Invert {
			flags += "v"
		}
		if q.Regex {
			flags += "E"
		} else {
			flags += "F"
		}
		if q.Context > 0 {
			flags += " -C " + strconv.Itoa(q.Context)
		}
		cmd += " | grep " + flags + " -e " + shellWord(q.Text)
	}
	return view.SameBy{CLI: cmd}
}

// LogFiles shapes the list of files, host by host.
func LogFiles(files []engine.LogFile, failed []engine.LogHostFault, c Clock) view.LogFiles {
	var v view.LogFiles
	var total int64
	for _, f := range files {
		if len(v.Hosts) == 0 || v.Hosts[len(v.Hosts)-1].Name != f.Host {
			v.Hosts = append(v.Hosts, view.LogHostFiles{Name: f.Host})
		}
		total += f.Bytes
		h := &v.Hosts[len(v.Hosts)-1]
		filter := LogForm{Query: engine.LogQuery{Services: []string{f.Service}, Hosts: []string{f.Host}}}
		file := view.LogFile{
			Service: f.Service, Name: f.Name, Size: Bytes(f.Bytes), Changed: c.Ago(f.ModTime), Current: f.Current,
			Href: "/logs/files/" + url.PathEscape(f.Host) + "/" + url.PathEscape(f.Name), Open: filter.address("/logs"),
		}
		if !f.Current { // its last lines
			file.Open = filter.address("/logs", "before", moment(f.ModTime.Add(time.Second)))
		}
		h.Files = append(h.Files, file)
	}
	for _, h := range failed {
		v.Failed = append(v.Failed, view.LogFault{Host: h.Host, Reason: h.Reason})
	}
	v.Sub = Plural(len(files), "file", "files") + ", " + Bytes(total)
	return v
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

// LogNews says what a frame tells of hosts.
func LogNews(f engine.LogFrame) (list []string) {
	for _, h := range f.Failed {
		list = append(list, "The log of "+h.Host+" cannot be read: "+h.Reason+". It is tried again.")
	}
	for _, h := range f.Back {
		list = append(list, "The log of "+h+" is followed again.")
	}
	return list
}
