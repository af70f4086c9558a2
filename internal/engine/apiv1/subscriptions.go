package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"windlass/internal/engine"
)

// Subscriptions is what the subscription operations ask of the engine.
type Subscriptions interface {
	Subscriptions(ctx context.Context, account string, f engine.SubscriptionFilter) (list []engine.Subscription, next string, err error)
	Subscription(ctx context.Context, account, id string) (engine.Subscription, error)
	AddSubscription(ctx context.Context, v engine.Subscription) (engine.Subscription, error)
	UpdateSubscription(ctx context.Context, account, id string, u engine.SubscriptionUpdate) (engine.Subscription, error)
	RemoveSubscription(ctx context.Context, account, id string) error
	Watches
}

func (s *Server) subscriptionsOps() map[string]op {
	return map[string]op{
		"listSubscriptions":  {perm: acct("listSubscriptions"), call: s.listSubscriptions},
		"createSubscription": {perm: acct("createSubscription"), call: s.createSubscription},
		"getSubscription":    {perm: acct("getSubscription"), call: s.getSubscription},
		"updateSubscription": {perm: acct("updateSubscription"), call: s.updateSubscription},
		"deleteSubscription": {perm: acct("deleteSubscription"), call: s.deleteSubscription},
		"listWatched":        {perm: acct("listSubscriptions"), call: s.listWatched},
		"checkSubscription":  {perm: acct("updateSubscription"), call: s.checkSubscription},
	}
}

// Subscription is a subscription on the wire. Its times are epoch seconds,
// unlike those of nearly all else.
type Subscription struct {
	ID          string  `json:"subscription_id"`
	Key         string  `json:"subscription_key"`
	Type        string  `json:"subscription_type"`
	Value       *string `json:"subscription_value"`
	UserID      string  `json:"userId"`
	Active      bool    `json:"active"`
	CreatedAt   int64   `json:"created_at"`
	LastUpdated int64   `json:"last_updated"`
}

func wireSubscription(v engine.Subscription) Subscription {
	return Subscription{
		ID: v.ID, Key: v.Key, Type: string(v.Type), Value: v.Value, UserID: v.Account, Active: v.Active,
		CreatedAt: v.CreatedAt.Unix(), LastUpdated: v.UpdatedAt.Unix(),
	}
}

func wireSubscriptions(list ...engine.Subscription) []Subscription {
	out := make([]Subscription, 0, len(list))
	for _, v := range list {
		out = append(out, wireSubscription(v))
	}
	return out
}

// subscriptionType reads a type, or says that there is none such.
func subscriptionType(text string) (engine.SubscriptionType, error) {
	t := engine.SubscriptionType(text)
	if !t.Valid() {
		return t, errorf(http.StatusBadRequest, "%s is not a supported subscription type", clip(text, 100))
	}
	return t, nil
}

func (s *Server) listSubscriptions(w http.ResponseWriter, r *request) error {
	f := engine.SubscriptionFilter{Key: r.queryText("subscription_key"), Limit: 500}
	if text := r.queryText("subscription_type"); text != "" {
		var err error
		if f.Type, err = subscriptionType(text); err != nil {
			return err
		}
	}
	return replyList(w, s.eachSubscription(r.Context(), r.Account, f))
}

// eachSubscription reads page by page: no connection of the database is held
// while a slow client reads, and no account's list is ever whole in memory.
func (s *Server) eachSubscription(ctx context.Context, account string, f engine.SubscriptionFilter) iter.Seq2[Subscription, error] {
	return func(yield func(Subscription, error) bool) {
		for {
			list, next, err := s.backend.Subscriptions(ctx, account, f)
			if err != nil {
				yield(Subscription{}, err)
				return
			}
			for _, v := range list {
				if !yield(wireSubscription(v), nil) {
					return
				}
			}
			if next == "" {
				return
			}
			f.After = next
		}
	}
}

// subscriptionBody is what a client sends of a subscription. The value may be
// given as null, which is not the same as leaving it out.
type subscriptionBody struct {
	Key    string          `json:"subscription_key"`
	Type   string          `json:"subscription_type"`
	Value  json.RawMessage `json:"subscription_value"`
	Active *bool           `json:"active"`
}

// value is the value given, nil for null.
func (b subscriptionBody) value() (*string, error) {
	if len(b.Value) == 0 {
		return nil, nil
	}
	var v *string
	if err := json.Unmarshal(b.Value, &v); err != nil {
		return nil, bodyFault(err)
	}
	return v, nil
}

func (s *Server) createSubscription(w http.ResponseWriter, r *request) error {
	var b subscriptionBody
	if err := r.decode(&b); err != nil {
		return err
	}
	switch {
	case b.Key == "":
		return errorf(http.StatusInternalServerError, "the body does not have a subscription_key")
	case b.Type == "":
		return errorf(http.StatusInternalServerError, "the body does not have a subscription_type")
	}
	t, err := subscriptionType(b.Type)
	if err != nil {
		return err
	}
	value, err := b.value()
	if err != nil {
		return err
	}
	v, err := s.backend.AddSubscription(r.Context(), engine.Subscription{
		Account: r.Account, Key: b.Key, Type: t, Value: value, Active: b.Active != nil && *b.Active,
	})
	if errors.Is(err, engine.ErrConflict) {
		return errorf(http.StatusInternalServerError, "subscription already exists in DB")
	}
	if err != nil {
		return err
	}
	return reply(w, wireSubscriptions(v))
}

func (s *Server) getSubscription(w http.ResponseWriter, r *request) error {
	v, err := s.backend.Subscription(r.Context(), r.Account, r.param("subscriptionId"))
	if errors.Is(err, engine.ErrNotFound) {
		return reply(w, wireSubscriptions()) // v1 filters a list here
	}
	if err != nil {
		return err
	}
	return reply(w, wireSubscriptions(v))
}

func (s *Server) updateSubscription(w http.ResponseWriter, r *request) error {
	var b subscriptionBody
	if err := r.decode(&b); err != nil {
		return err
	}
	u := engine.SubscriptionUpdate{Active: b.Active}
	if len(b.Value) > 0 {
		value, err := b.value()
		if err != nil {
			return err
		}
		u.Value = &value
	}
	v, err := s.backend.UpdateSubscription(r.Context(), r.Account, r.param("subscriptionId"), u)
	if errors.Is(err, engine.ErrNotFound) {
		return status(&engine.Fault{Kind: engine.ErrNotFound, Message: "subscription not found in DB", Cause: fmt.Errorf("update subscription: %w", err)}, http.StatusInternalServerError)
	}
	if err != nil {
		return err
	}
	return reply(w, wireSubscriptions(v))
}

func (s *Server) deleteSubscription(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveSubscription(r.Context(), r.Account, r.param("subscriptionId")); err != nil {
		return err
	}
	return reply(w, true)
}
