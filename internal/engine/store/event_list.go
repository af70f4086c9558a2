package store

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// maxEventPage is the largest page that v1 allows.
const maxEventPage = 1000

// searchWindow is how many events one page of a search for text looks
// through. Text has no index: without a bound, a word that is nowhere would
// cost a reading of the whole log.
const searchWindow = 100_000

// Events lists one page of an account's events, newest first.
//
// The keys of the page are found in an index alone and the rows are fetched
// after, so that a page far down costs no reading of the rows above it.
func (s *Store) Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error) {
	return s.events(ctx, account, f, p, searchWindow)
}

func (s *Store) events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage, window int) (engine.EventList, error) {
	limit := min(max(p.Limit, 1), maxEventPage)
	w, order, err := s.eventsFrom(ctx, account, f, p)
	if err != nil || w.none {
		return engine.EventList{}, err
	}
	offset := ""
	if p.Page > 1 {
		offset = " OFFSET " + w.arg((int64(p.Page)-1)*int64(limit))
	}
	search := w.text != "" && p.Page == 0
	reach := min((int64(max(p.Page, 1))-1)*int64(limit), math.MaxInt32) + int64(limit) + 1
	keys := w.rows("at, seq", w.String(), order, int(reach))
	if search {
		keys = fmt.Sprintf("SELECT at, seq FROM (%[1]s) w WHERE %[2]s", w.rows("*", w.indexed(), order, window), w.text)
	}
	q := fmt.Sprintf(`
		SELECT k.seq, %[1]s
		  FROM (SELECT at, seq FROM (%[2]s) f ORDER BY at %[3]s, seq %[3]s LIMIT %[4]d%[5]s) k
		  JOIN events e ON e.seq = k.seq
		 ORDER BY k.at %[3]s, k.seq %[3]s`, eventColumns, keys, order, limit+1, offset)

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
	switch {
	case err != nil:
		return engine.EventList{}, fmt.Errorf("events: %w", domain(err))
	case len(list) > limit:
		list = list[:limit]
		return engine.EventList{Events: list, Next: encodeCursor(list[limit-1].At, seqs[limit-1])}, nil
	case search:
		next, at, err := s.windowEnd(ctx, account, f, p, window)
		return engine.EventList{Events: list, Next: next, Searched: at}, err
	}
	return engine.EventList{Events: list}, nil
}

// eventsFrom is a filter with the place at which a page begins, and the
// direction in which it goes on.
func (s *Store) eventsFrom(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (*eventWhere, string, error) {
	w, err := s.shownEvents(ctx, account, f)
	if err != nil {
		return nil, "", err
	}
	order, than := "DESC", "<"
	if p.Oldest {
		order, than = "ASC", ">"
	}
	if p.Cursor != "" {
		at, seq, err := decodeCursor(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.and("(at, seq) "+than+" (%s, %s)", at, seq)
	}
	return w, order, nil
}

// windowEnd is where the window of a search ends; an empty cursor when the log
// ends within it.
func (s *Store) windowEnd(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage, window int) (string, time.Time, error) {
	w, order, err := s.eventsFrom(ctx, account, f, p)
	if err != nil {
		return "", time.Time{}, err
	}
	// The text takes no part, but its arguments must occur.
	q := fmt.Sprintf(`SELECT at, seq FROM (%[1]s) w WHERE true OR %[4]s ORDER BY at %[2]s, seq %[2]s LIMIT 1 OFFSET %[3]d`,
		w.rows("*", w.indexed(), order, window), order, window-1, w.text)

	var at time.Time
	var seq int64
	err = s.pool.QueryRow(ctx, q, w.planned()...).Scan(&at, &seq)
	switch err = domain(err); {
	case isNotFound(err):
		return "", time.Time{}, nil
	case err != nil:
		return "", time.Time{}, fmt.Errorf("search events: %w", err)
	}
	return encodeCursor(at, seq), at.UTC(), nil
}

// withFirst scans a row's first column into first and the rest as asked.
type withFirst struct {
	pgx.CollectableRow
	first *int64
}

func (w withFirst) Scan(dest ...any) error {
	return w.CollectableRow.Scan(append([]any{w.first}, dest...)...)
}

// CountEvents counts an account's events, and reports whether the number is
// exact. With a bound above 0 it neither counts beyond that nor looks for text
// beyond one window: a page can say "10,000+" at a cost that does not grow.
func (s *Store) CountEvents(ctx context.Context, account string, f engine.EventFilter, bound int64) (int64, bool, error) {
	w, err := s.shownEvents(ctx, account, f)
	if err != nil || w.none {
		return 0, err == nil, err
	}
	q := "SELECT (" + w.total() + "), 0"
	switch {
	case bound > 0 && w.text != "":
		q = fmt.Sprintf(`
			SELECT count(*) FILTER (WHERE %[2]s), count(*)
			  FROM (%[1]s) w`, w.rows("*", w.indexed(), "DESC", searchWindow), w.text)
	case bound > 0:
		q = fmt.Sprintf(`SELECT count(*), 0 FROM (%s) k`, w.some(bound+1))
	}
	var n, seen int64
	if err := s.pool.QueryRow(ctx, q, w.planned()...).Scan(&n, &seen); err != nil {
		return 0, false, fmt.Errorf("count events: %w", domain(err))
	}
	if bound > 0 && n > bound {
		return bound, false, nil
	}
	return n, seen < searchWindow, nil
}

// total counts all that meet the condition.
func (w *eventWhere) total() string {
	return "SELECT count(*) FROM (" + w.each("SELECT 1 FROM events WHERE %s") + ") k"
}

// some selects up to limit of them, in no order.
func (w *eventWhere) some(limit int64) string {
	return fmt.Sprintf("SELECT 1 FROM (%s) e LIMIT %d", w.each(fmt.Sprintf("(SELECT 1 FROM events WHERE %%s LIMIT %d)", limit)), limit)
}

// each makes one selection of that for every part.
func (w *eventWhere) each(selection string) string {
	if len(w.parts) == 0 {
		return fmt.Sprintf(selection, w)
	}
	var list []string
	for _, part := range w.parts {
		list = append(list, fmt.Sprintf(selection, w.String()+" AND "+part))
	}
	return strings.Join(list, " UNION ALL ")
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
