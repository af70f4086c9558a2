package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

type nullTime = *time.Time

const feedDataColumns = `id, checksum, schema, COALESCE(built, 'epoch'), source, starter, bytes, records, installed_at, role = 'active', role = 'previous', set_aside, archive`

func scanFeedData(r pgx.CollectableRow) (d engine.FeedData, err error) {
	err = r.Scan(&d.ID, &d.Checksum, &d.Schema, &d.Built, &d.Source, &d.Starter, &d.Bytes, &d.Records, &d.InstalledAt, &d.Active, &d.Previous, &d.SetAside, &d.Archive)
	return d, err
}

// FeedData lists the data in use and the data kept to go back to.
func (s *Store) FeedData(ctx context.Context) ([]engine.FeedData, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+feedDataColumns+` FROM feed_data WHERE role <> 'old' ORDER BY role`)
	if err != nil {
		return nil, fmt.Errorf("feed data: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanFeedData)
	if err != nil {
		return nil, fmt.Errorf("feed data: %w", domain(err))
	}
	return list, nil
}

// ActiveFeedData is the data matches are made with; engine.ErrNotFound when
// there is none yet.
func (s *Store) ActiveFeedData(ctx context.Context) (engine.FeedData, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+feedDataColumns+` FROM feed_data WHERE role = 'active'`)
	if err != nil {
		return engine.FeedData{}, fmt.Errorf("active feed data: %w", domain(err))
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanFeedData)
	if err != nil {
		return engine.FeedData{}, fmt.Errorf("active feed data: %w", domain(err))
	}
	return d, nil
}

// groupCount is one element of feed_data.groups.
type groupCount struct {
	Feed    string `json:"feed"`
	Name    string `json:"name"`
	Records int64  `json:"records"`
}

// DataGroups lists the groups of installed data with their counts.
func (s *Store) DataGroups(ctx context.Context, id string) ([]engine.FeedGroup, error) {
	var raw []byte
	if err := s.pool.QueryRow(ctx, `SELECT groups FROM feed_data WHERE id = $1`, id).Scan(&raw); err != nil {
		return nil, fmt.Errorf("data groups: %w", domain(err))
	}
	var list []groupCount
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("data groups: %w", err)
	}
	out := make([]engine.FeedGroup, len(list))
	for i, g := range list {
		out[i] = engine.FeedGroup{Feed: g.Feed, Name: g.Name, Records: g.Records}
	}
	return out, nil
}

// ActivateFeedData makes installed data the one in use and what was in use the
// one to go back to; writes its groups and their counts, ends the sync, emits
// its events and queues all images, in one transaction: readers see the old
// data with the old groups or the new with the new.
func (s *Store) ActivateFeedData(ctx context.Context, syncID int64, d engine.FeedData, groups []engine.FeedGroup, events []engine.Event) (engine.FeedSync, error) {
	const put = `
		INSERT INTO feed_data (id, checksum, schema, built, source, starter, bytes, records, groups, archive, role)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active')
		ON CONFLICT (id) DO UPDATE
		   SET role = 'active', source = excluded.source, starter = excluded.starter, records = excluded.records,
		       groups = excluded.groups, archive = excluded.archive, set_aside = false, installed_at = now()`

	counts := make([]groupCount, len(groups))
	for i, g := range groups {
		counts[i] = groupCount{g.Feed, g.Name, g.Records}
	}
	raw, err := json.Marshal(counts)
	if err != nil {
		return engine.FeedSync{}, fmt.Errorf("activate feed data: %w", err)
	}
	var out engine.FeedSync
	err = s.inTx(ctx, "activate feed data", func(tx pgx.Tx) error {
		before, err := demote(ctx, tx, d.ID, syncID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, put, d.ID, d.Checksum, d.Schema, null(d.Built), d.Source, d.Starter, d.Bytes, d.Records, raw, d.Archive)
		if err != nil {
			return fmt.Errorf("feed data: %w", err)
		}
		if err := keepArchives(ctx, tx, d.Archive); err != nil {
			return err
		}
		if err := putGroups(ctx, tx, d.ID, before); err != nil {
			return err
		}
		if out, err = endSync(ctx, tx, syncID, engine.FeedSync{Status: "success", Stage: engine.FeedActivate, Data: d.ID, Records: d.Records}); err != nil {
			return err
		}
		if err := startRematch(ctx, tx, d.ID); err != nil {
			return err
		}
		for _, e := range events {
			if err := emit(ctx, tx, e); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeFeeds, "", "", nil)
	})
	return out, err
}

// demote takes the active data out of use, unless it is id itself, and gives
// the id of what the new counts are compared with. What a roll back takes out
// of use is set aside.
func demote(ctx context.Context, tx pgx.Tx, id string, syncID int64) (string, error) {
	const previous = `
		UPDATE feed_data SET role = 'previous', set_aside = EXISTS (SELECT FROM feed_syncs WHERE id = $1 AND trigger = 'rollback')
		 WHERE role = 'active'`

	const q = `SELECT COALESCE((SELECT id FROM feed_data WHERE role = 'active'), ''), COALESCE((SELECT id FROM feed_data WHERE role = 'previous'), '')`

	var active, before string
	if err := tx.QueryRow(ctx, q).Scan(&active, &before); err != nil {
		return "", err
	}
	if active == id {
		return before, nil // the same data again: it is still compared with what came before it
	}
	if _, err := tx.Exec(ctx, `UPDATE feed_data SET role = 'old' WHERE role = 'previous'`); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, previous, syncID); err != nil {
		return "", err
	}
	return active, nil
}

// putGroups writes the feeds and groups of data. What is off keeps its row as it
// is; what the data no longer has goes, unless someone turned it off: then the
// row remembers that.
func putGroups(ctx context.Context, tx pgx.Tx, id, before string) error {
	const (
		feeds = `
			INSERT INTO feeds (name, last_sync)
			SELECT DISTINCT n->>'feed', now() FROM feed_data d, jsonb_array_elements(d.groups) n WHERE d.id = $1
			ON CONFLICT (name) DO UPDATE SET last_sync = now(), updated_at = now() WHERE feeds.enabled`
		groups = `
			INSERT INTO feed_groups (feed, name, records, records_before, last_sync)
			SELECT n->>'feed', n->>'name', (n->>'records')::bigint,
			       COALESCE((SELECT (o->>'records')::bigint FROM feed_data b, jsonb_array_elements(b.groups) o
			                  WHERE b.id = $2 AND o->>'feed' = n->>'feed' AND o->>'name' = n->>'name'), -1),
			       now()
			  FROM feed_data d, jsonb_array_elements(d.groups) n WHERE d.id = $1
			ON CONFLICT (feed, name) DO UPDATE
			   SET records = excluded.records, records_before = excluded.records_before, last_sync = now(), updated_at = now()
			 WHERE feed_groups.enabled AND (SELECT enabled FROM feeds WHERE name = feed_groups.feed)`
		goneGroups = `
			DELETE FROM feed_groups g USING feeds f
			 WHERE f.name = g.feed AND g.enabled AND f.enabled
			   AND NOT EXISTS (SELECT FROM feed_data d, jsonb_array_elements(d.groups) n
			                    WHERE d.id = $1 AND n->>'feed' = g.feed AND n->>'name' = g.name)`
		goneFeeds = `DELETE FROM feeds f WHERE enabled AND NOT EXISTS (SELECT FROM feed_groups WHERE feed = f.name)`
	)
	if _, err := tx.Exec(ctx, feeds, id); err != nil {
		return fmt.Errorf("put feeds: %w", err)
	}
	if _, err := tx.Exec(ctx, groups, id, before); err != nil {
		return fmt.Errorf("put groups: %w", err)
	}
	if _, err := tx.Exec(ctx, goneGroups, id); err != nil {
		return fmt.Errorf("drop groups: %w", err)
	}
	if _, err := tx.Exec(ctx, goneFeeds); err != nil {
		return fmt.Errorf("drop feeds: %w", err)
	}
	return nil
}

// RestoreGroups brings back, without new data, what was deleted and enabled
// again: the data in use still holds it. It reports whether there was any.
func (s *Store) RestoreGroups(ctx context.Context) (bool, error) {
	const q = `
		UPDATE feed_groups g SET records = (n->>'records')::bigint, records_before = 0, last_sync = now(), updated_at = now()
		  FROM feeds f, feed_data d, jsonb_array_elements(d.groups) n
		 WHERE f.name = g.feed AND f.enabled AND g.enabled AND g.last_sync IS NULL
		   AND d.role = 'active' AND n->>'feed' = g.feed AND n->>'name' = g.name`

	any := false
	err := s.inTx(ctx, "restore groups", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q)
		if err != nil {
			return err
		}
		if any = tag.RowsAffected() > 0; !any {
			return nil
		}
		if _, err := tx.Exec(ctx, `UPDATE feeds SET last_sync = now() WHERE enabled AND last_sync IS NULL`); err != nil {
			return err
		}
		return feedsAltered(ctx, tx, "")
	})
	return any, err
}

// DropStarter takes the built-in starter data out of use, with its feeds;
// nothing happens when other data is in use. Images keep the matches they have
// until data comes.
func (s *Store) DropStarter(ctx context.Context) error {
	return s.inTx(ctx, "drop starter data", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE feed_data SET role = 'old' WHERE role = 'active' AND starter`)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		if err := keepArchives(ctx, tx, ""); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM feeds WHERE enabled`); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeFeeds, "", "", nil)
	})
}
