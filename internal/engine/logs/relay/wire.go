package relay

import (
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

// What goes between two hosts. Hosts of one engine may run different versions:
// what one does not know it leaves out.

type wireQuery struct {
	Services []string  `json:"services,omitempty"`
	Level    string    `json:"level,omitempty"`
	Text     string    `json:"text,omitempty"`
	Regex    bool      `json:"regex,omitempty"`
	Invert   bool      `json:"invert,omitempty"`
	Context  int       `json:"context,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Before   time.Time `json:"before,omitzero"`
	Limit    int       `json:"limit,omitempty"`
	Oldest   bool      `json:"oldest,omitempty"`
	From     string    `json:"from,omitempty"`
	Until    string    `json:"until,omitempty"`
	After    string    `json:"after,omitempty"` // of a follower
	File     string    `json:"file,omitempty"`  // to open
}

func fromQuery(q engine.LogQuery) wireQuery {
	return wireQuery{
		Services: q.Services, Level: q.Level, Text: q.Text, Regex: q.Regex, Invert: q.Invert, Context: q.Context, Since: q.Since, Before: q.Before,
		Limit: q.Limit, Oldest: q.Oldest, From: q.From.String(), Until: q.Until.String(),
	}
}

func (w wireQuery) query() (q engine.LogQuery, after engine.LogCursor, err error) {
	q = engine.LogQuery{
		Services: w.Services, Level: w.Level, Text: w.Text, Regex: w.Regex, Invert: w.Invert, Context: w.Context, Since: w.Since, Before: w.Before,
		Limit: w.Limit, Oldest: w.Oldest,
	}
	for to, text := range map[*engine.LogCursor]string{&q.From: w.From, &q.Until: w.Until, &after: w.After} {
		if *to, err = engine.ParseLogCursor(text); err != nil {
			return q, nil, err
		}
	}
	return q, after, nil
}

type wireLine struct {
	Service    string    `json:"s"`
	At         time.Time `json:"at"`
	Level      string    `json:"l,omitempty"`
	Component  string    `json:"c,omitempty"`
	Module     string    `json:"m,omitempty"`
	Text       string    `json:"t"`
	Offset     int64     `json:"o"`
	File       string    `json:"f,omitempty"`
	Generation string    `json:"g"`
	Context    bool      `json:"x,omitempty"`
}

func fromLines(lines []engine.LogLine) []wireLine {
	out := make([]wireLine, len(lines))
	for i, l := range lines {
		out[i] = wireLine{l.Service, l.At, l.Level, l.Component, l.Module, l.Text, l.Offset, l.File, l.Generation, l.Context}
	}
	return out
}

// lines makes what a host sent lines of that host. Those that could not be are
// left out.
func lines(sent []wireLine, host string) []engine.LogLine {
	out := make([]engine.LogLine, 0, len(sent))
	for _, w := range sent {
		if !slices.Contains(engine.ServiceNames, w.Service) || !engine.LogGeneration(w.Generation) || w.Offset < 0 ||
			len(w.Text) > logs.MaxText || w.Level != "" && logs.Rank(w.Level) < 0 {
			continue
		}
		out = append(out, engine.LogLine{
			Service: w.Service, Host: host, At: w.At.UTC(), Level: w.Level, Component: short(w.Component), Module: short(w.Module),
			Text: w.Text, Offset: w.Offset, File: short(w.File), Generation: w.Generation, Context: w.Context,
		})
	}
	return out
}

func short(s string) string {
	if len(s) <= 255 {
		return s
	}
	return strings.ToValidUTF8(s[:255], "")
}

// cursor reads a position that a host sent; only what is of that host counts.
func cursor(s, host string) (engine.LogCursor, error) {
	c, err := engine.ParseLogCursor(s)
	return of(c, host), err
}

// of is the part of a cursor that concerns a host.
func of(c engine.LogCursor, host string) engine.LogCursor {
	var own engine.LogCursor
	for src, p := range c {
		if src.Host != host {
			continue
		}
		if own == nil {
			own = engine.LogCursor{}
		}
		own[src] = p
	}
	return own
}

type wirePage struct {
	Lines  []wireLine `json:"lines"`
	First  string     `json:"first"`
	Last   string     `json:"last"`
	More   bool       `json:"more,omitempty"`
	Seen   time.Time  `json:"seen,omitzero"`
	Missed bool       `json:"missed,omitempty"`
}

func fromPage(p engine.LogPage) wirePage {
	return wirePage{Lines: fromLines(p.Lines), First: p.First.String(), Last: p.Last.String(), More: p.More, Seen: p.Seen, Missed: p.Missed}
}

func (w wirePage) page(host string) (p engine.LogPage, err error) {
	p = engine.LogPage{Lines: lines(w.Lines, host), More: w.More, Seen: w.Seen, Missed: w.Missed}
	if p.First, err = cursor(w.First, host); err != nil {
		return p, err
	}
	p.Last, err = cursor(w.Last, host)
	return p, err
}

// wireFrame is a line of a stream. One without anything says that the host is
// there.
type wireFrame struct {
	Skipped int        `json:"skipped,omitempty"`
	Gap     bool       `json:"gap,omitempty"`
	Lines   []wireLine `json:"lines,omitempty"`
	Last    string     `json:"last,omitempty"` // empty: the frame goes on in the next one
}

func (w wireFrame) frame(host string) (f engine.LogFrame, err error) {
	f = engine.LogFrame{Skipped: max(w.Skipped, 0), Gap: w.Gap, Lines: lines(w.Lines, host)}
	f.Last, err = cursor(w.Last, host)
	return f, err
}

type wireFile struct {
	Service string    `json:"service"`
	Name    string    `json:"name"`
	Bytes   int64     `json:"bytes"`
	ModTime time.Time `json:"modified"`
	Current bool      `json:"current,omitempty"`
}

func fromFile(f engine.LogFile) wireFile {
	return wireFile{f.Service, f.Name, f.Bytes, f.ModTime, f.Current}
}

func (w wireFile) file(host string) engine.LogFile {
	return engine.LogFile{Service: w.Service, Host: host, Name: short(w.Name), Bytes: max(w.Bytes, 0), ModTime: w.ModTime, Current: w.Current}
}
