package bff

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	r.Get("/logs/download", administrators(s.downloadLogs))
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
	clock := s.clock(c)
	form, err := logForm(c, clock)
	if err != nil {
		return err
	}
	ctx, fault := c.UserContext(), ""
	page, err := s.logLines(ctx, form)
	if errors.Is(err, engine.ErrInvalid) {
		// The form stays, with what was typed, to be put right.
		page, fault = nil, engine.MessageOf(err, "This search is not valid.")
		c.Status(http.StatusBadRequest)
	} else if err != nil {
		return err
	}
	files, _, err := s.engine.LogFiles(ctx)
	if err != nil {
		return err
	}
	return s.render(c, templates.Logs(s.page(c, "Logs", "logs"), present.Logs(form, page, files, fault, clock)))
}

// logLines asks for the page's lines: one query, or those before and behind a
// moment.
func (s *Server) logLines(ctx context.Context, form present.LogForm) (*engine.LogPage, error) {
	if form.At.IsZero() {
		page, err := s.engine.LogLines(ctx, form.Query)
		return &page, err
	}
	q := form.Query
	q.Since, q.Before, q.Limit = time.Time{}, form.At, linesAround
	before, err := s.engine.LogLines(ctx, q)
	if err != nil {
		return nil, err
	}
	q.Since, q.Before, q.Oldest = form.At, time.Time{}, true
	page, err := s.engine.LogLines(ctx, q)
	page.Lines = append(before.Lines, page.Lines...)
	page.First = before.First
	return &page, err
}

func (s *Server) downloadLogFile(c *fiber.Ctx) error {
	// The body is read after the handler has returned, when its own context has
	// ended.
	ctx, cancel := context.WithTimeout(s.base, downloadTime)
	file, r, err := s.engine.OpenLogFile(ctx, param(c, "host"), param(c, "name"))
	if err != nil {
		cancel()
		return err
	}
	attach(c, file.Name)
	return c.SendStream(until{r, cancel}, int(file.Bytes)) // closes it
}

// until is a body whose context ends when it is closed.
type until struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (u until) Close() error {
	defer u.cancel()
	return u.ReadCloser.Close()
}

// attach makes the answer a text file to keep.
func attach(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+strings.NewReplacer(`"`, "", "\\", "").Replace(name)+`"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// logForm reads the viewer's address.
func logForm(c *fiber.Ctx, clock present.Clock) (present.LogForm, error) {
	v, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return present.LogForm{}, engine.Invalidf("The address has a query that cannot be read.")
	}
	return parseLogForm(v, clock.Zone)
}

// parseLogForm reads the filters and the place. A moment without a zone is in
// that of the browser.
func parseLogForm(v url.Values, zone *time.Location) (f present.LogForm, err error) {
	f.OneLine = v.Get("oneline") != ""
	f.Query = engine.LogQuery{
		Level: v.Get("level"), Text: v.Get("text"), Regex: v.Get("regex") != "", Invert: v.Get("invert") != "",
	}
	for _, name := range engine.ServiceNames {
		if slices.Contains(v["service"], name) {
			f.Query.Services = append(f.Query.Services, name)
		}
	}
	for _, host := range v["host"] {
		if host != "" && len(host) < 256 && len(f.Query.Hosts) < engine.MaxLogHosts && !slices.Contains(f.Query.Hosts, host) {
			f.Query.Hosts = append(f.Query.Hosts, host)
		}
	}
	for field, at := range map[string]*time.Time{"at": &f.At, "since": &f.Query.Since, "before": &f.Query.Before} {
		if *at, err = parseMoment(field, v.Get(field), zone); err != nil {
			return f, err
		}
	}
	if f.Query.From, err = engine.ParseLogCursor(v.Get("from")); err != nil {
		return f, err
	}
	if f.Query.Until, err = engine.ParseLogCursor(v.Get("until")); err != nil {
		return f, err
	}
	f.Query.Oldest = f.Query.From != nil
	return f, nil
}

func parseMoment(field, s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, engine.Invalidf("%s: %q is no date and time such as 2026-11-22T21:45:00.", field, s)
}
