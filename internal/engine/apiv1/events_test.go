package apiv1

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// eventsBackend is an engine with an event log of functions.
type eventsBackend struct {
	Backend
	events       func(account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error)
	event        func(account, id string) (engine.Event, error)
	deleteEvent  func(account, id string) error
	deleteEvents func(account string, f engine.EventFilter, each func([]string) error) error
}

func (eventsBackend) Enter(ctx context.Context, _ string) (context.Context, error) { return ctx, nil }

func (b eventsBackend) Authenticate(_ context.Context, user string, password engine.Secret) (engine.Identity, error) {
	if password != "right" {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return engine.Identity{User: user, Account: user, Admin: user == "admin"}, nil
}

func (b eventsBackend) Events(_ context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	return b.events(account, f, p)
}

func (b eventsBackend) Event(_ context.Context, account, id string) (engine.Event, error) {
	return b.event(account, id)
}

func (b eventsBackend) DeleteEvent(_ context.Context, account, id string) error {
	return b.deleteEvent(account, id)
}

func (b eventsBackend) DeleteEvents(_ context.Context, account string, f engine.EventFilter, each func([]string) error) error {
	return b.deleteEvents(account, f, each)
}

var happened = time.Date(2020, 1, 2, 3, 4, 5, 123456789, time.UTC)

var failedSync = engine.Event{
	ID: "0123456789abcdef0123456789abcdef", Account: "admin", Type: engine.EvFeedsSyncFailed, Level: "error",
	Message: "Feeds sync task failed", Details: map[string]any{"cause": "<no route>"}, At: happened,
	StoredAt: happened.Add(time.Second), ResourceType: "feeds", Service: "policy_engine", Host: "host-1",
	BaseURL: "http://host-1:8087", Count: 1,
}

const failedSyncJSON = `{"generated_uuid":"0123456789abcdef0123456789abcdef","created_at":"2020-01-02T03:04:06.123456Z",` +
	`"event":{"type":"system.feeds.sync.failed","level":"error","message":"Feeds sync task failed","details":{"cause":"<no route>"},` +
	`"timestamp":"2020-01-02T03:04:05.123456Z","resource":{"user_id":"admin","id":null,"type":"feeds"},` +
	`"source":{"servicename":"policy_engine","hostid":"host-1","base_url":"http://host-1:8087","request_id":null}}}`

func TestListEvents(t *testing.T) {
	list := engine.EventList{Events: []engine.Event{failedSync}, Next: "more"}
	tests := map[string]struct {
		query   string
		filter  engine.EventFilter
		page    engine.EventPage
		account string
	}{
		"no filter": {"", engine.EventFilter{}, engine.EventPage{Page: 1, Limit: 100}, "admin"},
		"all": {"?source_servicename=catalog&source_hostid=h&event_type=system.*&resource_type=feeds&resource_id=a/b&level=INFO" +
			"&since=2020-01-01&before=2020-01-02T03:04:05Z&page=3&limit=1000&unknown=1",
			engine.EventFilter{Service: "catalog", Host: "h", Type: "system.*", ResourceType: "feeds", ResourceID: "a/b", Level: "INFO",
				Since: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Before: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)},
			engine.EventPage{Page: 3, Limit: 1000}, "admin"},
		"short name with a dash": {"?event_type=feed-sync_start", engine.EventFilter{Type: "feed-sync_start"}, engine.EventPage{Page: 1, Limit: 100}, "admin"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := eventsBackend{events: func(account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
				if account != tc.account || !reflect.DeepEqual(f, tc.filter) || p != tc.page {
					t.Errorf("asked %s %+v %+v", account, f, p)
				}
				return list, nil
			}}
			w := ask(t, b, "GET", "/v1/events"+tc.query, "", "admin:right")
			want := `{"results":[` + failedSyncJSON + `],"next_page":true,"item_count":1,"page":` + map[bool]string{true: "3", false: "1"}[tc.page.Page == 3] + "}"
			if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != want {
				t.Errorf("%d\n got %s\nwant %s", w.Code, got, want)
			}
		})
	}
}

func TestEmptyListOfEvents(t *testing.T) {
	b := eventsBackend{events: func(string, engine.EventFilter, engine.EventPage) (engine.EventList, error) {
		return engine.EventList{}, nil
	}}
	w := ask(t, b, "GET", "/events", "", "admin:right")
	if got := strings.TrimSpace(w.Body.String()); got != `{"results":[],"next_page":false,"item_count":0,"page":1}` {
		t.Errorf("got %s", got)
	}
}

func TestEventsRefused(t *testing.T) {
	tests := map[string]struct {
		method, query string
		code          int
		want          string
	}{
		"page":               {"GET", "?page=0", 400, `"title":"Bad Request"`},
		"limit":              {"GET", "?limit=1001", 400, `"title":"Bad Request"`},
		"limit is no number": {"GET", "?limit=x", 400, `"title":"Bad Request"`},
		"type":               {"GET", "?event_type=System.Feeds", 400, `"title":"Bad Request"`},
		"since":              {"GET", "?since=yesterday", 400, `"httpcode":400`},
		"before":             {"GET", "?before=x", 400, `"message":"before: `},
		"since after before": {"GET", "?since=2020-01-02&before=2020-01-01", 400, `since must be earlier than before`},
		"since at before":    {"GET", "?since=2020-01-02&before=2020-01-02", 400, `since must be earlier than before`},
		"deletion since":     {"DELETE", "?since=yesterday", 400, `"message":"since: `},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, eventsBackend{}, tc.method, "/v1/events"+tc.query, "", "admin:right")
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestOneEvent(t *testing.T) {
	missing := &engine.Fault{Kind: engine.ErrNotFound, Message: "Event not found"}
	b := eventsBackend{
		event: func(account, id string) (engine.Event, error) {
			if id == failedSync.ID && account == "admin" {
				return failedSync, nil
			}
			return engine.Event{}, missing
		},
		deleteEvent: func(account, id string) error {
			if id == failedSync.ID && account == "admin" {
				return nil
			}
			return missing
		},
	}
	const notFound = `{"message":"Event not found","httpcode":404,"detail":{"error_codes":[]}}`
	tests := map[string]struct {
		method, id, user string
		code             int
		want             string
	}{
		"get":                   {"GET", failedSync.ID, "admin", 200, failedSyncJSON},
		"get of none":           {"GET", "nosuch", "admin", 404, notFound},
		"get of another's":      {"GET", failedSync.ID, "ann", 404, notFound},
		"deletion":              {"DELETE", failedSync.ID, "admin", 200, "null"},
		"deletion of none":      {"DELETE", "nosuch", "admin", 404, notFound},
		"deletion of another's": {"DELETE", failedSync.ID, "ann", 404, notFound},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, b, tc.method, "/v1/events/"+tc.id, "", tc.user+":right")
			if got := strings.TrimSpace(w.Body.String()); w.Code != tc.code || got != tc.want {
				t.Errorf("%d %s\nwant %d %s", w.Code, got, tc.code, tc.want)
			}
		})
	}
}

func TestDeleteEvents(t *testing.T) {
	var got engine.EventFilter
	b := eventsBackend{deleteEvents: func(account string, f engine.EventFilter, each func([]string) error) error {
		got = f
		if f.Level == "nothing" {
			return nil
		}
		for _, chunk := range [][]string{{"a", "b"}, {"c"}} {
			if err := each(chunk); err != nil {
				return err
			}
		}
		return nil
	}}
	w := ask(t, b, "DELETE", "/v1/events?since=2020-01-02&before=2020-01-01&level=Error&source_servicename=catalog", "", "admin:right")
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `["a","b","c"]` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got.Service != "catalog" || got.Level != "Error" || got.Since.IsZero() || got.Before.IsZero() {
		t.Errorf("filter %+v", got)
	}
	w = ask(t, b, "DELETE", "/v1/events?level=nothing", "", "admin:right")
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `[]` {
		t.Errorf("none matches: %d %s", w.Code, w.Body)
	}
}

// Half a list of ids must not look like a whole one.
func TestDeletionThatFailsInTheMiddleBreaksOff(t *testing.T) {
	b := eventsBackend{deleteEvents: func(_ string, _ engine.EventFilter, each func([]string) error) error {
		each([]string{"a"})
		return engine.ErrUnavailable
	}}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the reply was ended in order")
		}
	}()
	ask(t, b, "DELETE", "/v1/events", "", "admin:right")
}

func TestEventTypes(t *testing.T) {
	w := ask(t, eventsBackend{}, "GET", "/v1/event_types", "", "ann:right")
	var got []EventCategory
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var parts []string
	var types int
	for _, c := range got {
		for _, s := range c.Subcategories {
			parts = append(parts, c.Name+"."+s.Name)
			types += len(s.Events)
			if c.Description == "" || s.Description == "" {
				t.Errorf("%s.%s has no description", c.Name, s.Name)
			}
		}
	}
	want := "system.analysis_archive system.feeds system.image_analysis system.repository system.service system.test " +
		"user.checks user.image user.policy"
	if strings.Join(parts, " ") != want || types != len(engine.EventTypes) {
		t.Errorf("%d types in %s", types, parts)
	}
	first := EventTypeEntry{Name: "sync.started", Type: engine.EvFeedsSyncStarted, Message: "Feeds sync task started", ResourceType: "feeds"}
	if e := got[0].Subcategories[1].Events[0]; e != first {
		t.Errorf("first of system.feeds is %+v", e)
	}
}

func FuzzEventFilter(f *testing.F) {
	f.Add("since=2020-01-02T03:04:05+02:00&level=INFO")
	f.Add("before=%00")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		got, err := eventFilter(&request{query: q})
		if err == nil && q.Get("since") != "" && got.Since.IsZero() {
			t.Errorf("%q: since was lost", query)
		}
	})
}
