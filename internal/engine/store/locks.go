package store

import (
	"context"
	"fmt"
	"time"
)

// The advisory locks of the database, in one place so that no two mean the
// same number.
const (
	// changeLock orders announcements; see record.
	changeLock = 7301
	// feedLock is held, by a session and not a transaction, by the one sync
	// that may run on all hosts; it falls with the connection.
	feedLock = 7302
	// switchLock stands between a switch of the data and analyses that end at
	// that moment: a switch holds it alone, analyses share it.
	switchLock = 7303
	// archiveLock is held, by a session, by the one process that applies the
	// archive rules.
	archiveLock = 7341
	// evaluationLock orders the evaluations of one image under one tag; its
	// second key says which.
	evaluationLock = 7371
	// vexLock lets one change an account's VEX documents, or count what they
	// mark; its second key says whose.
	vexLock = 7381
	// countLock is held by the one who draws counts together: two would take
	// the same rows in different orders.
	countLock = 7330
)

// trySessionLock takes a lock that belongs to a connection: it falls with the
// process, however that ends. It reports false when another holds it.
func (s *Store) trySessionLock(ctx context.Context, number int) (release func(), ok bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("lock %d: %w", number, domain(err))
	}
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, number).Scan(&ok)
	if err != nil || !ok {
		conn.Release()
		return nil, false, domain(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, number); err != nil {
			// A connection that may still hold the lock must not be reused.
			conn.Conn().Close(ctx)
		}
		conn.Release()
	}, true, nil
}
