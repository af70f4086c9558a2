package store_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestOverviewCountsOneAccount(t *testing.T) {
	s := enginetest.Store(t)
	ctx := t.Context()
	const images = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, status, sample, packages, sev_critical, sev_low, fixable, known_exploited)
		VALUES ('admin', 'a', 'a', 'a', 'analyzed', 'active', true, 10, 2, 3, 4, 1),
		       ('admin', 'b', 'b', 'b', 'analyzed', 'active', false, 5, 1, 0, 1, 0),
		       ('admin', 'c', 'c', 'c', 'analysis_failed', 'active', false, 0, 0, 0, 0, 0),
		       ('admin', 'd', 'd', 'd', 'analyzed', 'deleting', false, 99, 99, 0, 0, 0),
		       ('other', 'a', 'a', 'a', 'analyzed', 'active', false, 99, 99, 0, 0, 0)`
	const feeds = `INSERT INTO feeds (name, enabled, last_sync) VALUES ('vulnerabilities', true, now()), ('nvd', true, NULL), ('off', false, NULL)`
	const data = `INSERT INTO feed_data (id, checksum, records, starter, role) VALUES ('x', 'x', 7, true, 'active'), ('y', 'y', 9, false, 'old')`
	const syncs = `INSERT INTO feed_syncs (trigger, status) VALUES ('periodic', 'failure'), ('manual', 'running')`
	for _, q := range []string{images, feeds, data, syncs} {
		if _, err := s.Pool().Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	src := engine.Source{Service: engine.Catalog, Host: "h"}
	for _, e := range []engine.Event{
		engine.NewEvent(engine.EvServiceUp, "admin", "x", nil, src),
		engine.NewEvent(engine.EvServiceDown, "admin", "x", nil, src),
		engine.NewEvent(engine.EvServiceDown, "other", "x", nil, src),
	} {
		if err := s.AddEvent(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	old := engine.NewEvent(engine.EvServiceDown, "admin", "x", nil, src)
	old.At = time.Now().Add(-48 * time.Hour)
	if err := s.AddEvent(ctx, old); err != nil {
		t.Fatal(err)
	}

	const jobs = `
		INSERT INTO jobs (queue, account, subject, leased_until, available_at, created_at)
		VALUES ('images_to_analyze', 'admin', 'a', '-infinity', now(), now() - interval '5 minutes'),
		       ('images_to_analyze', 'admin', 'b', '-infinity', now() + interval '1 hour', now()),
		       ('images_to_analyze', 'admin', 'c', now() + interval '1 hour', now(), now()),
		       ('images_to_analyze', 'other', 'a', '-infinity', now(), now() - interval '1 hour')`
	const ends = `
		INSERT INTO queue_samples (queue, at, waiting, leased, done, failed)
		VALUES ('images_to_analyze', now() - interval '2 minutes', 0, 0, 4, 1), ('images_to_analyze', now() - interval '40 minutes', 0, 0, 100, 0)`
	for _, q := range []string{jobs, ends} {
		if _, err := s.Pool().Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}

	o, err := s.Overview(ctx, "admin")
	if err != nil {
		t.Fatal(err)
	}
	if o.Images[engine.Analyzed] != 2 || o.Images[engine.Failed] != 1 || o.ImageTotal() != 3 || o.Samples != 1 || o.Packages != 15 {
		t.Errorf("images %+v, %d samples, %d packages", o.Images, o.Samples, o.Packages)
	}
	if want := (engine.Severities{Critical: 3, Low: 3}); o.Severities != want || o.Fixable != 5 || o.Exploited != 1 {
		t.Errorf("severities %+v, %d fixable, %d exploited", o.Severities, o.Fixable, o.Exploited)
	}
	if q := o.Queues; len(q) != 1 || q[0].Waiting != 1 || q[0].Delayed != 1 || q[0].Leased != 1 || q[0].All != 3 || time.Since(q[0].Oldest) > 30*time.Minute || q[0].Drain() != 9*time.Minute {
		t.Errorf("queues %+v", q)
	}
	var info, errors int64
	for _, h := range o.Hours {
		info, errors = info+h.Info, errors+h.Error
	}
	if info != 1 || errors != 1 {
		t.Errorf("within the day %d info and %d errors, want 1 and 1", info, errors)
	}
	if len(o.Errors) != 2 || o.Errors[0].At.Before(o.Errors[1].At) {
		t.Errorf("newest errors %+v", o.Errors)
	}
	if o.Feeds != 2 || o.FeedsSynced != 1 || o.FeedData == nil || o.FeedData.ID != "x" || !o.FeedData.Starter || o.FeedSync == nil || o.FeedSync.Status != "running" {
		t.Errorf("feeds %d of %d, data %+v, sync %+v", o.FeedsSynced, o.Feeds, o.FeedData, o.FeedSync)
	}
}
