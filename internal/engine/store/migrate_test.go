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
