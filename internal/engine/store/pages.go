package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// inPages walks a list for a reader of any speed. Each page is read whole
// before its first element is handed on, so that no connection waits for a
// client: as many slow ones as there are connections would stop the engine.
// query asks for what follows the last element that was read; a page shorter
// than size is the last. An error of each ends the walk and is returned as it is.
func inPages[T any](what string, size int, query func() (pgx.Rows, error), scan pgx.RowToFunc[T], each func(T) error) error {
	for {
		rows, err := query()
		if err != nil {
			return fmt.Errorf("%s: %w", what, domain(err))
		}
		list, err := pgx.CollectRows(rows, scan)
		if err != nil {
			return fmt.Errorf("%s: %w", what, domain(err))
		}
		for _, v := range list {
			if err := each(v); err != nil {
				return err
			}
		}
		if len(list) < size {
			return nil
		}
	}
}

// errStopped ends a walk whose reader has had enough.
var errStopped = errors.New("stopped")

// orEndless is a cursor of a list that goes back in time: from the end when
// there is none.
func orEndless(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	}
	return pgtype.Timestamptz{Time: t, Valid: true}
}
