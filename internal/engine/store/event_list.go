package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// maxEventPage is the largest page that v1 allows.
const maxEventPage = 1000

// Events lists one page of an account's events, newest first.
//
// The keys of the page are found in an index alone and the rows are fetched
// after, so that a page far down costs no reading of the rows above it.
func (s *Store) Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	limit := min(max(p.Limit, 1), maxEventPage)
	w, err := s.eventFilter(ctx, account, f)
	if err != nil || w.none {
		return engine.EventList{}, err
	}
	order, than := "DESC", "<"
	if p.Oldest {
		order, than = "ASC", ">"
	}
	if p.Cursor != "" {
		at, seq, err := decodeCursor(p.Cursor)
		if err != nil {
			return engine.EventList{}, err
		}
		w.and("(at, seq) "+than+" (%s, %s)", at, seq)
	}
	offset := ""
	if p.Page > 1 {
		offset = " OFFSET " + w.arg((int64(p.Page)-1)*int64(limit))
	}
	q := fmt.Sprintf(`
		SELECT k.seq, %[1]s
		  FROM (SELECT at, seq FROM events WHERE %[2]s ORDER BY at %[3]s, seq %[3]s LIMIT %[4]d%[5]s) k
		  JOIN events e ON e.seq = k.seq
		 ORDER BY k.at %[3]s, k.seq %[3]s`, eventColumns, w, order, limit+1, offset)

	rows, err := s.pool.Query(ctx, q, w.planned()...)
	if err != nil {
		return engine.EventList{}, fmt.Errorf("events: %w", domain(err))
	}
	var seqs []int64
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (engine.Event, error) {
		var seq int64
		e, err := scanEvent(withFirst{r, &seq})
		seqs = append(seqs, seq)
		return e, err
	})
	if err != nil {
		return engine.EventList{}, fmt.Errorf("events: %w", domain(err))
	}
	if len(list) <= limit {
		return engine.EventList{Events: list}, nil
	}
	list = list[:limit]
	return engine.EventList{Events: list, Next: encodeCursor(list[limit-1].At, seqs[limit-1])}, nil
}

// withFirst scans a row's first column into first and the rest as asked.
type withFirst struct {
	pgx.CollectableRow
	first *int64
}

func (w withFirst) Scan(dest ...any) error {
	return w.CollectableRow.Scan(append([]any{w.first}, dest...)...)
}

// CountEvents counts an account's events, but not beyond bound when that is
// above 0: a page can say "10,000+" at a cost that does not grow.
func (s *Store) CountEvents(ctx context.Context, account string, f engine.EventFilter, bound int64) (int64, error) {
	w, err := s.eventFilter(ctx, account, f)
	if err != nil || w.none {
		return 0, err
	}
	q := fmt.Sprintf(`SELECT count(*) FROM events WHERE %s`, w)
	if bound > 0 {
		q = fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM events WHERE %s LIMIT %d) k`, w, bound)
	}
	var n int64
	if err := s.pool.QueryRow(ctx, q, w.planned()...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", domain(err))
	}
	return n, nil
}

// A cursor names the last row of a page by its place in the order: time in
// microseconds, as the database keeps it, and number.
func encodeCursor(at time.Time, seq int64) string {
	return strconv.FormatInt(at.UnixMicro(), 36) + "." + strconv.FormatInt(seq, 36)
}

func decodeCursor(c string) (time.Time, int64, error) {
	a, b, ok := strings.Cut(c, ".")
	micros, err1 := strconv.ParseInt(a, 36, 64)
	seq, err2 := strconv.ParseInt(b, 36, 64)
	// Years beyond four digits are outside what the database and the API write.
	if at := time.UnixMicro(micros).UTC(); ok && err1 == nil && err2 == nil && at.Year() > 0 && at.Year() < 10000 {
		return at, seq, nil
	}
	return time.Time{}, 0, engine.Invalidf("cursor %.40q is not one of a list of events", c)
}
