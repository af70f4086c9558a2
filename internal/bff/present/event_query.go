package present

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"
	"time"

	"windlass/internal/engine"
)

// EventQuery is the state of the events page as its address holds it.
type EventQuery struct {
	Text, Level, Service, Host, Type string
	ResourceType, Resource           string
	Range                            string // 15m, 1h, 24h, 7d, 30d; empty: any time
	Since, Before                    string // exact, both exclusive
	Order                            string // oldest; empty: newest first
	After                            string // cursor of the page before
	Open                             string // id of the event in the drawer
	Fold                             string // 1: repeats are one row
	Unfold                           string // key of the row whose events are shown
}

// fields lists the query by name, in the order of addresses.
func (q *EventQuery) fields() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{
		{"text", &q.Text}, {"level", &q.Level}, {"service", &q.Service}, {"host", &q.Host}, {"type", &q.Type},
		{"resource_type", &q.ResourceType}, {"resource", &q.Resource}, {"range", &q.Range},
		{"since", &q.Since}, {"before", &q.Before}, {"fold", &q.Fold}, {"order", &q.Order}, {"after", &q.After}, {"unfold", &q.Unfold}, {"open", &q.Open},
	}
}

// maxQueryText bounds each value: a resource may be a long pull string.
const maxQueryText = 600

// ParseEventQuery reads an address or a form. What cannot be meant is dropped;
// times are read later, by Filter, where they can be refused.
func ParseEventQuery(get func(name string) string) EventQuery {
	var q EventQuery
	for _, f := range q.fields() {
		v := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(get(f.name), ""), "\x00", ""))
		if len(v) > maxQueryText {
			v = strings.ToValidUTF8(v[:maxQueryText], "")
		}
		*f.value = v
	}
	if q.Order != "oldest" {
		q.Order = ""
	}
	if q.Fold != "1" {
		q.Fold, q.Unfold = "", ""
	}
	if _, known := ranges[q.Range]; !known {
		q.Range = ""
	}
	return q
}

var ranges = map[string]time.Duration{
	"15m": 15 * time.Minute, "1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour,
}

// Filter is what the query asks of the log at a moment. Times without a zone
// are of the clock's.
func (q EventQuery) Filter(c Clock) (engine.EventFilter, error) {
	f := engine.EventFilter{
		Text: q.Text, Level: q.Level, Service: q.Service, Host: q.Host, Type: q.Type,
		ResourceType: q.ResourceType, ResourceID: q.Resource,
	}
	var err error
	if q.Since != "" {
		if f.Since, err = c.parse(q.Since); err != nil {
			return f, err
		}
	}
	if q.Before != "" {
		if f.Before, err = c.parse(q.Before); err != nil {
			return f, err
		}
	}
	if d := ranges[q.Range]; d > 0 && f.Since.Before(c.Now.Add(-d)) {
		f.Since = c.Now.Add(-d).UTC()
	}
	if !f.Since.IsZero() && !f.Before.IsZero() && !f.Since.Before(f.Before) {
		return f, engine.Invalidf("The time range is empty: %s is not before %s.", stamp(f.Since), stamp(f.Before))
	}
	return f, nil
}

// zoneless is a time as a datetime-local field sends it.
var zoneless = regexp.MustCompile(`^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$`)

func (c Clock) parse(text string) (time.Time, error) {
	t, err := engine.ParseTime(text)
	if err == nil && zoneless.MatchString(text) {
		y, m, d := t.Date()
		t = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), c.zone()).UTC()
	}
	return t, err
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Canonical is the query with its times in UTC, so that its address means the
// same to everyone. Times that cannot be read stay as they are.
func (q EventQuery) Canonical(c Clock) EventQuery {
	for _, v := range []*string{&q.Since, &q.Before} {
		if t, err := c.parse(*v); err == nil {
			*v = stamp(t)
		}
	}
	return q
}

// Query is the part of an address after the question mark, with it.
func (q EventQuery) Query() string {
	var b strings.Builder
	for _, f := range q.fields() {
		if *f.value == "" {
			continue
		}
		if b.Len() == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(f.name + "=" + url.QueryEscape(*f.value))
	}
	return b.String()
}

// Href is the address of the events page in this state.
func (q EventQuery) Href() string { return "/events" + q.Query() }

// List is the query without what belongs to one page of it.
func (q EventQuery) List() EventQuery {
	q.After, q.Open, q.Unfold = "", "", ""
	return q
}

// Folded reports whether repeats are one row.
func (q EventQuery) Folded() bool { return q.Fold == "1" }

// Filters is the query without what only says how its list is looked at.
func (q EventQuery) Filters() EventQuery {
	q = q.List()
	q.Fold, q.Order = "", ""
	return q
}

// with is the query altered, from its first page.
func (q EventQuery) with(alter func(*EventQuery)) EventQuery {
	q = q.List()
	alter(&q)
	return q
}

// Filtered reports whether anything narrows the list.
func (q EventQuery) Filtered() bool {
	return q.Filters() != EventQuery{}
}

// QueryOf is the query that asks for what a filter does, as far as it can be
// said in an address: chosen ids cannot.
func QueryOf(f engine.EventFilter) EventQuery {
	q := EventQuery{
		Text: f.Text, Level: f.Level, Service: f.Service, Host: f.Host, Type: f.Type,
		ResourceType: f.ResourceType, Resource: f.ResourceID,
	}
	if !f.Since.IsZero() {
		q.Since = stamp(f.Since)
	}
	if !f.Before.IsZero() {
		q.Before = stamp(f.Before)
	}
	return q
}

// FilterWords says in words what a filter selects: "level error, service
// analyzer", or all events.
func FilterWords(f engine.EventFilter) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	add("text", f.Text)
	add("level", strings.ToLower(f.Level))
	add("service", f.Service)
	add("host", f.Host)
	add("event", f.Type)
	add("resource type", f.ResourceType)
	add("resource", f.ResourceID)
	if !f.Since.IsZero() {
		add("since", f.Since.UTC().Format(exactLayout)+" UTC")
	}
	if n := len(f.Runs); n > 0 {
		return Plural(n+len(f.IDs), "chosen row", "chosen rows")
	}
	if n := len(f.IDs); n > 0 {
		return Plural(n, "chosen event", "chosen events")
	}
	if n := len(f.Except); n > 0 {
		add("except", Plural(n, "event", "events"))
	}
	return cmp.Or(strings.Join(parts, ", "), "all events")
}
