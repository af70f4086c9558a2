package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// A page of subscriptions is bounded by its bytes as well: the values of
// repositories hold all their tags.
const subscriptionPageBytes = 4 << 20

// Subscriptions lists one page of an account's subscriptions, by key and type,
// and the cursor of the next page.
func (s *Store) Subscriptions(ctx context.Context, account string, f engine.SubscriptionFilter) ([]engine.Subscription, string, error) {
	const q = `
		SELECT ` + subscriptionColumns + `, s.found FROM (
			SELECT p.*, row_number() OVER w AS n, sum(COALESCE(octet_length(p.value), 0)) OVER w AS size,
			       count(*) OVER () AS found FROM (
				SELECT * FROM subscriptions
				 WHERE account = $1 AND ($2 = '' OR key = $2) AND ($3 = '' OR type = $3)
				   AND ($4::boolean IS NULL OR active = $4) AND (NOT $5 OR last_error <> '')
				   AND ($6 = '' OR key ILIKE $6) AND ($7 = '' OR (key, type) > ($7, $8))
				   AND (cardinality($11::text[]) = 0 OR type = ANY($11))
				 ORDER BY key, type LIMIT $9) p
			WINDOW w AS (ORDER BY p.key, p.type)) s
		 WHERE s.n = 1 OR s.size <= $10 ORDER BY s.key, s.type`

	afterKey, afterType := "", ""
	if f.After != "" {
		var ok bool
		if afterType, afterKey, ok = strings.Cut(f.After, " "); !ok || !engine.SubscriptionType(afterType).Valid() || afterKey == "" {
			return nil, "", engine.Invalidf("the cursor is not one of this list")
		}
	}
	for _, text := range []string{f.Key, f.Text, afterKey} {
		if !isStorable(text) {
			return nil, "", nil
		}
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	text := f.Text
	if text != "" {
		text = "%" + escapeLike(text) + "%"
	}
	types := make([]string, len(f.Types))
	for n, t := range f.Types {
		types[n] = string(t)
	}
	rows, err := s.pool.Query(ctx, q, account, f.Key, f.Type, f.Active, f.Failed, text, afterKey, afterType, limit+1, subscriptionPageBytes, types)
	if err != nil {
		return nil, "", fmt.Errorf("subscriptions: %w", domain(err))
	}
	var found int // whether more follow, whatever cut this page
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.Subscription, error) {
		return scanSubscription(r, &found)
	})
	if err != nil {
		return nil, "", fmt.Errorf("subscriptions: %w", domain(err))
	}
	list = list[:min(len(list), limit)]
	if n := len(list); n > 0 && n < found {
		last := list[n-1]
		return list, string(last.Type) + " " + last.Key, nil
	}
	return list, "", nil
}
