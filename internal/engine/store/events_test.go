package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

var epoch = time.Date(2020, 1, 2, 3, 4, 5, 123456000, time.UTC)

// addEvent stores an event of a type, n minutes after the epoch, and names it.
func addEvent(t *testing.T, s *store.Store, id, account, eventType, resource string, minutes int, alter ...func(*engine.Event)) {
	t.Helper()
	e := engine.NewEvent(eventType, account, resource, nil, engine.Source{Service: engine.Analyzer, Host: "host-1", BaseURL: "http://a"})
	e.ID, e.At = id, epoch.Add(time.Duration(minutes)*time.Minute)
	for _, f := range alter {
		f(&e)
	}
	if err := s.AddEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func ids(list []engine.Event) string {
	var b []string
	for _, e := range list {
		b = append(b, e.ID)
	}
	return strings.Join(b, " ")
}

func listed(t *testing.T, s *store.Store, account string, f engine.EventFilter) string {
	t.Helper()
	l, err := s.Events(t.Context(), account, f, engine.EventPage{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return ids(l.Events)
}

func from(service, host string) func(*engine.Event) {
	return func(e *engine.Event) { e.Service, e.Host = service, host }
}

func seedEvents(t *testing.T, s *store.Store) {
	t.Helper()
	addEvent(t, s, "a", "admin", engine.EvFeedsSyncStarted, "", 1, from(engine.PolicyEngine, "host-2"))
	addEvent(t, s, "b", "admin", engine.EvFeedsSyncFailed, "", 2, from(engine.PolicyEngine, "host-2"), func(e *engine.Event) {
		e.Details = map[string]any{"cause": "TLS handshake: 100%_sure"}
	})
	addEvent(t, s, "c", "admin", engine.EvAnalysisFailed, "docker.io/library/debian:12", 3)
	addEvent(t, s, "d", "admin", engine.EvImageAnalysisFailed, "sha256:0123", 3)
	addEvent(t, s, "e", "admin", engine.EvServiceDown, "http://a", 4, from(engine.Catalog, "host-1"))
	addEvent(t, s, "x", "other", engine.EvServiceDown, "http://a", 4)
}

// The one filter lists, counts, deletes and clears.
func TestEventFilters(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	at := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	all, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		f    engine.EventFilter
		want string
	}{
		"none, newest first, ties by arrival": {engine.EventFilter{}, "e d c b a"},
		"level":                               {engine.EventFilter{Level: "info"}, "a"},
		"level in any case":                   {engine.EventFilter{Level: "ERROR"}, "e d c b"},
		"no such level":                       {engine.EventFilter{Level: "warn"}, ""},
		"service":                             {engine.EventFilter{Service: "policy_engine"}, "b a"},
		"host":                                {engine.EventFilter{Host: "host-1"}, "e d c"},
		"dotted type":                         {engine.EventFilter{Type: engine.EvFeedsSyncFailed}, "b"},
		"short type":                          {engine.EventFilter{Type: "feed_sync_start"}, "a"},
		"unknown type":                        {engine.EventFilter{Type: "system.nothing"}, ""},
		"wildcard at the end":                 {engine.EventFilter{Type: "system.*"}, "e d b a"},
		"wildcard at the start":               {engine.EventFilter{Type: "*.failed"}, "d c b"},
		"wildcard within":                     {engine.EventFilter{Type: "system.*.failed"}, "d b"},
		"wildcard of short names":             {engine.EventFilter{Type: "feed_sync_*"}, "b a"},
		"wildcard alone":                      {engine.EventFilter{Type: "*"}, "e d c b a"},
		"wildcard of nothing":                 {engine.EventFilter{Type: "nope.*"}, ""},
		"dot is no wildcard":                  {engine.EventFilter{Type: "system.feeds.sync_*"}, ""},
		"resource type":                       {engine.EventFilter{ResourceType: "image_digest"}, "d"},
		"resource":                            {engine.EventFilter{ResourceID: "docker.io/library/debian:12"}, "c"},
		"since is exclusive":                  {engine.EventFilter{Since: at(3)}, "e"},
		"before is exclusive":                 {engine.EventFilter{Before: at(3)}, "b a"},
		"text in the message":                 {engine.EventFilter{Text: "SYNC TASK"}, "b a"},
		"text in the short name":              {engine.EventFilter{Text: "feed_sync"}, "b a"},
		"text in the resource":                {engine.EventFilter{Text: "Debian"}, "c"},
		"text in the cause":                   {engine.EventFilter{Text: "handshake"}, "b"},
		"text in the id":                      {engine.EventFilter{Text: "A", Service: "policy_engine", Level: "info"}, "a"},
		"text is no pattern":                  {engine.EventFilter{Text: "100%_"}, "b"},
		"text with a pattern's sign":          {engine.EventFilter{Text: "1%0"}, ""},
		"ids":                                 {engine.EventFilter{IDs: []string{"a", "d", "x"}}, "d a"},
		"except":                              {engine.EventFilter{Except: []string{"a", "d"}}, "e c b"},
		"together":                            {engine.EventFilter{Level: "error", Host: "host-1", Except: []string{"c"}}, "e d"},
		"text no row can hold":                {engine.EventFilter{Text: "\x00"}, ""},
		"resource no row can hold":            {engine.EventFilter{ResourceID: "\xff"}, ""},
		"of all types but matching no":        {engine.EventFilter{Type: "*", Level: "info", Service: "catalog"}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := listed(t, s, "admin", tc.f); got != tc.want {
				t.Errorf("listed %q, want %q", got, tc.want)
			}
			var matched []string
			for _, e := range all.Events {
				if tc.f.Matches(e) {
					matched = append(matched, e.ID)
				}
			}
			if got := strings.Join(matched, " "); got != tc.want {
				t.Errorf("Matches picks %q, want %q", got, tc.want)
			}
			n, exact, err := s.CountEvents(t.Context(), "admin", tc.f, 0)
			if want := int64(len(strings.Fields(tc.want))); err != nil || n != want || !exact {
				t.Errorf("counted %d, %v, %v; want %d", n, exact, err, want)
			}
		})
	}
	if n, exact, err := s.CountEvents(t.Context(), "admin", engine.EventFilter{}, 3); err != nil || n != 3 || exact {
		t.Errorf("bounded count = %d, %v, %v; want 3 and more", n, exact, err)
	}
}

// Pages by number and by cursor show every event once, ties included.
func TestEventPages(t *testing.T) {
	s := enginetest.Store(t)
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("%02d", i)
		addEvent(t, s, id, "admin", engine.EvFeedsSyncStarted, "", i/4) // four share a moment
		want = append(want, id)
	}
	walk := func(p engine.EventPage) (got []string) {
		p.Limit = 6
		for range 10 {
			l, err := s.Events(t.Context(), "admin", engine.EventFilter{Type: "feed_sync_start"}, p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Fields(ids(l.Events))...)
			if l.Next == "" {
				return got
			}
			if p.Page > 0 {
				p.Page++
			} else {
				p.Cursor = l.Next
			}
		}
		t.Fatal("pages without end")
		return nil
	}
	if got := walk(engine.EventPage{Oldest: true}); !slices.Equal(got, want) {
		t.Errorf("oldest first: %v", got)
	}
	slices.Reverse(want)
	if got := walk(engine.EventPage{}); !slices.Equal(got, want) {
		t.Errorf("by cursor: %v", got)
	}
	if got := walk(engine.EventPage{Page: 1}); !slices.Equal(got, want) {
		t.Errorf("by number: %v", got)
	}
	if l, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Page: 1 << 30, Limit: 1000}); err != nil || len(l.Events) > 0 {
		t.Errorf("page far beyond = %d events, %v", len(l.Events), err)
	}
	if _, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Cursor: "x"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("bad cursor: %v, want ErrInvalid", err)
	}
}

func TestOneEvent(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	e, err := s.Event(t.Context(), "admin", "b")
	if err != nil || e.Details["cause"] != "TLS handshake: 100%_sure" || !e.At.Equal(epoch.Add(2*time.Minute)) || e.Count != 1 {
		t.Errorf("Event = %+v, %v", e, err)
	}
	for name, call := range map[string]func() error{
		"get of another account":    func() error { _, err := s.Event(t.Context(), "other", "b"); return err },
		"delete of another account": func() error { return s.DeleteEvent(t.Context(), "other", "b") },
		"get of an impossible id":   func() error { _, err := s.Event(t.Context(), "admin", "\x00"); return err },
		"delete of no event":        func() error { return s.DeleteEvent(t.Context(), "admin", "nope") },
	} {
		if err := call(); !errors.Is(err, engine.ErrNotFound) || engine.MessageOf(err, "") != "Event not found" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.DeleteEvent(t.Context(), "admin", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Event(t.Context(), "admin", "b"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after its deletion: %v", err)
	}
}

// What comes from a registry's answer must not fail the transaction that tells
// of it.
func TestEventTakesAnyText(t *testing.T) {
	s := enginetest.Store(t)
	addEvent(t, s, "a", "admin", engine.EvAnalysisFailed, "tag\x00\xff", 0, func(e *engine.Event) {
		e.Message = strings.Repeat("é", 10_000)
		e.Details = map[string]any{"cause\x00": "nul \x00 and \xff", "list": []any{"\x00", 1.0, nil}, "names": []string{"a\x00"}}
	})
	addEvent(t, s, "b", "admin", engine.EvAnalysisFailed, "", 0, func(e *engine.Event) { e.Details = nil })
	e, err := s.Event(t.Context(), "admin", "a")
	if err != nil || e.Details["cause"] != "nul  and \uFFFD" || len(e.Message) > 4100 {
		t.Errorf("Event = %.60q %v, %v", e.Message, e.Details, err)
	}
	if e, err := s.Event(t.Context(), "admin", "b"); err != nil || e.Details == nil || len(e.Details) != 0 {
		t.Errorf("no details = %v, %v; want {}", e.Details, err)
	}
}

func TestDeleteEvents(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	var gone []string
	each := func(ids []string) error { gone = append(gone, ids...); return nil }
	if err := s.DeleteEvents(t.Context(), "admin", engine.EventFilter{Level: "error"}, each); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(gone, " "); got != "e d c b" {
		t.Errorf("deleted %q", got)
	}
	if got := listed(t, s, "admin", engine.EventFilter{}); got != "a" {
		t.Errorf("left %q", got)
	}
	if got := listed(t, s, "other", engine.EventFilter{}); got != "x" {
		t.Errorf("left of another account %q", got)
	}
	if err := s.DeleteEvents(t.Context(), "admin", engine.EventFilter{Level: "error"}, func([]string) error {
		t.Error("called for no event")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestEventStatistics(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	addEvent(t, s, "late", "admin", engine.EvServiceUp, "", 60)
	hours, err := s.EventHours(t.Context(), "admin", epoch)
	if err != nil {
		t.Fatal(err)
	}
	hour := epoch.Truncate(time.Hour)
	want := []engine.EventHour{{At: hour, Info: 1, Error: 4}, {At: hour.Add(time.Hour), Info: 1}}
	if !slices.Equal(hours, want) {
		t.Errorf("hours = %v, want %v", hours, want)
	}
	const register = `INSERT INTO services (host, name, base_url, state) VALUES
		('host-1', 'analyzer', '', 'available'), ('host-2', 'policy_engine', '', 'available'), ('host-3', 'catalog', '', 'available')`
	if _, err := s.Pool().Exec(context.Background(), register); err != nil {
		t.Fatal(err)
	}
	list, err := s.EventsOfServices(t.Context(), "admin", 1)
	if err != nil || ids(list) != "late b" {
		t.Errorf("events of services = %q, %v", ids(list), err)
	}
}

// A search looks through a bounded part of the log for each page, says how far
// it has looked, and misses nothing over the pages.
func TestSearchInWindows(t *testing.T) {
	s := enginetest.Store(t)
	for i := range 20 {
		addEvent(t, s, fmt.Sprintf("%02d", i), "admin", engine.EvFeedsSyncStarted, []string{"", "needle"}[max(0, i%7-5)], i/2)
	}
	for want, oldest := range map[string]bool{"13 06": false, "06 13": true} {
		var got []string
		p := engine.EventPage{Limit: 10, Oldest: oldest}
		pages := 0
		for ; pages < 10; pages++ {
			l, err := s.EventsWithin(t.Context(), "admin", engine.EventFilter{Text: "needle"}, p, 6)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Fields(ids(l.Events))...)
			if (l.Next == "") != l.Searched.IsZero() {
				t.Errorf("next %q but searched to %v", l.Next, l.Searched)
			}
			if l.Next == "" {
				break
			}
			p.Cursor = l.Next
		}
		if strings.Join(got, " ") != want || pages != 3 {
			t.Errorf("found %v in %d pages, want %s in 4", got, pages+1, want)
		}
	}
}
