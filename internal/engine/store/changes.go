package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// record appends a change and wakes the listeners. It belongs last in its
// transaction: the lock it takes is held until commit, so changes become
// visible in the order of their numbers and a reader at 41 cannot miss a 40.
// The notification carries the number alone: payloads are limited to 8,000
// bytes, and listeners must be able to replay anyway.
func record(ctx context.Context, tx pgx.Tx, kind engine.ChangeKind, account, id string, body any) error {
	const add = `
		WITH c AS (INSERT INTO changes (kind, account, id, body) VALUES ($1, $2, $3, $4) RETURNING seq)
		SELECT pg_notify('changes', seq::text) FROM c`

	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return fmt.Errorf("change body: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, changeLock); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, add, string(kind), account, id, raw)
	return err
}

// Announce records a change that has no other state to commit with.
func (s *Store) Announce(ctx context.Context, kind engine.ChangeKind, account, id string, body any) error {
	return s.inTx(ctx, "announce", func(tx pgx.Tx) error {
		return record(ctx, tx, kind, account, id, body)
	})
}

// LastChange is the number of the newest change; 0 before the first.
func (s *Store) LastChange(ctx context.Context) (int64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, `SELECT COALESCE(max(seq), 0) FROM changes`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("last change: %w", domain(err))
	}
	return n, nil
}

// ChangesAfter lists at most limit changes that follow number after.
func (s *Store) ChangesAfter(ctx context.Context, after int64, limit int) ([]engine.Change, error) {
	const q = `SELECT seq, kind, account, id, body, at FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2`

	rows, err := s.pool.Query(ctx, q, after, limit)
	if err != nil {
		return nil, fmt.Errorf("changes: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c engine.Change, err error) {
		err = r.Scan(&c.Seq, &c.Kind, &c.Account, &c.ID, &c.Body, &c.At)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("changes: %w", domain(err))
	}
	return list, nil
}

// TrimChanges forgets changes older than keep. A reader that held an older
// number is told to start afresh (Watch reports the gap).
func (s *Store) TrimChanges(ctx context.Context, keep time.Duration) error {
	// The newest row stays, so that numbers never seem to start again.
	const q = `DELETE FROM changes WHERE at < now() - $1::interval AND seq < (SELECT max(seq) FROM changes)`
	if _, err := s.pool.Exec(ctx, q, keep); err != nil {
		return fmt.Errorf("trim changes: %w", domain(err))
	}
	return nil
}

// watchBatch bounds how many changes one read takes into memory.
const watchBatch = 500

// Watch calls each with every change after the given number, in order, and
// goes on as new ones commit, until ctx ends or each returns an error. Lost
// connections are its caller's to retry: it returns the error, and the caller
// resumes from the last number it saw.
func (s *Store) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", domain(err))
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `LISTEN changes`); err != nil {
		return fmt.Errorf("watch: %w", domain(err))
	}
	// The connection goes back to the pool: it must not keep listening there.
	defer conn.Exec(context.WithoutCancel(ctx), `UNLISTEN *`) //nolint:errcheck // a broken connection is dropped by the pool

	for {
		list, err := s.ChangesAfter(ctx, after, watchBatch)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := each(c); err != nil {
				return err
			}
			after = c.Seq
		}
		if len(list) == watchBatch {
			continue
		}
		if err := waitForChange(ctx, conn.Conn()); err != nil {
			return fmt.Errorf("watch: %w", domain(err))
		}
	}
}

// A connection whose other end vanished without a word would be listened to
// for ever: when nothing was heard for a while it is asked whether it stands.
const (
	watchSilence = 15 * time.Second
	watchAnswer  = 5 * time.Second
)

func waitForChange(ctx context.Context, conn *pgx.Conn) error {
	quiet, cancel := context.WithTimeout(ctx, watchSilence)
	_, err := conn.WaitForNotification(quiet)
	cancel()
	if err == nil || ctx.Err() != nil || quiet.Err() == nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, watchAnswer)
	defer cancel()
	return conn.Ping(soon)
}
