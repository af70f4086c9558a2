package apiv1

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// fakeWebhooks has the section general in its settings, an empty one for
// event_log, and one webhook of the account, "w1".
type fakeWebhooks struct {
	testAuth
	saved *engine.Webhook
}

func (fakeWebhooks) TestSection(_ context.Context, account, section, kind string) (json.RawMessage, error) {
	switch section {
	case "general":
		return json.RawMessage(`{"for":"` + account + " " + kind + `"}`), nil
	case "event_log":
		return nil, engine.Invalidf("Webhook Configuration for type event_log is empty")
	}
	return nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Webhooks Configuration has no webhook of this type"}
}

func (fakeWebhooks) TestWebhook(_ context.Context, _, id, kind string) (json.RawMessage, error) {
	if id != "w1" {
		return nil, engine.ErrNotFound
	}
	return json.RawMessage(`[1]`), nil
}

func (fakeWebhooks) SettingWebhooks(context.Context) ([]engine.Webhook, error) {
	return []engine.Webhook{{ID: "setting:general", Type: "general", URL: "https://chat.example/s3cret", User: "u", Password: "s3cret"}, {ID: "setting:event_log", Type: "event_log"}}, nil
}

func (f fakeWebhooks) Webhooks(ctx context.Context, account string) ([]engine.Webhook, error) {
	w, err := f.Webhook(ctx, account, "w1")
	return []engine.Webhook{w}, err
}

func (fakeWebhooks) Webhook(_ context.Context, account, id string) (engine.Webhook, error) {
	if id != "w1" {
		return engine.Webhook{}, engine.ErrNotFound
	}
	return engine.Webhook{ID: id, Account: account, Type: "general", URL: "https://example.com/mine", Password: "s3cret", Enabled: true}, nil
}

func (f fakeWebhooks) AddWebhook(_ context.Context, w engine.Webhook) (engine.Webhook, error) {
	if w.URL == "" {
		return w, engine.Invalidf("url: is missing")
	}
	*f.saved, w.ID = w, "w2"
	return w, nil
}

func (f fakeWebhooks) UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	if _, err := f.Webhook(ctx, w.Account, w.ID); err != nil {
		return w, err
	}
	*f.saved = w
	return w, nil
}

func (f fakeWebhooks) RemoveWebhook(ctx context.Context, account, id string) error {
	_, err := f.Webhook(ctx, account, id)
	return err
}

var noted = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func note(seq int64) engine.Notification {
	return engine.Notification{
		Seq: seq, ID: "0f8fad5b-d9cb-469f-a165-70867728950e", Account: "bob", Type: "tag_update", Key: "docker.io/a:1", Webhook: "w1",
		State: engine.DeliveryFailed, Attempts: 6, Status: 500, Error: "it answers 500", CreatedAt: noted, QueuedAt: noted, TriedAt: noted, NextTry: noted, EndedAt: noted,
	}
}

func (fakeWebhooks) Notifications(_ context.Context, _ string, f engine.NotificationFilter) ([]engine.Notification, error) {
	if f.State == engine.DeliveryPending {
		return nil, nil
	}
	list := []engine.Notification{note(9), note(8), note(7)}
	return list[:min(f.Limit, 3)], nil
}

func (fakeWebhooks) Notification(_ context.Context, _ string, seq int64) (engine.Notification, error) {
	n := note(seq)
	switch seq {
	case 9:
		n.Payload = map[string]any{"curr_eval": []string{"sha256:1"}}
	case 8:
		n.Type, n.Event = engine.NotifyEvents, &engine.Event{ID: "e1", Level: "error"}
	default:
		return n, engine.ErrNotFound
	}
	return n, nil
}

func (fakeWebhooks) Redeliver(_ context.Context, _ string, seq int64) (engine.Notification, error) {
	n := note(seq)
	n.State, n.Status, n.Error, n.TriedAt, n.EndedAt = engine.DeliveryPending, 0, "", time.Time{}, time.Time{}
	if seq == 8 {
		return n, engine.Conflictf("the notification still waits to be delivered")
	}
	return n, nil
}

func TestWebhooks(t *testing.T) {
	tests := map[string]struct {
		method, target, body, auth string
		code                       int
		says                       string
	}{
		"test":                          {"POST", "/v1/system/webhooks/general/test", "", asAdmin, 200, `{"for":"admin tag_update"}`},
		"test another kind":             {"POST", "/v1/system/webhooks/general/test?notification_type=vuln_update", "", asAdmin, 200, `{"for":"admin vuln_update"}`},
		"test an unknown kind":          {"POST", "/v1/system/webhooks/general/test?notification_type=event_log", "", asAdmin, 400, "about:blank"},
		"test an empty section":         {"POST", "/v1/system/webhooks/event_log/test", "", asAdmin, 400, `"httpcode":400`},
		"test what is not there":        {"POST", "/v1/system/webhooks/none/test", "", asAdmin, 500, `"httpcode":500`},
		"test as another":               {"POST", "/v1/system/webhooks/general/test", "", asBob, 403, `"httpcode":403`},
		"test as nobody":                {"POST", "/v1/system/webhooks/general/test", "", asNobody, 401, "Unauthorized"},
		"list":                          {"GET", "/v1/console/webhooks", "", asBob, 200, `[{"id":"w1","source":"account","type":"general"`},
		"list as admin":                 {"GET", "/v1/console/webhooks", "", asAdmin, 200, `"url":"https://chat.example/..."`},
		"get":                           {"GET", "/v1/console/webhooks/w1", "", asBob, 200, `"has_password":true`},
		"get unknown":                   {"GET", "/v1/console/webhooks/setting:general", "", asAdmin, 404, "webhook not found"},
		"add":                           {"POST", "/v1/console/webhooks", `{"url":"http://x","password":"s3cret","verify":false}`, asBob, 200, `"id":"w2"`},
		"add without address":           {"POST", "/v1/console/webhooks", `{}`, asBob, 400, "url: is missing"},
		"add nonsense":                  {"POST", "/v1/console/webhooks", `{"url":1}`, asBob, 400, "about:blank"},
		"change":                        {"PUT", "/v1/console/webhooks/w1", `{"url":"http://x","enabled":false,"type":"vuln_update"}`, asBob, 200, `"enabled":false`},
		"change unknown":                {"PUT", "/v1/console/webhooks/no", `{"url":"http://x"}`, asBob, 404, "webhook not found"},
		"remove":                        {"DELETE", "/v1/console/webhooks/w1", "", asBob, 200, "true"},
		"remove unknown":                {"DELETE", "/v1/console/webhooks/no", "", asBob, 404, "webhook not found"},
		"test one's own":                {"POST", "/v1/console/webhooks/w1/test", "", asBob, 200, "[1]"},
		"test unknown":                  {"POST", "/v1/console/webhooks/no/test", "", asBob, 404, "webhook not found"},
		"notifications":                 {"GET", "/v1/console/notifications?limit=2&type=tag_update", "", asBob, 200, `"next":8`},
		"notifications, last page":      {"GET", "/v1/console/notifications?after=10", "", asBob, 200, `"next":null`},
		"no notifications":              {"GET", "/v1/console/notifications?state=pending", "", asBob, 200, `{"results":[],"next":null}`},
		"notifications of no state":     {"GET", "/v1/console/notifications?state=x", "", asBob, 400, "about:blank"},
		"notification":                  {"GET", "/v1/console/notifications/9", "", asBob, 200, `"payload":{"curr_eval":["sha256:1"]}`},
		"notification of an event":      {"GET", "/v1/console/notifications/8", "", asBob, 200, `"payload":{"generated_uuid":"e1"`},
		"notification unknown":          {"GET", "/v1/console/notifications/7", "", asBob, 404, "notification not found"},
		"notification of no number":     {"GET", "/v1/console/notifications/x", "", asBob, 400, "about:blank"},
		"notification of any number":    {"GET", "/v1/console/notifications/99999999999999999999", "", asBob, 400, "wrong type"},
		"redeliver":                     {"POST", "/v1/console/notifications/9/redeliver", "", asBob, 200, `"state":"pending"`},
		"redeliver what waits":          {"POST", "/v1/console/notifications/8/redeliver", "", asBob, 409, "still waits"},
		"a reader of another's account": {"GET", "/v1/console/webhooks", "", asNobody, 401, "Unauthorized"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := fakeWebhooks{saved: &engine.Webhook{}}
			w := ask(t, b, tc.method, tc.target, tc.body, tc.auth)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
			if strings.Contains(w.Body.String(), "s3cret") || strings.Contains(w.Body.String(), "redacted") {
				t.Errorf("a secret is in %s", w.Body)
			}
			switch name {
			case "add":
				if b.saved.Verify || !b.saved.Enabled || b.saved.Type != "general" || b.saved.Account != "bob" || b.saved.Password != "s3cret" {
					t.Errorf("saved %+v", *b.saved)
				}
			case "change":
				if !b.saved.Verify || b.saved.Enabled || b.saved.Type != "vuln_update" || b.saved.ID != "w1" {
					t.Errorf("saved %+v", *b.saved)
				}
			}
		})
	}
}

func FuzzWebhookBody(f *testing.F) {
	f.Add(`{"type":"general","url":"http://x/<userId>","user":"u","password":"p","verify":true,"enabled":false}`)
	f.Add(`{"url":null,"verify":"True"}`)
	f.Add(`[]`)
	s := New(fakeWebhooks{saved: &engine.Webhook{}}, Options{})
	f.Fuzz(func(t *testing.T, body string) {
		for method, target := range map[string]string{"POST": "/v1/console/webhooks", "PUT": "/v1/console/webhooks/w1"} {
			r := httptest.NewRequest(method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.SetBasicAuth("bob", "right")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != 200 && w.Code != 400 {
				t.Errorf("%s %q: %d %s", method, body, w.Code, w.Body)
			}
		}
	})
}
