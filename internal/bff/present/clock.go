// Package present shapes the engine's types into what templates draw. It is
// pure: the time is passed in, nothing is fetched.
package present

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"windlass/web/templates/view"
)

// Clock is now, in the zone in which a person reads times.
type Clock struct {
	Now  time.Time
	Zone *time.Location
}

const (
	exactLayout = "2006-01-02 15:04:05"
	clockLayout = "15:04:05.000"
)

// Ago shows how long ago a moment was ("3 m ago"); the exact time on hover.
func (c Clock) Ago(t time.Time) view.Time {
	return c.time(t, "ago", Ago(c.Now.Sub(t)))
}

// Until shows how long it is to a moment ("in 3 m").
func (c Clock) Until(t time.Time) view.Time {
	return c.time(t, "until", Until(t.Sub(c.Now)))
}

// Exact shows date and time to the second.
func (c Clock) Exact(t time.Time) view.Time {
	return c.time(t, "exact", t.In(c.zone()).Format(exactLayout))
}

// Clock shows the time of day to the millisecond, as in logs.
func (c Clock) Clock(t time.Time) view.Time {
	return c.time(t, "clock", t.In(c.zone()).Format(clockLayout))
}

func (c Clock) time(t time.Time, style, text string) view.Time {
	if t.IsZero() {
		return view.Time{Text: "never"}
	}
	title := t.UTC().Format(exactLayout) + " UTC"
	if z := c.zone(); z != time.UTC {
		title += "\n" + t.In(z).Format(exactLayout+" MST")
	}
	return view.Time{ISO: t.UTC().Format("2006-01-02T15:04:05.000Z"), Text: text, Style: style, Title: title}
}

func (c Clock) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Ago is a distance into the past in words; "just now" within five seconds.
func Ago(d time.Duration) string {
	if d < 5*time.Second {
		return "just now"
	}
	return Span(d) + " ago"
}

// Until is a distance into the future in words.
func Until(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return "in " + Span(d)
}

// Span is a duration by its largest one or two units: 41 s, 3 m, 2 h 5 m, 4 d.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.Itoa(int(d.Milliseconds())) + " ms"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " m"
	case d < 24*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 && d < 10*time.Hour {
			return fmt.Sprintf("%d h %d m", int(d.Hours()), m)
		}
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}

// Count writes a number with thousands separators: 148,493.
func Count[N ~int | ~int32 | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Plural is a count with its noun: "1 image", "3 images".
func Plural[N ~int | ~int32 | ~int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Bytes writes a size for reading: 28.6 MB.
func Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, exp := float64(n)/unit, 0
	for v >= unit && exp < 4 {
		v /= unit
		exp++
	}
	return fmt.Sprintf("%.1f %cB", v, "kMGTP"[exp])
}
