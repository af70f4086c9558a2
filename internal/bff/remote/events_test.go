package remote

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
)

// eventsV1 answers as v1 does: newest first, by page number, with the filters
// it has, and it deletes by level and time whatever else it is asked.
type eventsV1 struct {
	mu   sync.Mutex
	list []wireEvent
}

func (e *eventsV1) add(id, level, resource string, at time.Time) {
	var w wireEvent
	w.ID, w.Event.Type, w.Event.Level, w.Event.Timestamp, w.Event.Resource.ID = id, engine.EvImageAnalysisFailed, level, stamp{at}, resource
	w.Event.Source.Service, w.Event.Source.Host = "analyzer", "host-1"
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, w)
	slices.SortStableFunc(e.list, func(a, b wireEvent) int { return b.Event.Timestamp.Compare(a.Event.Timestamp.Time) })
}

func (e *eventsV1) matching(q url.Values, deleting bool) []wireEvent {
	var out []wireEvent
	for _, w := range e.list {
		at := w.Event.Timestamp.Time
		if q.Get("level") != "" && q.Get("level") != w.Event.Level || q.Get("resource_id") != "" && !deleting && q.Get("resource_id") != w.Event.Resource.ID {
			continue
		}
		if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil && !at.After(since) {
			continue
		}
		if before, err := time.Parse(time.RFC3339, q.Get("before")); err == nil && !at.Before(before) {
			continue
		}
		out = append(out, w)
	}
	return out
}

func (e *eventsV1) serve(f *fakeV1) {
	f.do("GET /events", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		page, _ := strconv.Atoi(r.FormValue("page"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		list := e.matching(r.URL.Query(), false)
		from := min(max(page-1, 0)*limit, len(list))
		to := min(from+limit, len(list))
		var results []map[string]any
		for _, v := range list[from:to] {
			results = append(results, map[string]any{"generated_uuid": v.ID, "event": map[string]any{
				"type": v.Event.Type, "level": v.Event.Level, "message": "m", "timestamp": wireTime(v.Event.Timestamp.Time),
				"resource": map[string]any{"id": v.Event.Resource.ID}, "source": map[string]any{"servicename": "analyzer", "hostid": "host-1"},
			}})
		}
		asJSON(w, map[string]any{"results": results, "next_page": to < len(list)})
	})
	f.do("DELETE /events", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		gone := []string{}
		for _, v := range e.matching(r.URL.Query(), true) {
			gone = append(gone, v.ID)
		}
		e.list = slices.DeleteFunc(e.list, func(v wireEvent) bool { return slices.Contains(gone, v.ID) })
		asJSON(w, gone)
	})
	for _, v := range e.list {
		f.do("DELETE /events/"+v.ID, func(w http.ResponseWriter, _ *http.Request) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.list = slices.DeleteFunc(e.list, func(o wireEvent) bool { return o.ID == v.ID })
			asJSON(w, nil)
		})
	}
}

func (e *eventsV1) ids() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for _, v := range e.list {
		ids = append(ids, v.ID)
	}
	return ids
}

// Pages neither repeat nor miss an event, though new ones come between them
// and many have the same moment.
func TestPagesOfEventsWhileNewOnesCome(t *testing.T) {
	f, e := newFake(t), &eventsV1{}
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC)
	var want []string
	for n := range 40 {
		id := fmt.Sprintf("e%02d", n)
		want = append(want, id)
		e.add(id, "info", "r", at.Add(-time.Duration(n/15)*time.Second)) // 15 of one moment
	}
	e.serve(f)
	c, ctx := client(t, f)
	var got []string
	p := engine.EventPage{Limit: 4}
	for n := 0; ; n++ {
		list, err := c.Events(ctx, "team", engine.EventFilter{}, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Events {
			got = append(got, v.ID)
		}
		if list.Next == "" {
			break
		}
		p.Cursor = list.Next
		e.add(fmt.Sprintf("new%d", n), "info", "r", at.Add(time.Hour))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %v", got)
	}
}

// v1 deletes by level and time alone: asked for anything else at once, it would
// delete what was not meant.
func TestClearNeverTakesMore(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]struct {
		f     engine.EventFilter
		stays []string
	}{
		"by level":    {engine.EventFilter{Level: "error"}, []string{"b"}},
		"by time":     {engine.EventFilter{Before: at}, []string{"a"}},
		"by resource": {engine.EventFilter{ResourceID: "yy1"}, []string{"a", "b"}},
		"by text":     {engine.EventFilter{Text: "YY1"}, []string{"a", "b"}},
		"by ids":      {engine.EventFilter{IDs: []string{"a", "b"}}, []string{"c"}},
		"all but one": {engine.EventFilter{Level: "error", Except: []string{"a"}}, []string{"a", "b"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f, e := newFake(t), &eventsV1{}
			e.add("a", "error", "x", at)
			e.add("b", "info", "x", at.Add(-time.Second))
			e.add("c", "error", "yy1", at.Add(-2*time.Second))
			e.serve(f)
			c, ctx := client(t, f)
			v, err := c.ClearEvents(ctx, "team", tc.f, "ann")
			if err != nil || !slices.Equal(e.ids(), tc.stays) || v.Done != int64(3-len(tc.stays)) || v.Undoable(time.Now()) {
				t.Errorf("%v stay, %+v, %v", e.ids(), v, err)
			}
			for _, q := range f.questions("DELETE /events?") {
				if strings.Contains(q, "resource") || strings.Contains(q, "text") {
					t.Errorf("asked %s", q)
				}
			}
		})
	}
}

func TestClearOfTooManyIsRefusedWhole(t *testing.T) {
	f, e := newFake(t), &eventsV1{}
	for n := range maxDeletes + 1 {
		e.add(fmt.Sprint(n), "info", "x", time.Unix(int64(n), 0))
	}
	e.serve(f)
	c, ctx := client(t, f)
	_, err := c.ClearEvents(ctx, "team", engine.EventFilter{ResourceID: "x"}, "ann")
	if !errors.Is(err, engine.ErrInvalid) || len(e.ids()) != maxDeletes+1 {
		t.Errorf("%v, and %d stay", err, len(e.ids()))
	}
}

// A look tells of what is new since the look before, once.
func TestLooksTellOfWhatIsNew(t *testing.T) {
	f, e := newFake(t), &eventsV1{}
	at := time.Now().UTC().Truncate(time.Microsecond)
	e.add("old", "info", "x", at)
	e.serve(f)
	up := `{"service_states":[{"hostid":"host-1","servicename":"catalog","status":true,"status_message":"available"}]}`
	f.say("GET /system", up)
	f.say("GET /system/feeds", `[]`)
	f.say("GET /summaries/imagetags", `[{"imageDigest":"sha256:1","fulltag":"a:1","analysis_status":"analyzing"}]`)
	for _, list := range []string{"registries", "subscriptions", "policies"} {
		f.say("GET /"+list, `[]`)
	}
	c, ctx := client(t, f)
	if _, err := c.Session(ctx, engine.SessionOf(ctx), time.Hour, true); err != nil { // somebody looks
		t.Fatal(err)
	}
	w := &watcher{c: c, seen: map[string]*sight{}}
	look := func() []string {
		t.Helper()
		last, _ := c.LastChange(ctx)
		if err := w.look(ctx); err != nil {
			t.Fatal(err)
		}
		c.changes.mu.Lock()
		defer c.changes.mu.Unlock()
		var told []string
		for _, v := range c.changes.list {
			if v.Seq > last {
				told = append(told, string(v.Kind)+" "+v.ID)
			}
		}
		return told
	}
	look()
	if told := look(); len(told) != 0 {
		t.Errorf("nothing has changed, and it tells %v", told)
	}
	e.add("new", "error", "x", at) // of the same moment
	e.add("newer", "error", "x", at.Add(time.Second))
	f.say("GET /system", strings.Replace(up, "true", "false", 1))
	f.say("GET /summaries/imagetags", `[{"imageDigest":"sha256:1","fulltag":"a:1","analysis_status":"analyzed"}]`)
	told := append(look(), look()...)
	slices.Sort(told)
	if want := []string{"event new", "event newer", "image sha256:1", "service catalog/host-1"}; !slices.Equal(told, want) {
		t.Errorf("it tells %v, want %v", told, want)
	}
}
