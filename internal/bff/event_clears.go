package bff

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// maxChosen bounds how many events one form may choose by id.
const maxChosen = 5000

// confirmClear counts exactly before a large clear is asked for.
func (s *Server) confirmClear(c *fiber.Ctx) error {
	clock := s.clock(c)
	q := present.ParseEventQuery(func(name string) string { return c.Query(name) }).List()
	f, err := q.Filter(clock)
	if err != nil {
		return err
	}
	if f.Before.IsZero() || f.Before.After(clock.Now) {
		f.Before = clock.Now
	}
	n, _, err := s.engine.CountEvents(c.UserContext(), s.who(c).Account, f, 0)
	if err != nil {
		return err
	}
	shown := f
	if q.Before == "" {
		shown.Before = time.Time{}
	}
	v := view.EventsClear{
		What: present.FilterWords(shown), Count: present.Plural(n, "event", "events"), None: n == 0,
		Fields: present.ClearFields(f, clock), Back: q.Href(),
	}
	return s.render(c, templates.EventsClear(s.page(c, "Clear events", "events"), v))
}

// clearEvents clears the chosen events (id=...), or with all=1 those that
// match the filter the form was drawn with, but for those in except.
func (s *Server) clearEvents(c *fiber.Ctx) error {
	q := present.ParseEventQuery(func(name string) string { return c.FormValue(name) })
	f, err := clearFilter(q, c.FormValue("all") == "1", formList(c, "id"), formList(c, "except"), s.clock(c))
	if err != nil {
		return err
	}
	who := s.who(c)
	clear, err := s.engine.ClearEvents(c.UserContext(), who.Account, f, who.User)
	if err != nil {
		return err
	}
	return s.cleared(c, clear, c.FormValue("back"))
}

// clearFilter is what a clear form asks for.
func clearFilter(q present.EventQuery, all bool, ids, except []string, clock present.Clock) (engine.EventFilter, error) {
	if len(ids) > maxChosen || len(except) > maxChosen {
		return engine.EventFilter{}, engine.Invalidf("At most %d events can be chosen one by one. Clear all that match a filter instead.", maxChosen)
	}
	if !all {
		if len(ids) == 0 {
			return engine.EventFilter{}, engine.Invalidf("No event was chosen. Tick the events to clear, or clear all that match.")
		}
		return engine.EventFilter{IDs: ids}, nil
	}
	f, err := q.Filter(clock)
	if err != nil {
		return f, err
	}
	if f.Before.IsZero() || f.Before.After(clock.Now) {
		f.Before = clock.Now
	}
	f.Except = except
	return f, nil
}

// formList is a field that may stand in a form many times.
func formList(c *fiber.Ctx, name string) []string {
	var list []string
	for _, v := range c.Context().PostArgs().PeekMulti(name) {
		if len(v) > 0 && len(v) <= 64 {
			list = append(list, string(v))
		}
	}
	return list
}

// cleared leads back from an action on a clear to the list, with the undo.
func (s *Server) cleared(c *fiber.Ctx, clear engine.EventClear, back string) error {
	if back == "" {
		back = present.ClearBack(clear)
	}
	undo := present.EventClear(clear, s.clock(c)).Undo
	if clear.Done == 0 {
		undo = ""
	}
	return s.done(c, back, present.ClearedWords(clear), undo)
}

func clearID(c *fiber.Ctx) (int64, error) {
	id, err := strconv.ParseInt(c.Params("clear"), 10, 64)
	if err != nil {
		return 0, engine.NotFoundf("There is no clear %.20q.", c.Params("clear"))
	}
	return id, nil
}

func (s *Server) showClear(c *fiber.Ctx) error {
	id, err := clearID(c)
	if err != nil {
		return err
	}
	clear, err := s.engine.EventClear(c.UserContext(), s.who(c).Account, id)
	if err != nil {
		return err
	}
	return s.render(c, templates.EventClear(s.page(c, "Clear events", "events"), present.EventClear(clear, s.clock(c))))
}

func (s *Server) undoClear(c *fiber.Ctx) error {
	id, err := clearID(c)
	if err != nil {
		return err
	}
	clear, err := s.engine.UndoClear(c.UserContext(), s.who(c).Account, id)
	if err != nil {
		return err
	}
	return s.cleared(c, clear, "")
}

func (s *Server) cancelClear(c *fiber.Ctx) error {
	id, err := clearID(c)
	if err != nil {
		return err
	}
	clear, err := s.engine.CancelClear(c.UserContext(), s.who(c).Account, id)
	if err != nil {
		return err
	}
	return s.cleared(c, clear, "")
}

// deleteEvent clears one event: unlike the API's deletion it can be undone.
func (s *Server) deleteEvent(c *fiber.Ctx) error {
	who := s.who(c)
	f := engine.EventFilter{IDs: []string{c.Params("id")}}
	clear, err := s.engine.ClearEvents(c.UserContext(), who.Account, f, who.User)
	if err != nil {
		return err
	}
	back := c.FormValue("back")
	if back == "" {
		back = "/events"
	}
	return s.cleared(c, clear, back)
}
