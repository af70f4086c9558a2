package store_test

import (
	"context"
	"errors"
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
	if err := s.Pool().QueryRow(context.Background(), `SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM events_cleared)`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func step(t testing.TB, s *store.Store) bool {
	t.Helper()
	did, err := s.ClearStep(context.Background())
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

// Every step commits, so this is also what a program does that was killed
// after any of them: what is left to do is read from the database alone.
func TestClearIsDoneInSteps(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	fill(t, s, "other", 10)
	c := start(t, s, engine.EventFilter{Level: "INFO"})
	if c.Total != 48_000 || c.Status != engine.ClearRunning || c.By != "ann" || c.Filter.Level != "INFO" {
		t.Fatalf("started %+v", c)
	}
	addEvent(t, s, "late", "admin", engine.EvFeedsSyncStarted, "", -5) // matches, but came after

	for _, want := range []int64{20_000, 40_000, 48_000} {
		if !step(t, s) {
			t.Fatal("nothing to do")
		}
		if c = clearOf(t, s, c.ID); c.Done != want || c.Done+count(t, s, "admin") != 48_001 {
			t.Fatalf("after a step %+v, %d left", c, count(t, s, "admin"))
		}
	}
	if c.Status != engine.ClearDone || c.UndoUntil.IsZero() || !c.Undoable(time.Now()) {
		t.Errorf("at the end %+v", c)
	}
	if step(t, s) {
		t.Error("a purge before the end of the grace")
	}
	endGrace(t, s)
	for step(t, s) {
	}
	if c = clearOf(t, s, c.ID); c.Status != engine.ClearPurged || c.Done != 48_000 {
		t.Errorf("purged %+v", c)
	}
	if n := stored(t, s); n != 11 {
		t.Errorf("%d rows left, want the late one and ten of another account", n)
	}
	if _, err := s.UndoClear(t.Context(), "admin", c.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("undo of a purged clear: %v, want ErrConflict", err)
	}
}

func TestUndoBringsAllBack(t *testing.T) {
	for name, steps := range map[string]int{"before the first step": 0, "in the middle": 1, "at the end": 3} {
		t.Run(name, func(t *testing.T) {
			s := enginetest.Store(t)
			fill(t, s, "admin", 48_000)
			c := start(t, s, engine.EventFilter{})
			for range steps {
				step(t, s)
			}
			if _, err := s.UndoClear(t.Context(), "other", c.ID); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("undo by another account: %v, want ErrNotFound", err)
			}
			if _, err := s.UndoClear(t.Context(), "admin", c.ID); err != nil {
				t.Fatal(err)
			}
			endGrace(t, s)
			for step(t, s) {
			}
			if c = clearOf(t, s, c.ID); c.Status != engine.ClearUndone || c.Done != 0 {
				t.Errorf("undone %+v", c)
			}
			if n := count(t, s, "admin"); n != 48_000 {
				t.Errorf("%d events are back, want 48000", n)
			}
		})
	}
}

func TestCancelKeepsWhatWasCleared(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	c := start(t, s, engine.EventFilter{})
	step(t, s)
	c, err := s.CancelClear(t.Context(), "admin", c.ID)
	if err != nil || c.Status != engine.ClearCancelled || c.Done != 20_000 || !c.Undoable(time.Now()) {
		t.Fatalf("cancelled %+v, %v", c, err)
	}
	if step(t, s) {
		t.Error("a cancelled clear went on")
	}
	if _, err := s.CancelClear(t.Context(), "admin", c.ID); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("second cancel: %v, want ErrConflict", err)
	}
	endGrace(t, s)
	for step(t, s) {
	}
	if n := stored(t, s); n != 28_000 {
		t.Errorf("%d rows left, want 28000", n)
	}
}

// A step whose connection dies after it has moved its events, before it has
// committed, has moved none: clear, undo and purge go on from the step before.
func TestKilledStepsLoseAndDoubleNothing(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 48_000)
	c := start(t, s, engine.EventFilter{})
	finish := func(kind, want string, left int64) {
		step(t, s)
		before, listed := clearOf(t, s, c.ID), count(t, s, "admin")
		killStep(t, s)
		if now := clearOf(t, s, c.ID); now.Status != before.Status || now.Done != before.Done || count(t, s, "admin") != listed || stored(t, s) == 0 {
			t.Fatalf("%s: a killed step left %+v and %d events, want %+v and %d", kind, now, count(t, s, "admin"), before, listed)
		}
		for step(t, s) {
		}
		if c = clearOf(t, s, c.ID); c.Status != want || count(t, s, "admin") != left {
			t.Errorf("%s: ended as %+v with %d events, want %s and %d", kind, c, count(t, s, "admin"), want, left)
		}
	}
	finish("clear", engine.ClearDone, 0)
	if _, err := s.UndoClear(t.Context(), "admin", c.ID); err != nil {
		t.Fatal(err)
	}
	finish("undo", engine.ClearUndone, 48_000)
	c = start(t, s, engine.EventFilter{})
	for step(t, s) {
	}
	endGrace(t, s)
	finish("purge", engine.ClearPurged, 0)
	if n := stored(t, s); n != 0 {
		t.Errorf("%d rows left after the purge", n)
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
		_, err := s.ClearStep(context.Background())
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

// Two clears of the same events, two runners and an undo at once: each event
// is cleared once, and the undo brings back exactly its own clear's.
func TestClearsRace(t *testing.T) {
	s := enginetest.Store(t)
	fill(t, s, "admin", 80_000)
	first, second := start(t, s, engine.EventFilter{}), start(t, s, engine.EventFilter{Service: "policy_engine"})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				did, err := s.ClearStep(context.Background())
				if err != nil {
					t.Error(err)
				}
				a, b := clearOf(t, s, first.ID), clearOf(t, s, second.ID)
				if !did && !a.Working() && !b.Working() {
					return
				}
			}
		})
	}
	wg.Go(func() {
		if _, err := s.UndoClear(context.Background(), "admin", first.ID); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	var twice int64
	a, b := clearOf(t, s, first.ID), clearOf(t, s, second.ID)
	if err := s.Pool().QueryRow(t.Context(), `SELECT count(*) FROM events_cleared WHERE clear = $1`, second.ID).Scan(&twice); err != nil {
		t.Fatal(err)
	}
	if a.Status != engine.ClearUndone || b.Status != engine.ClearDone || twice != b.Done || count(t, s, "admin")+b.Done != 80_000 {
		t.Errorf("first %+v\nsecond %+v marked %d, listed %d", a, b, twice, count(t, s, "admin"))
	}
}

func TestClearOfChosenEvents(t *testing.T) {
	s := enginetest.Store(t)
	seedEvents(t, s)
	c := start(t, s, engine.EventFilter{IDs: []string{"a", "c", "x"}})
	if did, err := s.ClearStepOf(t.Context(), c.ID); !did || err != nil {
		t.Fatal(did, err)
	}
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
