package bff

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Troubleshoot is what the troubleshooting guide asks of an engine.
type Troubleshoot interface {
	// Checks makes the checks that a query asks for, in the order of the guide.
	Checks(ctx context.Context, q engine.CheckQuery) ([]engine.Check, error)
	// RetryFailed analyzes the images that failed of a cause again, so many at
	// a time; left are those for the next time.
	RetryFailed(ctx context.Context, account, cause string) (done int, left int64, err error)
	// SupportBundle writes a zip archive of what somebody who helps needs to
	// know, without secrets.
	SupportBundle(ctx context.Context, w io.Writer, q engine.CheckQuery) error
}

func (s *Server) troubleshootRoutes(r fiber.Router) {
	r.Get("/troubleshoot", s.troubleshoot)
	r.Get("/troubleshoot/report.md", s.checksReport)
	r.Get("/troubleshoot/bundle.zip", s.mayAdminister("getSupportBundle"), s.supportBundle)
	r.Post("/troubleshoot/run", s.runChecks)
	r.Post("/troubleshoot/retry", s.may("createImage"), s.retryFailed)
	r.Post("/troubleshoot/sync", s.mayAdminister("updateFeeds"), s.syncFromGuide)
}

// checkQuery is what this user may ask for: the database and the hosts are the
// business of administrators.
func (s *Server) checkQuery(c *fiber.Ctx) (engine.CheckQuery, error) {
	who := s.who(c)
	if err := who.Permit(who.Home(), "listChecks"); err != nil {
		return engine.CheckQuery{}, engine.Forbiddenf("Your role in the account %s does not allow this (listChecks).", who.Home())
	}
	return engine.CheckQuery{Who: who, Account: who.Home(), System: who.May(engine.SystemDomain, "listServices")}, nil
}

func (s *Server) troubleshoot(c *fiber.Ctx) error {
	q, err := s.checkQuery(c)
	if err != nil {
		return err
	}
	list, err := s.engine.Checks(c.UserContext(), q)
	if err != nil {
		return err
	}
	may := present.CheckRights{
		Feeds: q.Who.May(engine.SystemDomain, "updateFeeds"), Images: q.Who.May(q.Account, "createImage"),
		Registries: q.Who.May(q.Account, "createRegistry"), Bundle: q.Who.May(engine.SystemDomain, "getSupportBundle"),
	}
	return s.render(c, templates.Troubleshoot(s.page(c, "Troubleshoot", "troubleshoot"), present.Troubleshoot(list, may, s.clock(c))))
}

// checksReport is the guide as text.
func (s *Server) checksReport(c *fiber.Ctx) error {
	q, err := s.checkQuery(c)
	if err != nil {
		return err
	}
	list, err := s.engine.Checks(c.UserContext(), q)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString(engine.CheckReport(list, s.clock(c).Now))
}

// bundleTime is how long the making of a support bundle may take.
const bundleTime = 2 * time.Minute

// supportBundle makes the archive in a file first: what goes wrong is then an
// error page, and not a download that ends in the middle.
func (s *Server) supportBundle(c *fiber.Ctx) error {
	q, err := s.checkQuery(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.base, bundleTime)
	defer cancel()
	f, err := os.CreateTemp("", "windlass-support-")
	if err != nil {
		return fmt.Errorf("support bundle: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil { // gone with its last reader
		f.Close()
		return fmt.Errorf("support bundle: %w", err)
	}
	w := bufio.NewWriter(f)
	if err = s.engine.SupportBundle(ctx, w, q); err == nil {
		err = w.Flush()
	}
	var size int64
	if err == nil {
		if size, err = f.Seek(0, io.SeekCurrent); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return err
	}
	download(c, "application/zip", "windlass-support-"+time.Now().UTC().Format("20060102-150405")+".zip")
	c.Context().SetBodyStream(f, int(size))
	return nil
}

// runChecks looks again: at one thing, or at everything. It changes nothing, so
// it is no entry of the audit log.
func (s *Server) runChecks(c *fiber.Ctx) error {
	q, err := s.checkQuery(c)
	if err != nil {
		return err
	}
	q.Fresh = true
	to := present.TroubleshootHref
	if one := c.FormValue("check"); one != "" {
		q.Only, to = []string{one}, to+"#check-"+one
		// A login to each registry tries passwords: not everybody's business.
		q.Reach = one == engine.CheckRegistries && q.Who.May(q.Account, "createRegistry")
	}
	if _, err := s.engine.Checks(c.UserContext(), q); err != nil {
		return err
	}
	return c.Redirect(to, fiber.StatusSeeOther)
}

func (s *Server) retryFailed(c *fiber.Ctx) error {
	done, left, err := s.engine.RetryFailed(c.UserContext(), s.who(c).Home(), c.FormValue("cause"))
	if err != nil {
		return err
	}
	text := present.Plural(done, "image", "images") + " queued for analysis again."
	if left > 0 {
		text += " " + present.Plural(left, "more failed so: retry again.", "more failed so: retry again.")
	}
	return s.done(c, present.TroubleshootHref+"#check-"+engine.CheckImages, text, "")
}

func (s *Server) syncFromGuide(c *fiber.Ctx) error {
	to := present.TroubleshootHref + "#check-" + engine.CheckFeeds
	switch err := s.engine.StartFeedSync(c.UserContext(), false); {
	case errors.Is(err, engine.ErrConflict):
		return s.done(c, to, "A sync is running already.", "")
	case err != nil:
		return err
	}
	return s.done(c, to, "Sync started.", "")
}
