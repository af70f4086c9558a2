package bff

import (
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// maxChosen and maxRuns bound how many events and rows of repeats one form may
// choose one by one, the others how long the name of one is, and an address to go back to.
const (
	maxChosen   = 5000
	maxRuns     = 200
	maxEventID  = 64
	maxRunField = 16 << 10
	maxBack     = 1000 // a notice of the next page holds it
)

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
	chosen, err := chosenEvents(c)
	if err != nil {
		return err
	}
	f, err := clearFilter(q, c.FormValue("all") == "1", chosen, s.clock(c))
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

// choice is what a form picks one by one: events, rows of folded ones, and those
// of either that are taken out of all that match.
type choice struct {
	ids, except []string
	runs        []engine.EventRun
}

func chosenEvents(c *fiber.Ctx) (choice, error) {
	v := choice{ids: formList(c, "id", maxEventID), except: formList(c, "except", maxEventID)}
	for _, text := range formList(c, "run", maxRunField) {
		r, err := present.ParseRun(text)
		if err != nil {
			return v, err
		}
		v.runs = append(v.runs, r)
	}
	if len(v.ids) > maxChosen || len(v.except) > maxChosen || len(v.runs) > maxRuns {
		return v, engine.Invalidf("At most %d events and %d rows of repeats can be chosen one by one. Clear all that match a filter instead.", maxChosen, maxRuns)
	}
	return v, nil
}

// clearFilter is what a clear form asks for. Rows of repeats mean those of their
// events that match the filter they were drawn with.
func clearFilter(q present.EventQuery, all bool, v choice, clock present.Clock) (engine.EventFilter, error) {
	if !all && len(v.runs) == 0 {
		if len(v.ids) == 0 {
			return engine.EventFilter{}, engine.Invalidf("No event was chosen. Tick the events to clear, or clear all that match.")
		}
		return engine.EventFilter{IDs: v.ids}, nil
	}
	f, err := q.Filter(clock)
	if err != nil {
		return f, err
	}
	if f.Before.IsZero() || f.Before.After(clock.Now) {
		f.Before = clock.Now
	}
	if all {
		f.Except = v.except
	} else {
		f.IDs, f.Runs = v.ids, v.runs
	}
	return f, nil
}

// formList is a field that may stand in a form many times.
func formList(c *fiber.Ctx, name string, most int) []string {
	var list []string
	for _, v := range c.Context().PostArgs().PeekMulti(name) {
		if len(v) > 0 && len(v) <= most {
			list = append(list, string(v))
		}
	}
	return list
}

// cleared leads back from an action on a clear to the list, with an undo that
// leads there too.
func (s *Server) cleared(c *fiber.Ctx, clear engine.EventClear, back string) error {
	undo := present.EventClear(clear, s.clock(c)).Undo
	switch {
	case clear.Done == 0:
		undo = ""
	case undo != "" && back != "" && len(back) < maxBack:
		undo += "?back=" + url.QueryEscape(back)
	}
	if back == "" {
		back = present.ClearBack(clear)
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
	return s.cleared(c, clear, c.FormValue("back"))
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
