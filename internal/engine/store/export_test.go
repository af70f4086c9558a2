package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// EventsWithin is Events with a search that looks through fewer events.
func (s *Store) EventsWithin(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage, window int) (engine.EventList, error) {
	return s.events(ctx, account, f, p, window)
}

// CleanedTables are the tables that the deletion of an account looks after.
func CleanedTables() map[string]bool {
	all := map[string]bool{}
	for _, c := range cleanups {
		all[c.table] = true
	}
	for table := range cleanedElsewhere {
		all[table] = true
	}
	return all
}

// Domain is what the store makes of a driver's error.
var Domain = domain

// ChangeLock is the lock under which changes are announced.
const ChangeLock = changeLock

// InTx runs f in one transaction.
func (s *Store) InTx(ctx context.Context, what string, f func(pgx.Tx) error) error {
	return s.inTx(ctx, what, f)
}

// PutDocument writes one document in a transaction of its own.
func (s *Store) PutDocument(ctx context.Context, account, bucket, key string, body []byte) error {
	return s.inTx(ctx, "put document", func(tx pgx.Tx) error { return putDocument(ctx, tx, account, bucket, key, body) })
}
