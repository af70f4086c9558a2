package bff

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// What takes data out of use is counted before it is done.

func (s *Server) planRollback(c *fiber.Ctx) error {
	plan, err := s.engine.FeedRollback(c.UserContext())
	if err != nil {
		return err
	}
	return s.render(c, templates.FeedRollback(s.page(c, "Roll back", "feeds"), present.FeedRollback(plan, s.clock(c))))
}

func (s *Server) rollbackFeeds(c *fiber.Ctx) error {
	if err := s.engine.RollbackFeeds(c.UserContext(), c.FormValue("to")); err != nil {
		return err
	}
	return s.done(c, "/feeds", "Going back to the data before. Images are matched with it.", "")
}

// planDelete shows what deleting the data of a feed, or of one group, removes.
func (s *Server) planDelete(c *fiber.Ctx) error {
	feed, group := c.Query("feed"), c.Query("group")
	if feed == "" {
		return engine.Invalidf("Name the feed whose data is to be deleted.")
	}
	use, err := s.engine.FeedUse(c.UserContext(), feed, group)
	if err != nil {
		return err
	}
	return s.render(c, templates.FeedDelete(s.page(c, "Delete data", "feeds"), present.FeedDelete(use)))
}

// group in a route's parameters is absent where the feed itself is meant.
func (s *Server) toggleFeed(c *fiber.Ctx) error {
	ctx := c.UserContext()
	on := c.FormValue("enabled") == "true"
	feed, group := param(c, "feed"), param(c, "group")
	// What hangs on it is counted while it still does.
	var use engine.FeedUse
	var err error
	if !on {
		if use, err = s.engine.FeedUse(ctx, feed, group); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	name, href := feed, present.FeedsHref(feed, "toggle")
	if group == "" {
		_, err = s.engine.SetFeed(ctx, feed, on)
	} else {
		name, href = group, present.FeedsHref(feed, group, "toggle")
		_, err = s.engine.SetFeedGroup(ctx, feed, group, on)
	}
	if err != nil {
		return err
	}
	if on {
		return s.done(c, "/feeds", "Enabled "+name+". Images are matched with it again.", "")
	}
	text := "Disabled " + name + ": it is left out of matching."
	if use.Matches > 0 {
		text = fmt.Sprintf("Disabled %s: %s in %s go.", name, present.Plural(use.Matches, "match", "matches"), present.Plural(use.Images, "image", "images"))
	}
	return s.done(c, "/feeds", text, href+"?enabled=true")
}

func (s *Server) deleteFeed(c *fiber.Ctx) error {
	name, group := param(c, "feed"), param(c, "group")
	var err error
	if group == "" {
		_, err = s.engine.DeleteFeed(c.UserContext(), name)
	} else {
		_, err = s.engine.DeleteFeedGroup(c.UserContext(), name, group)
		name = group
	}
	if err != nil {
		return err
	}
	return s.done(c, "/feeds", "Deleted the data of "+name+". Enable it and sync to bring it back.", "")
}
