// Package store holds all SQL. A visible change commits its state, its event
// and its numbered announcement in one transaction: both or neither. Rows
// become engine types here and nowhere else, and drivers' errors become the
// engine's sentinels at this edge.
//
// One file a subject: the methods on Store in events.go are the SQL of the
// event log, and so on. record belongs last in its transaction.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"windlass/internal/engine"
	"windlass/migrations"
)

// minVersion is the oldest PostgreSQL whose dialect this program speaks.
const minVersion = 140000

const deadlockDetected = "40P01"

// Store is the engine's database.
type Store struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	key  *[32]byte // seals registry passwords; see SetSecretKey

	answers answers // to queries, for their further pages

	policies engine.PolicySet // of new accounts; see SetPolicies

	analyzeAttempts int // at one analysis; see SetAnalyzeAttempts
}

// Open connects, checks the server's version and migrates the schema. Two
// programs may open one database at once: migrations run under a lock.
func Open(ctx context.Context, dsn string, maxConns int, log *slog.Logger) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	cfg.MaxConns = int32(max(maxConns, 4))
	// Tasks that begin together open many; each holds two megabytes or more in
	// the database.
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = 10*time.Second, 5*time.Second
	cfg.ConnConfig.RuntimeParams["application_name"] = "windlass"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	s := &Store{pool: pool, log: log, analyzeAttempts: defaultAnalyzeAttempts}
	if err := s.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	var version int
	if err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return fmt.Errorf("database: %w", domain(err))
	}
	if version < minVersion {
		return fmt.Errorf("database: PostgreSQL %d.%d is too old, need 14 or newer", version/10000, version%10000)
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	return migrate(ctx, db)
}

func migrate(ctx context.Context, db *sql.DB) error {
	// One second between tries: the default of five lets racing starts wait ten.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// A database that ran a version between two releases may have a later one before an
	// earlier: each stands by itself.
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Close waits for borrowed connections and closes them all.
func (s *Store) Close() { s.pool.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ping: %w", domain(err))
	}
	return nil
}

// Pool is for tests that look at rows directly.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// inTx runs f in one transaction and names what was being done in its error.
// Of two transactions that wait for each other the database ends one: that one
// runs once more, so f must not build on what it left outside itself.
func (s *Store) inTx(ctx context.Context, what string, f func(pgx.Tx) error) error {
	whole := func(tx pgx.Tx) error {
		if err := stillThere(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	}
	err := pgx.BeginFunc(ctx, s.pool, whole)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == deadlockDetected {
		s.log.InfoContext(ctx, "transaction again", "what", what, "err", err)
		err = pgx.BeginFunc(ctx, s.pool, whole)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, domain(err))
	}
	return nil
}

// domain turns a driver error into one the engine's callers can test for. An
// error that is already the engine's stays as it is.
func domain(err error) error {
	var pg *pgconn.PgError
	var conn *pgconn.ConnectError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return engine.ErrNotFound
	case errors.As(err, &pg) && pg.Code == "23505":
		return fmt.Errorf("%w: %s", engine.ErrConflict, pg.ConstraintName)
	case errors.As(err, &pg) && (pg.Code == "22021" || pg.Code == "22P05"):
		return &engine.Fault{Kind: engine.ErrInvalid, Message: "text holds characters that cannot be stored", Cause: err}
	case errors.As(err, &conn), errors.As(err, &pg) && passes(pg.Code):
		return fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
	}
	return err
}

// passes reports whether what failed may succeed when it is asked for again:
// the connection broke, the server stops or is short of something, or two
// transactions stood in each other's way and this one was the one to go.
func passes(code string) bool {
	switch code[:2] {
	case "08", "40", "53", "57":
		return true
	}
	return false
}

// null is nil for a zero time, for columns where absence is NULL.
func null(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// zero is the zero time for NULL.
func zero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
