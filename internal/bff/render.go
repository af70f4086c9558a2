package bff

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// How to write a page: a handler reads the request, asks the engine once or
// twice, shapes, renders, and returns its errors; fail draws them.
//
//	func (s *Server) listFeeds(c *fiber.Ctx) error {
//		who := s.who(c)                              // engine.Identity: pass who.Account on
//		feeds, err := s.engine.Feeds(c.UserContext()) // the context has the page's deadline
//		if err != nil {
//			return err
//		}
//		p := s.page(c, "Feeds", "feeds")             // title, key of the rail's item
//		return s.render(c, templates.Feeds(p, present.Feeds(feeds, s.clock(c))))
//	}
//
//	func (s *Server) syncFeeds(c *fiber.Ctx) error { // POST; the CSRF token is already checked
//		if err := s.engine.SyncFeeds(c.UserContext()); err != nil {
//			return err
//		}
//		return s.done(c, "/feeds", "Sync started.", "") // 303 with a toast, and an undo address or ""
//	}
//
// An address with ?fragment=id gets that @Live part of the same page alone;
// ask s.wants(c, "id") before work that only another part needs. Rows pushed
// over the socket are drawn once for all browsers: no CSRF token, no user's
// zone in them (the script redraws times).

// page is the frame's data for this request.
func (s *Server) page(c *fiber.Ctx, title, active string) view.Page {
	who := s.who(c)
	// The number was read before the page's data: what commits in between is
	// told again rather than missed.
	seq, _ := c.Locals(localSeq).(int64)
	prefs := preferences(c)
	s.cachePreferences(c, prefs)
	lacks, _ := c.Locals(localLacks).(*view.Lacks)
	return view.Page{
		Title: title, Active: active, Path: here(c), User: who.User, Account: who.Account,
		CSRF: s.session(c).CSRF, Theme: drawn(prefs.Theme), Zone: zone(c), Rail: drawn(prefs.Rail), Density: drawn(prefs.Density),
		Status: s.engineStatus(c.UserContext()), Seq: seq, Flash: takeFlash(c),
		Lacks: lacks, Nav: navigation(who, lacks), Drawn: time.Now().In(location(c)).Format("2006-01-02 15:04:05 MST"),
	}
}

// render draws a page, or the fragments of it that were asked for. A
// component that fails half way leaves nothing of itself behind.
func (s *Server) render(c *fiber.Ctx, page templ.Component) error {
	c.Type("html", "utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	var out bytes.Buffer
	var err error
	if ids := fragments(c); len(ids) > 0 {
		names := make([]any, len(ids))
		for i, id := range ids {
			names[i] = id
		}
		err = templ.RenderFragments(c.UserContext(), &out, page, names...)
	} else {
		err = page.Render(c.UserContext(), &out)
	}
	if err != nil {
		return fmt.Errorf("render: %w", err)
	}
	return c.Send(out.Bytes())
}

// fragments lists the parts of the page that the request asks for.
func fragments(c *fiber.Ctx) []string {
	q := c.Query("fragment")
	if q == "" {
		return nil
	}
	return strings.Split(q, ",")
}

// wants reports whether the answer will show the part of that name.
func (s *Server) wants(c *fiber.Ctx, id string) bool {
	ids := fragments(c)
	return len(ids) == 0 || slices.Contains(ids, id)
}

// done ends an action: back to a page, which shows text and offers undo, the
// address of a POST form (empty: none). to is a path of the console.
func (s *Server) done(c *fiber.Ctx, to, text, undo string) error {
	setFlash(c, view.Flash{Text: text, Undo: undo})
	return c.Redirect(localPath(to), fiber.StatusSeeOther)
}

// clock is now, in the zone in which this browser reads times.
func (s *Server) clock(c *fiber.Ctx) present.Clock {
	return present.Clock{Now: time.Now(), Zone: location(c)}
}

// who is the signed-in user. Pass its account to the engine.
func (s *Server) who(c *fiber.Ctx) engine.Identity { return s.session(c).Identity }

// here is the path and query of this page.
func here(c *fiber.Ctx) string { return c.OriginalURL() }

// param is a part of the path, decoded. Fiber gives it as it was sent.
func param(c *fiber.Ctx, name string) string {
	v, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return c.Params(name)
	}
	return v
}
