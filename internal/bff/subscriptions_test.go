package bff

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// hookEngine has subscriptions, notifications and a webhook in memory.
type hookEngine struct {
	*registryEngine
	subs   []engine.Subscription
	notes  []engine.Notification
	hooks  []engine.Webhook
	filter engine.SubscriptionFilter
	asked  engine.NotificationFilter
	stored engine.Webhook
	added  []engine.Subscription
	repo   engine.AddRepository
	test   engine.WebhookTest
	again  int64
}

func (e *hookEngine) Subscriptions(_ context.Context, _ string, f engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	e.filter = f
	return e.subs, "", nil
}
func (e *hookEngine) Subscription(_ context.Context, _, id string) (engine.Subscription, error) {
	for _, s := range e.subs {
		if s.ID == id {
			return s, nil
		}
	}
	return engine.Subscription{}, engine.ErrNotFound
}
func (e *hookEngine) AddSubscription(_ context.Context, v engine.Subscription) (engine.Subscription, error) {
	e.added = append(e.added, v)
	return v, nil
}
func (e *hookEngine) RemoveSubscription(_ context.Context, account, id string) error {
	_, err := e.Subscription(context.Background(), account, id)
	return err
}
func (e *hookEngine) AddRepository(_ context.Context, a engine.AddRepository) (engine.Subscription, error) {
	if a.Repository == "reg/none" {
		return engine.Subscription{}, engine.NotFoundf("the registry has no repository none")
	}
	e.repo = a
	return engine.Subscription{}, nil
}
func (e *hookEngine) LastNotifications(context.Context, string, []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	last := map[engine.SubscriptionRef]engine.Notification{}
	for _, n := range e.notes {
		last[engine.SubscriptionRef{Type: engine.SubscriptionType(n.Type), Key: n.Key}] = n
	}
	return last, nil
}
func (e *hookEngine) LastDeliveries(context.Context, string) (map[string]engine.Notification, error) {
	last := map[string]engine.Notification{}
	for _, n := range e.notes {
		last[n.Webhook] = n
	}
	return last, nil
}
func (e *hookEngine) Notifications(_ context.Context, _ string, f engine.NotificationFilter) ([]engine.Notification, error) {
	e.asked = f
	return e.notes, nil
}
func (e *hookEngine) Notification(_ context.Context, _ string, seq int64) (engine.Notification, error) {
	for _, n := range e.notes {
		if n.Seq == seq {
			return n, nil
		}
	}
	return engine.Notification{}, engine.ErrNotFound
}
func (e *hookEngine) Redeliver(ctx context.Context, account string, seq int64) (engine.Notification, error) {
	e.again = seq
	return e.Notification(ctx, account, seq)
}
func (e *hookEngine) SettingWebhooks(context.Context) ([]engine.Webhook, error) {
	return []engine.Webhook{{ID: "setting:general", Type: "general", URL: "https://chat.example.com/token-in-path", User: "operator", Enabled: true, Verify: true}}, nil
}
func (e *hookEngine) Webhooks(context.Context, string) ([]engine.Webhook, error) { return e.hooks, nil }
func (e *hookEngine) Webhook(_ context.Context, _, id string) (engine.Webhook, error) {
	for _, w := range e.hooks {
		if w.ID == id {
			return w, nil
		}
	}
	return engine.Webhook{}, engine.ErrNotFound
}
func (e *hookEngine) AddWebhook(_ context.Context, w engine.Webhook) (engine.Webhook, error) {
	if !strings.HasPrefix(w.URL, "http") {
		return w, engine.Invalidf("url: want one that begins with http:// or https://")
	}
	e.stored = w
	return w, nil
}
func (e *hookEngine) UpdateWebhook(ctx context.Context, w engine.Webhook) (engine.Webhook, error) {
	return e.AddWebhook(ctx, w)
}
func (e *hookEngine) TryWebhook(context.Context, string, string, string) (engine.WebhookTest, error) {
	return e.test, nil
}

func newHookEngine() *hookEngine {
	now := time.Now()
	value := `{"autosubscribe": true, "repotags": ["1.0", "1.1"], "tagcount": 2}`
	return &hookEngine{
		registryEngine: &registryEngine{},
		subs: []engine.Subscription{
			{ID: "s1", Key: "docker.io/team/app:1", Type: engine.SubTagUpdate, Active: true, CheckedAt: now.Add(-time.Hour), NextCheck: now.Add(time.Hour), LastError: "the registry refused the credential"},
			{ID: "s2", Key: "docker.io/team/app:1", Type: engine.SubPolicyEval},
			{ID: "s3", Key: "docker.io/team/app", Type: engine.SubRepoUpdate, Value: &value, Active: true},
		},
		notes: []engine.Notification{{Seq: 7, ID: "u-1", Type: "tag_update", Key: "docker.io/team/app:1", Webhook: "h1", State: engine.DeliveryFailed, Attempts: 5, Status: 502,
			Error: "it answers 502 Bad Gateway", CreatedAt: now, QueuedAt: now, TriedAt: now, EndedAt: now, Payload: map[string]any{"curr_eval": "sha256:1"}}},
		hooks: []engine.Webhook{{ID: "h1", Account: "admin", Type: "general", URL: "https://hooks.example.com/x", User: "bot", Password: "sesame-42", Verify: true, Enabled: true}},
		test:  engine.WebhookTest{Status: 502, Took: 30 * time.Millisecond, Trouble: engine.TroubleStatus, Error: "it answers 502 Bad Gateway", Body: "<b>team"},
	}
}

func get(t *testing.T, e Engine, target string) (int, http.Header, string) {
	t.Helper()
	return send(t, e, http.MethodGet, target, "", nil)
}

func TestSubscriptionPages(t *testing.T) {
	for path, want := range map[string][]string{
		"/subscriptions":                       {"docker.io/team/app:1", "Tag moves", "failed", "the registry refused the credential", `role="switch"`, "Check now"},
		"/subscriptions/repositories":          {"2 tags", "1.1", "tags watched too"},
		"/subscriptions/deliveries":            {"502 Bad Gateway", "5 attempts", "Deliver again", "hooks.example.com"},
		"/subscriptions/deliveries/7":          {"curr_eval", "u-1", "Deliver again"},
		"/subscriptions/webhooks":              {"https://hooks.example.com/x", "as bot", "https://chat.example.com/…", "Last delivery"},
		"/subscriptions/webhooks?edit=h1":      {"Change the webhook", "The stored one stays"},
		"/subscriptions/webhooks/h1":           {"Change the webhook"},
		"/subscriptions/webhooks/h1/test":      {"hooks.example.com"},
		"/subscriptions?add=1&key=docker.io/a": {`value="docker.io/a"`},
	} {
		code, _, body := get(t, newHookEngine(), path)
		if code != 200 {
			t.Errorf("GET %s = %d", path, code)
		}
		for _, w := range want {
			if !strings.Contains(strings.ToLower(body), strings.ToLower(w)) {
				t.Errorf("GET %s: %q is missing", path, w)
			}
		}
		noNonsense(t, body)
		for _, secret := range []string{"sesame-42", "token-in-path", "operator"} {
			if strings.Contains(body, secret) {
				t.Errorf("GET %s shows %s", path, secret)
			}
		}
	}
	for path, want := range map[string]int{
		"/subscriptions/deliveries/8": 404, "/subscriptions/deliveries/x": 404, "/subscriptions/deliveries?after=x": 400, "/subscriptions/webhooks/h9": 404,
	} {
		if code, _, _ := get(t, newHookEngine(), path); code != want {
			t.Errorf("GET %s = %d, want %d", path, code, want)
		}
	}
}

func TestSubscribe(t *testing.T) {
	e := newHookEngine()
	if code, _, body := post(t, e, "/subscriptions", url.Values{"key": {"team/app"}, "type": {"tag_update"}}); code != 400 || !strings.Contains(body, "Give registry, repository and tag") || len(e.added) != 0 {
		t.Errorf("no tag: %d", code)
	}
	if code, _, body := post(t, e, "/subscriptions", url.Values{"key": {"docker.io/team/app:1"}, "type": {"nonsense"}}); code != 400 || !strings.Contains(body, "Choose what") {
		t.Errorf("no type: %d", code)
	}
	if code, _, _ := post(t, e, "/subscriptions", url.Values{"key": {" localhost:5000/app:1 "}, "type": {"tag_update", "vuln_update", "tag_update"}}); code != 303 || len(e.added) != 2 || e.added[1].Key != "localhost:5000/app:1" || !e.added[0].Active {
		t.Errorf("subscribed to %+v", e.added)
	}
	// An undo of a removal is the same form, by its address.
	e.added = nil
	if code, _, _ := post(t, e, "/subscriptions?key=docker.io%2Fteam%2Fapp%3A1&type=tag_update", url.Values{}); code != 303 || len(e.added) != 1 || e.added[0].Type != engine.SubTagUpdate {
		t.Errorf("undone: %d %+v", code, e.added)
	}
	if code, _, body := post(t, e, "/subscriptions/repositories", url.Values{"repository": {"reg/none"}}); code != 400 || !strings.Contains(body, "has no repository none") {
		t.Errorf("unknown repository: %d", code)
	}
	if code, _, _ := post(t, e, "/subscriptions/repositories", url.Values{"repository": {"reg/app"}, "auto": {"1"}}); code != 303 || !e.repo.AutoSubscribe || e.repo.Repository != "reg/app" {
		t.Errorf("repository: %+v", e.repo)
	}
	if code, _, _ := post(t, e, "/subscriptions/nobody/remove", url.Values{}); code != 404 {
		t.Errorf("removed what is not there: %d", code)
	}
	get(t, e, "/subscriptions?state=failing&type=vuln_update&q=app")
	if !e.filter.Failed || len(e.filter.Types) != 1 || e.filter.Text != "app" {
		t.Errorf("filter %+v", e.filter)
	}
}

func TestWebhookForms(t *testing.T) {
	e := newHookEngine()
	code, _, body := post(t, e, "/subscriptions/webhooks", url.Values{"url": {"ftp://x"}, "password": {"very-secret"}, "type": {"general"}})
	if code != 400 || !strings.Contains(body, "webhook-url-fault") || strings.Contains(body, "very-secret") {
		t.Errorf("bad address: %d", code)
	}
	code, _, _ = post(t, e, "/subscriptions/webhooks/h1", url.Values{"url": {"https://hooks.example.com/y"}, "type": {"tag_update"}, "off": {"1"}})
	if w := e.stored; code != 303 || w.ID != "h1" || w.Type != "tag_update" || !w.Verify || w.Enabled || w.Account != "admin" {
		t.Errorf("changed: %d %+v", code, e.stored)
	}
	code, _, body = post(t, e, "/subscriptions/webhooks/h1/test", url.Values{})
	if code != 200 || !strings.Contains(body, "The receiver refuses the test") || !strings.Contains(body, "&lt;b&gt;team") {
		t.Errorf("test: %d", code)
	}
	if code, _, _ := post(t, e, "/subscriptions/deliveries/7/retry", url.Values{}); code != 303 || e.again != 7 {
		t.Errorf("retry: %d of %d", code, e.again)
	}
}
