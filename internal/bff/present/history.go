package present

import (
	"fmt"
	"math"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Periods of a history bar.
const (
	Period24h = "24h" // in quarter hours
	Period90d = "90d" // in days of the reader's zone
)

const (
	daySpan     = 15 * time.Minute
	daySpans    = 96
	longSpans   = 90
	historyWide = 960 // width of a bar's drawing
)

// HistorySince is from when on a period needs transitions.
func HistorySince(period string, c Clock) time.Time { return cuts(period, c)[0] }

// cuts are the moments at which a period is cut. A day is that of the reader's
// calendar, whatever length it has when the clocks are changed.
func cuts(period string, c Clock) []time.Time {
	if period != Period90d {
		end := c.Now.Truncate(daySpan).Add(daySpan)
		out := make([]time.Time, daySpans+1)
		for i := range out {
			out[i] = end.Add(time.Duration(i-daySpans) * daySpan)
		}
		return out
	}
	y, m, d := c.Now.In(c.zone()).Date()
	out := make([]time.Time, longSpans+1)
	for i := range out {
		out[i] = time.Date(y, m, d+1+i-longSpans, 0, 0, 0, 0, c.zone())
	}
	return out
}

// historyClass is how a stretch of a bar looks: by colour, and by its height.
var historyClass = map[engine.Health]string{
	engine.HealthUnknown: "none", engine.HealthUp: "ok", engine.HealthPartly: "m",
	engine.HealthStarting: "info", engine.HealthDown: "c", engine.HealthOff: "off",
}

var healthWords = map[engine.Health]string{
	engine.HealthUnknown: "no record", engine.HealthUp: "up", engine.HealthPartly: "some instances down",
	engine.HealthStarting: "starting", engine.HealthDown: "down", engine.HealthOff: "did not run",
}

// History shapes a bar of a timeline.
func History(line []engine.HealthSpan, period string, c Clock) view.History {
	at := cuts(period, c)
	buckets := engine.HealthBuckets(line, at)
	step := historyWide / len(buckets)
	h := view.History{Wide: step * len(buckets), From: "24 h ago"}
	words := "last 24 hours"
	if period == Period90d {
		h.From, words = at[0].Format("2 Jan"), "last 90 days"
	}
	for i := 0; i < len(buckets); {
		// What is alike and uneventful is one stretch; days stay apart.
		n := i + 1
		for n < len(buckets) && alike(buckets[i], buckets[n]) && period != Period90d {
			n++
		}
		s := view.HistorySpan{X: i * step, W: (n - i) * step, Class: historyClass[buckets[i].Worst()]}
		if period == Period90d {
			s.X, s.W = s.X+1, s.W-2
			s.Title = dayTitle(buckets[i], c)
		} else {
			s.Title = stretchTitle(buckets[i:n], c)
		}
		h.Spans = append(h.Spans, s)
		i = n
	}
	all := engine.HealthBuckets(line, []time.Time{at[0], at[len(at)-1]})[0]
	h.Share = shareText(all)
	h.Text = words + ": "
	if _, known := all.Share(); !known {
		h.Text += h.Share
	} else {
		h.Text += "up " + h.Share + outText(all)
	}
	return h
}

func alike(a, b engine.HealthBucket) bool {
	return a.Worst() == b.Worst() && (a.Outages == 0 || a.Cause == b.Cause)
}

// shareText is how much of what is known somebody answered. It is cut and not
// rounded: a hundred is said of nothing that had an outage.
func shareText(b engine.HealthBucket) string {
	share, known := b.Share()
	switch {
	case !known:
		return "no record"
	case share >= 1:
		return "100 %"
	}
	return fmt.Sprintf("%.2f %%", math.Floor(share*10_000)/100)
}

func outText(b engine.HealthBucket) string {
	if b.Outages == 0 {
		return ""
	}
	text := ", " + Plural(b.Outages, "outage", "outages") + ", " + Span(b.Down+b.Off) + " in all"
	if b.Off > 0 && b.Down > 0 {
		text += ", " + Span(b.Off) + " of it not running"
	} else if b.Off > 0 {
		text += ", not running"
	}
	return text
}

func dayTitle(b engine.HealthBucket, c Clock) string {
	text := b.From.In(c.zone()).Format("Mon 2 Jan") + ": " + shareText(b)
	if _, known := b.Share(); known {
		text += " up" + outText(b)
	}
	return withCause(text, b.Cause)
}

func stretchTitle(list []engine.HealthBucket, c Clock) string {
	first, last := list[0], list[len(list)-1]
	to := last.To
	if to.After(c.Now) {
		to = c.Now
	}
	text := first.From.In(c.zone()).Format("15:04") + " to " + to.In(c.zone()).Format("15:04") + ": " + healthWords[first.Worst()]
	var out time.Duration
	for _, b := range list {
		out += b.Down + b.Off
	}
	if out > 0 {
		text += " for " + Span(out)
	}
	return withCause(text, first.Cause)
}

func withCause(text, cause string) string {
	if cause = strings.TrimSpace(cause); cause == "" || strings.HasSuffix(text, cause) {
		return text
	}
	return text + "\n" + short(cause, 200)
}

// linesOf are the timelines of a service's instances.
func linesOf(lines map[engine.Instance][]engine.HealthSpan, list []engine.Service) [][]engine.HealthSpan {
	var out [][]engine.HealthSpan
	for _, s := range list {
		out = append(out, lines[engine.Instance{Name: s.Name, Host: s.Host}])
	}
	return out
}
