package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"windlass/internal/engine"
)

// The newest notification of a subscription is shown by the webhook that has
// not taken it, and each end of an attempt is announced.
func TestLastNotifications(t *testing.T) {
	s := notifyStore(t, engine.Webhook{Type: "general", URL: "http://a"}, engine.Webhook{Type: "analysis_update", URL: "http://b"})
	for range 2 {
		if err := s.AddEvent(t.Context(), analyzedEvent("admin", "docker.io/team/app:1")); err != nil {
			t.Fatal(err)
		}
	}
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for webhook, state := range map[string]engine.DeliveryState{"setting:general": engine.DeliveryDelivered, "setting:analysis_update": engine.DeliveryFailed} {
		list, err := s.TakeNotifications(t.Context(), webhook, 2, time.Minute)
		if err != nil || len(list) != 2 {
			t.Fatalf("took %d, %v", len(list), err)
		}
		for _, n := range list {
			n.State, n.Status, n.Error = state, 200, "why"
			if err := s.EndNotification(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
	}
	ref := engine.SubscriptionRef{Type: engine.SubAnalysisUpdate, Key: "docker.io/team/app:1"}
	last, err := s.LastNotifications(t.Context(), "admin", []engine.SubscriptionRef{ref, {Type: engine.SubTagUpdate, Key: ref.Key}})
	if err != nil {
		t.Fatal(err)
	}
	if n := last[ref]; len(last) != 1 || n.Webhook != "setting:analysis_update" || n.State != engine.DeliveryFailed {
		t.Errorf("last of each: %+v", last)
	}
	if other, err := s.LastNotifications(t.Context(), "bob", []engine.SubscriptionRef{ref}); err != nil || len(other) != 0 {
		t.Errorf("another account sees %v, %v", other, err)
	}
	hooks, err := s.LastDeliveries(t.Context(), "admin")
	if err != nil || len(hooks) != 2 || hooks["setting:general"].State != engine.DeliveryDelivered {
		t.Errorf("by webhook: %+v, %v", hooks, err)
	}
	changes, err := s.ChangesAfter(t.Context(), before, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := slices.DeleteFunc(changes, func(c engine.Change) bool { return c.Kind != engine.ChangeNotification || c.Account != "admin" })
	if len(told) != 4 {
		t.Errorf("%d ends were announced, want 4: %+v", len(told), changes)
	}
}

// What is done to a webhook is announced to its account.
func TestWebhookChanges(t *testing.T) {
	s := notifyStore(t)
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.AddWebhook(t.Context(), engine.Webhook{Account: "admin", Type: "general", URL: "http://a"}, 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateWebhook(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	stranger := w
	stranger.Account = "bob"
	if _, err := s.UpdateWebhook(t.Context(), stranger); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("another account's webhook: %v", err)
	}
	if err := s.RemoveWebhook(t.Context(), "admin", w.ID); err != nil {
		t.Fatal(err)
	}
	changes, err := s.ChangesAfter(t.Context(), before, 100)
	if err != nil || len(changes) != 3 {
		t.Fatalf("%+v, %v", changes, err)
	}
	for _, c := range changes {
		if c.Kind != engine.ChangeWebhook || c.Account != "admin" || c.ID != w.ID {
			t.Errorf("%+v", c)
		}
	}
}

// A filter by several types shows those alone.
func TestSubscriptionsOfTypes(t *testing.T) {
	s := notifyStore(t)
	list, _, err := s.Subscriptions(t.Context(), "admin", engine.SubscriptionFilter{Types: []engine.SubscriptionType{engine.SubTagUpdate, engine.SubPolicyEval}})
	if err != nil || len(list) != 2 || list[0].Type != engine.SubPolicyEval || list[1].Type != engine.SubTagUpdate {
		t.Errorf("%+v, %v", list, err)
	}
}
