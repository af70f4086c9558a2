package bff

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Feeds is what the feeds pages ask of an engine.
type Feeds interface {
	Feeds(ctx context.Context) ([]engine.Feed, error)
	FeedStatus(ctx context.Context) (engine.FeedStatus, error)
	// StartFeedSync begins a sync and returns; engine.ErrConflict while one runs.
	StartFeedSync(ctx context.Context, flush bool) error
	// CancelFeedSync ends the running sync; engine.ErrNotFound when none runs.
	CancelFeedSync(ctx context.Context, by string) error
	// RollbackFeeds goes back to the data before; engine.ErrNotFound when
	// there is none.
	RollbackFeeds(ctx context.Context) error
	// ImportFeeds takes in an archive and begins to install it. An empty
	// checksum is not compared.
	ImportFeeds(ctx context.Context, archive io.Reader, name, checksum string, flush bool) error
	SetFeed(ctx context.Context, feed string, enabled bool) (engine.Feed, error)
	SetFeedGroup(ctx context.Context, feed, group string, enabled bool) (engine.FeedGroup, error)
	DeleteFeed(ctx context.Context, feed string) (engine.Feed, error)
	DeleteFeedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error)
}

func (s *Server) feedsRoutes(r fiber.Router) {
	r.Get("/feeds", s.listFeeds)
	r.Post("/feeds/sync", s.mayAdminister("updateFeeds"), s.syncFeeds)
	r.Post("/feeds/cancel", s.mayAdminister("updateFeeds"), s.cancelFeeds)
	r.Post("/feeds/rollback", s.mayAdminister("updateFeeds"), s.rollbackFeeds)
	r.Post("/feeds/upload", s.mayAdminister("updateFeeds"), s.uploadFeeds)
	r.Post("/feeds/:feed/toggle", s.mayAdminister("updateFeeds"), s.toggleFeed)
	r.Post("/feeds/:feed/delete", s.mayAdminister("updateFeeds"), s.deleteFeed)
	r.Post("/feeds/:feed/:group/toggle", s.mayAdminister("updateFeeds"), s.toggleFeed)
	r.Post("/feeds/:feed/:group/delete", s.mayAdminister("updateFeeds"), s.deleteFeed)
}

func (s *Server) listFeeds(c *fiber.Ctx) error {
	list, err := s.engine.Feeds(c.UserContext())
	if err != nil {
		return err
	}
	st, err := s.engine.FeedStatus(c.UserContext())
	if err != nil {
		return err
	}
	p := s.page(c, "Feeds", "feeds")
	v := present.Feeds(list, st, feedQuery(c), s.who(c).Admin, s.clock(c))
	v.Limit = present.Bytes(s.opts.UploadLimit)
	return s.render(c, templates.Feeds(p, v))
}

// feedQuery reads the filter; what is not a choice means all.
func feedQuery(c *fiber.Ctx) present.FeedQuery {
	q := present.FeedQuery{Text: strings.TrimSpace(c.Query("q")), Show: c.Query("show")}
	if q.Show != "changed" && q.Show != "off" {
		q.Show = ""
	}
	if len(q.Text) > 200 {
		q.Text = q.Text[:200]
	}
	return q
}

func (s *Server) syncFeeds(c *fiber.Ctx) error {
	switch err := s.engine.StartFeedSync(c.UserContext(), c.FormValue("flush") == "true"); {
	case errors.Is(err, engine.ErrConflict):
		return s.done(c, "/feeds", "A sync is running already.", "")
	case err != nil:
		return err
	}
	return s.done(c, "/feeds", "Sync started.", "")
}

func (s *Server) cancelFeeds(c *fiber.Ctx) error {
	switch err := s.engine.CancelFeedSync(c.UserContext(), s.who(c).User); {
	case errors.Is(err, engine.ErrNotFound):
		return s.done(c, "/feeds", "The sync has ended already.", "")
	case err != nil:
		return err
	}
	return s.done(c, "/feeds", "Sync cancelled. The data in use stays.", "")
}

func (s *Server) rollbackFeeds(c *fiber.Ctx) error {
	if err := s.engine.RollbackFeeds(c.UserContext()); err != nil {
		return err
	}
	return s.done(c, "/feeds", "The data before is in use again. Images are matched with it.", "")
}

// group in a route's parameters is absent where the feed itself is meant.
func (s *Server) toggleFeed(c *fiber.Ctx) error {
	on := c.FormValue("enabled") == "true"
	name, group := param(c, "feed"), param(c, "group")
	var err error
	if group == "" {
		_, err = s.engine.SetFeed(c.UserContext(), name, on)
	} else {
		_, err = s.engine.SetFeedGroup(c.UserContext(), name, group, on)
		name = group
	}
	if err != nil {
		return err
	}
	text := "Disabled " + name + ": it is left out of matching."
	if on {
		text = "Enabled " + name + "."
	}
	return s.done(c, "/feeds", text, "")
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
	return s.done(c, "/feeds", "Deleted the data of "+name+".", "")
}
