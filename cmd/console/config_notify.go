package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/notify"
)

// readNotify reads the settings of webhooks and notifications.
func (c *Config) readNotify(fault func(name, format string, args ...any)) {
	// Where v1 had the same setting, its name counts too.
	if old := os.Getenv("ANCHORE_WEBHOOK_DESTINATION_URL"); c.WebhookURL == "" && old != "null" {
		c.WebhookURL = engine.Secret(old)
	}
	if c.EventsNotify == "" {
		c.EventsNotify = os.Getenv("ANCHORE_EVENTS_NOTIFICATIONS_ENABLED")
	}
	var err error
	if c.notify.Levels, err = notify.ParseLevels(c.EventsNotify); err != nil {
		fault("CONSOLE_EVENTS_NOTIFY", "%v", err)
	}
	if c.notify.Allow, err = notify.ParseAllow(c.WebhookAllow); err != nil {
		fault("CONSOLE_WEBHOOK_ALLOW", "%v", err)
	}
	if c.notify.Timeout = c.WebhookTimeout; c.WebhookTimeout < time.Second || c.WebhookTimeout > time.Minute {
		fault("CONSOLE_WEBHOOK_TIMEOUT", "%v is out of range: want 1s to 1m", c.WebhookTimeout)
	}
	if c.WebhooksFile != "" {
		if err := c.readWebhooks(); err != nil {
			fault("CONSOLE_WEBHOOKS_FILE", "%v", err)
		}
	}
	general := func(w engine.Webhook) bool { return w.Type == engine.NotifyGeneral }
	if at := slices.IndexFunc(c.notify.Webhooks, general); c.WebhookURL != "" && (at < 0 || c.notify.Webhooks[at].URL == "") {
		w, err := notify.General(c.WebhookURL.Reveal())
		if err != nil {
			fault("CONSOLE_WEBHOOK_URL", "%v", err)
		}
		if at < 0 {
			c.notify.Webhooks = append(c.notify.Webhooks, w)
			return
		}
		// What the file says of it besides holds.
		c.notify.Webhooks[at].URL, c.notify.Webhooks[at].Empty = w.URL, false
	}
}

func (c *Config) readWebhooks() error {
	f, err := os.Open(c.WebhooksFile)
	if err != nil {
		return err
	}
	defer f.Close()
	if c.notify.Webhooks, c.notify.Retry, err = notify.ReadSettings(f); err != nil {
		return fmt.Errorf("%s: %w", c.WebhooksFile, err)
	}
	return nil
}
