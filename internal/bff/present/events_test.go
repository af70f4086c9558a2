package present_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

var (
	now   = time.Date(2026, 11, 22, 13, 4, 16, 0, time.UTC)
	clock = present.Clock{Now: now}
)

func queryOf(address string) present.EventQuery {
	v, err := url.ParseQuery(address)
	if err != nil {
		panic(err)
	}
	return present.ParseEventQuery(v.Get)
}

func TestEventQuery(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	tests := map[string]struct {
		query string
		zone  *time.Location
		want  engine.EventFilter
	}{
		"nothing":      {"", nil, engine.EventFilter{}},
		"all fields":   {"text=a+b&level=error&service=catalog&host=h&type=*.failed&resource_type=feeds&resource=r", nil, engine.EventFilter{Text: "a b", Level: "error", Service: "catalog", Host: "h", Type: "*.failed", ResourceType: "feeds", ResourceID: "r"}},
		"range":        {"range=1h", nil, engine.EventFilter{Since: now.Add(-time.Hour)}},
		"no range":     {"range=forever", nil, engine.EventFilter{}},
		"range within": {"range=24h&since=2026-11-22T12:00:00Z", nil, engine.EventFilter{Since: now.Truncate(time.Hour).Add(-time.Hour)}},
		"zone given":   {"since=2026-11-22T12:00:00Z", berlin, engine.EventFilter{Since: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}},
		"zone missing": {"since=2026-11-22T12:00", berlin, engine.EventFilter{Since: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)}},
		"control":      {"text=a%00b%FF&service=+x+", nil, engine.EventFilter{Text: "ab", Service: "x"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := queryOf(tc.query).Filter(present.Clock{Now: now, Zone: tc.zone})
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tc.want)
			}
		})
	}
	for _, bad := range []string{"since=soon", "before=x", "since=2026-01-02&before=2026-01-01"} {
		if _, err := queryOf(bad).Filter(clock); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func FuzzEventQuery(f *testing.F) {
	f.Add("text=a&level=error&since=2026-01-02T03:04&order=oldest&after=x.y&open=1")
	f.Add("text=%00%FF&range=1h")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q := present.ParseEventQuery(v.Get)
		if again := queryOf(strings.TrimPrefix(q.Query(), "?")); again != q {
			t.Errorf("%+v became %+v by its address", q, again)
		}
		if c := q.Canonical(clock); c.Canonical(clock) != c {
			t.Errorf("%+v is not canonical", c)
		}
		if f, err := q.Filter(clock); err == nil && present.FilterWords(f) == "" {
			t.Errorf("%+v has no words", f)
		}
	})
}

func TestEventRow(t *testing.T) {
	tests := map[string]struct {
		e    engine.Event
		want func(*view.EventRow)
	}{
		"an error with a cause": {
			engine.Event{ID: "0123456789abcdef", Type: engine.EvFeedsSyncFailed, Level: "error", Message: "Feeds sync task failed", At: now,
				Details: map[string]any{"cause": "dns:\n no such host"}, Service: "policy_engine", Host: "h", ResourceType: "feeds"},
			func(r *view.EventRow) {
				r.Error, r.Event, r.Dotted, r.TypeHref = true, "feed_sync_failed", "system.feeds.sync.failed", "/events?type=feed_sync_failed"
				r.Service, r.ServiceHref, r.Host = "policy_engine", "/events?service=policy_engine", "h"
				r.Resource, r.ResourceHref, r.Message = "feeds", "/events?resource_type=feeds", "Feeds sync task failed: dns: no such host"
			},
		},
		"an unknown type, folded": {
			engine.Event{ID: "0123456789abcdef", Type: "custom.thing.done", Level: "info", At: now, Count: 3, ResourceID: "a/b:c", ResourceType: "image_tag"},
			func(r *view.EventRow) {
				r.Event, r.Dotted, r.TypeHref = "done", "custom.thing.done", "/events?type=custom.thing.done"
				r.ServiceHref = "/events"
				r.Resource, r.ResourceHref, r.Count = "a/b:c", "/events?resource=a%2Fb%3Ac", "×3"
			},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			want := view.EventRow{DOMID: "event-0123456789abcdef", ID: "0123456789abcdef", Short: "01234567", Href: "/events/0123456789abcdef", At: clock.Exact(now), Pick: "id", PickValue: "0123456789abcdef", Events: 1}
			tc.want(&want)
			if got := present.EventRow(tc.e, clock); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestEventsCounts(t *testing.T) {
	tests := []struct {
		n                int64
		exact            bool
		count, all, link string
	}{
		{0, true, "0 events", "", ""},
		{1, true, "1 event", "Clear 1 event", ""},
		{1284, true, "1,284 events", "Clear 1,284 events", ""},
		{10_000, false, "10,000+ events", "Clear all that match", "/events/clear?level=error"},
		{1, false, "1+ events", "Clear all that match", "/events/clear?level=error"},
	}
	for _, tc := range tests {
		v := present.EventsList(present.EventsData{Query: queryOf("level=error&after=c"), Count: tc.n, Exact: tc.exact}, clock)
		if v.Count != tc.count || v.All != tc.all || v.AllLink != tc.link {
			t.Errorf("%q %q %q, want %+v", v.Count, v.All, v.AllLink, tc)
		}
	}
}

// A search that has not looked through the whole log says so.
func TestSearchThatHasNotEnded(t *testing.T) {
	d := present.EventsData{Query: queryOf("text=x"), List: engine.EventList{Next: "c", Searched: now.Add(-time.Hour)}}
	v := present.EventsList(d, clock)
	if v.Empty == nil || v.Empty.Href != "/events?text=x&after=c" || !strings.Contains(v.Note, "back to 2026-11-22 12:04:16") {
		t.Errorf("%+v %q", v.Empty, v.Note)
	}
}

// What a clear form says is the filter as it was drawn, and ends at that moment.
func TestClearFields(t *testing.T) {
	tests := map[string]string{
		"":                                   "before=2026-11-22T13:04:16Z",
		"level=error&range=1h":               "level=error since=2026-11-22T12:04:16Z before=2026-11-22T13:04:16Z",
		"before=2026-11-01&after=x&open=y":   "before=2026-11-01T00:00:00Z",
		"before=2027-11-01&text=a&order=old": "text=a before=2026-11-22T13:04:16Z",
	}
	for query, want := range tests {
		f, err := queryOf(query).Filter(clock)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, field := range present.ClearFields(f, clock) {
			got = append(got, field.Name+"="+field.Value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", query, got, want)
		}
	}
}

func TestEventClear(t *testing.T) {
	base := engine.EventClear{ID: 7, Total: 2000, Done: 2000, Purged: 500, StartedAt: now.Add(-5 * time.Second), By: "ann", Filter: engine.EventFilter{Level: "ERROR", Before: now}}
	tests := map[string]struct {
		status, title, meter, undo, cancel string
		until                              time.Duration
	}{
		"done":      {engine.ClearDone, "Cleared 2,000 events", "", "/events/clears/7/undo", "", time.Minute},
		"too late":  {engine.ClearDone, "Cleared 2,000 events", "", "", "", -time.Second},
		"purging":   {engine.ClearPurging, "Cleared 2,000 events", "500 of 2,000 deleted for good, 100 a second, about 15 s left", "", "/events/clears/7/cancel", -5 * time.Second},
		"cancelled": {engine.ClearCancelled, "500 of 2,000 events deleted", "", "", "", -time.Second},
		"undone":    {engine.ClearUndone, "All 2,000 events are back", "", "", "", time.Minute},
		"purged":    {engine.ClearPurged, "Cleared 2,000 events", "", "", "", -time.Hour},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := base
			e.Status = tc.status
			if tc.until != 0 {
				e.UndoUntil = now.Add(tc.until)
			}
			v := present.EventClear(e, clock)
			if v.Title != tc.title || v.Meter.Text != tc.meter || v.Undo != tc.undo || v.Cancel != tc.cancel || v.What != "level error" || v.Back != "/events?level=ERROR" {
				t.Errorf("got %+v", v)
			}
		})
	}
}

func TestSameBy(t *testing.T) {
	q := queryOf("level=error&service=analyzer&type=*.failed&resource=it's&since=2026-01-02T00:00:00Z")
	f, err := q.Filter(clock)
	if err != nil {
		t.Fatal(err)
	}
	got := present.Events(present.EventsData{Query: q, Filter: f, User: "ann", API: "http://h:1"}, clock).Same
	want := view.SameBy{
		API: `curl -u ann 'http://h:1/v1/events?level=error&source_servicename=analyzer&event_type=%2A.failed&since=2026-01-02T00%3A00%3A00Z&resource_id=it%27s'`,
		CLI: `anchore-cli event list 'it'\''s' --level error --service analyzer --event_type '*.failed' --since 2026-01-02T00:00:00Z`,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
