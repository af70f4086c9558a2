package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// notifyStore is a store with a key, the webhooks given, and a subscription of
// admin to analysis_update and tag_update of docker.io/team/app:1.
func notifyStore(t testing.TB, hooks ...engine.Webhook) *store.Store {
	t.Helper()
	s := enginetest.Store(t)
	s.SetSecretKey([32]byte{1})
	if err := s.SetWebhookSettings(t.Context(), hooks, nil); err != nil {
		t.Fatal(err)
	}
	const q = `
		INSERT INTO subscriptions (account, key, type, id, active)
		SELECT 'admin', 'docker.io/team/app:1', k, md5(k), k <> 'policy_eval'
		  FROM unnest(ARRAY['analysis_update', 'tag_update', 'policy_eval', 'vuln_update']) k`
	if _, err := s.Pool().Exec(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	return s
}

func analyzedEvent(account, tag string) engine.Event {
	return engine.NewEvent(engine.EvAnalysisCompleted, account, tag, map[string]any{"subscription_type": "analysis_update", "n": 1.0}, engine.Source{Service: engine.Analyzer})
}

func notifications(t *testing.T, s *store.Store, account string) []engine.Notification {
	t.Helper()
	list, err := s.Notifications(t.Context(), account, engine.NotificationFilter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range list {
		if list[i], err = s.Notification(t.Context(), account, n.Seq); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestEventsBecomeNotifications(t *testing.T) {
	hook := func(kind, url string) engine.Webhook { return engine.Webhook{Type: kind, URL: url} }
	policy := analyzedEvent("admin", "docker.io/team/app:1")
	policy.Details = map[string]any{"subscription_type": "policy_eval"}
	other := engine.NewEvent(engine.EvFeedsSyncFailed, "admin", "", nil, engine.Source{})
	tests := map[string]struct {
		hooks  []engine.Webhook
		levels []string
		event  engine.Event
		want   []string // webhooks, in the order of delivery
	}{
		"nobody listens":               {nil, nil, analyzedEvent("admin", "docker.io/team/app:1"), nil},
		"subscribed":                   {[]engine.Webhook{hook("general", "http://a")}, nil, analyzedEvent("admin", "docker.io/team/app:1"), []string{"setting:general"}},
		"own section first":            {[]engine.Webhook{hook("general", "http://a"), hook("analysis_update", "http://b")}, nil, analyzedEvent("admin", "docker.io/team/app:1"), []string{"setting:analysis_update", "setting:general"}},
		"other sections do not matter": {[]engine.Webhook{hook("tag_update", "http://a")}, nil, analyzedEvent("admin", "docker.io/team/app:1"), nil},
		"empty section hides general":  {[]engine.Webhook{hook("general", "http://a"), hook("analysis_update", "")}, nil, analyzedEvent("admin", "docker.io/team/app:1"), []string{"setting:analysis_update"}},
		"other tag":                    {[]engine.Webhook{hook("general", "http://a")}, nil, analyzedEvent("admin", "docker.io/team/app:2"), nil},
		"other account":                {[]engine.Webhook{hook("general", "http://a")}, nil, analyzedEvent("bob", "docker.io/team/app:1"), nil},
		"inactive":                     {[]engine.Webhook{hook("general", "http://a")}, []string{"info"}, policy, nil},
		"log off":                      {[]engine.Webhook{hook("general", "http://a")}, nil, other, nil},
		"log of another level":         {[]engine.Webhook{hook("general", "http://a")}, []string{"info"}, other, nil},
		"log":                          {[]engine.Webhook{hook("general", "http://a"), hook("event_log", "http://b")}, []string{"error"}, other, []string{"setting:event_log", "setting:general"}},
		"subscribed is not log":        {[]engine.Webhook{hook("event_log", "http://b")}, []string{"info"}, analyzedEvent("admin", "docker.io/team/app:1"), nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := notifyStore(t, tc.hooks...)
			if err := s.SetWebhookSettings(t.Context(), tc.hooks, tc.levels); err != nil {
				t.Fatal(err)
			}
			if err := s.AddEvent(t.Context(), tc.event); err != nil {
				t.Fatal(err)
			}
			list := notifications(t, s, tc.event.Account)
			if len(list) != len(tc.want) {
				t.Fatalf("%d notifications %+v, want %v", len(list), list, tc.want)
			}
			for i, n := range list { // newest first
				if n.Webhook != tc.want[len(list)-1-i] || n.State != engine.DeliveryPending || n.ID != list[0].ID {
					t.Errorf("%+v", n)
				}
				if n.Type == engine.NotifyEvents && (n.Event == nil || n.Event.ID != tc.event.ID || n.Event.Level != "error" || n.Event.StoredAt.IsZero()) {
					t.Errorf("event %+v", n.Event)
				}
				if n.Type == engine.NotifyAnalysis && (n.Key != tc.event.ResourceID || n.Payload["n"] != 1.0) {
					t.Errorf("payload %+v", n)
				}
			}
		})
	}
}

func TestEmitStillFailsWhole(t *testing.T) {
	s := notifyStore(t, engine.Webhook{Type: "general", URL: "http://a"})
	e := analyzedEvent("admin", "docker.io/team/app:1")
	if err := s.AddEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := s.AddEvent(t.Context(), e); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("the same event twice: %v", err)
	}
	if list := notifications(t, s, "admin"); len(list) != 1 {
		t.Errorf("%d notifications of one event", len(list))
	}
}

func TestDirectNotification(t *testing.T) {
	s := notifyStore(t, engine.Webhook{Type: "general", URL: "http://a"})
	n := engine.Notification{Account: "admin", Type: engine.NotifyTag, Key: "docker.io/team/app:1", Payload: map[string]any{"curr_eval": []string{"sha256:1"}}}
	if err := s.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	n.Key = "docker.io/team/app:none"
	if err := s.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	list := notifications(t, s, "admin")
	if len(list) != 1 || list[0].Key != "docker.io/team/app:1" || list[0].Payload["curr_eval"] == nil {
		t.Fatalf("%+v", list)
	}
}

func TestDeliveryInTheStore(t *testing.T) {
	ctx := t.Context()
	s := notifyStore(t, engine.Webhook{Type: "general", URL: "http://a", User: "u", Password: "p"})
	if err := s.AddEvent(ctx, analyzedEvent("admin", "docker.io/team/app:1")); err != nil {
		t.Fatal(err)
	}
	due := func() []string {
		t.Helper()
		list, err := s.DueWebhooks(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	take := func(lease time.Duration) []engine.Notification {
		t.Helper()
		list, err := s.TakeNotifications(ctx, "setting:general", 4, lease)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := due(); len(got) != 1 || got[0] != "setting:general" {
		t.Fatalf("due %v", got)
	}
	first := take(0) // its worker is killed at once
	if len(first) != 1 || first[0].Attempts != 1 {
		t.Fatalf("took %+v", first)
	}
	second := take(time.Minute)
	if len(second) != 1 || second[0].Attempts != 2 {
		t.Fatalf("took again %+v", second)
	}
	if len(due()) != 0 || len(take(time.Minute)) != 0 {
		t.Error("offered twice")
	}
	late := first[0]
	late.State = engine.DeliveryFailed
	if err := s.EndNotification(ctx, late); err != nil {
		t.Fatal(err)
	}
	if n := notifications(t, s, "admin")[0]; n.State != engine.DeliveryPending {
		t.Errorf("a lost attempt ended it: %+v", n)
	}
	if _, err := s.Redeliver(ctx, "admin", first[0].Seq); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("redelivery while it waits: %v", err)
	}
	held := second[0]
	held.State, held.Status, held.Error, held.Took = engine.DeliveryFailed, 500, "it answers\x00 500", 70*time.Millisecond
	if err := s.EndNotification(ctx, held); err != nil {
		t.Fatal(err)
	}
	if n := notifications(t, s, "admin")[0]; n.State != engine.DeliveryFailed || n.Status != 500 || n.EndedAt.IsZero() {
		t.Errorf("%+v", n)
	}
	if n, err := s.Notification(ctx, "admin", held.Seq); err != nil || len(n.Tries) != 1 || n.Tries[0].Status != 500 || n.Tries[0].Took != 70*time.Millisecond || n.Tries[0].Error == "" || n.Tries[0].At.IsZero() {
		t.Errorf("attempts %+v, %v", n.Tries, err)
	}
	if _, err := s.Redeliver(ctx, "bob", held.Seq); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account's: %v", err)
	}
	if n, err := s.Redeliver(ctx, "admin", held.Seq); err != nil || n.State != engine.DeliveryPending || n.Attempts != 0 {
		t.Errorf("%+v %v", n, err)
	}
	w, err := s.Receiver(ctx, "setting:general")
	if err != nil || w.Password != "p" || !w.Setting() || !w.Enabled {
		t.Errorf("%+v %v", w, err)
	}
	if err := s.SetWebhookSettings(ctx, nil, nil); err != nil {
		t.Fatal(err)
	}
	if n := notifications(t, s, "admin")[0]; n.State != engine.DeliveryFailed || n.Error != "its webhook was removed" {
		t.Errorf("%+v", n)
	}
	if _, err := s.Pool().Exec(ctx, `UPDATE notifications SET created_at = now() - interval '8 days'`); err != nil {
		t.Fatal(err)
	}
	if n, err := s.TrimNotifications(ctx, 7*24*time.Hour); err != nil || n != 1 {
		t.Errorf("trimmed %d, %v", n, err)
	}
}

func TestWebhooksOfAccounts(t *testing.T) {
	ctx := t.Context()
	s := notifyStore(t)
	w, err := s.AddWebhook(ctx, engine.Webhook{Account: "admin", Type: "general", URL: "http://x", Password: "secret", Enabled: true}, 1)
	if err != nil || w.ID == "" || w.Password != "secret" {
		t.Fatalf("%+v %v", w, err)
	}
	if _, err := s.AddWebhook(ctx, engine.Webhook{Account: "admin", Type: "general"}, 1); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("one too many: %v", err)
	}
	other := w
	other.Account = "bob"
	if _, err := s.UpdateWebhook(ctx, other); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("update of another's: %v", err)
	}
	if err := s.RemoveWebhook(ctx, "bob", w.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("removal of another's: %v", err)
	}
	w.Enabled, w.URL = false, "http://y"
	if w, err = s.UpdateWebhook(ctx, w); err != nil || w.Enabled || w.URL != "http://y" {
		t.Errorf("%+v %v", w, err)
	}
	if err := s.AddEvent(ctx, analyzedEvent("admin", "docker.io/team/app:1")); err != nil {
		t.Fatal(err)
	}
	if n := len(notifications(t, s, "admin")); n != 0 {
		t.Errorf("%d to a webhook that is off", n)
	}
	w.Enabled = true
	if _, err = s.UpdateWebhook(ctx, w); err != nil {
		t.Fatal(err)
	}
	if err := s.AddEvent(ctx, analyzedEvent("admin", "docker.io/team/app:1")); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveWebhook(ctx, "admin", w.ID); err != nil {
		t.Fatal(err)
	}
	if n := notifications(t, s, "admin"); len(n) != 1 || n[0].State != engine.DeliveryFailed {
		t.Errorf("%+v", n)
	}
	if list, err := s.Webhooks(context.Background(), "admin"); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}
