package apiv1

import (
	"context"
	"errors"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Events is what the events operations ask of the engine.
type Events interface {
	Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error)
	Event(ctx context.Context, account, id string) (engine.Event, error)
	DeleteEvent(ctx context.Context, account, id string) error
	// DeleteEvents deletes all that match, a chunk at a time, and tells each
	// the ids of every chunk that is gone.
	DeleteEvents(ctx context.Context, account string, f engine.EventFilter, each func(ids []string) error) error
}

// deleteTimeout is how long a deletion may go on while the client reads the
// ids: ten million events take minutes.
const deleteTimeout = 30 * time.Minute

func (s *Server) eventsOps() map[string]op {
	return map[string]op{
		"listEventTypes": {perm: acct("listEvents"), call: s.listEventTypes},
		"listEvents":     {perm: acct("listEvents"), call: s.listEvents},
		"deleteEvents":   {perm: acct("deleteEvents"), call: s.deleteEvents, timeout: deleteTimeout, heavy: true},
		"getEvent":       {perm: acct("getEvent"), call: s.getEvent},
		"deleteEvent":    {perm: perm{class: classAcct, action: "getEvent", needs: "deleteEvents"}, call: s.deleteEvent},
	}
}

// EventRecord is an event on the wire.
type EventRecord struct {
	ID        string `json:"generated_uuid"`
	CreatedAt string `json:"created_at"`
	Event     Event  `json:"event"`
}

// Event is what happened.
type Event struct {
	Type      string         `json:"type"`
	Level     string         `json:"level"`
	Message   string         `json:"message"`
	Details   map[string]any `json:"details"`
	Timestamp string         `json:"timestamp"`
	Resource  EventResource  `json:"resource"`
	Source    EventSource    `json:"source"`
}

// EventResource is what an event is about.
type EventResource struct {
	UserID string  `json:"user_id"`
	ID     *string `json:"id"`
	Type   string  `json:"type"`
}

// EventSource is who emitted an event.
type EventSource struct {
	Service   string  `json:"servicename"`
	Host      string  `json:"hostid"`
	BaseURL   *string `json:"base_url"`
	RequestID *string `json:"request_id"`
}

// WireEvent is an event as the API gives it: webhooks are told the same.
func WireEvent(e engine.Event) any { return eventRecord(e) }

func eventRecord(e engine.Event) EventRecord {
	details := e.Details
	if details == nil {
		details = map[string]any{}
	}
	return EventRecord{
		ID:        e.ID,
		CreatedAt: stampMicro(e.StoredAt),
		Event: Event{
			Type: e.Type, Level: e.Level, Message: e.Message, Details: details, Timestamp: stampMicro(e.At),
			Resource: EventResource{UserID: e.Account, ID: orNil(e.ResourceID), Type: e.ResourceType},
			Source: EventSource{
				Service: e.Service, Host: e.Host, BaseURL: orNil(e.BaseURL), RequestID: orNil(e.RequestID),
			},
		},
	}
}

// EventsPage is one page of events.
type EventsPage struct {
	Results   []EventRecord `json:"results"`
	NextPage  bool          `json:"next_page"`
	ItemCount int           `json:"item_count"`
	Page      int           `json:"page"`
}

func (s *Server) listEvents(w http.ResponseWriter, r *request) error {
	f, err := eventFilter(r)
	if err != nil {
		return err
	}
	if !f.Since.IsZero() && !f.Before.IsZero() && !f.Since.Before(f.Before) {
		return engine.Invalidf("since must be earlier than before")
	}
	p := engine.EventPage{Page: r.queryInt("page", 1), Limit: r.queryInt("limit", 100)}
	list, err := s.backend.Events(r.Context(), r.Account, f, p)
	if err != nil {
		return err
	}
	page := EventsPage{Results: []EventRecord{}, NextPage: list.Next != "", ItemCount: len(list.Events), Page: p.Page}
	for _, e := range list.Events {
		page.Results = append(page.Results, eventRecord(e))
	}
	return reply(w, page)
}

// eventFilter reads the filter of listing and deletion. v1 deleted by since,
// before and level alone; here deletion takes every filter that listing has.
func eventFilter(r *request) (engine.EventFilter, error) {
	f := engine.EventFilter{
		Service:      r.queryText("source_servicename"),
		Host:         r.queryText("source_hostid"),
		Type:         r.queryText("event_type"),
		Level:        r.queryText("level"),
		ResourceType: r.queryText("resource_type"),
		ResourceID:   r.queryText("resource_id"),
	}
	var err error
	if f.Since, err = queryTime(r, "since"); err != nil {
		return f, err
	}
	f.Before, err = queryTime(r, "before")
	return f, err
}

func queryTime(r *request, name string) (time.Time, error) {
	text := r.queryText(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := engine.ParseTime(text)
	if err != nil {
		return t, engine.Invalidf("%s: %s", name, engine.MessageOf(err, "not a time"))
	}
	return t, nil
}

func (s *Server) getEvent(w http.ResponseWriter, r *request) error {
	e, err := s.backend.Event(r.Context(), r.Account, r.param("eventId"))
	if err != nil {
		return err
	}
	return reply(w, eventRecord(e))
}

func (s *Server) deleteEvent(w http.ResponseWriter, r *request) error {
	if err := s.backend.DeleteEvent(r.Context(), r.Account, r.param("eventId")); err != nil {
		return err
	}
	return reply(w, nil)
}

var errReaderLeft = errors.New("the client stopped reading")

// deleteEvents writes the ids while it deletes, so that neither side holds
// millions of them. A client that leaves stops the deletion after the chunk
// in hand.
func (s *Server) deleteEvents(w http.ResponseWriter, r *request) error {
	f, err := eventFilter(r)
	if err != nil {
		return err
	}
	return replyList(w, func(yield func(string, error) bool) {
		err := s.backend.DeleteEvents(r.Context(), r.Account, f, func(ids []string) error {
			for _, id := range ids {
				if !yield(id, nil) {
					return errReaderLeft
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errReaderLeft) {
			yield("", err)
		}
	})
}
