package store_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

func TestDatabaseTellsOfItself(t *testing.T) {
	s := enginetest.Store(t)
	d, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.Schema != d.SchemaWant || d.Schema < 7 {
		t.Errorf("schema %d of %d", d.Schema, d.SchemaWant)
	}
	if d.Server == "" || d.Limit < 10 || d.Connections < 1 || d.OursLimit < 4 || d.Bytes < 1<<20 || d.ReadOnly || d.Skew.Abs() > time.Minute {
		t.Errorf("state %+v", d)
	}
}

// What is stuck is told from what only waits its turn.
func TestQueueStates(t *testing.T) {
	s := enginetest.Store(t)
	const add = `
		INSERT INTO jobs (queue, account, subject, host, attempt, leased_by, leased_until, available_at, created_at) VALUES
		('images_to_analyze', 'a', 'waits',    '',      0, '',  '-infinity',                  now() - interval '9 m', now() - interval '9 m'),
		('images_to_analyze', 'a', 'held',     '',      1, 'w', now() + interval '1 m',       now() - interval '9 m', now() - interval '9 m'),
		('images_to_analyze', 'a', 'rests',    '',      1, '',  '-infinity',                  now() + interval '9 m', now() - interval '9 m'),
		('images_to_analyze', 'a', 'lapsed',   '',      1, 'w', now() - interval '5 m',       now() - interval '9 m', now() - interval '9 m'),
		('images_to_analyze', 'a', 'stranded', 'away',  0, '',  '-infinity',                  now() - interval '2 m', now() - interval '2 m'),
		('image_vulnerabilities', 'a', 'held', '',      1, 'w', now() + interval '1 m',       now() - interval '9 m', now() - interval '9 m')`
	if _, err := s.Pool().Exec(t.Context(), add); err != nil {
		t.Fatal(err)
	}
	list, err := s.QueueStates(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("states %+v, %v", list, err)
	}
	q := list[1]
	if q.Queue != engine.QueueAnalyze || q.Due != 3 || q.Leased != 1 || q.Resting != 1 || q.Lapsed != 1 || q.Stranded != 1 {
		t.Errorf("analyses %+v", q)
	}
	if age := time.Since(q.Oldest); age < 8*time.Minute || age > 10*time.Minute {
		t.Errorf("the oldest is due for %v", age)
	}
	if age := time.Since(q.LapsedAt); age < 4*time.Minute || age > 6*time.Minute {
		t.Errorf("the lease lapsed %v ago", age)
	}
	if m := list[0]; m.Due != 0 || m.Leased != 1 || !m.Oldest.IsZero() {
		t.Errorf("matches %+v", m)
	}
}

func TestFailedImagesAndErrorsAreGrouped(t *testing.T) {
	s := enginetest.Store(t)
	const images = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, status, source, failure, updated_at)
		SELECT CASE WHEN n = 5 THEN 'other' ELSE 'team' END, 'sha256:' || n, 'sha256:' || n, 'id' || n, 'analysis_failed', CASE WHEN n = 4 THEN 'deleting' ELSE 'active' END, 'registry',
		       jsonb_build_object('Cause', CASE WHEN n = 3 THEN 'disk' ELSE 'registry_auth' END, 'Message', 'message ' || n), now() - n * interval '1 m'
		  FROM generate_series(1, 5) n`
	if _, err := s.Pool().Exec(t.Context(), images); err != nil {
		t.Fatal(err)
	}
	groups, err := s.FailedGroups(t.Context(), "team")
	if err != nil || len(groups) != 2 {
		t.Fatalf("groups %+v, %v", groups, err)
	}
	if g := groups[0]; g.Cause != "registry_auth" || g.Images != 2 || g.Digest != "sha256:1" || g.Text != "message 1" || g.Name != "sha256:1" {
		t.Errorf("first %+v", g)
	}
	digests, total, err := s.FailedImages(t.Context(), "team", "registry_auth", 1)
	if err != nil || len(digests) != 1 || total != 2 {
		t.Errorf("images %v of %d, %v", digests, total, err)
	}
	for i, account := range []string{"team", "team", "other"} {
		e := engine.NewEvent(engine.EvImageAnalysisFailed, account, "image", nil, engine.Source{Service: engine.Analyzer, Host: "h"})
		e.At = time.Now().Add(-time.Duration(i) * time.Minute)
		if err := s.AddEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	errs, err := s.ErrorGroups(t.Context(), "team", time.Now().Add(-time.Hour))
	if err != nil || len(errs) != 1 || errs[0].Events != 2 || errs[0].Type != engine.EvImageAnalysisFailed {
		t.Errorf("errors %+v, %v", errs, err)
	}
}

// The time and the room that a host reports are no news: browsers are told of a
// heartbeat that says the same otherwise never.
func TestHostReportIsNoNews(t *testing.T) {
	s := enginetest.Store(t)
	v := engine.Service{Host: "h", Name: engine.Analyzer, State: engine.ServiceAvailable, Detail: engine.ServiceDetail{Up: true, Message: "all good"}}
	src := engine.Source{Service: engine.Analyzer, Host: "h"}
	beat := func(free int64) {
		t.Helper()
		v.Detail.Host = &engine.HostReport{Clock: time.Now(), Folders: []engine.HostFolder{{Use: "data", Path: "/d", Free: free, Total: 10}}}
		if err := s.Heartbeat(t.Context(), v, src); err != nil {
			t.Fatal(err)
		}
	}
	beat(5)
	before, err := s.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beat(4)
	after, err := s.LastChange(t.Context())
	if err != nil || after != before {
		t.Errorf("change %d after %d, %v", after, before, err)
	}
	list, err := s.Services(t.Context())
	if err != nil || len(list) != 1 || list[0].Detail.Host == nil || list[0].Detail.Host.Folders[0].Free != 4 {
		t.Errorf("services %+v, %v", list, err)
	}
}
