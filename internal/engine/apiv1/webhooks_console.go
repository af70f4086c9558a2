package apiv1

import (
	"net/http"
	"net/url"

	"windlass/internal/engine"
)

// Webhook is a webhook on the wire. The password never is.
type Webhook struct {
	ID          string  `json:"id"`
	Source      string  `json:"source"`
	Type        string  `json:"type"`
	URL         string  `json:"url"`
	User        string  `json:"user"`
	HasPassword bool    `json:"has_password"`
	Verify      bool    `json:"verify"`
	Enabled     bool    `json:"enabled"`
	UserID      *string `json:"userId"`
	CreatedAt   string  `json:"created_at"`
	LastUpdated string  `json:"last_updated"`
}

func wireWebhook(w engine.Webhook) Webhook {
	v := Webhook{
		ID: w.ID, Source: "account", Type: w.Type, URL: w.URL, User: w.User, HasPassword: w.Password != "",
		Verify: w.Verify, Enabled: w.Enabled, UserID: orNil(w.Account), CreatedAt: stamp(w.CreatedAt), LastUpdated: stamp(w.UpdatedAt),
	}
	if w.Setting() {
		// The operator has not told the API these: a path may hold a token.
		v.Source, v.User = "settings", ""
		if u, err := url.Parse(w.URL); err == nil && w.URL != "" {
			v.URL = u.Scheme + "://" + u.Host + "/..."
		}
	}
	return v
}

// webhookBody is what a client sends of a webhook.
type webhookBody struct {
	Type     string `json:"type"`
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Verify   *bool  `json:"verify"`
	Enabled  *bool  `json:"enabled"`
}

func webhookOf(r *request) (engine.Webhook, error) {
	var b webhookBody
	if err := r.decode(&b); err != nil {
		return engine.Webhook{}, err
	}
	w := engine.Webhook{
		Account: r.Account, Type: b.Type, URL: b.URL, User: b.User, Password: engine.Secret(b.Password),
		Verify: b.Verify == nil || *b.Verify, Enabled: b.Enabled == nil || *b.Enabled,
	}
	if w.Type == "" {
		w.Type = engine.NotifyGeneral
	}
	return w, nil
}

const noWebhook = "webhook not found"

func (s *Server) listWebhooks(w http.ResponseWriter, r *request) error {
	list := []Webhook{}
	if r.Identity.Account == engine.AdminAccount && r.Account == engine.AdminAccount {
		hooks, err := s.backend.SettingWebhooks(r.Context())
		if err != nil {
			return err
		}
		for _, v := range hooks {
			list = append(list, wireWebhook(v))
		}
	}
	hooks, err := s.backend.Webhooks(r.Context(), r.Account)
	if err != nil {
		return err
	}
	for _, v := range hooks {
		list = append(list, wireWebhook(v))
	}
	return reply(w, list)
}

func (s *Server) createWebhook(w http.ResponseWriter, r *request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	if v, err = s.backend.AddWebhook(r.Context(), v); err != nil {
		return err
	}
	return reply(w, wireWebhook(v))
}

func (s *Server) getWebhook(w http.ResponseWriter, r *request) error {
	v, err := s.backend.Webhook(r.Context(), r.Account, r.param("webhookId"))
	if err != nil {
		return named(err, noWebhook, "")
	}
	return reply(w, wireWebhook(v))
}

func (s *Server) updateWebhook(w http.ResponseWriter, r *request) error {
	v, err := webhookOf(r)
	if err != nil {
		return err
	}
	v.ID = r.param("webhookId")
	if v, err = s.backend.UpdateWebhook(r.Context(), v); err != nil {
		return named(err, noWebhook, "")
	}
	return reply(w, wireWebhook(v))
}

func (s *Server) deleteWebhook(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveWebhook(r.Context(), r.Account, r.param("webhookId")); err != nil {
		return named(err, noWebhook, "")
	}
	return reply(w, true)
}

func (s *Server) testAccountWebhook(w http.ResponseWriter, r *request) error {
	answer, err := s.backend.TestWebhook(r.Context(), r.Account, r.param("webhookId"), testKind(r))
	if err != nil {
		return testFailed(named(err, noWebhook, ""))
	}
	return reply(w, answer)
}
