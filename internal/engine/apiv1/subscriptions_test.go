package apiv1

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// fakeSubscriptions has the default ones of docker.io/app:v1 and remembers
// what is changed.
type fakeSubscriptions struct {
	testAuth
	list  []engine.Subscription
	added *engine.Subscription
	asked *engine.SubscriptionUpdate
}

func newFakeSubscriptions() *fakeSubscriptions {
	f := &fakeSubscriptions{}
	for _, t := range []engine.SubscriptionType{engine.SubAnalysisUpdate, engine.SubPolicyEval, engine.SubTagUpdate, engine.SubVulnUpdate} {
		f.list = append(f.list, engine.Subscription{
			Account: "admin", Key: "docker.io/app:v1", Type: t, ID: engine.SubscriptionID("admin", "docker.io/app:v1", t),
			Active: t == engine.SubAnalysisUpdate, CreatedAt: time.Unix(1700000000, 0), UpdatedAt: time.Unix(1700000001, 0),
		})
	}
	return f
}

func (f *fakeSubscriptions) Subscriptions(_ context.Context, account string, q engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	var found []engine.Subscription
	for _, v := range f.list {
		if v.Account == account && (q.Key == "" || v.Key == q.Key) && (q.Type == "" || v.Type == q.Type) {
			found = append(found, v)
		}
	}
	// A page each.
	n := 0
	fmt.Sscan(q.After, &n)
	if n+1 < len(found) {
		return found[n : n+1], fmt.Sprint(n + 1), nil
	}
	return found[min(n, len(found)):], "", nil
}

func (f *fakeSubscriptions) Subscription(_ context.Context, account, id string) (engine.Subscription, error) {
	for _, v := range f.list {
		if v.Account == account && v.ID == id {
			return v, nil
		}
	}
	return engine.Subscription{}, fmt.Errorf("subscription: %w", engine.ErrNotFound)
}

func (f *fakeSubscriptions) AddSubscription(_ context.Context, v engine.Subscription) (engine.Subscription, error) {
	v.ID = engine.SubscriptionID(v.Account, v.Key, v.Type)
	for _, old := range f.list {
		if old.ID == v.ID {
			return v, fmt.Errorf("add subscription: %w: subscriptions_pkey", engine.ErrConflict)
		}
	}
	f.added = &v
	return v, nil
}

func (f *fakeSubscriptions) UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error) {
	f.asked = &u
	v, err := f.Subscription(ctx, account, id)
	if u.Active != nil {
		v.Active = *u.Active
	}
	if u.Value != nil {
		v.Value = *u.Value
	}
	return v, err
}

func (f *fakeSubscriptions) RemoveSubscription(context.Context, string, string) error { return nil }

func TestSubscriptions(t *testing.T) {
	tagID := engine.SubscriptionID("admin", "docker.io/app:v1", engine.SubTagUpdate)
	tests := map[string]struct {
		method, target, body string
		code                 int
		says                 string
	}{
		"list":                      {"GET", "/v1/subscriptions", "", 200, `"subscription_type":"vuln_update"`},
		"list by key":               {"GET", "/v1/subscriptions?subscription_key=docker.io/app", "", 200, `[]`},
		"list by type":              {"GET", "/subscriptions?subscription_key=docker.io/app:v1&subscription_type=tag_update", "", 200, tagID},
		"list none":                 {"GET", "/v1/subscriptions?subscription_type=repo_update", "", 200, `[]`},
		"list by unknown type":      {"GET", "/v1/subscriptions?subscription_type=x_update", "", 400, `x_update is not a supported subscription type`},
		"times are epochs":          {"GET", "/v1/subscriptions/" + tagID, "", 200, `"created_at":1700000000,"last_updated":1700000001`},
		"get unknown":               {"GET", "/v1/subscriptions/nope", "", 200, `[]`},
		"add":                       {"POST", "/v1/subscriptions", `{"subscription_key":"docker.io/b:1","subscription_type":"tag_update"}`, 200, `"active":false`},
		"add active":                {"POST", "/v1/subscriptions", `{"subscription_key":"docker.io/b:1","subscription_type":"tag_update","active":true}`, 200, `"active":true`},
		"add with a value":          {"POST", "/v1/subscriptions", `{"subscription_key":"k","subscription_type":"policy_eval","subscription_value":"{\"digests\":[]}"}`, 200, `"subscription_value":"{\"digests\":[]}"`},
		"add with null":             {"POST", "/v1/subscriptions", `{"subscription_key":"k","subscription_type":"policy_eval","subscription_value":null}`, 200, `"subscription_value":null`},
		"add one that exists":       {"POST", "/v1/subscriptions", `{"subscription_key":"docker.io/app:v1","subscription_type":"tag_update"}`, 500, "subscription already exists in DB"},
		"add of unknown type":       {"POST", "/v1/subscriptions", `{"subscription_key":"k","subscription_type":"x"}`, 400, "x is not a supported subscription type"},
		"add without key":           {"POST", "/v1/subscriptions", `{"subscription_type":"tag_update"}`, 500, "subscription_key"},
		"add without type":          {"POST", "/v1/subscriptions", `{"subscription_key":"k"}`, 500, "subscription_type"},
		"add of wrong shape":        {"POST", "/v1/subscriptions", `{"subscription_key":7,"subscription_type":"tag_update"}`, 400, `"title":"Bad Request"`},
		"add with a value not text": {"POST", "/v1/subscriptions", `{"subscription_key":"k","subscription_type":"tag_update","subscription_value":{}}`, 400, `"title":"Bad Request"`},
		"activate":                  {"PUT", "/v1/subscriptions/" + tagID, `{"active":true,"subscription_key":"docker.io/app:v1","subscription_type":"tag_update"}`, 200, `"active":true`},
		"change the value":          {"PUT", "/v1/subscriptions/" + tagID, `{"subscription_value":"v"}`, 200, `"subscription_value":"v"`},
		"change nothing":            {"PUT", "/v1/subscriptions/" + tagID, `{}`, 200, tagID},
		"change unknown":            {"PUT", "/v1/subscriptions/nope", `{"active":true}`, 500, "subscription not found in DB"},
		"active is no boolean":      {"PUT", "/v1/subscriptions/" + tagID, `{"active":"yes"}`, 400, `"title":"Bad Request"`},
		"delete":                    {"DELETE", "/v1/subscriptions/" + tagID, "", 200, "true"},
		"delete unknown":            {"DELETE", "/v1/subscriptions/nope", "", 200, "true"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, newFakeSubscriptions(), tc.method, tc.target, tc.body, asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
		})
	}
	if w := ask(t, newFakeSubscriptions(), "GET", "/subscriptions", "", asNobody); w.Code != 401 {
		t.Errorf("without credentials: %d", w.Code)
	}
	var all []Subscription
	w := ask(t, newFakeSubscriptions(), "GET", "/subscriptions", "", asAdmin)
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || len(all) != 4 {
		t.Errorf("the list has %d over several pages (%v), want 4", len(all), err)
	}
}

// What a PUT does not name stays; null is not the same as absent.
func TestSubscriptionUpdateTellsAbsentFromNull(t *testing.T) {
	id := engine.SubscriptionID("admin", "docker.io/app:v1", engine.SubTagUpdate)
	for body, want := range map[string]struct{ active, value, text bool }{
		`{}`:                          {false, false, false},
		`{"active":false}`:            {true, false, false},
		`{"subscription_value":null}`: {false, true, false},
		`{"subscription_value":"x"}`:  {false, true, true},
	} {
		f := newFakeSubscriptions()
		if w := ask(t, f, "PUT", "/subscriptions/"+id, body, asAdmin); w.Code != 200 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
			continue
		}
		u := *f.asked
		if (u.Active != nil) != want.active || (u.Value != nil) != want.value || want.value && (*u.Value != nil) != want.text {
			t.Errorf("%s becomes %+v", body, u)
		}
	}
}

func (f *fakeSubscriptions) CheckNow(ctx context.Context, account, id string) (engine.Subscription, error) {
	v, err := f.Subscription(ctx, account, id)
	if err == nil && v.Type != engine.SubTagUpdate {
		err = engine.Conflictf("there is nothing to look at")
	}
	v.NextCheck = time.Unix(1700000002, 0)
	return v, err
}

func TestWatchedSubscriptions(t *testing.T) {
	tagID := engine.SubscriptionID("admin", "docker.io/app:v1", engine.SubTagUpdate)
	vulnID := engine.SubscriptionID("admin", "docker.io/app:v1", engine.SubVulnUpdate)
	for name, tc := range map[string]struct {
		method, target string
		code           int
		says           string
	}{
		"first page":       {"GET", "/v1/console/subscriptions?limit=1", 200, `"next":"1"`},
		"last page":        {"GET", "/v1/console/subscriptions?after=3&active=True&failed=false&q=x", 200, `"next":null`},
		"unknown type":     {"GET", "/v1/console/subscriptions?type=x", 400, `"title":"Bad Request"`},
		"limit":            {"GET", "/v1/console/subscriptions?limit=0", 400, `"title":"Bad Request"`},
		"check":            {"POST", "/v1/console/subscriptions/" + tagID + "/check", 200, `"next_check":1700000002`},
		"check of another": {"POST", "/v1/console/subscriptions/" + vulnID + "/check", 409, "nothing to look at"},
		"check of none":    {"POST", "/v1/console/subscriptions/none/check", 404, "subscription not found in DB"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, newFakeSubscriptions(), tc.method, tc.target, "", asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
		})
	}
}

// No body, however odd, is answered with more than the document allows.
func FuzzSubscriptionBody(f *testing.F) {
	for _, body := range []string{`{"subscription_key":"k","subscription_type":"tag_update","active":true}`, `{"subscription_value":null}`, `{"subscription_value":{}}`, `[]`, `null`, `{`, `{"active":"True"}`} {
		f.Add(body)
	}
	s := New(newFakeSubscriptions(), Options{})
	f.Fuzz(func(t *testing.T, body string) {
		id := engine.SubscriptionID("admin", "docker.io/app:v1", engine.SubTagUpdate)
		for method, target := range map[string]string{"POST": "/subscriptions", "PUT": "/subscriptions/" + id} {
			w := askServer(t, s, method, target, body, asAdmin, nil)
			if w.Code != 200 && w.Code != 400 && w.Code != 500 || w.Code == 500 && !strings.Contains(w.Body.String(), "subscription") {
				t.Errorf("%s %q: %d %s", method, body, w.Code, w.Body)
			}
		}
	})
}
