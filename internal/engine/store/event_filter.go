package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// eventWhere is a filter as SQL: only the conditions that it sets, with their
// arguments. One constant statement of "$1 = ” OR level = $1" would read
// better, but its plan cannot use the index of the one filter that is set, and
// at ten million events that is the difference between 1 ms and a minute.
type eventWhere struct {
	sql  strings.Builder
	args []any
	text string // condition that no index answers, kept apart
	none bool   // nothing can match
}

// and adds a condition, in which each %s stands for the next argument.
func (w *eventWhere) and(cond string, args ...any) {
	marks := make([]any, len(args))
	for i, a := range args {
		marks[i] = w.arg(a)
	}
	w.sql.WriteString(" AND ")
	fmt.Fprintf(&w.sql, cond, marks...)
}

// arg adds an argument outside a condition and gives its mark.
func (w *eventWhere) arg(a any) string {
	w.args = append(w.args, a)
	return fmt.Sprintf("$%d", len(w.args))
}

// planned gives the arguments for a statement whose plan is made for their
// values: a prepared statement may settle on one plan for all values, and
// level 'error' wants another than 'info'.
func (w *eventWhere) planned() []any {
	return append([]any{pgx.QueryExecModeCacheDescribe}, w.args...)
}

// String is the whole condition.
func (w *eventWhere) String() string {
	if w.text == "" {
		return w.sql.String()
	}
	return w.sql.String() + " AND " + w.text
}

// indexed is the condition without the text.
func (w *eventWhere) indexed() string { return w.sql.String() }

// eventFilter turns a filter into a condition on the events of one account
// that are not cleared.
func (s *Store) eventFilter(ctx context.Context, account string, f engine.EventFilter) (*eventWhere, error) {
	w := &eventWhere{args: []any{account}}
	w.sql.WriteString("account = $1 AND cleared_by IS NULL")
	for _, text := range append(append([]string{f.Service, f.Host, f.Type, f.ResourceType, f.ResourceID, f.Text}, f.IDs...), f.Except...) {
		if !isStorable(text) { // no row can hold it, and the database would refuse to compare
			w.none = true
			w.and("false")
			return w, nil
		}
	}
	if f.Type != "" {
		if err := s.typeFilter(ctx, w, account, f.Type); err != nil {
			return nil, err
		}
	}
	if f.Level != "" {
		w.and("level = %s", strings.ToLower(f.Level))
	}
	if f.Service != "" {
		w.and("service = %s", f.Service)
	}
	if f.Host != "" {
		w.and("host = %s", f.Host)
	}
	if f.ResourceType != "" {
		w.and("resource_type = %s", f.ResourceType)
	}
	if f.ResourceID != "" {
		w.and("resource_id = %s", f.ResourceID)
	}
	if !f.Since.IsZero() {
		w.and("at > %s", f.Since)
	}
	if !f.Before.IsZero() {
		w.and("at < %s", f.Before)
	}
	if f.Text != "" {
		if err := s.textFilter(ctx, w, account, f.Text); err != nil {
			return nil, err
		}
	}
	if len(f.IDs) > 0 {
		w.and("id = ANY(%s)", f.IDs)
	}
	if len(f.Except) > 0 {
		w.and("id <> ALL(%s)", f.Except)
	}
	return w, nil
}

// typeFilter accepts a dotted type, a short name, and * for any characters in
// either. A wildcard is resolved to the types that the account has: they are
// few, and a LIKE that begins with a wildcard would read every event.
func (s *Store) typeFilter(ctx context.Context, w *eventWhere, account, pattern string) error {
	if !strings.Contains(pattern, "*") {
		if t, ok := engine.EventTypeOf(pattern); ok {
			pattern = t.Type
		}
		w.and("type = %s", pattern)
		return nil
	}
	types, err := s.eventTypes(ctx, account)
	if err != nil {
		return err
	}
	var match []string
	for _, t := range types {
		if engine.EventTypeMatches(pattern, t) {
			match = append(match, t)
		}
	}
	switch len(match) {
	case 0:
		w.none = true
		w.and("false")
	case 1:
		w.and("type = %s", match[0])
	case len(types): // all: no condition
	default:
		w.and("type = ANY(%s)", match)
	}
	return nil
}

// eventTypes lists the types that an account has events of, by jumping through
// the index from one to the next.
func (s *Store) eventTypes(ctx context.Context, account string) ([]string, error) {
	const q = `
		WITH RECURSIVE t AS (
			(SELECT type FROM events WHERE account = $1 AND cleared_by IS NULL ORDER BY type LIMIT 1)
			UNION ALL
			SELECT (SELECT type FROM events WHERE account = $1 AND cleared_by IS NULL AND type > t.type
			         ORDER BY type LIMIT 1)
			  FROM t WHERE t.type IS NOT NULL)
		SELECT type FROM t WHERE type IS NOT NULL`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("event types: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("event types: %w", domain(err))
	}
	return list, nil
}

// textFilter looks for a part of what a person sees of an event, short name
// and cause included. Types are few and compared here, ids only with what
// could be one: each column that the database has to fold costs as much again.
func (s *Store) textFilter(ctx context.Context, w *eventWhere, account, text string) error {
	types, err := s.eventTypes(ctx, account)
	if err != nil {
		return err
	}
	lower := strings.ToLower(text)
	match := slices.DeleteFunc(types, func(t string) bool {
		return !strings.Contains(t, lower) && !strings.Contains(engine.ShortEventName(t), lower)
	})
	like := w.arg("%" + likeEscaper.Replace(text) + "%")
	w.text = fmt.Sprintf(`(type = ANY(%[2]s) OR message ILIKE %[1]s OR resource_id ILIKE %[1]s
		OR details <> '{}' AND details::text ILIKE %[1]s`, like, w.arg(match))
	if strings.Trim(lower, "0123456789abcdef") == "" {
		w.text += ` OR id LIKE ` + w.arg("%"+lower+"%")
	}
	w.text += ")"
	return nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }
