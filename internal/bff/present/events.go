package present

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// CountBound is how far the events page counts: beyond it the exact number
// costs more than a page may.
const CountBound = 10_000

// EventsData is what the events page is made of.
type EventsData struct {
	Query  EventQuery
	Filter engine.EventFilter // of Query, at Clock.Now
	List   engine.EventList
	Count  int64 // at most CountBound
	Exact  bool  // or there are more
	Clears []engine.EventClear
	// When repeats are folded: the rows, of which List has the first events, and
	// the events of the one that is open.
	Folds   []EventFold
	Members []engine.Event
	Saved   []engine.SavedFilter
	Keeps   bool // the engine can save filters
	Retains bool // and delete old events by rules
	Open    *engine.Event
	User    string // who looks, and where the API is: for the command lines
	API     string
}

// Shown is how many events the page stands for.
func (d EventsData) Shown() int64 {
	if !d.Query.Folded() {
		return int64(len(d.List.Events))
	}
	n := 0
	for _, f := range d.Folds {
		n += f.Count
	}
	return int64(n)
}

// Events shapes the page.
func Events(d EventsData, c Clock) view.Events {
	v := view.Events{Filter: eventsFilter(d.Query, c), Saved: eventsSaved(d), Retention: d.Retains, List: EventsList(d, c), Same: eventsSame(d)}
	if d.Open != nil {
		e := EventDetail(*d.Open, c)
		e.Close = d.Query.closed()
		e.Back = d.Query.closed()
		if i := slices.IndexFunc(d.List.Events, func(o engine.Event) bool { return o.ID == d.Open.ID }); i >= 0 {
			if i > 0 {
				e.Prev = d.Query.opened(d.List.Events[i-1].ID)
			}
			if i+1 < len(d.List.Events) {
				e.Next = d.Query.opened(d.List.Events[i+1].ID)
			}
		}
		v.Open = &e
	}
	return v
}

func (q EventQuery) closed() string { q.Open = ""; return q.Href() }

func (q EventQuery) opened(id string) string { q.Open = id; return q.Href() }

// EventsList shapes the table and what acts on it.
func EventsList(d EventsData, c Clock) view.EventsList {
	q := d.Query
	v := view.EventsList{
		Oldest: q.Order == "oldest", Live: q.After == "" && q.Order == "",
		CSV: "/events/export.csv" + q.exported(), NDJSON: "/events/export.ndjson" + q.exported(),
		Back:   q.closed(),
		Fields: ClearFields(d.Filter, c), Count: countWords(d) + " " + noun(d),
	}
	v.Order = q.with(func(q *EventQuery) {
		if q.Order == "" {
			q.Order = "oldest"
		} else {
			q.Order = ""
		}
	}).Href()
	v.Folded = q.Folded()
	v.FoldHref = q.with(func(q *EventQuery) {
		if q.Fold == "" {
			q.Fold = "1"
		} else {
			q.Fold = ""
		}
	}).Href()
	for i, e := range d.List.Events {
		if v.Folded {
			v.Rows = append(v.Rows, foldRow(d.Folds[i], q, d.Members, c))
		} else {
			v.Rows = append(v.Rows, EventRow(e, c))
		}
	}
	for _, cl := range d.Clears {
		if cl.Working() || cl.Undoable(c.Now) && cl.Total > 0 {
			v.Clears = append(v.Clears, EventClear(cl, c))
		}
	}
	switch {
	case !d.Exact:
		v.All, v.AllLink = "Clear all that match", "/events/clear"+q.List().Canonical(c).Query()
		v.Match = "all that match"
	case d.Count > 0:
		v.All = "Clear " + Plural(d.Count, "event", "events")
		v.Match = "all " + Count(d.Count) + " matching"
	}
	v.Pager = eventsPager(d)
	if !d.List.Searched.IsZero() {
		what := "for the text "
		if q.Text == "" { // a clear by text is in force
			what = ""
		}
		v.Note = "Looked " + what + "back to " + d.List.Searched.In(c.zone()).Format(exactLayout) + ". The next page looks further."
		if v.Oldest {
			v.Note = strings.Replace(v.Note, "back to", "up to", 1)
		}
	}
	if len(v.Rows) == 0 {
		v.Empty = eventsEmpty(d)
	}
	return v
}

// exported is the query of an export, which has every event as a row.
func (q EventQuery) exported() string {
	q = q.List()
	q.Fold = ""
	return q.Query()
}

func eventsPager(d EventsData) view.Pager {
	q := d.Query
	var p view.Pager
	switch rows, n := len(d.List.Events), d.Shown(); {
	case rows > 0 && q.Folded():
		p.Text = eventsShown(n, d) + " in " + Plural(rows, "row", "rows")
	case rows > 0:
		p.Text = eventsShown(n, d)
	}
	if q.After != "" {
		p.First = q.List().Href()
	}
	if d.List.Next != "" {
		next := q.List()
		next.After = d.List.Next
		p.Next = next.Href()
	}
	return p
}

func eventsEmpty(d EventsData) *view.EventsEmpty {
	q := d.Query
	switch {
	case d.List.Next != "":
		further := q.List()
		further.After = d.List.Next
		return &view.EventsEmpty{Title: "No match so far", Text: "The log is long, and no event of its newer part has this text.", Href: further.Href(), Label: "Look further back"}
	case q.After != "":
		return &view.EventsEmpty{Title: "No more events", Text: "This page of the list is empty by now.", Href: q.List().Href(), Label: "First page"}
	case q.Filtered():
		return &view.EventsEmpty{Title: "No event matches", Text: "Nothing in the log fits all of these filters. New events that do appear here at once.",
			Href: "/events", Label: "Remove all filters"}
	}
	return &view.EventsEmpty{Title: "No events yet", Text: "The engine writes one when a service starts or stops answering, when feeds are synced, and when the analysis of an image ends. They appear here at once.",
		Href: "/images", Label: "Add an image"}
}

// countWords is the count as far as it is known.
// eventsShown says how many of the events that match stand on the page.
func eventsShown(n int64, d EventsData) string {
	if d.Exact && n == d.Count {
		return Plural(n, "event", "events")
	}
	return Count(n) + " of " + countWords(d) + " " + noun(d)
}

func countWords(d EventsData) string {
	if !d.Exact {
		return Count(d.Count) + "+"
	}
	return Count(d.Count)
}

func noun(d EventsData) string {
	if d.Count == 1 && d.Exact {
		return "event"
	}
	return "events"
}

// ClearFields are the hidden fields that say what a clear is for: the filter
// as it was drawn, with the moment of the drawing as its end, so that what
// happens later is not swallowed.
func ClearFields(f engine.EventFilter, c Clock) []view.Field {
	if f.Before.IsZero() || f.Before.After(c.Now) {
		f.Before = c.Now
	}
	q := QueryOf(f)
	var list []view.Field
	for _, field := range q.fields() {
		if *field.value != "" {
			list = append(list, view.Field{Name: field.name, Value: *field.value})
		}
	}
	return list
}

// EventRow shapes one event for the table. A row is drawn once for all
// browsers when it is pushed: it links to addresses that hold for all.
func EventRow(e engine.Event, c Clock) view.EventRow {
	r := view.EventRow{
		DOMID: "event-" + e.ID, ID: e.ID, Short: short(e.ID, 8), Href: "/events/" + url.PathEscape(e.ID),
		Error: e.Level == engine.LevelError, At: c.Exact(e.At), Service: e.Service, Host: e.Host,
		ServiceHref: EventQuery{Service: e.Service}.Href(),
		Event:       engine.ShortEventName(e.Type), Dotted: e.Type, TypeHref: EventQuery{Type: e.Type}.Href(),
		Resource: e.ResourceID, Message: e.Message, Pick: "id", PickValue: e.ID, Events: 1,
	}
	if t, known := engine.EventTypeOf(e.Type); known { // the guide's name is the shorter address
		r.TypeHref = EventQuery{Type: t.Short}.Href()
	}
	if e.ResourceID != "" {
		r.ResourceHref = EventQuery{Resource: e.ResourceID}.Href()
	} else {
		r.Resource = e.ResourceType
		r.ResourceHref = EventQuery{ResourceType: e.ResourceType}.Href()
	}
	if cause := EventCause(e); cause != "" && !strings.Contains(r.Message, cause) {
		r.Message += ": " + cause
	}
	r.Message = short(strings.Join(strings.Fields(r.Message), " "), 300)
	if e.Count > 1 {
		r.Count = "×" + Count(e.Count)
	}
	return r
}

func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// EventSame is one event as the API and the command line give it.
func EventSame(id, user, api string) view.SameBy {
	return view.SameBy{API: curl(user, api, "/events/"+url.PathEscape(id)), CLI: "anchore-cli event get " + shellWord(id)}
}

// EventDetail shapes everything known of one event.
func EventDetail(e engine.Event, c Clock) view.EventDetail {
	v := view.EventDetail{
		EventRow: EventRow(e, c), Stored: c.Exact(e.StoredAt), BaseURL: e.BaseURL, ResourceType: e.ResourceType,
		Request: e.RequestID, Cause: EventCause(e), YAML: EventYAML(e), JSON: EventJSON(e),
		Delete: "/events/" + url.PathEscape(e.ID) + "/delete", Back: "/events", Close: "/events",
	}
	v.Message = e.Message
	if e.Service != "" {
		q := url.Values{"service": {e.Service}, "at": {stamp(e.At)}}
		if e.Host != "" {
			q.Set("host", e.Host)
		}
		v.Log = "/logs?" + q.Encode()
		v.LogText = fmt.Sprintf("Log of %s around %s", e.Service, e.At.In(c.zone()).Format("15:04:05"))
	}
	return v
}

func eventsFilter(q EventQuery, c Clock) view.EventsFilter {
	v := view.EventsFilter{
		Text: q.Text, Host: q.Host, Type: q.Type, Resource: q.Resource, Order: q.Order, Fold: q.Fold,
		Since: c.local(q.Since), Before: c.local(q.Before), Zone: "UTC",
		More:          q.Host+q.Type+q.ResourceType+q.Resource+q.Since+q.Before != "",
		Levels:        options(q.Level, "Any level", engine.LevelError, "Errors", engine.LevelInfo, "Info"),
		Ranges:        options(q.Range, "Any time", "15m", "Last 15 minutes", "1h", "Last hour", "24h", "Last 24 hours", "7d", "Last 7 days", "30d", "Last 30 days"),
		Services:      names(q.Service, "Any service", engine.ServiceNames),
		ResourceTypes: names(q.ResourceType, "Any kind", resourceTypes()),
	}
	if c.zone() != time.UTC {
		v.Zone = "local time"
	}
	for _, t := range engine.EventTypes {
		v.Types = append(v.Types, view.Option{Value: t.Short, Text: t.Type})
	}
	v.Chips = eventChips(q, c)
	return v
}

// local is an exact time as a datetime-local field takes it.
func (c Clock) local(text string) string {
	t, err := c.parse(text)
	if err != nil {
		return ""
	}
	return t.In(c.zone()).Format("2006-01-02T15:04:05")
}

func eventChips(q EventQuery, c Clock) []view.Chip {
	var list []view.Chip
	chip := func(name, value string, drop func(*EventQuery)) {
		if value != "" {
			list = append(list, view.Chip{Name: name, Value: value, Remove: q.with(drop).Href()})
		}
	}
	exact := func(text string) string {
		if t, err := c.parse(text); err == nil {
			return t.In(c.zone()).Format(exactLayout)
		}
		return text
	}
	chip("text", q.Text, func(q *EventQuery) { q.Text = "" })
	chip("level", q.Level, func(q *EventQuery) { q.Level = "" })
	chip("service", q.Service, func(q *EventQuery) { q.Service = "" })
	chip("host", q.Host, func(q *EventQuery) { q.Host = "" })
	chip("event", q.Type, func(q *EventQuery) { q.Type = "" })
	chip("resource type", q.ResourceType, func(q *EventQuery) { q.ResourceType = "" })
	chip("resource", q.Resource, func(q *EventQuery) { q.Resource = "" })
	chip("last", q.Range, func(q *EventQuery) { q.Range = "" })
	chip("after", exact(q.Since), func(q *EventQuery) { q.Since = "" })
	chip("before", exact(q.Before), func(q *EventQuery) { q.Before = "" })
	return list
}

// options are the choices of a select: pairs of value and text after the one
// that chooses nothing. A value that is none of them is shown all the same.
func options(now, none string, pairs ...string) []view.Option {
	list := []view.Option{{Text: none, Selected: now == ""}}
	found := now == ""
	for i := 0; i+1 < len(pairs); i += 2 {
		same := strings.EqualFold(now, pairs[i])
		found = found || same
		list = append(list, view.Option{Value: pairs[i], Text: pairs[i+1], Selected: same})
	}
	if !found {
		list = append(list, view.Option{Value: now, Text: now, Selected: true})
	}
	return list
}

func names(now, none string, values []string) []view.Option {
	var pairs []string
	for _, v := range values {
		pairs = append(pairs, v, v)
	}
	return options(now, none, pairs...)
}

func resourceTypes() []string {
	var list []string
	for _, t := range engine.EventTypes {
		if !slices.Contains(list, t.Resource) {
			list = append(list, t.Resource)
		}
	}
	slices.Sort(list)
	return list
}

// eventsSame is the list as the API and the command line give it. Neither
// knows the search for text.
func eventsSame(d EventsData) view.SameBy {
	f := d.Filter
	var query, flags []string
	add := func(name, flag, value string) {
		if value != "" {
			query = append(query, name+"="+url.QueryEscape(value))
			flags = append(flags, flag+" "+shellWord(value))
		}
	}
	add("level", "--level", strings.ToLower(f.Level))
	add("source_servicename", "--service", f.Service)
	add("source_hostid", "--host", f.Host)
	add("event_type", "--event_type", f.Type)
	add("resource_type", "--resource_type", f.ResourceType)
	if !f.Since.IsZero() {
		add("since", "--since", f.Since.UTC().Format(time.RFC3339))
	}
	if !f.Before.IsZero() {
		add("before", "--before", f.Before.UTC().Format(time.RFC3339))
	}
	api, cli := "/events", "anchore-cli event list"
	if f.ResourceID != "" {
		query = append(query, "resource_id="+url.QueryEscape(f.ResourceID))
		cli += " " + shellWord(f.ResourceID)
	}
	if len(query) > 0 {
		api += "?" + strings.Join(query, "&")
	}
	if len(flags) > 0 {
		cli += " " + strings.Join(flags, " ")
	}
	return view.SameBy{API: curl(d.User, d.API, api), CLI: cli}
}
