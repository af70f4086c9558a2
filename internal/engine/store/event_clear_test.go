package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// fill stores n info events of an account at once, oldest first.
func fill(t testing.TB, s *store.Store, account string, n int) {
	t.Helper()
	const q = `
		INSERT INTO events (id, account, type, level, message, at, service, host)
		SELECT md5(random()::text || i), $1, 'system.feeds.sync.started', 'info', 'Feeds sync task started',
		       $2::timestamptz + i * interval '1 second', 'policy_engine', 'host-1'
		  FROM generate_series(1, $3::int) i`
	if _, err := s.Pool().Exec(context.Background(), q, account, epoch, n); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, s *store.Store, account string) int64 {
	t.Helper()
	n, _, err := s.CountEvents(context.Background(), account, engine.EventFilter{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stored counts rows, cleared or not.
func stored(t testing.TB, s *store.Store) (n int64) {
	t.Helper()
	if err := s.Pool().QueryRow(context.Background(), `SELECT count(*) FROM events`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func step(t testing.TB, s *store.Store) bool {
	t.Helper()
	did, err := s.PurgeStep(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return did
}

func endGrace(t testing.TB, s *store.Store) {
	t.Helper()
	if _, err := s.Pool().Exec(context.Background(), `UPDATE event_clears SET undo_until = now() - interval '1 second' WHERE undo_until IS NOT NULL`); err != nil {
		t.Fatal(err)
	}
}

func clearOf(t testing.TB, s *store.Store, id int64) engine.EventClear {
	t.Helper()
	c, err := s.Clear(context.Background(), "admin", id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t testing.TB, s *store.Store, f engine.EventFilter) engine.EventClear {
	t.Helper()
	c, err := s.StartClear(context.Background(), "admin", f, "ann")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func undo(t testing.TB, s *store.Store, c engine.EventClear) {
	t.Helper()
	if _, err := s.UndoClear(context.Background(), "admin", c.ID); err != nil {
		t.Fatal(err)
	}
}

// A clear is over when it returns and so is its undo; the deletion is done in
// steps. Every step commits, so this is also what a program does that was
// killed after any of them: what is left to do is read from the database alone.
func TestClearUndoPurge(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	fill(t, s, "other", 10)
	c := start(t, s, engine.EventFilter{Level: "INFO"})
	if c.Total != 48_000 || c.Done != 48_000 || c.Status != engine.ClearDone || c.By != "ann" || c.Filter.Level != "INFO" || !c.Undoable(time.Now()) {
		t.Fatalf("started %+v", c)
	}
	addEvent(t, s, "late", "admin", engine.EvFeedsSyncStarted, "", -5) // matches, but came after
	if got := listed(t, s, "admin", engine.EventFilter{}); got != "late" || count(t, s, "other") != 10 {
		t.Errorf("left %q", got)
	}
	if step(t, s) {
		t.Error("a purge before the end of the grace")
	}
	if _, err := s.UndoClear(t.Context(), "other", c.ID); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("undo by another account: %v, want ErrNotFound", err)
	}
	undo(t, s, c)
	if c = clearOf(t, s, c.ID); c.Status != engine.ClearUndone || c.Done != 0 || count(t, s, "admin") != 48_001 {
		t.Errorf("undone %+v, %d events", c, count(t, s, "admin"))
	}

	c = start(t, s, engine.EventFilter{Level: "info", Except: []string{"late"}})
	endGrace(t, s)
	for _, want := range []int64{20_000, 40_000, 48_000} {
		if !step(t, s) {
			t.Fatal("nothing to do")
		}
		if c = clearOf(t, s, c.ID); c.Purged != want || c.Done != 48_000 || c.Working() != (want < 48_000) || count(t, s, "admin") != 1 {
			t.Fatalf("after a step %+v, %d left", c, count(t, s, "admin"))
		}
	}
	if c.Status != engine.ClearPurged || step(t, s) {
		t.Errorf("purged %+v", c)
	}
	if n := stored(t, s); n != 11 {
		t.Errorf("%d rows left, want the late one and ten of another account", n)
	}
	if _, err := s.UndoClear(t.Context(), "admin", c.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("undo of a purged clear: %v, want ErrConflict", err)
	}
}

func TestCancelledPurgeShowsTheRest(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	c := start(t, s, engine.EventFilter{})
	if _, err := s.CancelClear(t.Context(), "admin", c.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("cancel before the deletion: %v, want ErrConflict", err)
	}
	endGrace(t, s)
	step(t, s)
	later := start(t, s, engine.EventFilter{}) // of nothing
	c, err := s.CancelClear(t.Context(), "admin", c.ID)
	if err != nil || c.Status != engine.ClearCancelled || c.Done != 20_000 || later.Total != 0 {
		t.Fatalf("cancelled %+v, %v; a clear meanwhile %+v", c, err, later)
	}
	endGrace(t, s)
	for step(t, s) {
	}
	if count(t, s, "admin") != 28_000 || stored(t, s) != 28_000 {
		t.Errorf("%d events are listed of %d, want 28000", count(t, s, "admin"), stored(t, s))
	}
}

// What an undo brings back is what its own clear was for, whatever was cleared
// after it with a wider filter.
func TestClearsThatOverlap(t *testing.T) {
	for name, size := range map[string]int{"few": 500, "many": 2500} {
		t.Run(name, func(t *testing.T) {
			s := enginetest.Store(t)
			fill(t, s, "admin", size)
			fillErrors(t, s, size)
			narrow := start(t, s, engine.EventFilter{Level: "error"})
			wide := start(t, s, engine.EventFilter{})
			if narrow.Total != int64(size) || wide.Total != int64(size) || count(t, s, "admin") != 0 {
				t.Fatalf("cleared %d and %d, left %d", narrow.Total, wide.Total, count(t, s, "admin"))
			}
			undo(t, s, narrow)
			list, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 1000})
			errs, _, err2 := s.CountEvents(t.Context(), "admin", engine.EventFilter{Level: "error"}, 0)
			if err != nil || err2 != nil || count(t, s, "admin") != int64(size) || errs != int64(size) || len(list.Events) != min(1000, size) {
				t.Fatalf("after the undo of the narrow one %d events, %d errors, %d listed, %v", count(t, s, "admin"), errs, len(list.Events), err)
			}
			endGrace(t, s)
			for step(t, s) {
			}
			if n, rows := count(t, s, "admin"), stored(t, s); n != int64(size) || rows != n {
				t.Errorf("after the purge of the wide one %d are listed of %d, want %d", n, rows, size)
			}
		})
	}
}

// fillErrors stores n errors of services, hosts and resources in turn.
func fillErrors(t testing.TB, s *store.Store, n int) {
	t.Helper()
	const q = `
		INSERT INTO events (id, account, type, level, message, at, service, host, resource_type, resource_id)
		SELECT md5('error' || i), 'admin', CASE WHEN i % 3 = 0 THEN 'user.image.analysis.failed' ELSE 'system.feeds.sync.failed' END,
		       'error', 'It broke ' || i % 7, $1::timestamptz + i * interval '700 ms', (ARRAY['analyzer', 'catalog'])[1 + i % 2],
		       'host-' || i % 4, 'image_tag', 'app:' || i % 5
		  FROM generate_series(1, $2::int) i`
	if _, err := s.Pool().Exec(context.Background(), q, epoch, n); err != nil {
		t.Fatal(err)
	}
}

// Lists, pages and counts under clears of every kind show exactly what the
// filters say, whether what is left is read in parts or row by row.
func TestListsUnderClears(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 2100)
	fillErrors(t, s, 2900)
	all, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	every := all.Events
	for all.Next != "" {
		if all, err = s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 1000, Cursor: all.Next}); err != nil {
			t.Fatal(err)
		}
		every = append(every, all.Events...)
	}
	middle := epoch.Add(1000 * time.Second)
	clears := map[string]engine.EventFilter{
		"all":                  {},
		"level":                {Level: "error"},
		"service and host":     {Service: "analyzer", Host: "host-1"},
		"type":                 {Type: "feed_sync_failed"},
		"types":                {Type: "system.*"},
		"resource":             {ResourceID: "app:3"},
		"resource type":        {ResourceType: "image_tag", Level: "error"},
		"before":               {Before: middle},
		"since, of a level":    {Since: middle, Level: "info"},
		"text":                 {Text: "broke 3"},
		"text of many":         {Text: "broke", Except: []string{every[4].ID}},
		"text and level":       {Text: "BROKE", Level: "error"},
		"level but a few":      {Level: "error", Except: []string{every[0].ID, every[4000].ID}},
		"runs and one":         {Runs: []engine.EventRun{{Type: engine.EvFeedsSyncStarted, Level: "info", Service: "policy_engine", Host: "host-1", Since: epoch, Until: middle}}, IDs: []string{every[1].ID}},
		"what there is not":    {Host: "nowhere"},
		"what cannot be there": {Text: "\x00"},
	}
	filters := []engine.EventFilter{
		{}, {Level: "error"}, {Level: "info"}, {Service: "analyzer"}, {Host: "host-1"}, {Type: "*.failed"}, {Type: "feed_sync_failed"},
		{ResourceID: "app:3"}, {ResourceType: "image_tag", Host: "host-2"}, {Since: middle}, {Before: middle, Level: "error"}, {Text: "broke 3"},
	}
	show := func(f engine.EventFilter) []string {
		var got []string
		for p := (engine.EventPage{Limit: 900}); ; {
			l, err := s.Events(t.Context(), "admin", f, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range l.Events {
				got = append(got, e.ID)
			}
			if p.Cursor = l.Next; l.Next == "" {
				return got
			}
		}
	}
	for name, cl := range clears {
		t.Run(name, func(t *testing.T) {
			c := start(t, s, cl)
			defer undo(t, s, c)
			for _, f := range filters {
				var want []string
				for _, e := range every {
					if f.Matches(e) && (!cl.Matches(e) || cl.Text == "\x00") {
						want = append(want, e.ID)
					}
				}
				n, _, err := s.CountEvents(t.Context(), "admin", f, 0)
				bounded, _, err2 := s.CountEvents(t.Context(), "admin", f, 1500)
				if got := show(f); !slices.Equal(got, want) || err != nil || err2 != nil || n != int64(len(want)) || bounded != min(1500, n) {
					t.Errorf("%+v shows %d events, counts %d and %d, want %d; %v %v", f, len(got), n, bounded, len(want), err, err2)
				}
			}
		})
	}
}

// A clear by text that leaves more than it keeps the numbers of looks at the
// texts.
func TestTextClearThatLeavesMuch(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 10_100)
	fillErrors(t, s, 2100)
	c := start(t, s, engine.EventFilter{Text: "broke"})
	list, err := s.Events(t.Context(), "admin", engine.EventFilter{}, engine.EventPage{Limit: 1000})
	if err != nil || len(list.Events) != 1000 || c.Total != 2100 || count(t, s, "admin") != 10_100 {
		t.Errorf("cleared %d, %d listed of %d, %v", c.Total, len(list.Events), count(t, s, "admin"), err)
	}
}

// An event whose number was taken before a clear, and which is committed after
// it, is shown if it has not the text that was cleared.
func TestEventCommittedAfterATextClear(t *testing.T) {
	s := enginetest.Store(t)
	fillErrors(t, s, 2100)
	const add = `
		INSERT INTO events (id, account, type, level, message, at, service, host)
		VALUES ($1, 'admin', 'system.feeds.sync.started', 'info', $1, now(), 'policy_engine', 'host-1')`
	late, err := s.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback(context.Background())
	for _, id := range []string{"kept", "broke"} {
		if _, err := late.Exec(t.Context(), add, id); err != nil {
			t.Fatal(err)
		}
	}
	addEvent(t, s, "later", "admin", engine.EvFeedsSyncStarted, "", 0)
	start(t, s, engine.EventFilter{Text: "broke"})
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, s, "admin", engine.EventFilter{}); got != "kept later" {
		t.Errorf("shown are %q", got)
	}
}

// A step whose connection dies after it has deleted its events, before it has
// committed, has deleted none: the purge goes on from the step before.
func TestKilledPurgeLosesNothing(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	c := start(t, s, engine.EventFilter{})
	endGrace(t, s)
	step(t, s)
	killStep(t, s)
	if c = clearOf(t, s, c.ID); c.Purged != 20_000 || stored(t, s) != 28_000 {
		t.Fatalf("a killed step left %+v and %d rows", c, stored(t, s))
	}
	for step(t, s) {
	}
	if c = clearOf(t, s, c.ID); c.Status != engine.ClearPurged || c.Purged != 48_000 || stored(t, s) != 0 {
		t.Errorf("ended as %+v with %d rows", c, stored(t, s))
	}
}

// killStep ends the connection of a step that has done all but announce it.
func killStep(t *testing.T, s *store.Store) {
	t.Helper()
	tx, err := s.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, store.ChangeLock); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := s.PurgeStep(context.Background())
		failed <- err
	}()
	const kill = `
		SELECT count(pg_terminate_backend(pid)) FROM pg_locks
		 WHERE locktype = 'advisory' AND NOT granted
		   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
	for killed := 0; killed == 0; {
		if err := tx.QueryRow(t.Context(), kill).Scan(&killed); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-failed; err == nil {
		t.Fatal("the step was not killed")
	}
}

// Two clears that overlap and three runners at once: each event is deleted for
// one clear.
func TestPurgesRace(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 80_000)
	first, second := start(t, s, engine.EventFilter{Before: epoch.Add(60_000 * time.Second)}), start(t, s, engine.EventFilter{Service: "policy_engine"})
	endGrace(t, s)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				did, err := s.PurgeStep(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				a, b := clearOf(t, s, first.ID), clearOf(t, s, second.ID)
				if !did && a.Status == engine.ClearPurged && b.Status == engine.ClearPurged {
					return
				}
			}
		})
	}
	wg.Wait()
	a, b := clearOf(t, s, first.ID), clearOf(t, s, second.ID)
	if a.Purged != 59_999 || b.Purged != 20_001 || b.Total != 20_001 || stored(t, s) != 0 {
		t.Errorf("first %+v\nsecond %+v, %d rows left", a, b, stored(t, s))
	}
}

func TestClearOfChosenEvents(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	start(t, s, engine.EventFilter{IDs: []string{"a", "c", "x"}})
	if got := listed(t, s, "admin", engine.EventFilter{}); got != "e d b" {
		t.Errorf("left %q", got)
	}
	if got := listed(t, s, "other", engine.EventFilter{}); got != "x" {
		t.Errorf("left of another account %q", got)
	}
	if _, err := s.Event(t.Context(), "admin", "a"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("a cleared event: %v, want ErrNotFound", err)
	}
	list, err := s.Clears(t.Context(), "admin", 10)
	if err != nil || len(list) != 1 || len(list[0].Filter.IDs) != 3 || list[0].Total != 2 {
		t.Errorf("clears %+v, %v", list, err)
	}
}
