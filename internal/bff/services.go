package bff

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Services is what the services pages ask of an engine.
type Services interface {
	// Services lists the records of all services on all hosts.
	Services(ctx context.Context) ([]engine.Service, error)
	// ServiceHistory lists what went up and down since a moment, oldest first.
	ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error)
	// RemoveService forgets a record; engine.ErrConflict while it is up.
	RemoveService(ctx context.Context, name, host string) error
}

func (s *Server) servicesRoutes(r fiber.Router) {
	r.Get("/services", s.listServices)
	r.Get("/services/:name/:host", s.listServices)
	r.Post("/services/:name/:host/remove", s.mayAdminister("deleteService"), s.removeService)
}

// listServices shows all instances; an address that names one opens it beside
// the list.
func (s *Server) listServices(c *fiber.Ctx) error {
	now := s.clock(c)
	list, err := s.engine.Services(c.UserContext())
	if err != nil {
		return err
	}
	history, err := s.engine.ServiceHistory(c.UserContext(), present.HistorySince(now.Now))
	if err != nil {
		return err
	}
	p := s.page(c, "Services", "services")
	name, host := param(c, "name"), param(c, "host")
	v := present.Services(list, history, name, host, p.CSRF, now)
	if name != "" && v.Open == nil {
		return engine.NotFoundf("There is no record of %s on %s. It may have been removed.", name, host)
	}
	if v.Open != nil {
		p.Title = name + " on " + host
	}
	return s.render(c, templates.Services(p, v))
}

func (s *Server) removeService(c *fiber.Ctx) error {
	name, host := param(c, "name"), param(c, "host")
	if err := s.engine.RemoveService(c.UserContext(), name, host); err != nil {
		return err
	}
	return s.done(c, "/services", "Removed the record of "+name+" on "+host+".", "")
}
