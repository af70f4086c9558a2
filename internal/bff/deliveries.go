package bff

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Deliveries is what the history of notifications asks of an engine.
type Deliveries interface {
	// Notifications lists newest first, without what they tell.
	Notifications(ctx context.Context, account string, f engine.NotificationFilter) ([]engine.Notification, error)
	Notification(ctx context.Context, account string, seq int64) (engine.Notification, error)
	// Redeliver queues one again: engine.ErrConflict while it still waits.
	Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error)
}

func (s *Server) deliveriesRoutes(r fiber.Router) {
	r.Get(present.DeliveriesHref, s.listDeliveries)
	r.Get(present.DeliveriesHref+"/:seq", s.showDelivery)
	r.Post(present.DeliveriesHref+"/:seq/retry", s.may("updateNotification"), s.retryDelivery)
}

func (s *Server) listDeliveries(c *fiber.Ctx) error {
	q := query(c)
	f := engine.NotificationFilter{
		State: engine.DeliveryState(q.Get("state")), Type: q.Get("type"), Key: strings.TrimSpace(q.Get("key")), Webhook: q.Get("webhook"),
		Limit: pageSize(c, present.DeliveriesPage) + 1,
	}
	if after := q.Get("after"); after != "" {
		var err error
		if f.After, err = strconv.ParseInt(after, 10, 64); err != nil || f.After < 1 {
			return engine.Invalidf("%.40q is not a place in this list.", after)
		}
	}
	list, err := s.engine.Notifications(c.UserContext(), s.who(c).Account, f)
	if err != nil {
		return err
	}
	in := present.DeliveriesIn{List: list, Filter: f, Query: q, May: s.mayFunc(c), API: c.BaseURL(), User: s.who(c).User}
	if in.Hooks, err = s.knownHooks(c); err != nil {
		return err
	}
	return s.render(c, templates.Deliveries(s.page(c, "Deliveries", "subscriptions"), present.Deliveries(in, s.clock(c))))
}

// knownHooks are the account's webhooks, if the user may know them: an address
// often holds a token.
func (s *Server) knownHooks(c *fiber.Ctx) ([]engine.Webhook, error) {
	if !s.mayFunc(c)("listWebhooks") {
		return nil, nil
	}
	return s.engine.Webhooks(c.UserContext(), s.who(c).Account)
}

func (s *Server) showDelivery(c *fiber.Ctx) error {
	seq, err := deliverySeq(c)
	if err != nil {
		return err
	}
	n, err := s.engine.Notification(c.UserContext(), s.who(c).Account, seq)
	if err != nil {
		return goneDelivery(err)
	}
	hooks, err := s.knownHooks(c)
	if err != nil {
		return err
	}
	v := present.Delivery(n, hooks, s.mayFunc(c), c.BaseURL(), s.who(c).User, s.clock(c))
	return s.render(c, templates.Delivery(s.page(c, v.Row.Type, "subscriptions"), v))
}

func (s *Server) retryDelivery(c *fiber.Ctx) error {
	seq, err := deliverySeq(c)
	if err != nil {
		return err
	}
	n, err := s.engine.Redeliver(c.UserContext(), s.who(c).Account, seq)
	if errors.Is(err, engine.ErrConflict) {
		return engine.Conflictf("It is on its way already.")
	}
	if err != nil {
		return goneDelivery(err)
	}
	to := present.DeliveriesHref
	if c.FormValue("from") == "one" {
		to += "/" + strconv.FormatInt(seq, 10)
	}
	return s.done(c, to, "Delivering again: "+present.NotificationWords(n.Type)+", "+n.Key+".", "")
}

func deliverySeq(c *fiber.Ctx) (int64, error) {
	seq, err := strconv.ParseInt(param(c, "seq"), 10, 64)
	if err != nil || seq < 1 {
		return 0, goneDelivery(engine.ErrNotFound)
	}
	return seq, nil
}

func goneDelivery(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no such delivery. They are kept for 7 days.")
	}
	return err
}
