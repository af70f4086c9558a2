package bff

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Webhooks is what the page of webhooks asks of an engine.
type Webhooks interface {
	SettingWebhooks(ctx context.Context) ([]engine.Webhook, error)
	Webhooks(ctx context.Context, account string) ([]engine.Webhook, error)
	Webhook(ctx context.Context, account, id string) (engine.Webhook, error)
	AddWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error)
	// UpdateWebhook replaces all fields. Without a password the stored one of
	// the same user at the same host stays.
	UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error)
	RemoveWebhook(ctx context.Context, account, id string) error
	// TryWebhook posts a test notification and tells how that went.
	TryWebhook(ctx context.Context, account, id, kind string) (engine.WebhookTest, error)
	// LastDeliveries finds the newest notification that was tried, by webhook.
	LastDeliveries(ctx context.Context, account string) (map[string]engine.Notification, error)
}

func (s *Server) webhooksRoutes(r fiber.Router) {
	r.Get(present.WebhooksHref, s.listWebhooks)
	r.Post(present.WebhooksHref, s.may("createWebhook"), s.saveWebhook)
	r.Get(present.WebhooksHref+"/:id", s.editWebhook) // the address of a page that shows a fault
	r.Post(present.WebhooksHref+"/:id", s.may("updateWebhook"), s.saveWebhook)
	r.Get(present.WebhooksHref+"/:id/test", s.listWebhooks) // likewise, of how a test went
	r.Post(present.WebhooksHref+"/:id/test", s.may("updateWebhook"), s.testWebhook)
	r.Post(present.WebhooksHref+"/:id/remove", s.may("deleteWebhook"), s.removeWebhook)
}

func (s *Server) listWebhooks(c *fiber.Ctx) error {
	q, may := query(c), s.mayFunc(c)
	if id := q.Get("edit"); id != "" && may("updateWebhook") {
		return s.openWebhook(c, id)
	}
	return s.renderWebhooks(c, view.WebhookForm{Open: q.Get("add") != "" && may("createWebhook"), Action: present.WebhooksHref}, nil)
}

func (s *Server) editWebhook(c *fiber.Ctx) error {
	if !s.mayFunc(c)("updateWebhook") {
		return engine.Forbiddenf("Your role does not allow to change webhooks.")
	}
	return s.openWebhook(c, param(c, "id"))
}

func (s *Server) openWebhook(c *fiber.Ctx, id string) error {
	w, err := s.engine.Webhook(c.UserContext(), s.who(c).Account, id)
	if err != nil {
		return goneWebhook(err)
	}
	return s.renderWebhooks(c, view.WebhookForm{
		Open: true, Edit: w.ID, Action: webhookHref(w.ID), URL: w.URL, User: w.User, HasPassword: w.Password != "",
		Insecure: !w.Verify, Off: !w.Enabled, Types: []view.Option{{Value: w.Type}},
	}, nil)
}

func webhookHref(id string) string { return present.WebhooksHref + "/" + url.PathEscape(id) }

func (s *Server) renderWebhooks(c *fiber.Ctx, form view.WebhookForm, test *view.WebhookTest) error {
	who := s.who(c)
	in := present.WebhooksIn{Form: form, Test: test, May: s.mayFunc(c), API: c.BaseURL(), User: who.User}
	var err error
	if in.List, err = s.engine.Webhooks(c.UserContext(), who.Account); err != nil {
		return err
	}
	if who.Account == engine.AdminAccount {
		if in.Setting, err = s.engine.SettingWebhooks(c.UserContext()); err != nil {
			return err
		}
	}
	if in.Last, err = s.engine.LastDeliveries(c.UserContext(), who.Account); err != nil {
		return err
	}
	return s.render(c, templates.Webhooks(s.page(c, "Webhooks", "subscriptions"), present.Webhooks(in, s.clock(c))))
}

// saveWebhook adds a webhook, or changes the one of the address.
func (s *Server) saveWebhook(c *fiber.Ctx) error {
	w, form := webhookForm(c.FormValue)
	w.Account, w.ID = s.who(c).Account, param(c, "id")
	form.Edit, form.Action = w.ID, present.WebhooksHref
	var err error
	text := "Added the webhook. Test it now."
	if w.ID != "" {
		form.Action, text = webhookHref(w.ID), "Changed the webhook."
		_, err = s.engine.UpdateWebhook(c.UserContext(), w)
		err = goneWebhook(err)
	} else {
		_, err = s.engine.AddWebhook(c.UserContext(), w)
	}
	if err == nil {
		return s.done(c, present.WebhooksHref, text, "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) || errors.Is(err, engine.ErrNotFound) {
		return err
	}
	form.Fault, form.Faults = atField(f.Message, "url", "type", "user", "password")
	c.Status(http.StatusBadRequest)
	return s.renderWebhooks(c, form, nil)
}

// atField puts a message that begins with the name of a field beside it.
func atField(message string, fields ...string) (string, map[string]string) {
	if name, text, ok := strings.Cut(message, ": "); ok && slices.Contains(fields, name) && text != "" {
		return "", map[string]string{name: strings.ToUpper(text[:1]) + text[1:] + "."}
	}
	return message, nil
}

// webhookForm reads the form: what to store, and the form as it was sent but
// for the password.
func webhookForm(value func(string, ...string) string) (engine.Webhook, view.WebhookForm) {
	get := func(k string) string { return strings.TrimSpace(value(k)) }
	f := view.WebhookForm{Open: true, URL: get("url"), User: get("user"), Insecure: get("insecure") != "", Off: get("off") != ""}
	kind := get("type")
	if kind == "" {
		kind = engine.NotifyGeneral
	}
	f.Types = []view.Option{{Value: kind}}
	return engine.Webhook{
		Type: kind, URL: f.URL, User: f.User, Password: engine.Secret(value("password")), Verify: !f.Insecure, Enabled: !f.Off,
	}, f
}

// testWebhook posts a test and shows how it went. Those of the settings are the
// operator's: only users of the account admin may.
func (s *Server) testWebhook(c *fiber.Ctx) error {
	who, id := s.who(c), param(c, "id")
	if strings.HasPrefix(id, engine.WebhookSetting) && who.Account != engine.AdminAccount {
		return engine.Forbiddenf("Only users of the account admin may test the webhooks of the settings.")
	}
	t, err := s.engine.TryWebhook(c.UserContext(), who.Account, id, engine.NotifyTag)
	if err != nil {
		return goneWebhook(err)
	}
	return s.renderWebhooks(c, view.WebhookForm{}, present.WebhookTest(t))
}

func (s *Server) removeWebhook(c *fiber.Ctx) error {
	if err := s.engine.RemoveWebhook(c.UserContext(), s.who(c).Account, param(c, "id")); err != nil {
		return goneWebhook(err)
	}
	return s.done(c, present.WebhooksHref, "Removed the webhook.", "")
}

func goneWebhook(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no such webhook. It may have been removed.")
	}
	return err
}
