package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// The history of services is a table of its own, so that clearing events, or
// letting them go by age, takes nothing from it. It is kept for longer than
// the longest bar that is drawn of it; of an instance that goes up and down
// without end no more than serviceMoves are kept.
const (
	serviceMemory = 100 * 24 * time.Hour
	serviceMoves  = 2000
	// historyRows bounds one answer.
	historyRows = 50_000
)

// ServiceHistory lists the transitions since a moment, oldest first, and the
// last one before it of each service, so that its state at that moment is
// known. Of more than historyRows the newest are given.
func (s *Store) ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error) {
	const q = `
		SELECT host, name, from_state, to_state, cause, at FROM (
			(SELECT DISTINCT ON (host, name) * FROM service_transitions WHERE at <= $1 ORDER BY host, name, at DESC, id DESC)
			UNION ALL
			(SELECT * FROM service_transitions WHERE at > $1 ORDER BY at DESC, id DESC LIMIT $2)
		) AS moves
		ORDER BY at, id`

	rows, err := s.pool.Query(ctx, q, since, historyRows)
	if err != nil {
		return nil, fmt.Errorf("service history: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t engine.ServiceTransition, err error) {
		err = r.Scan(&t.Host, &t.Name, &t.From, &t.To, &t.Cause, &t.At)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("service history: %w", domain(err))
	}
	return list, nil
}

// TrimServiceHistory forgets transitions that no bar shows. The last one of
// before stays: it says in which state the time that is shown began.
func (s *Store) TrimServiceHistory(ctx context.Context) (int64, error) {
	const q = `
		DELETE FROM service_transitions WHERE id IN (
			SELECT id FROM (
				SELECT id, at, lead(at) OVER w AS next, row_number() OVER (PARTITION BY host, name ORDER BY at DESC, id DESC) AS n
				  FROM service_transitions WINDOW w AS (PARTITION BY host, name ORDER BY at, id)) AS moves
			 WHERE next < now() - $1::interval OR n > $2)`

	tag, err := s.pool.Exec(ctx, q, serviceMemory, serviceMoves)
	if err != nil {
		return 0, fmt.Errorf("trim service history: %w", domain(err))
	}
	return tag.RowsAffected(), nil
}
