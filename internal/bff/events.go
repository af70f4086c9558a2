package bff

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Events is what the events pages ask of an engine.
type Events interface {
	Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error)
	// CountEvents counts those that match and reports whether the number is
	// exact: with a bound above 0 it is not beyond that, nor for a text that
	// would have to be looked for in the whole log.
	CountEvents(ctx context.Context, account string, f engine.EventFilter, bound int64) (int64, bool, error)
	Event(ctx context.Context, account, id string) (engine.Event, error)
	// ClearEvents begins to clear what matches; a small clear has ended when
	// it returns, a large one goes on.
	ClearEvents(ctx context.Context, account string, f engine.EventFilter, by string) (engine.EventClear, error)
	EventClear(ctx context.Context, account string, id int64) (engine.EventClear, error)
	EventClears(ctx context.Context, account string, limit int) ([]engine.EventClear, error)
	CancelClear(ctx context.Context, account string, id int64) (engine.EventClear, error)
	UndoClear(ctx context.Context, account string, id int64) (engine.EventClear, error)
}

// SavedFilters keeps the filters of users.
type SavedFilters interface {
	SavedFilters(ctx context.Context, account, user string) ([]engine.SavedFilter, error)
	// SaveFilter keeps a query under a name, in place of one of that name.
	SaveFilter(ctx context.Context, account, user, name, query string) (engine.SavedFilter, error)
	RenameFilter(ctx context.Context, account, user string, id int64, name string) error
	DeleteFilter(ctx context.Context, account, user string, id int64) error
}

const (
	eventsPageSize  = 100
	eventsShowClear = 5 // newest clears looked at for those still at work
)

func (s *Server) eventsRoutes(r fiber.Router) {
	r.Get("/events", s.listEvents)
	r.Get("/events/export.csv", s.exportEvents(csvEvents))
	r.Get("/events/export.ndjson", s.exportEvents(ndjsonEvents))
	r.Get("/events/clear", s.confirmClear)
	r.Post("/events/clear", s.may("deleteEvents"), s.clearEvents)
	r.Get("/events/clears/:clear", s.showClear)
	r.Post("/events/clears/:clear/undo", s.may("deleteEvents"), s.undoClear)
	r.Post("/events/clears/:clear/cancel", s.may("deleteEvents"), s.cancelClear)
	r.Post("/events/filters", s.may("listEvents"), s.saveFilter)
	r.Post("/events/filters/:filter/rename", s.may("listEvents"), s.renameFilter)
	r.Post("/events/filters/:filter/delete", s.may("listEvents"), s.deleteFilter)
	s.retentionRoutes(r)
	r.Get("/events/:id", s.showEvent)
	r.Post("/events/:id/delete", s.may("deleteEvents"), s.deleteEvent)
	s.live.topic("events", topic{
		kinds:  []engine.ChangeKind{engine.ChangeEvent, engine.ChangeEventDeleted, engine.ChangeEventsCleared},
		filter: eventsTopicFilter,
		row:    s.eventChange,
	})
}

func (s *Server) listEvents(c *fiber.Ctx) error {
	clock := s.clock(c)
	q := present.ParseEventQuery(func(name string) string { return c.Query(name) })
	if want := q.Canonical(clock); len(fragments(c)) == 0 && (want != q || emptyParams(c)) {
		// A form sends fields that are empty and times in the browser's zone:
		// the address that is kept says neither.
		return c.Redirect(want.Href(), fiber.StatusSeeOther)
	}
	f, err := q.Filter(clock)
	if err != nil {
		return err
	}
	ctx, account := c.UserContext(), s.who(c).Account
	d := present.EventsData{Query: q, Filter: f, User: s.who(c).User, API: c.BaseURL()}
	size := pageSize(c, eventsPageSize)
	if q.Folded() {
		err = s.readFolded(ctx, account, size, &d)
	} else {
		d.List, err = s.engine.Events(ctx, account, f, engine.EventPage{Cursor: q.After, Limit: size, Oldest: q.Order == "oldest"})
	}
	if err != nil {
		return err
	}
	d.Keeps, d.Retains = s.has(engine.FeatureSavedFilters), s.has(engine.FeatureRetention)
	if d.Keeps && s.wants(c, "events-saved") {
		if d.Saved, err = s.engine.SavedFilters(ctx, account, d.User); err != nil {
			return err
		}
	}
	if s.wants(c, "events-list") {
		if d.Count, d.Exact, err = s.countEvents(ctx, account, d); err != nil {
			return err
		}
		if d.Clears, err = s.engine.EventClears(ctx, account, eventsShowClear); err != nil {
			return err
		}
	}
	if q.Open != "" {
		e, err := s.engine.Event(ctx, account, q.Open)
		if err == nil {
			d.Open = &e
		} else if !errors.Is(err, engine.ErrNotFound) { // deleted since: the list is still worth showing
			return err
		}
	}
	return s.render(c, templates.Events(s.page(c, "Events", "events"), present.Events(d, clock)))
}

// countEvents counts what the list is a page of, and whether that is exact.
// When the list shows all of it, or text had to be looked for, the list itself
// is the answer: a second look would cost as much as the first.
func (s *Server) countEvents(ctx context.Context, account string, d present.EventsData) (int64, bool, error) {
	whole := d.Query.After == "" && d.List.Next == ""
	if whole || d.Query.Text != "" {
		return d.Shown(), whole, nil
	}
	return s.engine.CountEvents(ctx, account, d.Filter, present.CountBound)
}

// emptyParams reports whether the address has a parameter without a value.
func emptyParams(c *fiber.Ctx) bool {
	for _, v := range c.Context().QueryArgs().All() {
		if len(v) == 0 {
			return true
		}
	}
	return false
}

func (s *Server) showEvent(c *fiber.Ctx) error {
	e, err := s.engine.Event(c.UserContext(), s.who(c).Account, c.Params("id"))
	if err != nil {
		return err
	}
	v := present.EventDetail(e, s.clock(c))
	v.Same = present.EventSame(e.ID, s.who(c).User, c.BaseURL())
	return s.render(c, templates.Event(s.page(c, v.Event, "events"), v))
}

// eventsTopicFilter decides which new events belong on a page that shows q.
func eventsTopicFilter(q url.Values, who engine.Identity) func(item any) bool {
	query := present.ParseEventQuery(q.Get)
	f, err := query.Filter(present.Clock{Now: time.Now()})
	if err != nil || query.After != "" || query.Order != "" {
		// A page further down, or of the oldest, is not where new ones go.
		return func(any) bool { return false }
	}
	return func(item any) bool {
		e, ok := item.(engine.Event)
		return ok && e.Account == who.Account && f.Matches(e)
	}
}

// pickedRows removes what was picked by hand and cleared: other pages show it
// at once, before they have fetched the list again.
func (s *Server) pickedRows(ctx context.Context, c engine.Change) (row, error) {
	const few = 100 // of more the list is fetched as soon
	id, err := strconv.ParseInt(c.ID, 10, 64)
	if err != nil { // of the rules of retention: nothing was picked
		return row{}, errNoRow
	}
	clear, err := s.engine.EventClear(ctx, c.Account, id)
	if err != nil {
		return row{}, err
	}
	f := clear.Filter
	if clear.Status != engine.ClearDone || len(f.IDs) == 0 || len(f.IDs) > few || len(f.Runs) > 0 {
		return row{}, errNoRow
	}
	var ids []string
	for _, id := range f.IDs {
		if !slices.Contains(f.Except, id) {
			ids = append(ids, "event-"+id)
		}
	}
	return row{ID: strings.Join(ids, " ")}, nil
}

// eventChange draws one change of the log as a row.
func (s *Server) eventChange(ctx context.Context, c engine.Change) (row, error) {
	id := "event-" + c.ID
	switch c.Kind {
	case engine.ChangeEventDeleted:
		return row{ID: id}, nil
	case engine.ChangeEventsCleared:
		return s.pickedRows(ctx, c)
	}
	e, err := s.engine.Event(ctx, c.Account, c.ID)
	if err != nil {
		return row{}, err
	}
	var html bytes.Buffer
	r := present.EventRow(e, present.Clock{Now: time.Now()})
	if err := templates.EventRow(r).Render(ctx, &html); err != nil {
		return row{}, err
	}
	return row{ID: id, HTML: html.Bytes(), Item: e}, nil
}
