package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// A clear writes one row, whatever number of events it is for: from then on
// its filter is a condition that those shown must not meet, and an undo is the
// end of that. So both are over at once, for a million events as for one; what
// costs time is the deletion, when nobody waits any more.
//
// What remains is that a list must not wade through a million rows to find the
// hundred that are left. So "not cleared" is taken apart into conditions that an
// index answers: of another level, of service a, of service b, later than the
// clear. No two of them hold for one event, so the parts of a list are read
// each along its own index and merged.

// hide is a clear whose events are in the table and must not be seen.
type hide struct {
	filter engine.EventFilter
	maxSeq int64
	total  int64
	// spares are earlier clears that have been undone since: what was theirs
	// when this one was asked for is not among what it is for.
	spares []spare
	// left are the numbers of the events that were shown when it was asked for,
	// meet its conditions and do not have its text; nil: not known.
	left []int64
	at   time.Time
}

type spare struct {
	Filter filterRow `json:"filter"`
	MaxSeq int64     `json:"max_seq"`
}

const (
	// fewHidden is how many rows a list may as well look at one by one. An index
	// of the clears in force names it too.
	fewHidden = 2000
	// fewLeft is how many numbers of events a clear by text keeps of those that it
	// left. Each list asks for them.
	fewLeft = 10_000
	// lateWriter is how long an event may be written before it is there for others:
	// a clear by text may not have seen it, and looks at its text later.
	lateWriter = time.Minute
	// maxParts bounds how many pieces a list is put together of.
	maxParts = 150
	// afterPurge is how long lists still step over what has been deleted: until
	// the table is swept, its indexes lead to the rows that were there.
	afterPurge = 10 * time.Minute
)

// hides lists the clears in force of an account.
func (s *Store) hides(ctx context.Context, account string) ([]hide, error) {
	const q = `
		SELECT filter, max_seq, total, spared_seqs, started_at,
		       (SELECT json_agg(json_build_object('filter', filter, 'max_seq', max_seq))
		          FROM event_clears s WHERE s.id = ANY(c.spares) AND s.status IN ('undone', 'cancelled'))
		  FROM (SELECT * FROM event_clears WHERE account = $1 AND status IN ('done', 'purging')
		         UNION ALL
		        SELECT * FROM event_clears WHERE account = $1 AND status = 'purged' AND total > 2000 AND ended_at > now() - $2::interval) c
		 ORDER BY id`

	rows, err := s.pool.Query(ctx, q, account, afterPurge)
	if err != nil {
		return nil, fmt.Errorf("clears in force: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h hide, err error) {
		var filter, spares []byte
		if err := r.Scan(&filter, &h.maxSeq, &h.total, &h.left, &h.at, &spares); err != nil {
			return h, err
		}
		var f filterRow
		if err := json.Unmarshal(filter, &f); err != nil {
			return h, err
		}
		h.filter = engine.EventFilter(f)
		if spares != nil {
			err = json.Unmarshal(spares, &h.spares)
		}
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("clears in force: %w", domain(err))
	}
	return list, nil
}

// shownEvents turns a filter into a condition on the events of one account
// that are not cleared, in parts where that makes lists faster.
func (s *Store) shownEvents(ctx context.Context, account string, f engine.EventFilter) (*eventWhere, error) {
	w, err := s.eventFilter(ctx, account, f)
	if err != nil || w.none {
		return w, err
	}
	list, err := s.hides(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, h := range list {
		done := false
		switch {
		case h.total <= fewHidden:
		case h.filter.Text != "" && h.left == nil:
			done, err = true, s.hideText(ctx, w, account, h)
		default:
			done, err = s.hideApart(ctx, w, account, h)
		}
		if err == nil && !done {
			err = s.hideEach(ctx, w, account, h)
		}
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// shown adds to w that an event is not cleared, as one condition: for what
// looks at one event, or at all of a short time.
func (s *Store) shown(ctx context.Context, w *eventWhere, account string) error {
	list, err := s.hides(ctx, account)
	if err != nil {
		return err
	}
	for _, h := range list {
		if err := s.hideEach(ctx, w, account, h); err != nil {
			return err
		}
	}
	return nil
}

// hideEach adds the condition that a row is not hidden, asked of each row.
func (s *Store) hideEach(ctx context.Context, w *eventWhere, account string, h hide) error {
	is, err := s.hidden(ctx, w, account, h)
	w.conds = append(w.conds, "NOT ("+is+")")
	return err
}

// hideText adds it as a condition on texts, for which a list looks through a
// bounded part of the log at a time.
func (s *Store) hideText(ctx context.Context, w *eventWhere, account string, h hide) error {
	is, err := s.hidden(ctx, w, account, h)
	if w.text != "" {
		w.text += " AND "
	}
	w.text += "NOT (" + is + ")"
	return err
}

// hidden is the condition that a clear is for a row.
func (s *Store) hidden(ctx context.Context, w *eventWhere, account string, h hide) (string, error) {
	is, err := s.within(ctx, w, account, h.filter, h.maxSeq)
	if err != nil {
		return "", err
	}
	spared, err := s.spared(ctx, w, account, h.spares)
	if err != nil {
		return "", err
	}
	if spared != "" {
		is += " AND NOT " + spared
	}
	return is, nil
}

// within is the condition that a clear of that filter was for an event.
func (s *Store) within(ctx context.Context, w *eventWhere, account string, f engine.EventFilter, maxSeq int64) (string, error) {
	of := &eventWhere{args: w.args}
	if err := s.filterInto(ctx, of, account, f); err != nil {
		return "", err
	}
	of.and("seq <= %s", maxSeq)
	w.args = of.args
	return of.String(), nil
}

// spared is the condition that an event is one of those that spares were for;
// empty when there are none.
func (s *Store) spared(ctx context.Context, w *eventWhere, account string, spares []spare) (string, error) {
	var list []string
	for _, sp := range spares {
		is, err := s.within(ctx, w, account, engine.EventFilter(sp.Filter), sp.MaxSeq)
		if err != nil {
			return "", err
		}
		list = append(list, "("+is+")")
	}
	if len(list) == 0 {
		return "", nil
	}
	return "(" + strings.Join(list, " OR ") + ")", nil
}

// term is one condition of a clear's filter: what it says, and what its
// opposite comes to. Both are written when they are wanted, since the database
// refuses an argument that nothing uses.
type term struct {
	is  func() string
	not []func() string
}

// hideApart divides what is shown into the parts that a clear leaves. It
// reports false when there would be too many.
func (s *Store) hideApart(ctx context.Context, w *eventWhere, account string, h hide) (bool, error) {
	args := w.args
	terms, left, err := s.terms(ctx, w, account, h)
	if err != nil {
		return false, err
	}
	n := 0
	for _, t := range terms {
		n += len(t.not)
	}
	if left || n*max(1, len(w.parts)) > maxParts {
		w.args = args
		return left, nil // when left, what the list asks for was not cleared
	}
	var parts, so []string
	pending := []func() string{}
	for _, t := range terms {
		for _, not := range t.not {
			for _, is := range pending {
				so = append(so, is())
			}
			pending = nil
			parts = append(parts, strings.Join(append(slices.Clone(so), not()), " AND "))
		}
		pending = append(pending, t.is)
	}
	if len(w.parts) == 0 {
		w.parts = parts
		return true, nil
	}
	var both []string
	for _, a := range w.parts {
		for _, b := range parts {
			both = append(both, a+" AND "+b)
		}
	}
	w.parts = both
	return true, nil
}

// terms are the conditions of a clear that the list's own filter does not imply.
// left is set when they exclude each other.
func (s *Store) terms(ctx context.Context, w *eventWhere, account string, h hide) (list []term, left bool, err error) {
	cond := func(sql string, args ...any) func() string {
		return sync.OnceValue(func() string { return w.cond(sql, args...) })
	}
	add := func(is func() string, not ...func() string) { list = append(list, term{is, not}) }
	g, f := w.filter, h.filter

	add(cond("seq <= %s", h.maxSeq), cond("seq > %s", h.maxSeq))
	columns, err := s.clearedColumns(ctx, w, account, f)
	if err != nil {
		return nil, false, err
	}
	for _, c := range columns {
		asked := c.asked
		if asked == nil {
			if asked, err = c.all(); err != nil {
				return nil, false, err
			}
		}
		var not []func() string
		for _, v := range asked {
			if !slices.Contains(c.cleared, v) {
				not = append(not, cond(c.name+" = %s", v))
			}
		}
		if len(not) == len(asked) {
			return nil, true, nil
		}
		add(cond(c.name+" = ANY(%s)", c.cleared), not...)
	}
	switch {
	case f.ResourceID == "" || f.ResourceID == g.ResourceID:
	case g.ResourceID != "":
		return nil, true, nil
	default:
		add(cond("resource_id = %s", f.ResourceID), cond("resource_id <> %s", f.ResourceID))
	}
	if !f.Since.IsZero() && g.Since.Before(f.Since) {
		add(cond("at > %s", f.Since), cond("at <= %s", f.Since))
	}
	if !f.Before.IsZero() && (g.Before.IsZero() || g.Before.After(f.Before)) {
		add(cond("at < %s", f.Before), cond("at >= %s", f.Before))
	}
	if len(f.IDs)+len(f.Runs) > 0 {
		is := sync.OnceValue(func() string { return w.chosen(f) })
		add(is, func() string { return "NOT " + is() })
	}
	if len(f.Except) > 0 {
		add(cond("id <> ALL(%s)", f.Except), cond("id = ANY(%s)", f.Except))
	}
	if len(h.spares) > 0 {
		is, err := s.spared(ctx, w, account, h.spares)
		if err != nil {
			return nil, false, err
		}
		add(func() string { return "NOT " + is }, func() string { return is })
	}
	if f.Text != "" {
		text, err := s.textFilter(ctx, w, account, f.Text)
		if err != nil {
			return nil, false, err
		}
		late := h.at.Add(-lateWriter)
		add(cond("seq <> ALL(%s) AND (at <= %s OR "+text+")", h.left, late),
			cond("seq = ANY(%s)", h.left), cond("seq <> ALL(%s) AND at > %s AND NOT "+text, h.left, late))
	}
	return list, false, nil
}

// clearedColumn is a column of few values that a clear's filter names.
type clearedColumn struct {
	name    string
	cleared []string
	asked   []string // by the list's filter; nil: any
	all     func() ([]string, error)
}

func (s *Store) clearedColumns(ctx context.Context, w *eventWhere, account string, f engine.EventFilter) ([]clearedColumn, error) {
	g := w.filter
	var list []clearedColumn
	for _, c := range []struct{ name, cleared, asked string }{
		{"level", strings.ToLower(f.Level), strings.ToLower(g.Level)}, {"service", f.Service, g.Service},
		{"host", f.Host, g.Host}, {"resource_type", f.ResourceType, g.ResourceType},
	} {
		if c.cleared == "" {
			continue
		}
		col := clearedColumn{name: c.name, cleared: []string{c.cleared}, all: func() ([]string, error) { return s.eventValues(ctx, account, c.name) }}
		if c.asked != "" {
			col.asked = []string{c.asked}
		}
		list = append(list, col)
	}
	if f.Type == "" {
		return list, nil
	}
	cleared := []string{f.Type}
	if strings.Contains(f.Type, "*") {
		match, all, err := s.matchingTypes(ctx, account, f.Type)
		if err != nil || all {
			return list, err
		}
		cleared = match
	} else if t, ok := engine.EventTypeOf(f.Type); ok {
		cleared = []string{t.Type}
	}
	return append(list, clearedColumn{name: "type", cleared: cleared, asked: w.types, all: func() ([]string, error) { return s.eventTypes(ctx, account) }}), nil
}
