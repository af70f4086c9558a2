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
	// ServiceHistory lists what went up and down since a moment, oldest first,
	// preceded by the last transition before it of each instance.
	ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error)
	// RemoveService forgets a record; engine.ErrConflict while it is up.
	RemoveService(ctx context.Context, name, host string) error
}

// What the drawer shows of an instance's events and log.
const (
	drawerEvents = 6
	drawerLines  = 12
)

func (s *Server) servicesRoutes(r fiber.Router) {
	r.Get("/services", s.listServices)
	r.Get("/services/:name/:host", s.listServices)
	r.Post("/services/:name/:host/remove", s.mayAdminister("deleteService"), s.removeService)
}

// listServices shows all instances, or what went wrong with them; an address
// that names one opens it beside the list.
func (s *Server) listServices(c *fiber.Ctx) error {
	now, who := s.clock(c), s.who(c)
	q := present.ParseServiceQuery(func(name string) string { return c.Query(name) })
	q.Name, q.At = param(c, "name"), param(c, "host")
	d := present.ServicesData{Query: q, Admin: who.Admin, Remove: who.May(engine.SystemDomain, "deleteService")}
	var err error
	if d.List, err = s.engine.Services(c.UserContext()); err != nil {
		return err
	}
	if d.History, err = s.engine.ServiceHistory(c.UserContext(), present.HistorySince(present.Period90d, now)); err != nil {
		return err
	}
	if q.Name != "" && s.wants(c, "services-drawer") {
		if err := s.serviceVoice(c, &d); err != nil {
			return err
		}
	}
	p := s.page(c, "Services", "services")
	d.CSRF = p.CSRF
	v := present.Services(d, now)
	if q.Name != "" && v.Open == nil {
		return engine.NotFoundf("There is no record of %s on %s. It may have been removed.", q.Name, q.At)
	}
	if v.Open != nil {
		p.Title = q.Name + " on " + q.At
	}
	return s.render(c, templates.Services(p, v))
}

// serviceVoice reads what the open instance said last: its events and the end
// of its log. A log that cannot be read is a note in its place.
func (s *Server) serviceVoice(c *fiber.Ctx, d *present.ServicesData) error {
	ctx, name, host := c.UserContext(), d.Query.Name, d.Query.At
	events, err := s.engine.Events(ctx, s.who(c).Account, engine.EventFilter{Service: name, Host: host}, engine.EventPage{Limit: drawerEvents})
	if err != nil {
		return err
	}
	d.Events = events.Events
	if !d.Admin {
		d.NoLog = "Logs tell of every account and are for administrators."
		return nil
	}
	page, err := s.engine.LogLines(ctx, engine.LogQuery{Services: []string{name}, Hosts: []string{host}, Limit: drawerLines})
	if err != nil {
		s.log.WarnContext(ctx, "log unreadable", "service", name, "error", err)
		d.NoLog = "The log cannot be read now."
		return nil
	}
	d.Lines = page.Lines
	switch {
	case len(page.Failed) > 0:
		d.NoLog = "The log of " + host + " cannot be read: " + page.Failed[0].Reason + "."
	case len(d.Lines) == 0:
		d.NoLog = "Its log is empty."
	}
	return nil
}

func (s *Server) removeService(c *fiber.Ctx) error {
	name, host := param(c, "name"), param(c, "host")
	if err := s.engine.RemoveService(c.UserContext(), name, host); err != nil {
		return err
	}
	return s.done(c, "/services", "Removed the record of "+name+" on "+host+".", "")
}
