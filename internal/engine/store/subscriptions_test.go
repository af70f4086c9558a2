package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// active lists the subscriptions of a key that are active, and counts all.
func active(t *testing.T, s *store.Store, key string) (string, int) {
	t.Helper()
	list, _, err := s.Subscriptions(t.Context(), "admin", engine.SubscriptionFilter{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for _, v := range list {
		if v.Active {
			on = append(on, string(v.Type))
		}
	}
	return strings.Join(on, " "), len(list)
}

func setActive(t *testing.T, s *store.Store, key string, typ engine.SubscriptionType, on bool) {
	t.Helper()
	_, err := s.UpdateSubscription(t.Context(), "admin", engine.SubscriptionID("admin", key, typ), engine.SubscriptionUpdate{Active: &on})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSubscriptionsOfATagAreInitialised(t *testing.T) {
	s := enginetest.Store(t)
	const key = "docker.io/app:v1"
	expect := func(what, want string) {
		t.Helper()
		if got, n := active(t, s, key); got != want || n != 4 {
			t.Errorf("%s: active %q of %d, want %q of 4", what, got, n, want)
		}
	}
	put(t, s, 1, nil)
	expect("after the first add", "analysis_update")
	put(t, s, 1, func(n *store.NewImage) { n.AutoSubscribe = true })
	expect("added again to be watched", "analysis_update tag_update")
	put(t, s, 2, nil)
	expect("another image without autosubscribe switches nothing off", "analysis_update tag_update")
	setActive(t, s, key, engine.SubAnalysisUpdate, false)
	setActive(t, s, key, engine.SubVulnUpdate, true)
	put(t, s, 2, nil)
	expect("added again", "analysis_update tag_update vuln_update")
	if err := s.RemoveSubscription(t.Context(), "admin", engine.SubscriptionID("admin", key, engine.SubVulnUpdate)); err != nil {
		t.Fatal(err)
	}
	put(t, s, 2, func(n *store.NewImage) { n.Tag.Tag = "v2" })
	expect("what is missing of the image's other tags is made", "analysis_update tag_update")
	if got, n := active(t, s, "docker.io/app:v2"); got != "analysis_update" || n != 4 {
		t.Errorf("the new tag has %q of %d", got, n)
	}
	if list, _, _ := s.Subscriptions(t.Context(), "other", engine.SubscriptionFilter{}); len(list) != 0 {
		t.Errorf("another account sees %d subscriptions", len(list))
	}
}

func TestSubscriptionLife(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	value := `{"digests":[]}`
	v, err := s.AddSubscription(ctx, engine.Subscription{Account: "admin", Key: "docker.io/a:1", Type: engine.SubPolicyEval, Value: &value})
	if err != nil || v.ID != "9774ddb010e80fe99629f87e04d5c648" || v.Active || *v.Value != value {
		t.Fatalf("added %+v, %v", v, err)
	}
	if _, err := s.AddSubscription(ctx, v); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("added twice: %v, want ErrConflict", err)
	}
	other := v
	other.Account = "other"
	if _, err := s.AddSubscription(ctx, other); err != nil {
		t.Errorf("the same of another account: %v", err)
	}
	on := true
	if u, err := s.UpdateSubscription(ctx, "admin", v.ID, engine.SubscriptionUpdate{Active: &on}); err != nil || !u.Active || u.Value == nil || *u.Value != value {
		t.Errorf("switched on: %+v, %v; want the value kept", u, err)
	}
	var none *string
	if u, err := s.UpdateSubscription(ctx, "admin", v.ID, engine.SubscriptionUpdate{Value: &none}); err != nil || !u.Active || u.Value != nil {
		t.Errorf("without value: %+v, %v", u, err)
	}
	if _, err := s.UpdateSubscription(ctx, "third", v.ID, engine.SubscriptionUpdate{Active: &on}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("changed by another account: %v", err)
	}
	for _, account := range []string{"third", "admin", "admin"} {
		if err := s.RemoveSubscription(ctx, account, v.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Subscription(ctx, "admin", v.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after removal: %v", err)
	}
	if _, err := s.Subscription(ctx, "other", engine.SubscriptionID("other", v.Key, v.Type)); err != nil {
		t.Errorf("that of the other account: %v", err)
	}
	long := strings.Repeat("x", engine.MaxSubscriptionValue+1)
	for what, bad := range map[string]engine.Subscription{
		"no key":     {Type: engine.SubTagUpdate},
		"long key":   {Type: engine.SubTagUpdate, Key: long},
		"long value": {Type: engine.SubTagUpdate, Key: "k", Value: &long},
		"no type":    {Key: "k"},
		"NUL":        {Type: engine.SubTagUpdate, Key: "a\x00b"},
	} {
		bad.Account = "admin"
		if _, err := s.AddSubscription(ctx, bad); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
	}
}

// Pages follow each other without a gap whatever ends them: the number of
// rows, or the bytes of their values.
func TestSubscriptionPages(t *testing.T) {
	s := enginetest.Store(t)
	exec(t, s, `INSERT INTO subscriptions (account, key, type, id, active, value, last_error)
		SELECT 'admin', 'docker.io/app-' || k, y, md5('admin+docker.io/app-' || k || '+' || y), k % 2 = 0,
		       CASE WHEN k <= 8 THEN repeat('x', 1500000) END, CASE WHEN k = 3 THEN 'down' ELSE '' END
		  FROM generate_series(1, 20) k CROSS JOIN (VALUES ('repo_update'), ('tag_update')) v (y)`)
	yes := true
	for name, tc := range map[string]struct {
		f    engine.SubscriptionFilter
		want int
	}{
		"all":    {engine.SubscriptionFilter{Limit: 7}, 40},
		"type":   {engine.SubscriptionFilter{Type: engine.SubTagUpdate}, 20},
		"key":    {engine.SubscriptionFilter{Key: "docker.io/app-4"}, 2},
		"active": {engine.SubscriptionFilter{Active: &yes, Limit: 1}, 20},
		"failed": {engine.SubscriptionFilter{Failed: true}, 2},
		"text":   {engine.SubscriptionFilter{Text: "APP-1"}, 22},
		"none":   {engine.SubscriptionFilter{Text: "%"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for pages := 0; ; pages++ {
				list, next, err := s.Subscriptions(t.Context(), "admin", tc.f)
				if err != nil || pages > 50 {
					t.Fatal(pages, err)
				}
				bytes := 0
				for _, v := range list {
					seen[fmt.Sprint(v.Key, v.Type)] = true
					if v.Value != nil {
						bytes += len(*v.Value)
					}
				}
				if bytes > 5<<20 {
					t.Errorf("a page of %d bytes", bytes)
				}
				if next == "" {
					break
				}
				if len(list) == 0 {
					t.Fatal("an empty page leads on")
				}
				tc.f.After = next
			}
			if len(seen) != tc.want {
				t.Errorf("%d subscriptions, want %d", len(seen), tc.want)
			}
		})
	}
	if _, _, err := s.Subscriptions(t.Context(), "admin", engine.SubscriptionFilter{After: "x"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a foreign cursor gives %v", err)
	}
}

func TestDeleteOfASubscribedImage(t *testing.T) {
	s := enginetest.Store(t)
	const key = "docker.io/app:v1"
	put(t, s, 1, nil)
	put(t, s, 2, func(n *store.NewImage) { n.AutoSubscribe = true })
	exec(t, s, `UPDATE images SET state = 'analyzed'`)
	remove := func(n int, force bool, want string, on string) {
		t.Helper()
		r, err := s.DeleteImage(t.Context(), "admin", string(digestOf(n)), force)
		if got, _ := active(t, s, key); err != nil || r.Status != want || got != on {
			t.Errorf("delete %d force=%v: %+v, %v with %q active; want %s, %q", n, force, r, err, got, want, on)
		}
		if r.Status == "delete_failed" && (!r.Subscribed || !strings.Contains(r.Detail, key+", which has active subscriptions (analysis_update")) {
			t.Errorf("the refusal says %q", r.Detail)
		}
	}
	const both = "analysis_update tag_update"
	remove(2, false, "delete_failed", both) // the newest of its tag
	remove(1, false, "deleting", both)      // an older one
	setActive(t, s, key, engine.SubTagUpdate, false)
	remove(2, false, "delete_failed", "analysis_update")
	remove(2, true, "deleting", "")
	remove(2, false, "deleting", "")

	// What was switched on again until the data goes is switched off with it.
	setActive(t, s, key, engine.SubVulnUpdate, true)
	if n, err := s.CollectImages(t.Context(), 10); n != 2 || err != nil {
		t.Fatalf("collected %d, %v", n, err)
	}
	if on, n := active(t, s, key); on != "" || n != 4 {
		t.Errorf("after collection %q of %d are active", on, n)
	}
}

// The collection of an image must not touch a tag that has moved on since.
func TestCollectionLeavesTheTagOfAnotherImage(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, nil)
	if _, err := s.DeleteImage(t.Context(), "admin", string(digestOf(1)), true); err != nil {
		t.Fatal(err)
	}
	put(t, s, 2, nil)
	if n, err := s.CollectImages(t.Context(), 10); n != 1 || err != nil {
		t.Fatalf("collected %d, %v", n, err)
	}
	if on, _ := active(t, s, "docker.io/app:v1"); on != "analysis_update" {
		t.Errorf("%q is active, want analysis_update", on)
	}
}

// A new tag of an image that is analyzed already is told of as an analysis is.
func TestNewTagOfAnAnalyzedImage(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, func(n *store.NewImage) { n.Annotations = map[string]any{"a": "1"} })
	exec(t, s, `UPDATE images SET state = 'analyzed'`)
	put(t, s, 1, nil) // a tag it has
	put(t, s, 1, func(n *store.NewImage) { n.Tag.Tag = "v2" })
	list, err := s.Events(t.Context(), "admin", engine.EventFilter{Type: engine.EvAnalysisCompleted}, engine.EventPage{Limit: 10})
	if err != nil || len(list.Events) != 1 || list.Events[0].ResourceID != "docker.io/app:v2" {
		t.Fatalf("events %+v, %v; want one of the new tag", list.Events, err)
	}
	if d := list.Events[0].Details; d["subscription_type"] != "analysis_update" || fmt.Sprint(d["annotations"]) != "map[a:1]" {
		t.Errorf("it tells %v", d)
	}
}

func TestNothingStaysOfASample(t *testing.T) {
	s := enginetest.Store(t)
	put(t, s, 1, func(n *store.NewImage) { n.Task.Source = engine.FromSample })
	if _, err := s.DeleteImage(t.Context(), "admin", string(digestOf(1)), true); err != nil {
		t.Fatal(err)
	}
	if n, err := s.CollectImages(t.Context(), 10); n != 1 || err != nil {
		t.Fatalf("collected %d, %v", n, err)
	}
	if _, n := active(t, s, "docker.io/app:v1"); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}
