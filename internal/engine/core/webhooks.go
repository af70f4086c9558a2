package core

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/notify"
)

// maxWebhooks of one account: each is one more row for every notification.
const maxWebhooks = 20

// Webhooks lists the webhooks that an account has made.
func (c *Core) Webhooks(ctx context.Context, account string) ([]engine.Webhook, error) {
	list, err := c.store.Webhooks(ctx, account)
	for n := range list {
		list[n].Refused = c.hooks.Refused(list[n])
	}
	return list, err
}

// SettingWebhooks lists the webhooks of the settings.
func (c *Core) SettingWebhooks(ctx context.Context) ([]engine.Webhook, error) {
	return c.store.Webhooks(ctx, "")
}

// Webhook finds a webhook that an account has made.
func (c *Core) Webhook(ctx context.Context, account, id string) (engine.Webhook, error) {
	return c.store.Webhook(ctx, account, id)
}

// AddWebhook stores a webhook of an account.
func (c *Core) AddWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	if err := notify.Check(w); err != nil {
		return w, err
	}
	w, err := c.store.AddWebhook(ctx, w, maxWebhooks)
	if err == nil {
		c.log.InfoContext(ctx, "webhook added", "webhook", w.ID, "type", w.Type, "account", w.Account)
	}
	return w, err
}

// UpdateWebhook stores all fields of a webhook anew. Without a password the
// stored one of the same user at the same host stays.
func (c *Core) UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	if err := notify.Check(w); err != nil {
		return w, err
	}
	old, err := c.store.Webhook(ctx, w.Account, w.ID)
	if err != nil {
		return w, err
	}
	if w, err = c.store.UpdateWebhook(ctx, notify.Keep(w, old)); err == nil {
		c.log.InfoContext(ctx, "webhook updated", "webhook", w.ID, "type", w.Type, "account", w.Account)
	}
	return w, err
}

// RemoveWebhook forgets a webhook of an account.
func (c *Core) RemoveWebhook(ctx context.Context, account, id string) error {
	err := c.store.RemoveWebhook(ctx, account, id)
	if err == nil {
		c.log.InfoContext(ctx, "webhook removed", "webhook", id, "account", account)
	}
	return err
}

// TestSection posts a test notification of a kind to a section of the settings
// and gives what the receiver answered: JSON, or an empty object.
func (c *Core) TestSection(ctx context.Context, account, section, kind string) (json.RawMessage, error) {
	hooks, err := c.store.Webhooks(ctx, "")
	if err != nil {
		return nil, err
	}
	w, err := notify.Section(hooks, section)
	if err != nil {
		return nil, err
	}
	return c.testWebhook(ctx, w, account, kind)
}

// TestWebhook posts a test notification of a kind to a webhook of an account.
func (c *Core) TestWebhook(ctx context.Context, account, id, kind string) (json.RawMessage, error) {
	w, err := c.store.Webhook(ctx, account, id)
	if err != nil {
		return nil, err
	}
	return c.testWebhook(ctx, w, account, kind)
}

// TryWebhook posts a test notification of a kind to a webhook of an account, or
// to one of the settings, and tells how that went.
func (c *Core) TryWebhook(ctx context.Context, account, id, kind string) (engine.WebhookTest, error) {
	of := account
	if strings.HasPrefix(id, engine.WebhookSetting) {
		of = ""
	}
	w, err := c.store.Webhook(ctx, of, id)
	if err != nil {
		return engine.WebhookTest{}, err
	}
	owner, err := c.store.Account(ctx, account)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return engine.WebhookTest{}, err
	}
	began := time.Now()
	answer, err := c.hooks.Test(ctx, w, account, owner.Email, kind)
	t := engine.WebhookTest{Status: answer.Status, Took: time.Since(began), Trouble: notify.TroubleOf(answer, err), Body: answer.Shown()}
	if err != nil {
		t.Error = err.Error()
	}
	c.log.InfoContext(ctx, "webhook tested", "webhook", w.ID, "account", account, "status", t.Status, "trouble", t.Trouble)
	return t, nil
}

func (c *Core) testWebhook(ctx context.Context, w engine.Webhook, account, kind string) (json.RawMessage, error) {
	owner, err := c.store.Account(ctx, account)
	if err != nil && !errors.Is(err, engine.ErrNotFound) { // admin may act in an account that does not exist
		return nil, err
	}
	answer, err := c.hooks.Test(ctx, w, account, owner.Email, kind)
	if err != nil {
		return nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Webhook failed to send: " + err.Error()}
	}
	if json.Valid(answer.Body) {
		return answer.Body, nil
	}
	return json.RawMessage(`{}`), nil
}
