package bff

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Logs is what the logs pages ask of an engine.
type Logs interface {
	// LogHosts lists the hosts whose logs can be asked for, the engine's own
	// first.
	LogHosts(ctx context.Context) ([]engine.LogHost, error)
	// LogLines selects lines; engine.ErrInvalid when the query cannot be. Hosts
	// that cannot be read are named in the page and fail nothing.
	LogLines(ctx context.Context, q engine.LogQuery) (engine.LogPage, error)
	// FollowLogs calls each with what comes behind a cursor until ctx ends
	// (nil) or each returns an error. While each is busy lines wait where they
	// are written, and what is passed over in the end is counted.
	FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error
	// LogFiles lists the files, by host and service and then newest first, and
	// the hosts that cannot be asked.
	LogFiles(ctx context.Context) ([]engine.LogFile, []engine.LogHostFault, error)
	// OpenLogFile opens a file of that list as it is now, of the size it gives.
	// The body ends with ctx.
	OpenLogFile(ctx context.Context, host, name string) (engine.LogFile, io.ReadCloser, error)
}

// linesAround is how many lines are shown on each side of a moment.
const linesAround = 200

func (s *Server) logsRoutes(r fiber.Router) {
	r.Get("/logs", administrators(s.showLogs))
	r.Get("/logs/line", administrators(s.showLogLine))
	r.Get("/logs/download", administrators(s.downloadLogs))
	r.Get("/logs/files", administrators(s.listLogFiles))
	r.Get("/logs/files/:host/:name", administrators(s.downloadLogFile))
	r.Get("/ws/logs", administrators(s.followLogs))
}

// administrators lets a handler answer those only: a log holds what happened
// in every account.
func administrators(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if who, _ := c.Locals(localSession).(engine.Session); !who.Admin {
			return fiber.NewError(http.StatusForbidden, "The logs tell of every account and are for administrators.")
		}
		return h(c)
	}
}

func (s *Server) showLogs(c *fiber.Ctx) error {
	ctx, clock := c.UserContext(), s.clock(c)
	form, err := logForm(c, clock)
	if err != nil {
		return err
	}
	p := present.LogPage{Form: form}
	if p.Hosts, err = s.engine.LogHosts(ctx); err != nil {
		return err
	}
	err = s.readLogs(ctx, &p)
	if errors.Is(err, engine.ErrInvalid) {
		// The form stays, with what was typed, to be put right.
		p.Page, p.Fault = nil, engine.MessageOf(err, "This search is not valid.")
		c.Status(http.StatusBadRequest)
	} else if err != nil {
		return err
	}
	return s.render(c, templates.Logs(s.page(c, "Logs", "logs"), present.Logs(p, clock)))
}

// readLogs asks for the page's lines: one query, or those before and behind a
// moment.
func (s *Server) readLogs(ctx context.Context, p *present.LogPage) error {
	at := p.Form.At
	if p.Form.Line != nil {
		line, err := s.logLine(ctx, p.Form.Line)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			if p.Gone = true; at.IsZero() {
				return engine.Invalidf("This line is gone, and its address does not tell its time.")
			}
			p.Form = p.Form.Plain()
		case err != nil:
			return err
		default:
			p.Line, at = &line, line.At
			p.Form = p.Form.With(line)
		}
	}
	if at.IsZero() {
		page, err := s.engine.LogLines(ctx, p.Form.Query)
		p.Page = &page
		return err
	}
	q := p.Form.Query
	q.Since, q.Before, q.Limit = time.Time{}, at, linesAround
	before, err := s.engine.LogLines(ctx, q)
	if err != nil {
		return err
	}
	q.Since, q.Before, q.Oldest = at, time.Time{}, true
	page, err := s.engine.LogLines(ctx, q)
	page.Lines = append(before.Lines, page.Lines...)
	page.First = before.First
	p.Page = &page
	return err
}

// logLine is the line at a position; engine.ErrNotFound when there is none
// any more.
func (s *Server) logLine(ctx context.Context, at engine.LogCursor) (engine.LogLine, error) {
	for src, place := range at {
		page, err := s.engine.LogLines(ctx, engine.LogQuery{
			Services: []string{src.Service}, Hosts: []string{src.Host}, From: at, Oldest: true, Limit: 1,
		})
		switch {
		case err != nil:
			return engine.LogLine{}, err
		case len(page.Failed) > 0:
			return engine.LogLine{}, &engine.Fault{Kind: engine.ErrUnavailable, Message: "The log of " + src.Host + " cannot be read: " + page.Failed[0].Reason + "."}
		case !page.Missed && len(page.Lines) == 1 && page.Lines[0].Position() == place:
			return page.Lines[0], nil
		}
	}
	return engine.LogLine{}, engine.NotFoundf("This line is gone: rotation has removed the file that it stood in.")
}

// showLogLine is what is below a row of the viewer that was opened.
func (s *Server) showLogLine(c *fiber.Ctx) error {
	clock := s.clock(c)
	form, err := logForm(c, clock)
	if err != nil {
		return err
	}
	if len(fragments(c)) == 0 { // a person has come by the address
		return c.Redirect("/logs?"+string(c.Request().URI().QueryString()), http.StatusSeeOther)
	}
	if form.Line == nil {
		return engine.Invalidf("line: expected the position of a line.")
	}
	line, err := s.logLine(c.UserContext(), form.Line)
	if err != nil {
		return err
	}
	return s.render(c, templates.LogLine(present.NewLogRows(form, clock, true).Detail(line)))
}

func (s *Server) listLogFiles(c *fiber.Ctx) error {
	files, failed, err := s.engine.LogFiles(c.UserContext())
	if err != nil {
		return err
	}
	return s.render(c, templates.LogFiles(s.page(c, "Log files", "logs"), present.LogFiles(files, failed, s.clock(c))))
}
