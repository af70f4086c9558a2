package remote

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"windlass/internal/engine"
)

type wireEvent struct {
	ID        string `json:"generated_uuid"`
	CreatedAt stamp  `json:"created_at"`
	Event     struct {
		Type      string         `json:"type"`
		Level     string         `json:"level"`
		Message   string         `json:"message"`
		Details   map[string]any `json:"details"`
		Timestamp stamp          `json:"timestamp"`
		Resource  struct {
			UserID string `json:"user_id"`
			ID     string `json:"id"`
			Type   string `json:"type"`
		} `json:"resource"`
		Source struct {
			Service   string `json:"servicename"`
			Host      string `json:"hostid"`
			BaseURL   string `json:"base_url"`
			RequestID string `json:"request_id"`
		} `json:"source"`
	} `json:"event"`
}

func eventOf(w wireEvent, account string) engine.Event {
	e := w.Event
	v := engine.Event{
		ID: w.ID, Account: account, Type: e.Type, Level: strings.ToLower(e.Level), Message: clean(e.Message), Details: e.Details,
		At: e.Timestamp.Time, StoredAt: w.CreatedAt.Time, ResourceType: e.Resource.Type, ResourceID: e.Resource.ID,
		Service: e.Source.Service, Host: e.Source.Host, BaseURL: e.Source.BaseURL, RequestID: e.Source.RequestID, Count: 1,
	}
	if v.At.IsZero() {
		v.At = v.StoredAt
	}
	return v
}

// Bounds of what is read to find the events that v1 cannot be asked for.
const (
	eventPage   = 200
	searchPages = 25
)

// eventQuery is what of a filter v1 understands.
func eventQuery(f engine.EventFilter) url.Values {
	q := url.Values{}
	if t, ok := engine.EventTypeOf(f.Type); ok {
		f.Type = t.Type // v1 takes no short names
	}
	for name, v := range map[string]string{
		"source_servicename": f.Service, "source_hostid": f.Host, "event_type": f.Type,
		"level": strings.ToLower(f.Level), "resource_type": f.ResourceType, "resource_id": f.ResourceID,
	} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if !f.Since.IsZero() {
		q.Set("since", wireTime(f.Since))
	}
	if !f.Before.IsZero() {
		q.Set("before", wireTime(f.Before))
	}
	return q
}

// eventPlace is where a page of events ends: v1 pages by number, under which
// rows shift as new ones come, so that the next page is asked for by time.
type eventPlace struct {
	before time.Time // events at this moment, or older
	seen   []string  // those of that moment which the page had
}

func parsePlace(cursor string) (p eventPlace, err error) {
	parts := strings.Split(cursor, ",")
	if cursor == "" {
		return p, nil
	}
	n, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || len(parts) > eventPage {
		return p, engine.Invalidf("%.40q is no place in the list.", cursor)
	}
	return eventPlace{before: time.UnixMicro(n), seen: parts[1:]}, nil
}

func (p eventPlace) String() string {
	return strings.Join(append([]string{strconv.FormatInt(p.before.UnixMicro(), 10)}, p.seen...), ",")
}

// after is the place behind an event.
func (p eventPlace) after(e engine.Event) eventPlace {
	at := e.At.Truncate(time.Microsecond)
	if p.before.Equal(at) {
		return eventPlace{before: at, seen: append(slices.Clip(p.seen), e.ID)}
	}
	return eventPlace{before: at, seen: []string{e.ID}}
}

// Events lists a page, newest first. What v1 has no filter for is looked for in
// what it gives, as far back as the bound allows; the page says how far.
func (c *Client) Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	var list engine.EventList
	if p.Oldest {
		return list, &engine.Fault{Kind: engine.ErrUnsupported, Message: "This engine lists events from the newest to the oldest only."}
	}
	if len(f.IDs) > 0 && len(f.IDs) <= maxDeletes && len(f.Runs) == 0 && p.Cursor == "" {
		return c.eventsByID(ctx, account, f)
	}
	place, err := parsePlace(p.Cursor)
	if err != nil {
		return list, err
	}
	if p.Limit < 1 || p.Limit > 1000 {
		p.Limit = 100
	}
	for range searchPages {
		got, more, err := c.eventsBehind(ctx, account, f, place, min(eventPage, p.Limit+len(place.seen)))
		if err != nil {
			return list, err
		}
		for _, e := range got {
			place = place.after(e)
			if f.Matches(e) {
				list.Events = append(list.Events, e)
			}
			if len(list.Events) == p.Limit {
				list.Next = place.String()
				return list, nil
			}
		}
		if !more || len(got) == 0 {
			return list, nil
		}
	}
	list.Next, list.Searched = place.String(), place.before
	return list, nil
}

// eventsByID asks for each of those that a filter names.
func (c *Client) eventsByID(ctx context.Context, account string, f engine.EventFilter) (engine.EventList, error) {
	var list engine.EventList
	for _, id := range f.IDs {
		e, err := c.Event(ctx, account, id)
		switch {
		case errors.Is(err, engine.ErrNotFound):
		case err != nil:
			return list, err
		case f.Matches(e):
			list.Events = append(list.Events, e)
		}
	}
	slices.SortStableFunc(list.Events, func(a, b engine.Event) int { return b.At.Compare(a.At) })
	return list, nil
}

// eventsBehind asks for what follows a place.
func (c *Client) eventsBehind(ctx context.Context, account string, f engine.EventFilter, place eventPlace, limit int) ([]engine.Event, bool, error) {
	if until := place.before.Add(time.Microsecond); !place.before.IsZero() && (f.Before.IsZero() || until.Before(f.Before)) {
		f.Before = until
	}
	if !f.Since.IsZero() && !f.Before.IsZero() && !f.Since.Before(f.Before) {
		return nil, false, nil
	}
	q := eventQuery(f)
	q.Set("limit", strconv.Itoa(limit))
	for number := 1; ; number++ {
		q.Set("page", strconv.Itoa(number))
		var page struct {
			Results  []wireEvent `json:"results"`
			NextPage bool        `json:"next_page"`
		}
		if err := c.get(ctx, account, "/events", q, &page); err != nil {
			return nil, false, err
		}
		var list []engine.Event
		for _, w := range page.Results {
			if e := eventOf(w, account); !slices.Contains(place.seen, e.ID) {
				list = append(list, e)
			}
		}
		// A page that was seen whole: so many have the same moment.
		if len(list) > 0 || !page.NextPage || number == searchPages {
			return list, page.NextPage, nil
		}
	}
}

// CountEvents counts by reading: v1 does not tell numbers.
func (c *Client) CountEvents(ctx context.Context, account string, f engine.EventFilter, bound int64) (int64, bool, error) {
	most := int64(eventPage * searchPages)
	if bound > 0 {
		most = min(most, bound)
	}
	var n int64
	p := engine.EventPage{Limit: 1000}
	for {
		list, err := c.Events(ctx, account, f, p)
		if err != nil {
			return n, false, err
		}
		n += int64(len(list.Events))
		switch {
		case list.Next == "":
			return min(n, most), n <= most, nil
		case n >= most, !list.Searched.IsZero():
			return min(n, most), false, nil
		}
		p.Cursor = list.Next
	}
}

// Event is one of them.
func (c *Client) Event(ctx context.Context, account, id string) (engine.Event, error) {
	var w wireEvent
	err := c.get(ctx, account, path("events", id), nil, &w)
	return eventOf(w, account), absent(err, "There is no event %s. It may have been deleted.", clip(id, 40))
}

// maxDeletes bounds the events that are deleted one by one.
const maxDeletes = 500

// clears are those that were made here; v1 remembers none.
type clears struct {
	mu   sync.Mutex
	list []engine.EventClear
}

// ClearEvents deletes what matches. v1 deletes by level and time only, so that
// any other filter is looked up first and its events are deleted one by one:
// an engine that knows less would otherwise delete more than was asked for.
// There is no undo.
func (c *Client) ClearEvents(ctx context.Context, account string, f engine.EventFilter, by string) (engine.EventClear, error) {
	v := engine.EventClear{Account: account, Filter: f, Status: engine.ClearDone, StartedAt: time.Now(), By: by}
	plain := engine.EventFilter{Level: f.Level, Since: f.Since, Before: f.Before}
	var err error
	if reflect.DeepEqual(plain, f) {
		var ids []string
		err = c.call(ctx, call{method: http.MethodDelete, path: "/events", query: eventQuery(plain), account: account, out: &ids})
		v.Done = int64(len(ids))
		v.Total = v.Done
	} else {
		v.Total, v.Done, err = c.deleteEach(ctx, account, f)
	}
	if err != nil && v.Done == 0 {
		return v, err
	}
	v.EndedAt = time.Now()
	if v.Done < v.Total {
		v.Status = engine.ClearCancelled
	}
	c.clears.mu.Lock()
	v.ID = time.Now().UnixMilli()
	c.clears.list = append([]engine.EventClear{v}, c.clears.list[:min(len(c.clears.list), 199)]...)
	c.clears.mu.Unlock()
	c.altered(account, engine.ChangeEventsCleared, strconv.FormatInt(v.ID, 10))
	return v, err
}

func (c *Client) deleteEach(ctx context.Context, account string, f engine.EventFilter) (total, done int64, err error) {
	ids := f.IDs
	if len(ids) == 0 || len(f.Runs) > 0 {
		if total, exact, err := c.CountEvents(ctx, account, f, maxDeletes+1); err != nil || total > maxDeletes || !exact {
			return total, 0, errors.Join(err, engine.Invalidf("This engine clears by level and time; by anything else no more than %d events at once. Narrow the filter.", maxDeletes))
		}
		list, err := c.Events(ctx, account, f, engine.EventPage{Limit: maxDeletes})
		if err != nil {
			return 0, 0, err
		}
		ids = nil
		for _, e := range list.Events {
			ids = append(ids, e.ID)
		}
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(f.Except, id) })
	for _, id := range ids {
		err := c.call(ctx, call{method: http.MethodDelete, path: path("events", id), account: account})
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return int64(len(ids)), done, err
		}
		done++
	}
	return int64(len(ids)), done, nil
}

// EventClears lists those that were made here.
func (c *Client) EventClears(_ context.Context, account string, limit int) ([]engine.EventClear, error) {
	c.clears.mu.Lock()
	defer c.clears.mu.Unlock()
	var list []engine.EventClear
	for _, v := range c.clears.list {
		if v.Account == account && len(list) < limit {
			list = append(list, v)
		}
	}
	return list, nil
}

// EventClear is one of them.
func (c *Client) EventClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	list, err := c.EventClears(ctx, account, 200)
	for _, v := range list {
		if v.ID == id {
			return v, err
		}
	}
	return engine.EventClear{}, engine.NotFoundf("There is no such clear.")
}

// UndoClear cannot.
func (c *Client) UndoClear(context.Context, string, int64) (engine.EventClear, error) {
	return engine.EventClear{}, &engine.Fault{Kind: engine.ErrUnsupported, Message: "This engine deletes what is cleared: there is no way back."}
}

// CancelClear finds every clear ended: each is one question to the engine.
func (c *Client) CancelClear(ctx context.Context, account string, id int64) (engine.EventClear, error) {
	v, err := c.EventClear(ctx, account, id)
	if err != nil {
		return v, err
	}
	return v, engine.Conflictf("This clear has already ended.")
}

func clip(s string, n int) string { return s[:min(len(s), n)] }
