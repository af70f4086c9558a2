package present

import (
	"net/http"
	"net/url"
	"strconv"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// WebhooksIn is what the page of webhooks is made of.
type WebhooksIn struct {
	List    []engine.Webhook
	Setting []engine.Webhook // for administrators
	Last    map[string]engine.Notification
	Form    view.WebhookForm
	Test    *view.WebhookTest
	May     func(action string) bool
	API     string
	User    string
}

// Webhooks shapes the page.
func Webhooks(in WebhooksIn, c Clock) view.Webhooks {
	v := view.Webhooks{
		Tabs: SubscriptionTabs(in.May), Sub: Plural(len(in.List), "webhook", "webhooks"), Form: in.Form, Test: in.Test,
		May:  view.WebhookRights{Add: in.May("createWebhook"), Change: in.May("updateWebhook"), Remove: in.May("deleteWebhook")},
		Same: view.SameBy{API: curl(in.User, in.API, "/console/webhooks")},
	}
	for _, w := range in.List {
		v.Rows = append(v.Rows, webhookRow(w, in.Last, c))
	}
	for _, w := range in.Setting {
		v.Setting = append(v.Setting, webhookRow(w, in.Last, c))
	}
	selected := engine.NotifyGeneral
	if len(in.Form.Types) > 0 {
		selected = in.Form.Types[0].Value
	}
	v.Form.Types = choices(selected, "", engine.WebhookTypes, NotificationWords)[1:]
	return v
}

func webhookRow(w engine.Webhook, last map[string]engine.Notification, c Clock) view.WebhookRow {
	r := view.WebhookRow{
		DOMID: "webhook-" + domID(w.ID), ID: w.ID, Address: w.URL, Type: NotificationWords(w.Type), Code: w.Type, User: w.User,
		Enabled: w.Enabled, Refused: w.Refused, Updated: c.Ago(w.UpdatedAt), Base: WebhooksHref + "/" + url.PathEscape(w.ID),
		Edit: WebhooksHref + "?edit=" + url.QueryEscape(w.ID) + "#edit", Testable: w.URL != "",
		TLS:     view.Pill{Tone: "ok", Text: "verified", Title: "Its certificate is checked"},
		Confirm: "Remove this webhook? What waits for it is given up.",
	}
	u, err := url.Parse(w.URL)
	switch {
	case err == nil && u.Scheme == "http":
		r.TLS = view.Pill{Tone: "warn", Text: "no TLS", Title: "What is posted can be read on the way"}
	case !w.Verify:
		r.TLS = view.Pill{Tone: "warn", Text: "not verified", Title: "Any certificate is taken"}
	}
	if w.Setting() {
		r.User = "" // the operator has told the console neither
		switch {
		case w.URL == "":
			r.Address, r.TLS = "no address: what is of its kind is not delivered", view.Pill{}
		case err == nil:
			r.Address = u.Scheme + "://" + u.Host + "/…"
		}
	}
	if n, ok := last[w.ID]; ok {
		r.Last = &view.Delivered{Pill: deliveryPill(n), At: c.Ago(n.TriedAt)}
		r.Last.Pill.Href = DeliveriesHref + "?webhook=" + url.QueryEscape(w.ID)
		r.LastError = n.Error
	}
	return r
}

// WebhookTest says how a test went, and what to try.
func WebhookTest(t engine.WebhookTest) *view.WebhookTest {
	v := &view.WebhookTest{
		Tone: "bad", Title: "The test did not arrive", Text: t.Error, Body: t.Body,
		Facts: []view.Fact{{Name: "Took", Text: Span(t.Took)}},
	}
	if t.Status != 0 {
		v.Facts = append([]view.Fact{{Name: "Answer", Text: strconv.Itoa(t.Status) + " " + http.StatusText(t.Status)}}, v.Facts...)
	}
	switch t.Trouble {
	case engine.TroubleNone:
		v.Tone, v.Title, v.Text = "ok", "The test has arrived", "The webhook takes notifications."
	case engine.TroublePrivate:
		v.Title = "The address is refused"
		v.Hint = "The operator can allow it with CONSOLE_WEBHOOK_ALLOW: a host, an address or a network."
	case engine.TroubleTLS:
		v.Title = "The connection is not secure"
		v.Hint = "Check the certificate of the receiver: its names, its issuer, its dates. As a last resort, turn off the check of certificates for this webhook."
	case engine.TroubleName:
		v.Title, v.Hint = "The host is not known", "Check the name in the address, and the name servers of the host the engine runs on."
	case engine.TroubleTime:
		v.Hint = "The receiver is down, slow, or kept away by a firewall."
	case engine.TroubleStatus:
		v.Title = "The receiver refuses the test"
		switch t.Status {
		case http.StatusUnauthorized, http.StatusForbidden:
			v.Hint = "Check the user and password, or the token in the address."
		case http.StatusNotFound, http.StatusGone:
			v.Hint = "Check the path of the address: the receiver does not know it."
		}
	}
	return v
}
