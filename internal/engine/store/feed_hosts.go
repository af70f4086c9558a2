package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// SayFeedHost notes which data a host has, and why not the one in use. Readers
// are told when that changes.
func (s *Store) SayFeedHost(ctx context.Context, h engine.FeedHost) error {
	const q = `
		INSERT INTO feed_hosts (host, data, message) VALUES ($1, $2, $3)
		ON CONFLICT (host) DO UPDATE SET data = excluded.data, message = excluded.message, at = now()
		RETURNING COALESCE((SELECT o.data <> $2 OR o.message <> $3 FROM feed_hosts o WHERE o.host = $1), true)`

	return s.inTx(ctx, "say feed host", func(tx pgx.Tx) error {
		var news bool
		if err := tx.QueryRow(ctx, q, h.Host, h.Data, h.Message).Scan(&news); err != nil || !news {
			return err
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", h.Host, nil)
	})
}

// FeedHosts lists the hosts that said so since a span of time, by name.
func (s *Store) FeedHosts(ctx context.Context, within time.Duration) ([]engine.FeedHost, error) {
	const q = `SELECT host, data, message, at FROM feed_hosts WHERE at > now() - make_interval(secs => $1) ORDER BY host`

	rows, err := s.pool.Query(ctx, q, within.Seconds())
	if err != nil {
		return nil, fmt.Errorf("feed hosts: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h engine.FeedHost, err error) {
		err = r.Scan(&h.Host, &h.Data, &h.Message, &h.At)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("feed hosts: %w", domain(err))
	}
	return list, nil
}

// FeedUse counts what hangs on a feed, or on one group of it.
func (s *Store) FeedUse(ctx context.Context, feed, group string) (engine.FeedUse, error) {
	const groups = `
		SELECT f.enabled AND ($2 = '' OR bool_and(g.enabled)), count(*), COALESCE(sum(g.records), 0)::bigint
		  FROM feeds f JOIN feed_groups g ON g.feed = f.name
		 WHERE f.name = $1 AND ($2 = '' OR g.name = $2) GROUP BY f.enabled`
	const matches = `
		SELECT count(*), count(DISTINCT image) FROM matches WHERE feed = $1 AND ($2 = '' OR feed_group = $2)`

	u := engine.FeedUse{Feed: feed, Group: group}
	if err := s.pool.QueryRow(ctx, groups, feed, group).Scan(&u.Enabled, &u.Groups, &u.Records); err != nil {
		if group == "" {
			return u, missing(err, "feed %s not found", feed)
		}
		return u, missing(err, "feed group %s/%s not found", feed, group)
	}
	if err := s.pool.QueryRow(ctx, matches, feed, group).Scan(&u.Matches, &u.Images); err != nil {
		return u, fmt.Errorf("feed use: %w", domain(err))
	}
	return u, nil
}

// CountMatched counts the images that a rematch would take.
func (s *Store) CountMatched(ctx context.Context) (n int64, err error) {
	const q = `SELECT count(*) FROM images WHERE state = 'analyzed' AND status = 'active'`
	if err := s.pool.QueryRow(ctx, q).Scan(&n); err != nil {
		return 0, fmt.Errorf("count images: %w", domain(err))
	}
	return n, nil
}
