package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// newestErrors is how many errors the overview shows.
const newestErrors = 6

// Overview reads what the start page shows, all as of one moment.
func (s *Store) Overview(ctx context.Context, account string) (engine.Overview, error) {
	o := engine.Overview{Images: map[engine.AnalysisState]int64{}}
	one := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, one, func(tx pgx.Tx) error {
		for _, part := range []func(context.Context, pgx.Tx, string, *engine.Overview) error{
			overviewImages, s.overviewEvents, overviewFeeds, overviewQueues,
		} {
			if err := part(ctx, tx, account, &o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return engine.Overview{}, fmt.Errorf("overview: %w", domain(err))
	}
	return o, nil
}

func overviewImages(ctx context.Context, tx pgx.Tx, account string, o *engine.Overview) error {
	const q = `
		SELECT state, count(*), sum(packages), count(*) FILTER (WHERE sample),
		       sum(sev_critical), sum(sev_high), sum(sev_medium), sum(sev_low), sum(sev_negligible), sum(sev_unknown),
		       sum(fixable), sum(known_exploited)
		  FROM images WHERE account = $1 AND status = 'active' GROUP BY state`

	rows, err := tx.Query(ctx, q, account)
	if err != nil {
		return err
	}
	var state engine.AnalysisState
	var images, packages, samples, fixable, exploited int64
	var v engine.Severities
	_, err = pgx.ForEachRow(rows, []any{&state, &images, &packages, &samples,
		&v.Critical, &v.High, &v.Medium, &v.Low, &v.Negligible, &v.Unknown, &fixable, &exploited}, func() error {
		o.Images[state] = images
		o.Packages += packages
		o.Samples += samples
		o.Fixable += fixable
		o.Exploited += exploited
		o.Severities.Critical += v.Critical
		o.Severities.High += v.High
		o.Severities.Medium += v.Medium
		o.Severities.Low += v.Low
		o.Severities.Negligible += v.Negligible
		o.Severities.Unknown += v.Unknown
		return nil
	})
	return err
}

func (s *Store) overviewEvents(ctx context.Context, tx pgx.Tx, account string, o *engine.Overview) error {
	w := ofAccount(account)
	if err := s.shown(ctx, w, account); err != nil {
		return err
	}
	hours := eventHours(w) + ` AND at >= date_trunc('hour', now()) - interval '23 hours' GROUP BY hour ORDER BY hour`
	rows, err := tx.Query(ctx, hours, w.args...)
	if err != nil {
		return err
	}
	if o.Hours, err = pgx.CollectRows(rows, scanEventHour); err != nil {
		return err
	}
	if w, err = s.shownEvents(ctx, account, engine.EventFilter{Level: engine.LevelError}); err != nil {
		return err
	}
	newest := fmt.Sprintf(`SELECT %s FROM (%s) e`, eventColumns, w.rows("*", w.String(), "DESC", newestErrors))
	if rows, err = tx.Query(ctx, newest, w.args...); err != nil {
		return err
	}
	o.Errors, err = pgx.CollectRows(rows, scanEvent)
	return err
}

func overviewFeeds(ctx context.Context, tx pgx.Tx, _ string, o *engine.Overview) error {
	const feeds = `
		SELECT count(*) FILTER (WHERE enabled), count(*) FILTER (WHERE enabled AND last_sync IS NOT NULL),
		       (SELECT COALESCE(sum(records), 0) FROM feed_groups)
		  FROM feeds`
	const active = `
		SELECT id, built, source, starter, bytes, records, installed_at FROM feed_data WHERE role = 'active'`
	const newest = `
		SELECT id, trigger, status, stage, done, total, cause, message, started_at, ended_at, next_try
		  FROM feed_syncs ORDER BY id DESC LIMIT 1`

	if err := tx.QueryRow(ctx, feeds).Scan(&o.Feeds, &o.FeedsSynced, &o.FeedRecords); err != nil {
		return err
	}
	var d engine.FeedData
	var built *time.Time
	err := tx.QueryRow(ctx, active).Scan(&d.ID, &built, &d.Source, &d.Starter, &d.Bytes, &d.Records, &d.InstalledAt)
	switch {
	case err == nil:
		d.Built, d.Active = zero(built), true
		o.FeedData = &d
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	}
	var f engine.FeedSync
	var ended, next *time.Time
	err = tx.QueryRow(ctx, newest).Scan(&f.ID, &f.Trigger, &f.Status, &f.Stage, &f.Done, &f.Total, &f.Cause, &f.Message, &f.StartedAt, &ended, &next)
	switch {
	case err == nil:
		f.EndedAt, f.NextTry = zero(ended), zero(next)
		o.FeedSync = &f
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	}
	return nil
}

// overviewQueues counts the account's own messages, and those of all accounts
// for the estimate: workers take them in one row.
func overviewQueues(ctx context.Context, tx pgx.Tx, account string, o *engine.Overview) error {
	const q = `
		WITH counted AS (
			SELECT queue,
			       count(*) FILTER (WHERE mine AND leased_until <= now() AND available_at <= now()) AS waiting,
			       count(*) FILTER (WHERE mine AND leased_until <= now() AND available_at > now()) AS delayed,
			       count(*) FILTER (WHERE mine AND leased_until > now()) AS leased,
			       min(created_at) FILTER (WHERE mine AND leased_until <= now()) AS oldest,
			       count(*) FILTER (WHERE leased_until <= now()) AS depth
			  FROM (SELECT *, account = $1 AS mine FROM jobs) j GROUP BY queue),
		ended AS (
			SELECT queue, sum(n) AS hour, COALESCE(sum(n) FILTER (WHERE at > now() - interval '15 minutes'), 0) AS quarter FROM (
				SELECT queue, at, done + failed AS n FROM queue_samples WHERE at > now() - interval '1 hour'
				UNION ALL
				SELECT queue, at, 1 FROM queue_ends WHERE outcome IN ('done', 'failed')) e
			 GROUP BY queue)
		SELECT c.queue, waiting, delayed, leased, oldest, depth,
		       CASE WHEN quarter >= 3 THEN quarter ELSE COALESCE(hour, 0) END::bigint, COALESCE(quarter >= 3, false), p.queue IS NOT NULL
		  FROM counted c LEFT JOIN ended e USING (queue) LEFT JOIN queue_pauses p USING (queue)
		 ORDER BY c.queue`

	rows, err := tx.Query(ctx, q, account)
	if err != nil {
		return err
	}
	o.Queues, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.QueueStat, err error) {
		var oldest *time.Time
		var late bool
		err = r.Scan(&v.Queue, &v.Waiting, &v.Delayed, &v.Leased, &oldest, &v.All, &v.Ended, &late, &v.Paused)
		v.Oldest, v.Over = zero(oldest), time.Hour
		if late {
			v.Over = 15 * time.Minute
		}
		return v, err
	})
	return err
}
