package bff

import (
	"context"
	"errors"
	"io"
	"strconv"
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
	// FeedSyncs lists the newest syncs before one of them; 0: all.
	FeedSyncs(ctx context.Context, before int64, limit int) ([]engine.FeedSync, error)
	// StartFeedSync begins a sync and returns; engine.ErrConflict while one runs.
	StartFeedSync(ctx context.Context, flush bool) error
	// CancelFeedSync ends the running sync; engine.ErrNotFound when none runs.
	CancelFeedSync(ctx context.Context, by string) error
	// FeedRollback counts what going back to the data before would change;
	// engine.ErrNotFound when there is none.
	FeedRollback(ctx context.Context) (engine.FeedRollback, error)
	// RollbackFeeds begins to go back to the data of that id; engine.ErrConflict
	// when it is no longer the data before.
	RollbackFeeds(ctx context.Context, to string) error
	// FeedUse counts what hangs on a feed, or on one group of it.
	FeedUse(ctx context.Context, feed, group string) (engine.FeedUse, error)
	SetFeed(ctx context.Context, feed string, enabled bool) (engine.Feed, error)
	SetFeedGroup(ctx context.Context, feed, group string, enabled bool) (engine.FeedGroup, error)
	DeleteFeed(ctx context.Context, feed string) (engine.Feed, error)
	DeleteFeedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error)
	FeedUploads
}

// FeedUploads is what the upload of an archive asks: whole, or in pieces that
// go on where one broke off.
type FeedUploads interface {
	// ImportFeeds takes in an archive and begins to install it. An empty
	// checksum is not compared.
	ImportFeeds(ctx context.Context, archive io.Reader, name, checksum string, flush bool) error
	// OpenFeedArchive begins an upload whose bytes are to come; Source is the
	// file's name.
	OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error)
	FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error)
	// AppendFeedArchive takes in bytes from an offset on. What was here already
	// is compared: engine.ErrConflict when it is another file.
	AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error)
	// InstallFeedArchive begins to install an upload that is complete.
	InstallFeedArchive(ctx context.Context, id string, flush bool) error
	DropFeedArchive(ctx context.Context, id string) error
}

func (s *Server) feedsRoutes(r fiber.Router) {
	may := s.mayAdminister("updateFeeds")
	r.Get("/feeds", s.listFeeds)
	r.Post("/feeds/sync", may, s.syncFeeds)
	r.Post("/feeds/cancel", may, s.cancelFeeds)
	r.Get("/feeds/rollback", may, s.planRollback)
	r.Post("/feeds/rollback", may, s.rollbackFeeds)
	r.Post("/feeds/upload", may, s.uploadFeeds)
	r.Post("/feeds/uploads", may, s.openUpload)
	r.Get("/feeds/uploads/:id", may, s.showUpload)
	r.Post("/feeds/uploads/:id/upload", may, s.appendUpload)
	r.Post("/feeds/uploads/:id/install", may, s.installUpload)
	r.Post("/feeds/uploads/:id/discard", may, s.discardUpload)
	r.Get("/feeds/delete", may, s.planDelete)
	r.Post("/feeds/:feed/toggle", may, s.toggleFeed)
	r.Post("/feeds/:feed/delete", may, s.deleteFeed)
	r.Post("/feeds/:feed/:group/toggle", may, s.toggleFeed)
	r.Post("/feeds/:feed/:group/delete", may, s.deleteFeed)
}

// feedHistory is how many syncs a page of the history has.
const feedHistory = 20

func (s *Server) listFeeds(c *fiber.Ctx) error {
	ctx := c.UserContext()
	list, err := s.engine.Feeds(ctx)
	if err != nil {
		return err
	}
	st, err := s.engine.FeedStatus(ctx)
	if err != nil {
		return err
	}
	q := feedQuery(c)
	// One more than is shown tells whether there are older ones.
	past, err := s.engine.FeedSyncs(ctx, q.Before, feedHistory+1)
	if err != nil {
		return err
	}
	p := s.page(c, "Feeds", "feeds")
	v := present.Feeds(list, st, past, feedHistory, q, s.who(c).Admin, s.clock(c))
	if partial, ok := s.opts.Engine.(Partial); !ok || !partial.Lacks(engine.FeatureFeedData) {
		v.Limit = present.Bytes(min(s.opts.UploadLimit, engine.MaxFeedArchive))
	} else if v.Running != nil {
		v.Running.Cancel = false
	}
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
	if n, err := strconv.ParseInt(c.Query("before"), 10, 64); err == nil && n > 0 {
		q.Before = n
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
