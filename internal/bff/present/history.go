package present

import (
	"fmt"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// The history bar shows a day in half hours.
const (
	historyFor   = 24 * time.Hour
	historySpans = 48
)

// HistorySince is from when on the history bars need transitions.
func HistorySince(now time.Time) time.Time { return now.Add(-historyFor) }

// Spans of a history bar, by class.
const (
	spanNone = "none" // no record
	spanUp   = "ok"
	spanSome = "m" // starting, or some of several instances down
	spanDown = "c"
)

// span is a time in which the state did not change.
type span struct {
	from, to time.Time
	state    engine.ServiceState // empty: no record
}

// spans rebuilds an instance's day from its transitions, oldest first, and the
// state it is in now.
func spans(s engine.Service, history []engine.ServiceTransition, now time.Time) []span {
	at := HistorySince(now)
	state, known := engine.ServiceState(""), false
	var out []span
	for _, t := range history {
		if t.Name != s.Name || t.Host != s.Host {
			continue
		}
		if t.At.Before(HistorySince(now)) {
			state, known = t.To, true // the state the day began in
			continue
		}
		if !known {
			state, known = t.From, true
			if state == engine.ServiceRegistered { // the record was made then
				state = ""
			}
		}
		if t.At.After(at) {
			out = append(out, span{at, t.At, state})
			at = t.At
		}
		state = t.To
	}
	if !known {
		// Nothing changed within the day; a record younger than that began
		// with its start.
		state = s.State
		if s.Since.After(at) {
			out = append(out, span{at, s.Since, ""})
			at = s.Since
		}
	}
	return append(out, span{at, now, state})
}

// History shapes the bar of one or several instances of a service. With
// several, a span is down when all are, and partly down when some are.
func History(list []engine.Service, history []engine.ServiceTransition, now time.Time) view.History {
	h := view.History{Spans: make([]string, historySpans)}
	var up, known time.Duration
	days := make([][]span, len(list))
	for i, s := range list {
		days[i] = spans(s, history, now)
		for _, p := range days[i] {
			d := p.to.Sub(p.from)
			if p.state != "" {
				known += d
			}
			if p.state == engine.ServiceAvailable {
				up += d
			}
		}
	}
	step := historyFor / historySpans
	for i := range h.Spans {
		from := HistorySince(now).Add(time.Duration(i) * step)
		h.Spans[i] = combine(days, from, from.Add(step))
	}
	h.Share = "no record"
	if known > 0 {
		h.Share = fmt.Sprintf("%.2f %%", 100*up.Seconds()/known.Seconds())
	}
	h.Text = "last 24 hours: up " + h.Share
	return h
}

// combine is the worst of what the instances were between two moments.
func combine(days [][]span, from, to time.Time) string {
	recorded, down, starting := 0, 0, 0
	for _, day := range days {
		worst := ""
		for _, p := range day {
			if !p.from.Before(to) || !p.to.After(from) || p.state == "" {
				continue
			}
			switch {
			case p.state == engine.ServiceUnavailable || p.state == engine.ServiceOrphaned:
				worst = spanDown
			case p.state == engine.ServiceRegistered && worst != spanDown:
				worst = spanSome
			case worst == "":
				worst = spanUp
			}
		}
		switch worst {
		case "":
			continue
		case spanDown:
			down++
		case spanSome:
			starting++
		}
		recorded++
	}
	switch {
	case recorded == 0:
		return spanNone
	case down == recorded:
		return spanDown
	case down > 0 || starting > 0:
		return spanSome
	}
	return spanUp
}
