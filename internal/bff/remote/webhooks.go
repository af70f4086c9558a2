package remote

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"windlass/internal/engine"
)

type wireWebhook struct {
	ID          string  `json:"id"`
	Source      string  `json:"source"`
	Type        string  `json:"type"`
	URL         string  `json:"url"`
	User        string  `json:"user"`
	HasPassword bool    `json:"has_password"`
	Verify      bool    `json:"verify"`
	Enabled     bool    `json:"enabled"`
	UserID      *string `json:"userId"`
	CreatedAt   stamp   `json:"created_at"`
	UpdatedAt   stamp   `json:"last_updated"`
}

// keptPassword stands for a password that is there and not told.
const keptPassword = engine.Secret("*")

func webhookOf(w wireWebhook) engine.Webhook {
	v := engine.Webhook{
		ID: w.ID, Account: text(w.UserID), Type: w.Type, URL: w.URL, User: w.User, Verify: w.Verify, Enabled: w.Enabled,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, Empty: w.Source == "settings" && w.URL == "",
	}
	if w.HasPassword {
		v.Password = keptPassword
	}
	return v
}

func (c *Client) webhooks(ctx context.Context, account string, setting bool) ([]engine.Webhook, error) {
	var all []wireWebhook
	err := c.beyond(ctx, "GET /console/webhooks", call{account: account, out: &all})
	var list []engine.Webhook
	for _, w := range all {
		if (w.Source == "settings") == setting {
			list = append(list, webhookOf(w))
		}
	}
	return list, err
}

// SettingWebhooks lists those of the operator, where the user may see them.
func (c *Client) SettingWebhooks(ctx context.Context) ([]engine.Webhook, error) {
	return c.webhooks(ctx, "", true)
}

// Webhooks lists those of an account.
func (c *Client) Webhooks(ctx context.Context, account string) ([]engine.Webhook, error) {
	return c.webhooks(ctx, account, false)
}

// Webhook is one of them.
func (c *Client) Webhook(ctx context.Context, account, id string) (engine.Webhook, error) {
	var w wireWebhook
	err := c.beyond(ctx, "GET /console/webhooks/{webhookId}", call{account: account, out: &w}, id)
	return webhookOf(w), absent(err, "There is no such webhook. It may have been removed.")
}

func (c *Client) saveWebhook(ctx context.Context, operation string, w engine.Webhook, segments ...string) (engine.Webhook, error) {
	body := map[string]any{"type": w.Type, "url": w.URL, "user": w.User, "password": w.Password.Reveal(), "verify": w.Verify, "enabled": w.Enabled}
	var out wireWebhook
	err := c.changed(ctx, operation, call{body: body, account: w.Account, out: &out}, engine.ChangeWebhook, w.ID, segments...)
	return webhookOf(out), err
}

// AddWebhook adds one.
func (c *Client) AddWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	return c.saveWebhook(ctx, "POST /console/webhooks", w)
}

// UpdateWebhook replaces all fields.
func (c *Client) UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	if w.Password == keptPassword {
		w.Password = "" // the stored one stays
	}
	return c.saveWebhook(ctx, "PUT /console/webhooks/{webhookId}", w, w.ID)
}

// RemoveWebhook removes one.
func (c *Client) RemoveWebhook(ctx context.Context, account, id string) error {
	return c.changed(ctx, "DELETE /console/webhooks/{webhookId}", call{account: account}, engine.ChangeWebhook, id, id)
}

// TryWebhook posts a test notification. How the receiver answered is told in
// words only when it did not take it.
func (c *Client) TryWebhook(ctx context.Context, account, id, kind string) (engine.WebhookTest, error) {
	began := time.Now()
	q := call{account: account, query: url.Values{"notification_type": {kind}}}
	err := c.beyond(ctx, "POST /console/webhooks/{webhookId}/test", q, id)
	v := engine.WebhookTest{Took: time.Since(began), Status: 200}
	if errors.Is(err, engine.ErrUnavailable) || errors.Is(err, engine.ErrInvalid) {
		return engine.WebhookTest{Took: v.Took, Trouble: engine.TroubleOther, Error: engine.MessageOf(err, "The receiver did not take it.")}, nil
	}
	return v, err
}

type wireNotification struct {
	ID             int64          `json:"id"`
	NotificationID string         `json:"notificationId"`
	UserID         string         `json:"userId"`
	Type           string         `json:"type"`
	Key            string         `json:"subscription_key"`
	Webhook        string         `json:"webhook"`
	State          string         `json:"state"`
	Attempts       int            `json:"attempts"`
	LastStatus     int            `json:"last_status"`
	LastError      string         `json:"last_error"`
	CreatedAt      stamp          `json:"created_at"`
	QueuedAt       stamp          `json:"queued_at"`
	TriedAt        stamp          `json:"tried_at"`
	NextTryAt      stamp          `json:"next_try_at"`
	EndedAt        stamp          `json:"ended_at"`
	Payload        map[string]any `json:"payload"`
}

func notificationOf(w wireNotification) engine.Notification {
	return engine.Notification{
		Seq: w.ID, ID: w.NotificationID, Account: w.UserID, Type: w.Type, Key: w.Key, Payload: w.Payload, Webhook: w.Webhook,
		State: engine.DeliveryState(w.State), Attempts: w.Attempts, Status: w.LastStatus, Error: clean(w.LastError),
		CreatedAt: w.CreatedAt.Time, QueuedAt: w.QueuedAt.Time, TriedAt: w.TriedAt.Time, NextTry: w.NextTryAt.Time, EndedAt: w.EndedAt.Time,
	}
}

// Notifications lists newest first.
func (c *Client) Notifications(ctx context.Context, account string, f engine.NotificationFilter) ([]engine.Notification, error) {
	q := set(url.Values{}, "state", string(f.State), "type", f.Type, "key", f.Key, "webhook", f.Webhook)
	if f.After > 0 {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(f.Limit, 1000)))
	}
	var page struct {
		Results []wireNotification `json:"results"`
	}
	err := c.beyond(ctx, "GET /console/notifications", call{query: q, account: account, out: &page})
	var list []engine.Notification
	for _, w := range page.Results {
		list = append(list, notificationOf(w))
	}
	return list, err
}

// Notification is one of them, with what it tells.
func (c *Client) Notification(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	var w wireNotification
	err := c.beyond(ctx, "GET /console/notifications/{notificationSeq}", call{account: account, out: &w}, strconv.FormatInt(seq, 10))
	return notificationOf(w), absent(err, "There is no such notification.")
}

// Redeliver queues one again.
func (c *Client) Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	var w wireNotification
	id := strconv.FormatInt(seq, 10)
	err := c.changed(ctx, "POST /console/notifications/{notificationSeq}/redeliver", call{account: account, out: &w}, engine.ChangeNotification, id, id)
	return notificationOf(w), absent(err, "There is no such notification.")
}

// newestNotifications is how far back the last one of each is looked for.
const newestNotifications = 1000

// LastNotifications finds the newest notification of each subscription.
func (c *Client) LastNotifications(ctx context.Context, account string, of []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	list, err := c.Notifications(ctx, account, engine.NotificationFilter{Limit: newestNotifications})
	wanted := map[engine.SubscriptionRef]bool{}
	for _, ref := range of {
		wanted[ref] = true
	}
	last := map[engine.SubscriptionRef]engine.Notification{}
	for _, n := range list {
		ref := engine.SubscriptionRef{Type: engine.SubscriptionType(n.Type), Key: n.Key}
		if _, known := last[ref]; wanted[ref] && !known {
			last[ref] = n
		}
	}
	return last, err
}

// LastDeliveries finds the newest notification that was tried, by webhook.
func (c *Client) LastDeliveries(ctx context.Context, account string) (map[string]engine.Notification, error) {
	list, err := c.Notifications(ctx, account, engine.NotificationFilter{Limit: newestNotifications})
	last := map[string]engine.Notification{}
	for _, n := range list {
		if _, known := last[n.Webhook]; !known && !n.TriedAt.IsZero() {
			last[n.Webhook] = n
		}
	}
	return last, err
}

// CheckNow has a watcher look at a subscription at once.
func (c *Client) CheckNow(ctx context.Context, account, id string) (engine.Subscription, error) {
	var w wireSubscription
	err := c.changed(ctx, "POST /console/subscriptions/{subscriptionId}/check", call{account: account, out: &w}, engine.ChangeSubscription, id, id)
	return subscriptionOf(w, account), absent(err, "There is no such subscription.")
}
