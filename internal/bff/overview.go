package bff

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Overview is what the start page asks of an engine.
type Overview interface {
	// Overview is the state of everything an account can see, at one moment.
	Overview(ctx context.Context, account string) (engine.Overview, error)
}

func (s *Server) overviewRoutes(r fiber.Router) {
	r.Get("/", s.overview)
}

func (s *Server) overview(c *fiber.Ctx) error {
	now := s.clock(c)
	sum, err := s.engine.Overview(c.UserContext(), s.who(c).Account)
	if err != nil {
		return err
	}
	services, err := s.engine.Services(c.UserContext())
	if err != nil {
		return err
	}
	history, err := s.engine.ServiceHistory(c.UserContext(), present.IncidentsSince(now))
	if err != nil {
		return err
	}
	verdicts, err := s.engine.VerdictCounts(c.UserContext(), s.who(c).Account)
	if err != nil {
		return err
	}
	p := s.page(c, "Overview", "overview")
	return s.render(c, templates.Overview(p, present.Overview(sum, verdicts, services, history, s.who(c).Admin, now)))
}
