package store_test

import (
	"testing"

	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// A database that took a later migration first takes the earlier one too.
func TestMissingMigrationIsMadeUp(t *testing.T) {
	ctx := t.Context()
	dsn := enginetest.Database(t)
	s, err := store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`ALTER TABLE images DROP COLUMN analysis_ms, DROP COLUMN analysis_peak`,
		`DELETE FROM goose_db_version WHERE version_id = 9`,
	} {
		if _, err := s.Pool().Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()

	s, err = store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Pool().Exec(ctx, `SELECT analysis_peak FROM images`); err != nil {
		t.Error(err)
	}
}

// A clear that an earlier program made by marking can be undone after it.
func TestMarkedEventsMoveOver(t *testing.T) {
	ctx := t.Context()
	dsn := enginetest.Database(t)
	s, err := store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, "admin", 300)
	exec(t, s, `DROP TABLE events_cleared`)
	exec(t, s, `CREATE INDEX events_cleared ON events (cleared_by) WHERE cleared_by IS NOT NULL`)
	exec(t, s, `DELETE FROM goose_db_version WHERE version_id = 13`)
	exec(t, s, `INSERT INTO event_clears (account, filter, total, done, status, undo_until, max_seq)
		VALUES ('admin', '{}', 100, 100, 'done', now() + interval '1 hour', 300)`)
	exec(t, s, `UPDATE events SET cleared_by = (SELECT id FROM event_clears) WHERE seq <= 100`)
	s.Close()

	s, err = store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if listed, all := count(t, s, "admin"), stored(t, s); listed != 200 || all != 300 {
		t.Errorf("%d events are listed of %d, want 200 of 300", listed, all)
	}
	clears, err := s.Clears(ctx, "admin", 1)
	if err != nil || len(clears) != 1 {
		t.Fatal(clears, err)
	}
	if _, err := s.UndoClear(ctx, "admin", clears[0].ID); err != nil {
		t.Fatal(err)
	}
	for step(t, s) {
	}
	if n := count(t, s, "admin"); n != 300 {
		t.Errorf("%d events after the undo, want 300", n)
	}
}
