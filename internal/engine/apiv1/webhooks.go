package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"windlass/internal/engine"
)

// Webhooks is what the webhook operations ask of the engine.
type Webhooks interface {
	// TestSection posts a test notification of a kind to a section of the
	// settings and gives the receiver's answer. engine.ErrInvalid when there are
	// no settings or the section is empty.
	TestSection(ctx context.Context, account, section, kind string) (json.RawMessage, error)
	// TestWebhook posts one to a webhook of an account.
	TestWebhook(ctx context.Context, account, id, kind string) (json.RawMessage, error)

	SettingWebhooks(ctx context.Context) ([]engine.Webhook, error)
	Webhooks(ctx context.Context, account string) ([]engine.Webhook, error)
	Webhook(ctx context.Context, account, id string) (engine.Webhook, error)
	AddWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error)
	// UpdateWebhook replaces all fields. Without a password the stored one of
	// the same user at the same host stays.
	UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error)
	RemoveWebhook(ctx context.Context, account, id string) error

	// Notifications lists newest first, without what they tell.
	Notifications(ctx context.Context, account string, f engine.NotificationFilter) ([]engine.Notification, error)
	Notification(ctx context.Context, account string, seq int64) (engine.Notification, error)
	// Redeliver queues one again: engine.ErrConflict while it still waits.
	Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error)
}

func (s *Server) webhooksOps() map[string]op {
	return map[string]op{
		"testWebhook": {perm: anyo, call: s.testWebhook},

		"listWebhooks":       {perm: acct("listWebhooks"), call: s.listWebhooks},
		"createWebhook":      {perm: acct("createWebhook"), call: s.createWebhook},
		"getWebhook":         {perm: acct("getWebhook"), call: s.getWebhook},
		"updateWebhook":      {perm: acct("updateWebhook"), call: s.updateWebhook},
		"deleteWebhook":      {perm: acct("deleteWebhook"), call: s.deleteWebhook},
		"testAccountWebhook": {perm: acct("updateWebhook"), call: s.testAccountWebhook},

		"listNotifications":     {perm: acct("listNotifications"), call: s.listNotifications},
		"getNotification":       {perm: acct("getNotification"), call: s.getNotification},
		"redeliverNotification": {perm: acct("updateNotification"), call: s.redeliverNotification},
	}
}

// testWebhook posts a test to a section of the settings, for users of the
// account admin alone: not for all who have an admin's permissions.
func (s *Server) testWebhook(w http.ResponseWriter, r *request) error {
	if r.Identity.Account != engine.AdminAccount {
		return engine.Forbiddenf("Not authorized. Only users of the account admin may test webhooks.")
	}
	// Who has but a part in the account may look, not send.
	if err := r.Identity.Permit(engine.AdminAccount, "updateWebhook"); err != nil {
		return err
	}
	answer, err := s.backend.TestSection(r.Context(), r.Account, r.param("webhook_type"), testKind(r))
	if err != nil {
		return testFailed(err)
	}
	return reply(w, answer)
}

func testKind(r *request) string {
	if kind := r.queryText("notification_type"); kind != "" {
		return kind
	}
	return engine.NotifyTag
}

// testFailed is 500 for what went wrong on the way to the receiver.
func testFailed(err error) error {
	if errors.Is(err, engine.ErrUnavailable) {
		return status(err, http.StatusInternalServerError)
	}
	return err
}
