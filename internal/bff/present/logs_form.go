package present

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// LogForm is what the log viewer's address asks for.
type LogForm struct {
	Query   engine.LogQuery
	At      time.Time        // show what lies around this moment
	Line    engine.LogCursor // one position: of the line to show among its neighbours
	OneLine bool
	Ago     map[string]string // bounds in time that were given as a distance from now
}

// Live reports whether the page follows the log: it does unless it was asked
// for a place in the past.
func (f LogForm) Live() bool {
	return f.At.IsZero() && f.Line == nil && f.Query.Before.IsZero() && !f.Query.Oldest && f.Query.Until == nil
}

// With is the form with filters that a line passes.
func (f LogForm) With(l engine.LogLine) LogForm {
	if len(f.Query.Services) > 0 && !slices.Contains(f.Query.Services, l.Service) {
		f.Query.Services = append(slices.Clone(f.Query.Services), l.Service)
	}
	if len(f.Query.Hosts) > 0 && !slices.Contains(f.Query.Hosts, l.Host) {
		f.Query.Hosts = append(slices.Clone(f.Query.Hosts), l.Host)
	}
	return f.Plain()
}

// Plain is the form without what would hide a line's neighbours.
func (f LogForm) Plain() LogForm {
	f.Query.Level, f.Query.Text, f.Query.Context = "", "", 0
	f.Query.Regex, f.Query.Invert = false, false
	return f
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
	if f.Query.Context > 0 {
		v.Set("context", strconv.Itoa(f.Query.Context))
	}
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

// Past is the address of the lines that come behind a position.
func (f LogForm) Past(from engine.LogCursor) string {
	if len(from) == 0 {
		return ""
	}
	return f.address("/logs", "from", from.String())
}

// bound is a bound in time as the address had it.
func (f LogForm) bound(name string, t time.Time) string {
	if ago := f.Ago[name]; ago != "" {
		return ago
	}
	return moment(t)
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
