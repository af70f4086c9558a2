package bff_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// watchFake has subscriptions, deliveries and webhooks in every state.
type watchFake struct {
	*enginetest.Fake
	empty  bool
	failed atomic.Bool // of the delivery that a test alters
}

func (f *watchFake) Subscriptions(_ context.Context, _ string, q engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	if f.empty {
		return nil, "", nil
	}
	now := time.Now()
	if q.Type == engine.SubRepoUpdate {
		value := `{"autosubscribe": true, "repotags": ["2026.10.1", "2026.10.2", "2026.11.0-rc.1", "2026.11.0"], "tagcount": 4}`
		return []engine.Subscription{
			{ID: "r1", Key: "registry.example.com:5000/platform/payment-gateway", Type: engine.SubRepoUpdate, Active: true, Value: &value, CheckedAt: now.Add(-20 * time.Second), NextCheck: now.Add(40 * time.Second)},
			{ID: "r2", Key: "docker.io/library/debian", Type: engine.SubRepoUpdate, Active: true, CheckedAt: now.Add(-3 * time.Minute), NextCheck: now.Add(7 * time.Minute), LastError: "docker.io: the registry refused access (toomanyrequests: pull rate limit reached)"},
			{ID: "r3", Key: "quay.io/team/old", Type: engine.SubRepoUpdate},
		}, "", nil
	}
	list := []engine.Subscription{
		{ID: "s1", Key: "docker.io/library/debian:12", Type: engine.SubTagUpdate, Active: true, CheckedAt: now.Add(-2 * time.Minute), NextCheck: now.Add(58 * time.Minute)},
		{ID: "s2", Key: "docker.io/library/debian:12", Type: engine.SubVulnUpdate, Active: true},
		{ID: "s3", Key: "registry.example.com:5000/platform/payment-gateway:2026.11.0", Type: engine.SubTagUpdate, Active: true, CheckedAt: now.Add(-4 * time.Hour), NextCheck: now.Add(30 * time.Second), LastError: "registry.example.com:5000: connection refused"},
		{ID: "s4", Key: "registry.example.com:5000/platform/payment-gateway:2026.11.0", Type: engine.SubPolicyEval, Active: true},
		{ID: "s5", Key: "registry.example.com:5000/platform/payment-gateway:2026.11.0", Type: engine.SubAnalysisUpdate},
	}
	return list, "tag_update next", nil
}

func (f *watchFake) notes() []engine.Notification {
	now := time.Now()
	n := func(seq int64, kind engine.SubscriptionType, key, webhook string, state engine.DeliveryState, tries, status int, why string, ago time.Duration) engine.Notification {
		v := engine.Notification{Seq: seq, ID: fmt.Sprintf("5f0c8a52-8a7e-4c0e-9d55-00000000%04d", seq), Account: "admin", Type: string(kind), Key: key, Webhook: webhook, State: state,
			Attempts: tries, Status: status, Error: why, CreatedAt: now.Add(-ago), QueuedAt: now.Add(-ago), TriedAt: now.Add(-ago + time.Second), NextTry: now.Add(8 * time.Second),
			Payload: map[string]any{"subscription_type": string(kind), "curr_eval": []string{"sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1"}, "last_eval": []string{}}}
		if state != engine.DeliveryPending {
			v.EndedAt = v.TriedAt.Add(40 * time.Millisecond)
		}
		return v
	}
	gateway := "registry.example.com:5000/platform/payment-gateway:2026.11.0"
	first := n(9, engine.SubPolicyEval, gateway, "4f1d", engine.DeliveryPending, 2, 503, "it answers 503 Service Unavailable", 12*time.Second)
	if f.failed.Load() {
		first.State, first.EndedAt = engine.DeliveryFailed, now
	}
	return []engine.Notification{
		first,
		n(8, engine.SubTagUpdate, "docker.io/library/debian:12", "setting:general", engine.DeliveryDelivered, 1, 200, "", 5*time.Minute),
		n(7, engine.SubVulnUpdate, "docker.io/library/debian:12", "4f1d", engine.DeliveryDelivered, 3, 204, "", 2*time.Hour),
		n(6, engine.SubTagUpdate, gateway, "77aa", engine.DeliveryFailed, 6, 0, "the address is not on the public network: webhooks of accounts may go there only when the settings allow it", 26*time.Hour),
	}
}

func (f *watchFake) LastNotifications(context.Context, string, []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	last := map[engine.SubscriptionRef]engine.Notification{}
	for _, n := range f.notes() {
		last[engine.SubscriptionRef{Type: engine.SubscriptionType(n.Type), Key: n.Key}] = n
	}
	return last, nil
}

func (f *watchFake) LastDeliveries(context.Context, string) (map[string]engine.Notification, error) {
	last := map[string]engine.Notification{}
	for _, n := range f.notes() {
		if _, ok := last[n.Webhook]; !ok {
			last[n.Webhook] = n
		}
	}
	return last, nil
}

func (f *watchFake) Notifications(context.Context, string, engine.NotificationFilter) ([]engine.Notification, error) {
	if f.empty {
		return nil, nil
	}
	return f.notes(), nil
}

func (f *watchFake) Notification(context.Context, string, int64) (engine.Notification, error) {
	n := f.notes()[3]
	n.Attempts, n.TriedAt, n.EndedAt = 3, n.CreatedAt.Add(2*time.Minute), n.CreatedAt.Add(2*time.Minute)
	n.Tries = []engine.DeliveryTry{
		{At: n.CreatedAt, Took: 10 * time.Second, Error: "no answer within 10 s"}, {At: n.CreatedAt.Add(30 * time.Second), Took: 84 * time.Millisecond, Status: 503, Error: "it answers 503 Service Unavailable"},
		{At: n.CreatedAt.Add(2 * time.Minute), Took: 2 * time.Millisecond, Error: n.Error},
	}
	return n, nil
}

func (f *watchFake) SettingWebhooks(context.Context) ([]engine.Webhook, error) {
	if f.empty {
		return nil, nil
	}
	return []engine.Webhook{{ID: "setting:general", Type: "general", URL: "https://chat.example.com/services/T0/B1", Enabled: true, Verify: true}}, nil
}

func (f *watchFake) Webhooks(context.Context, string) ([]engine.Webhook, error) {
	if f.empty {
		return nil, nil
	}
	return []engine.Webhook{
		{ID: "4f1d", Account: "admin", Type: "general", URL: "https://hooks.example.com/windlass/<userId>/<notification_type>", User: "windlass", Password: "x", Enabled: true, Verify: true},
		{ID: "77aa", Account: "admin", Type: "tag_update", URL: "http://10.20.0.7:8080/notify", Enabled: true, Refused: true},
		{ID: "90bc", Account: "admin", Type: "policy_eval", URL: "https://ci.example.com/judge", Enabled: false},
	}, nil
}

func (f *watchFake) Webhook(ctx context.Context, account, _ string) (engine.Webhook, error) {
	list, err := f.Webhooks(ctx, account)
	return list[0], err
}

func (f *watchFake) TryWebhook(context.Context, string, string, string) (engine.WebhookTest, error) {
	return engine.WebhookTest{Took: 41 * time.Millisecond, Trouble: engine.TroubleTLS, Error: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"}, nil
}

func TestSubscriptionsLook(t *testing.T) {
	fake := &watchFake{Fake: enginetest.New()}
	c := start(t, bff.Options{Engine: fake})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/subscriptions/webhooks")
	p.Click(`form[action="/subscriptions/webhooks/4f1d/test"] button`)
	p.Wait(`document.body.innerText.includes("certificate has expired")`)
	p.Live()
	p.Looks("webhook-test")

	fake.Set(func() { fake.empty = true })
	p.Goto(c.url + "/subscriptions")
	p.Live()
	p.Looks("subscriptions-empty")
}

// What became of a delivery comes onto the page by itself.
func TestDeliveriesAreLive(t *testing.T) {
	fake := &watchFake{Fake: enginetest.New()}
	c := start(t, bff.Options{Engine: fake})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/subscriptions/deliveries")
	p.Live()
	p.Wait(`document.querySelector("#delivery-9 .pill").innerText.includes("retrying")`)
	fake.failed.Store(true)
	fake.Change(engine.ChangeNotification, "admin", "9")
	p.Wait(`document.querySelector("#delivery-9 .pill").innerText.includes("failed")`)
}
