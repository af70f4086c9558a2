package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// Watches is what is asked of the engine beyond v1: what the watchers have
// seen of a subscription, and that they look now.
type Watches interface {
	CheckNow(ctx context.Context, account, id string) (engine.Subscription, error)
}

// WatchedSubscription is a subscription with what its watcher has seen of it.
type WatchedSubscription struct {
	Subscription
	CheckedAt *int64  `json:"checked_at"`
	NextCheck *int64  `json:"next_check"`
	LastError *string `json:"last_error"`
}

func wireWatched(v engine.Subscription) WatchedSubscription {
	return WatchedSubscription{
		Subscription: wireSubscription(v),
		CheckedAt:    epochOrNil(v.CheckedAt), NextCheck: epochOrNil(v.NextCheck), LastError: orNil(v.LastError),
	}
}

func (s *Server) listWatched(w http.ResponseWriter, r *request) error {
	f := engine.SubscriptionFilter{
		Key: r.queryText("key"), Type: engine.SubscriptionType(r.queryText("type")), Failed: r.queryBool("failed", false),
		Text: r.queryText("q"), After: r.queryText("after"), Limit: r.queryInt("limit", 100),
	}
	if r.has("active") {
		active := r.queryBool("active", false)
		f.Active = &active
	}
	list, next, err := s.backend.Subscriptions(r.Context(), r.Account, f)
	if err != nil {
		return err
	}
	out := make([]WatchedSubscription, len(list))
	for n, v := range list {
		out[n] = wireWatched(v)
	}
	return reply(w, map[string]any{"subscriptions": out, "next": orNil(next)})
}

func (s *Server) checkSubscription(w http.ResponseWriter, r *request) error {
	v, err := s.backend.CheckNow(r.Context(), r.Account, r.param("subscriptionId"))
	if err != nil {
		return named(err, "subscription not found in DB", "")
	}
	return reply(w, wireWatched(v))
}
