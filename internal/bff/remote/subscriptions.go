package remote

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

type wireSubscription struct {
	ID        string  `json:"subscription_id"`
	Key       string  `json:"subscription_key"`
	Type      string  `json:"subscription_type"`
	Value     *string `json:"subscription_value"`
	Active    bool    `json:"active"`
	CreatedAt stamp   `json:"created_at"`
	UpdatedAt stamp   `json:"last_updated"`
}

func subscriptionOf(w wireSubscription, account string) engine.Subscription {
	return engine.Subscription{
		Account: account, ID: w.ID, Key: w.Key, Type: engine.SubscriptionType(w.Type), Value: w.Value, Active: w.Active,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
	}
}

// Subscriptions lists one page by key and type.
func (c *Client) Subscriptions(ctx context.Context, account string, f engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	all, err := kept(ctx, c, account, "subscriptions", time.Second, func(ctx context.Context) ([]engine.Subscription, error) {
		var all []wireSubscription
		if err := c.get(ctx, account, "/subscriptions", nil, &all); err != nil {
			return nil, err
		}
		list := make([]engine.Subscription, 0, len(all))
		for _, w := range all {
			list = append(list, subscriptionOf(w, account))
		}
		slices.SortFunc(list, func(a, b engine.Subscription) int {
			return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(string(a.Type), string(b.Type)))
		})
		return list, nil
	})
	if err != nil {
		return nil, "", err
	}
	limit := f.Limit
	if limit < 1 || limit > 1000 {
		limit = 100
	}
	var list []engine.Subscription
	for _, s := range all {
		if place(s) <= f.After || !watches(s, f) {
			continue
		}
		if len(list) == limit {
			return list, place(list[limit-1]), nil
		}
		list = append(list, s)
	}
	return list, "", nil
}

// place orders subscriptions as they are listed.
func place(s engine.Subscription) string { return s.Key + "\x00" + string(s.Type) }

func watches(s engine.Subscription, f engine.SubscriptionFilter) bool {
	return (f.Key == "" || s.Key == f.Key) && (f.Type == "" || s.Type == f.Type) && (len(f.Types) == 0 || slices.Contains(f.Types, s.Type)) &&
		(f.Active == nil || s.Active == *f.Active) && !f.Failed && strings.Contains(strings.ToLower(s.Key), strings.ToLower(f.Text))
}

// Subscription is one of them.
func (c *Client) Subscription(ctx context.Context, account, id string) (engine.Subscription, error) {
	var list []wireSubscription
	err := c.get(ctx, account, path("subscriptions", id), nil, &list)
	return one(list, err, account)
}

func one(list []wireSubscription, err error, account string) (engine.Subscription, error) {
	if err == nil && len(list) == 0 {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.Subscription{}, absent(err, "There is no such subscription. It may have been removed.")
	}
	return subscriptionOf(list[0], account), nil
}

// AddSubscription adds one.
func (c *Client) AddSubscription(ctx context.Context, v engine.Subscription) (engine.Subscription, error) {
	body := map[string]any{"subscription_key": v.Key, "subscription_type": v.Type, "active": v.Active}
	if v.Value != nil {
		body["subscription_value"] = *v.Value
	}
	return c.saveSubscription(ctx, http.MethodPost, "/subscriptions", v.Account, body)
}

// UpdateSubscription changes one.
func (c *Client) UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error) {
	body := map[string]any{}
	if u.Active != nil {
		body["active"] = *u.Active
	}
	if u.Value != nil {
		body["subscription_value"] = *u.Value
	}
	return c.saveSubscription(ctx, http.MethodPut, path("subscriptions", id), account, body)
}

func (c *Client) saveSubscription(ctx context.Context, method, at, account string, body any) (engine.Subscription, error) {
	var list []wireSubscription
	err := c.call(ctx, call{method: method, path: at, body: body, account: account, out: &list})
	v, err := one(list, err, account)
	if err == nil {
		c.altered(account, engine.ChangeSubscription, v.ID)
	}
	return v, err
}

// RemoveSubscription removes one.
func (c *Client) RemoveSubscription(ctx context.Context, account, id string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("subscriptions", id), account: account})
	if err == nil {
		c.altered(account, engine.ChangeSubscription, id)
	}
	return err
}

// AddRepository subscribes to a repository; the engine asks its registry.
func (c *Client) AddRepository(ctx context.Context, a engine.AddRepository) (engine.Subscription, error) {
	q := url.Values{"repository": {a.Repository}, "autosubscribe": {strconv.FormatBool(a.AutoSubscribe)}}
	if a.DryRun {
		q.Set("dryrun", "true")
	}
	var list []wireSubscription
	err := c.call(ctx, call{method: http.MethodPost, path: "/repositories", query: q, account: a.Account, out: &list, timeout: 2 * c.timeout})
	if err != nil {
		return engine.Subscription{}, err
	}
	v, err := one(list, nil, a.Account)
	if err == nil && !a.DryRun {
		c.altered(a.Account, engine.ChangeSubscription, v.ID)
	}
	return v, err
}
