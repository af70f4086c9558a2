package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// Feeds lists all feeds with their groups, by name.
func (s *Store) Feeds(ctx context.Context) ([]engine.Feed, error) {
	const feeds = `SELECT name, enabled, created_at, updated_at, last_sync FROM feeds ORDER BY name`
	const groups = `
		SELECT feed, name, enabled, created_at, updated_at, last_sync, records, records_before
		  FROM feed_groups ORDER BY feed, name`

	rows, err := s.pool.Query(ctx, feeds)
	if err != nil {
		return nil, fmt.Errorf("feeds: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanFeed)
	if err != nil {
		return nil, fmt.Errorf("feeds: %w", domain(err))
	}
	rows, err = s.pool.Query(ctx, groups)
	if err != nil {
		return nil, fmt.Errorf("feed groups: %w", domain(err))
	}
	all, err := pgx.CollectRows(rows, scanGroup)
	if err != nil {
		return nil, fmt.Errorf("feed groups: %w", domain(err))
	}
	at := map[string]int{}
	for i, f := range list {
		at[f.Name] = i
	}
	for _, g := range all {
		if i, ok := at[g.Feed]; ok {
			list[i].Groups = append(list[i].Groups, g)
		}
	}
	return list, nil
}

// Feed is one feed with its groups; engine.ErrNotFound when it was never synced.
func (s *Store) Feed(ctx context.Context, name string) (engine.Feed, error) {
	list, err := s.Feeds(ctx)
	if err != nil {
		return engine.Feed{}, err
	}
	for _, f := range list {
		if f.Name == name {
			return f, nil
		}
	}
	return engine.Feed{}, engine.NotFoundf("feed %s not found", name)
}

func scanFeed(r pgx.CollectableRow) (f engine.Feed, err error) {
	var last nullTime
	err = r.Scan(&f.Name, &f.Enabled, &f.CreatedAt, &f.UpdatedAt, &last)
	f.LastSync = zero(last)
	return f, err
}

func scanGroup(r pgx.CollectableRow) (g engine.FeedGroup, err error) {
	var last nullTime
	err = r.Scan(&g.Feed, &g.Name, &g.Enabled, &g.CreatedAt, &g.UpdatedAt, &last, &g.Records, &g.Before)
	g.LastSync = zero(last)
	return g, err
}

// GroupsOff lists what matching leaves out: groups that are disabled, alone or
// with their feed, and groups whose data was deleted and not synced since.
func (s *Store) GroupsOff(ctx context.Context) ([]engine.FeedGroup, error) {
	const q = `
		SELECT g.feed, g.name FROM feed_groups g JOIN feeds f ON f.name = g.feed
		 WHERE NOT (g.enabled AND f.enabled) OR g.last_sync IS NULL`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("groups off: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (g engine.FeedGroup, err error) {
		err = r.Scan(&g.Feed, &g.Name)
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("groups off: %w", domain(err))
	}
	return list, nil
}

// SetFeedEnabled turns a feed on or off and has all images matched again when
// that changes anything.
func (s *Store) SetFeedEnabled(ctx context.Context, feed string, enabled bool) error {
	const q = `UPDATE feeds SET enabled = $2, updated_at = now() WHERE name = $1 RETURNING (SELECT enabled FROM feeds WHERE name = $1)`

	return s.inTx(ctx, "set feed", func(tx pgx.Tx) error {
		var was bool
		if err := tx.QueryRow(ctx, q, feed, enabled).Scan(&was); err != nil {
			return missing(err, "feed %s not found", feed)
		}
		if was == enabled {
			return nil
		}
		if enabled {
			if err := refreshGroups(ctx, tx, feed, ""); err != nil {
				return err
			}
		}
		return feedsAltered(ctx, tx, feed)
	})
}

// SetGroupEnabled is SetFeedEnabled for one group.
func (s *Store) SetGroupEnabled(ctx context.Context, feed, group string, enabled bool) error {
	const q = `
		UPDATE feed_groups SET enabled = $3, updated_at = now() WHERE feed = $1 AND name = $2
		RETURNING (SELECT enabled FROM feed_groups WHERE feed = $1 AND name = $2)`

	return s.inTx(ctx, "set feed group", func(tx pgx.Tx) error {
		var was bool
		if err := tx.QueryRow(ctx, q, feed, group, enabled).Scan(&was); err != nil {
			return missing(err, "feed group %s/%s not found", feed, group)
		}
		if was == enabled {
			return nil
		}
		if enabled {
			if err := refreshGroups(ctx, tx, feed, group); err != nil {
				return err
			}
		}
		return feedsAltered(ctx, tx, feed)
	})
}

// DeleteFeedData empties all groups of a disabled feed until the next sync
// after it was enabled again.
func (s *Store) DeleteFeedData(ctx context.Context, feed string) error {
	const groups = `UPDATE feed_groups SET records = 0, last_sync = NULL, updated_at = now() WHERE feed = $1`

	return s.inTx(ctx, "delete feed data", func(tx pgx.Tx) error {
		var enabled bool
		if err := tx.QueryRow(ctx, `SELECT enabled FROM feeds WHERE name = $1 FOR UPDATE`, feed).Scan(&enabled); err != nil {
			return missing(err, "feed %s not found", feed)
		}
		if enabled {
			return engine.Conflictf("Cannot delete an enabled feed. Disable the feed %s before deleting its data", feed)
		}
		if _, err := tx.Exec(ctx, `UPDATE feeds SET last_sync = NULL, updated_at = now() WHERE name = $1`, feed); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, groups, feed); err != nil {
			return err
		}
		return feedsAltered(ctx, tx, feed)
	})
}

// DeleteGroupData is DeleteFeedData for one group.
func (s *Store) DeleteGroupData(ctx context.Context, feed, group string) error {
	const q = `UPDATE feed_groups SET records = 0, last_sync = NULL, updated_at = now() WHERE feed = $1 AND name = $2`

	return s.inTx(ctx, "delete feed group data", func(tx pgx.Tx) error {
		var enabled bool
		err := tx.QueryRow(ctx, `SELECT enabled FROM feed_groups WHERE feed = $1 AND name = $2 FOR UPDATE`, feed, group).Scan(&enabled)
		if err != nil {
			return missing(err, "feed group %s/%s not found", feed, group)
		}
		if enabled {
			return engine.Conflictf("Cannot delete an enabled feed group. Disable the group %s/%s before deleting its data", feed, group)
		}
		if _, err := tx.Exec(ctx, q, feed, group); err != nil {
			return err
		}
		return feedsAltered(ctx, tx, feed)
	})
}

// refreshGroups gives a group that was off, or all of a feed, the counts of the
// data that is active now: syncs passed it by meanwhile. What was deleted
// stays so until a sync brings it back.
func refreshGroups(ctx context.Context, tx pgx.Tx, feed, group string) error {
	const q = `
		UPDATE feed_groups g SET records = (n->>'records')::bigint, last_sync = greatest(g.last_sync, d.installed_at), updated_at = now()
		  FROM feed_data d, jsonb_array_elements(d.groups) n
		 WHERE d.role = 'active' AND n->>'feed' = g.feed AND n->>'name' = g.name
		   AND g.feed = $1 AND ($2 = '' OR g.name = $2) AND g.last_sync IS NOT NULL`

	if _, err := tx.Exec(ctx, q, feed, group); err != nil {
		return fmt.Errorf("refresh groups: %w", err)
	}
	return nil
}

// feedsAltered has the images matched again and tells the readers.
func feedsAltered(ctx context.Context, tx pgx.Tx, feed string) error {
	var data string
	err := tx.QueryRow(ctx, `SELECT COALESCE((SELECT id FROM feed_data WHERE role = 'active'), '')`).Scan(&data)
	if err != nil {
		return err
	}
	if data != "" {
		if err := startRematch(ctx, tx, data); err != nil {
			return err
		}
	}
	return record(ctx, tx, engine.ChangeFeeds, "", feed, nil)
}

// missing words the absence of a row for a person.
func missing(err error, format string, args ...any) error {
	if domain(err) == engine.ErrNotFound {
		return engine.NotFoundf(format, args...)
	}
	return err
}
