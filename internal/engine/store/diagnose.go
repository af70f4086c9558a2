package store

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/migrations"
)

// Database asks the database about itself.
func (s *Store) Database(ctx context.Context) (engine.DatabaseState, error) {
	const q = `
		SELECT current_setting('server_version'),
		       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
		       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
		       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,
		       (SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied),
		       (SELECT extract(epoch FROM COALESCE(max(clock_timestamp() - xact_start), interval '0'))::float8
		          FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'),
		       clock_timestamp()`
	const bytes = `SELECT pg_database_size(current_database())`

	pool := s.pool.Stat()
	d := engine.DatabaseState{Ours: int(pool.AcquiredConns()), OursLimit: int(pool.MaxConns()), SchemaWant: newestMigration()}
	c, err := s.pool.Acquire(ctx) // what waits for a connection of ours is not the database's answer
	if err != nil {
		return d, fmt.Errorf("database: %w", domain(err))
	}
	defer c.Release()
	var longest float64
	began := time.Now()
	err = c.QueryRow(ctx, q).Scan(&d.Server, &d.Limit, &d.Connections, &d.ReadOnly, &d.Schema, &longest, &d.Now)
	if err != nil {
		return d, fmt.Errorf("database: %w", domain(err))
	}
	d.Took = time.Since(began)
	d.Skew = began.Add(d.Took / 2).Sub(d.Now)
	d.Longest, d.Now = time.Duration(longest*float64(time.Second)), d.Now.UTC()
	if err := c.QueryRow(ctx, bytes).Scan(&d.Bytes); err != nil {
		return d, fmt.Errorf("database: %w", domain(err))
	}
	return d, nil
}

// newestMigration is the number of the last that this program brings.
func newestMigration() int64 {
	names, _ := fs.Glob(migrations.FS, "*.sql") // the pattern is right
	var newest int64
	for _, name := range names {
		n, _, _ := strings.Cut(name, "_")
		if v, err := strconv.ParseInt(n, 10, 64); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}

// QueueStates looks through the queues for what is stuck.
func (s *Store) QueueStates(ctx context.Context) ([]engine.QueueState, error) {
	const q = `
		WITH j AS (
			SELECT queue, GREATEST(created_at, available_at) AS since, leased_until, leased_by,
			       leased_until <= now() AND available_at <= now() AS due,
			       leased_until > now() AS leased,
			       host <> '' AND queue = $1 AND NOT EXISTS (
			           SELECT FROM services v WHERE v.host = jobs.host AND v.name = $2 AND v.state = 'available') AS stranded
			  FROM jobs)
		SELECT queue, count(*) FILTER (WHERE due), count(*) FILTER (WHERE leased),
		       count(*) FILTER (WHERE NOT due AND NOT leased),
		       min(GREATEST(since, CASE WHEN isfinite(leased_until) THEN leased_until ELSE since END)) FILTER (WHERE due),
		       count(*) FILTER (WHERE due AND leased_by <> ''),
		       min(leased_until) FILTER (WHERE due AND leased_by <> '' AND isfinite(leased_until)),
		       count(*) FILTER (WHERE due AND stranded)
		  FROM j GROUP BY queue ORDER BY queue`

	rows, err := s.pool.Query(ctx, q, engine.QueueAnalyze, engine.Analyzer)
	if err != nil {
		return nil, fmt.Errorf("queue states: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.QueueState, err error) {
		var oldest, lapsed *time.Time
		err = r.Scan(&v.Queue, &v.Due, &v.Leased, &v.Resting, &oldest, &v.Lapsed, &lapsed, &v.Stranded)
		v.Oldest, v.LapsedAt = zero(oldest), zero(lapsed)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("queue states: %w", domain(err))
	}
	return list, nil
}

// FailedGroups counts an account's failed images by the cause, the most first.
func (s *Store) FailedGroups(ctx context.Context, account string) ([]engine.FailedGroup, error) {
	const q = `
		WITH g AS (
			SELECT COALESCE(failure->>'Cause', '') AS cause, count(*) AS n, (array_agg(pk ORDER BY updated_at DESC, pk DESC))[1] AS newest
			  FROM images WHERE account = $1 AND status = 'active' AND state = 'analysis_failed' GROUP BY 1)
		SELECT g.cause, g.n, i.updated_at, i.digest, COALESCE(i.failure->>'Message', ''),
		       COALESCE((SELECT registry || '/' || repository || ':' || tag FROM image_tags t
		                  WHERE t.image = i.pk ORDER BY detected_at DESC LIMIT 1), i.digest)
		  FROM g JOIN images i ON i.pk = g.newest ORDER BY g.n DESC, g.cause`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("failed images: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (g engine.FailedGroup, err error) {
		err = r.Scan(&g.Cause, &g.Images, &g.Last, &g.Digest, &g.Text, &g.Name)
		g.Last = g.Last.UTC()
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("failed images: %w", domain(err))
	}
	return list, nil
}

// FailedImages lists the images that failed of one cause, the newest first,
// and how many there are in all.
func (s *Store) FailedImages(ctx context.Context, account, cause string, limit int) (digests []string, total int64, err error) {
	const q = `
		SELECT digest, count(*) OVER () FROM images
		 WHERE account = $1 AND status = 'active' AND state = 'analysis_failed' AND COALESCE(failure->>'Cause', '') = $2
		 ORDER BY created_at DESC, pk DESC LIMIT $3`

	rows, err := s.pool.Query(ctx, q, account, cause, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("failed images: %w", domain(err))
	}
	digests, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (d string, err error) {
		err = r.Scan(&d, &total)
		return d, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("failed images: %w", domain(err))
	}
	return digests, total, nil
}

// ErrorGroups counts an account's error events since a moment by their type,
// the most first.
func (s *Store) ErrorGroups(ctx context.Context, account string, since time.Time) ([]engine.ErrorGroup, error) {
	w := ofAccount(account)
	if err := s.shown(ctx, w, account); err != nil {
		return nil, err
	}
	w.and("level = 'error' AND at > %s", since)
	q := fmt.Sprintf(`
		SELECT DISTINCT ON (type) type, sum(count) OVER (PARTITION BY type)::bigint, at, id,
		       message || CASE WHEN resource_id <> '' THEN ': ' || resource_id ELSE '' END
		  FROM events WHERE %s
		 ORDER BY type, at DESC, seq DESC`, w)
	q = `SELECT * FROM (` + q + `) g (type, n, at, id, text) ORDER BY n DESC, type`

	rows, err := s.pool.Query(ctx, q, w.planned()...)
	if err != nil {
		return nil, fmt.Errorf("error events: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (g engine.ErrorGroup, err error) {
		err = r.Scan(&g.Type, &g.Events, &g.Last, &g.ID, &g.Text)
		g.Last = g.Last.UTC()
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("error events: %w", domain(err))
	}
	return list, nil
}

// UnreadableRegistries names an account's registries whose stored password the
// secret key does not open.
func (s *Store) UnreadableRegistries(ctx context.Context, account string) ([]string, error) {
	const q = `SELECT name, password FROM registries WHERE account = $1 AND user_name <> '' ORDER BY name`

	rows, err := s.pool.Query(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("unreadable registries: %w", domain(err))
	}
	var names []string
	var name string
	var box []byte
	if _, err = pgx.ForEachRow(rows, []any{&name, &box}, func() error {
		if _, ok := s.unseal(box); !ok {
			names = append(names, name)
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("unreadable registries: %w", domain(err))
	}
	return names, nil
}
