package bff

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// saveFilter keeps the filter of the list that the form was drawn with under a
// name.
func (s *Server) saveFilter(c *fiber.Ctx) error {
	values, err := url.ParseQuery(strings.TrimPrefix(c.FormValue("query"), "?"))
	if err != nil {
		return engine.Invalidf("The filter cannot be read: %v.", err)
	}
	query, err := present.SavedQuery(values.Get)
	if err != nil {
		return err
	}
	who := s.who(c)
	f, err := s.engine.SaveFilter(c.UserContext(), who.Account, who.User, c.FormValue("name"), query)
	if err != nil {
		return err
	}
	return s.done(c, "/events"+f.Query, "Saved the filter "+f.Name+".", "")
}

func (s *Server) renameFilter(c *fiber.Ctx) error {
	id, err := filterID(c)
	if err != nil {
		return err
	}
	who := s.who(c)
	if err := s.engine.RenameFilter(c.UserContext(), who.Account, who.User, id, c.FormValue("name")); err != nil {
		return err
	}
	return s.done(c, eventsBack(c), "Renamed the filter.", "")
}

func (s *Server) deleteFilter(c *fiber.Ctx) error {
	id, err := filterID(c)
	if err != nil {
		return err
	}
	who := s.who(c)
	if err := s.engine.DeleteFilter(c.UserContext(), who.Account, who.User, id); err != nil {
		return err
	}
	return s.done(c, eventsBack(c), "Deleted the saved filter.", "")
}

// eventsBack is the list that a form was drawn on.
func eventsBack(c *fiber.Ctx) string { return cmp.Or(c.FormValue("back"), "/events") }

func filterID(c *fiber.Ctx) (int64, error) {
	id, err := strconv.ParseInt(c.Params("filter"), 10, 64)
	if err != nil {
		return 0, engine.NotFoundf("That filter is not saved any more.")
	}
	return id, nil
}
