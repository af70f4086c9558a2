package bff

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Retention is what the page of how long events are kept asks of an engine.
type Retention interface {
	EventRetention(ctx context.Context) ([]engine.RetentionRule, error)
	// NextRetention is when the rules are next applied; zero: not at all, or now.
	NextRetention(ctx context.Context) (time.Time, error)
	SetEventRetention(ctx context.Context, rules []engine.RetentionRule, by string) error
	// PlanRetention counts exactly what rules would delete, on or off.
	PlanRetention(ctx context.Context, rules []engine.RetentionRule) ([]engine.RetentionPlan, error)
	StartRetention(ctx context.Context, by string) (engine.RetentionRun, error)
	CancelRetention(ctx context.Context, id int64) error
	RetentionRuns(ctx context.Context, limit int) ([]engine.RetentionRun, error)
}

// retentionRuns is how much of the history the page shows.
const retentionRuns = 50

// manageRetention is the action of altering how long events are kept.
const manageRetention = "updateEventRetention"

func (s *Server) retentionRoutes(r fiber.Router) {
	r.Get("/events/retention", s.showRetention)
	r.Post("/events/retention", s.mayAdminister(manageRetention), s.setRetention)
	r.Post("/events/retention/plan", s.mayAdminister(manageRetention), s.planRetention)
	r.Post("/events/retention/runs", s.mayAdminister(manageRetention), s.startRetention)
	r.Post("/events/retention/runs/:run/cancel", s.mayAdminister(manageRetention), s.cancelRetention)
}

// showRetention shows the rules, and to those who may alter them what they
// have done; with plan=1 also what the rules of the address would do now.
func (s *Server) showRetention(c *fiber.Ctx) error {
	ctx, who, clock := c.UserContext(), s.who(c), s.clock(c)
	in := present.RetentionIn{May: who.May(engine.SystemDomain, manageRetention), User: who.User, API: c.BaseURL()}
	var err error
	if in.Rules, err = s.engine.EventRetention(ctx); err != nil {
		return err
	}
	if in.Next, err = s.engine.NextRetention(ctx); err != nil {
		return err
	}
	if in.May {
		if in.Runs, err = s.engine.RetentionRuns(ctx, retentionRuns); err != nil {
			return err
		}
		if c.Query("plan") == "1" && s.wants(c, "retention-form") {
			if in.Asked, err = retentionForm(in.Rules, func(name string) string { return c.Query(name) }); err != nil {
				return err
			}
			if in.Plan, err = s.engine.PlanRetention(ctx, in.Asked); err != nil {
				return err
			}
		}
	}
	return s.render(c, templates.EventRetention(s.page(c, "Event retention", "events"), present.Retention(in, clock)))
}

// retentionForm reads the rules of a form or an address.
func retentionForm(stored []engine.RetentionRule, get func(name string) string) ([]engine.RetentionRule, error) {
	var rules []engine.RetentionRule
	for _, r := range stored {
		text := get(r.Level + "_days")
		days, err := strconv.Atoi(text)
		if err != nil {
			return nil, engine.Invalidf("%.20q is no number of days. Give 1 to %d.", text, engine.MaxRetentionDays)
		}
		rules = append(rules, engine.RetentionRule{Level: r.Level, Enabled: get(r.Level+"_on") == "1", Days: days})
	}
	return rules, engine.CheckRetention(rules)
}

func (s *Server) setRetention(c *fiber.Ctx) error {
	stored, err := s.engine.EventRetention(c.UserContext())
	if err != nil {
		return err
	}
	rules, err := retentionForm(stored, func(name string) string { return c.FormValue(name) })
	if err != nil {
		return err
	}
	if err := s.engine.SetEventRetention(c.UserContext(), rules, s.who(c).User); err != nil {
		return err
	}
	return s.done(c, "/events/retention", "Saved how long events are kept.", "")
}

// planRetention leads to the page with what the rules of the form would do.
func (s *Server) planRetention(c *fiber.Ctx) error {
	stored, err := s.engine.EventRetention(c.UserContext())
	if err != nil {
		return err
	}
	rules, err := retentionForm(stored, func(name string) string { return c.FormValue(name) })
	if err != nil {
		return err
	}
	q := url.Values{"plan": {"1"}}
	for _, r := range rules {
		q.Set(r.Level+"_days", strconv.Itoa(r.Days))
		if r.Enabled {
			q.Set(r.Level+"_on", "1")
		}
	}
	return c.Redirect("/events/retention?"+q.Encode()+"#retention-plan", fiber.StatusSeeOther)
}

func (s *Server) startRetention(c *fiber.Ctx) error {
	if _, err := s.engine.StartRetention(c.UserContext(), s.who(c).User); err != nil {
		return err
	}
	return s.done(c, "/events/retention", "The rules are being applied.", "")
}

func (s *Server) cancelRetention(c *fiber.Ctx) error {
	id, err := strconv.ParseInt(c.Params("run"), 10, 64)
	if err != nil {
		return engine.NotFoundf("There is no run %.20q.", c.Params("run"))
	}
	if err := s.engine.CancelRetention(c.UserContext(), id); err != nil {
		return err
	}
	return s.done(c, "/events/retention", "Stopped. What was not deleted yet stays.", "")
}
