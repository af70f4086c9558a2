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
	filter engine.EventFilter
	types  []string // that the filter's type means; nil: any
	conds  []string
	args   []any
	text   string   // condition that no index answers, kept apart
	parts  []string // when not empty, one of these holds as well, and no two do
	none   bool     // nothing can match
}

// and adds a condition, in which each %s stands for the next argument.
func (w *eventWhere) and(cond string, args ...any) {
	w.conds = append(w.conds, w.cond(cond, args...))
}

// cond is a condition that is not added yet, but whose arguments are.
func (w *eventWhere) cond(cond string, args ...any) string {
	marks := make([]any, len(args))
	for i, a := range args {
		marks[i] = w.arg(a)
	}
	return fmt.Sprintf(cond, marks...)
}

// arg adds an argument and gives its mark.
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

// String is the whole condition, but for the parts.
func (w *eventWhere) String() string {
	if w.text == "" {
		return w.indexed()
	}
	return w.indexed() + " AND " + w.text
}

// indexed is the condition without the text.
func (w *eventWhere) indexed() string { return strings.Join(w.conds, " AND ") }

// rows selects columns, at and seq among them, of the first rows of the list
// in an order. Parts are walked one by one, each along its own index.
func (w *eventWhere) rows(columns, cond, order string, limit int) string {
	one := func(part string) string {
		return fmt.Sprintf("SELECT %[1]s FROM events WHERE %[2]s%[3]s ORDER BY at %[4]s, seq %[4]s LIMIT %[5]d", columns, cond, part, order, limit)
	}
	if len(w.parts) == 0 {
		return one("")
	}
	var list []string
	for _, part := range w.parts {
		list = append(list, "("+one(" AND "+part)+")")
	}
	return fmt.Sprintf("SELECT * FROM (%[1]s) parts ORDER BY at %[2]s, seq %[2]s LIMIT %[3]d", strings.Join(list, " UNION ALL "), order, limit)
}

// ofAccount is the condition on all events of an account.
func ofAccount(account string) *eventWhere {
	return &eventWhere{args: []any{account}, conds: []string{"account = $1", "cleared_by IS NULL"}}
}

// eventFilter turns a filter into a condition on the events of one account,
// cleared or not.
func (s *Store) eventFilter(ctx context.Context, account string, f engine.EventFilter) (*eventWhere, error) {
	w := ofAccount(account)
	return w, s.filterInto(ctx, w, account, f)
}

// storableFilter reports whether some row could hold the texts of a filter: the
// database would refuse to compare others.
func storableFilter(f engine.EventFilter) bool {
	texts := append(append([]string{f.Service, f.Host, f.Type, f.Level, f.ResourceType, f.ResourceID, f.Text}, f.IDs...), f.Except...)
	for _, r := range f.Runs {
		texts = append(texts, r.Type, r.Level, r.Service, r.Host, r.ResourceType, r.ResourceID)
	}
	return !slices.ContainsFunc(texts, func(t string) bool { return !isStorable(t) })
}

// filterInto adds the conditions of a filter.
func (s *Store) filterInto(ctx context.Context, w *eventWhere, account string, f engine.EventFilter) error {
	w.filter = f
	if !storableFilter(f) {
		w.none = true
		w.and("false")
		return nil
	}
	if f.Type != "" {
		if err := s.typeFilter(ctx, w, account, f.Type); err != nil {
			return err
		}
	}
	for _, c := range []struct{ column, value string }{
		{"level", strings.ToLower(f.Level)}, {"service", f.Service}, {"host", f.Host},
		{"resource_type", f.ResourceType}, {"resource_id", f.ResourceID},
	} {
		if c.value != "" {
			w.and(c.column+" = %s", c.value)
		}
	}
	if !f.Since.IsZero() {
		w.and("at > %s", f.Since)
	}
	if !f.Before.IsZero() {
		w.and("at < %s", f.Before)
	}
	if f.Text != "" {
		text, err := s.textFilter(ctx, w, account, f.Text)
		if err != nil {
			return err
		}
		w.text = text
	}
	if len(f.IDs)+len(f.Runs) > 0 {
		w.conds = append(w.conds, w.chosen(f))
	}
	if len(f.Except) > 0 {
		w.and("id <> ALL(%s)", f.Except)
	}
	return nil
}

// chosen is the condition that an event is one of those picked.
func (w *eventWhere) chosen(f engine.EventFilter) string {
	var any []string
	if len(f.IDs) > 0 {
		any = append(any, w.cond("id = ANY(%s)", f.IDs))
	}
	for _, r := range f.Runs {
		any = append(any, w.cond(`(type = %s AND level = %s AND service = %s AND host = %s AND resource_type = %s
			AND resource_id = %s AND at BETWEEN %s AND %s)`,
			r.Type, r.Level, r.Service, r.Host, r.ResourceType, r.ResourceID, r.Since, r.Until))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// typeFilter accepts a dotted type, a short name, and * for any characters in
// either. A wildcard is resolved to the types that the account has: they are
// few, and a LIKE that begins with a wildcard would read every event.
func (s *Store) typeFilter(ctx context.Context, w *eventWhere, account, pattern string) error {
	if !strings.Contains(pattern, "*") {
		if t, ok := engine.EventTypeOf(pattern); ok {
			pattern = t.Type
		}
		w.types = []string{pattern}
		w.and("type = %s", pattern)
		return nil
	}
	match, all, err := s.matchingTypes(ctx, account, pattern)
	if err != nil {
		return err
	}
	switch {
	case len(match) == 0:
		w.none = true
		w.and("false")
		return nil
	case all: // no condition
		return nil
	case len(match) == 1:
		w.and("type = %s", match[0])
	default:
		w.and("type = ANY(%s)", match)
	}
	w.types = match
	return nil
}

// matchingTypes are those of an account that a pattern with * means, and
// whether that is all of them.
func (s *Store) matchingTypes(ctx context.Context, account, pattern string) (match []string, all bool, err error) {
	types, err := s.eventTypes(ctx, account)
	if err != nil {
		return nil, false, err
	}
	for _, t := range types {
		if engine.EventTypeMatches(pattern, t) {
			match = append(match, t)
		}
	}
	return match, len(match) == len(types), nil
}

// eventTypes lists the types that an account has events of.
func (s *Store) eventTypes(ctx context.Context, account string) ([]string, error) {
	return s.eventValues(ctx, account, "type")
}

// eventValues lists what stands in a column of an account's events, cleared
// ones included, by jumping through the column's index from one to the next.
func (s *Store) eventValues(ctx context.Context, account, column string) ([]string, error) {
	q := strings.ReplaceAll(`
		WITH RECURSIVE t AS (
			(SELECT COL FROM events WHERE account = $1 AND cleared_by IS NULL ORDER BY COL LIMIT 1)
			UNION ALL
			SELECT (SELECT COL FROM events WHERE account = $1 AND cleared_by IS NULL AND COL > t.COL
			         ORDER BY COL LIMIT 1)
			  FROM t WHERE t.COL IS NOT NULL)
		SELECT COL FROM t WHERE COL IS NOT NULL`, "COL", column)

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("event %ss: %w", column, domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("event %ss: %w", column, domain(err))
	}
	return list, nil
}

// textFilter looks for a part of what a person sees of an event, short name
// and cause included. Types are few and compared here, ids only with what
// could be one: each column that the database has to fold costs as much again.
func (s *Store) textFilter(ctx context.Context, w *eventWhere, account, text string) (string, error) {
	types, err := s.eventTypes(ctx, account)
	if err != nil {
		return "", err
	}
	lower := strings.ToLower(text)
	match := slices.DeleteFunc(types, func(t string) bool {
		return !strings.Contains(t, lower) && !strings.Contains(engine.ShortEventName(t), lower)
	})
	like := w.arg("%" + likeEscaper.Replace(text) + "%")
	cond := fmt.Sprintf(`(type = ANY(%[2]s) OR message ILIKE %[1]s OR resource_id ILIKE %[1]s
		OR details <> '{}' AND details::text ILIKE %[1]s`, like, w.arg(match))
	if strings.Trim(lower, "0123456789abcdef") == "" {
		cond += ` OR id LIKE ` + w.arg("%"+lower+"%")
	}
	return cond + ")", nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }

func isConflict(err error) bool { return errors.Is(err, engine.ErrConflict) }
