package store_test

import (
	"testing"

	"windlass/internal/engine"
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

// What earlier programs had moved out of the log comes back into it where an undo
// is still possible, and is gone where it is not.
func TestMovedEventsComeBack(t *testing.T) {
	ctx := t.Context()
	dsn := enginetest.Database(t)
	s, err := store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, "admin", 300)
	for _, sql := range []string{
		`CREATE TABLE events_cleared AS SELECT 0::bigint AS clear, * FROM events WHERE false`,
		`ALTER TABLE event_clears DROP COLUMN purged, DROP COLUMN spares`,
		`DROP STATISTICS events_together`,
		`DROP INDEX event_clears_shown, event_clears_swept`,
		`DROP TABLE event_filters, event_retention, event_retention_runs`,
		`DELETE FROM goose_db_version WHERE version_id = 15`,
		`INSERT INTO event_clears (account, filter, total, done, status, undo_until, max_seq) VALUES
			('admin', '{"before": "2020-01-02T03:05:46Z"}', 100, 100, 'done', now() + interval '1 hour', 300),
			('admin', '{}', 50, 50, 'purging', now(), 300),
			('admin', '{}', 50, 20, 'undoing', now(), 300)`,
		`INSERT INTO events_cleared SELECT CASE WHEN seq <= 100 THEN 1 WHEN seq <= 150 THEN 2 ELSE 3 END, * FROM events WHERE seq <= 170`,
		`DELETE FROM events WHERE seq <= 170`,
	} {
		exec(t, s, sql)
	}
	s.Close()

	s, err = store.Open(ctx, dsn, 4, enginetest.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if shown, all := count(t, s, "admin"), stored(t, s); shown != 150 || all != 250 {
		t.Errorf("%d events are listed of %d, want 150 of 250", shown, all)
	}
	undo(t, s, engine.EventClear{ID: 1})
	for step(t, s) {
	}
	if n := count(t, s, "admin"); n != 250 {
		t.Errorf("%d events after the undo, want 250", n)
	}
}
