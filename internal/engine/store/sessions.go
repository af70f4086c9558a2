package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// AddSession stores a console login, and forgets those that have run out.
func (s *Store) AddSession(ctx context.Context, n engine.Session) error {
	const trim = `DELETE FROM sessions WHERE expires_at < now()`
	const add = `
		INSERT INTO sessions (id_hash, user_name, csrf, created_at, seen_at, expires_at, address, agent)
		VALUES ($1, $2, $3, $4, $4, $5, $6, $7)`

	if _, err := s.pool.Exec(ctx, trim); err != nil {
		return fmt.Errorf("add session: %w", domain(err))
	}
	if _, err := s.pool.Exec(ctx, add, n.Hash, n.User, n.CSRF, n.CreatedAt, n.ExpiresAt, storableText(n.Address), storableText(n.Agent)); err != nil {
		return fmt.Errorf("add session: %w", domain(err))
	}
	return nil
}

// Session finds the session of a token's hash and, when seen, marks it as used
// now. It is engine.ErrNotFound when it has run out, was not used for longer
// than idle, or its user may not sign in any more.
func (s *Store) Session(ctx context.Context, hash []byte, idle time.Duration, seen bool) (engine.Session, error) {
	const get = `
		SELECT u.name, a.name, a.type, a.state, ` + grantsOfUser + `, s.csrf, s.created_at, s.seen_at, s.expires_at, ` + preferenceColumns + `
		  FROM sessions s
		  JOIN users u ON u.name = s.user_name
		  JOIN accounts a ON a.name = u.account
		  LEFT JOIN user_preferences f ON f.user_name = u.name
		 WHERE s.id_hash = $1 AND s.expires_at > now() AND s.seen_at > now() - $2::interval
		   AND a.state = 'enabled' AND u.password_hash IS NOT NULL`
	// Kept to the minute: a page view must not cost a write each time.
	const mark = `UPDATE sessions SET seen_at = now() WHERE id_hash = $1 AND seen_at < now() - interval '1 minute'`

	n := engine.Session{Hash: hash}
	var l engine.Login
	err := s.pool.QueryRow(ctx, get, hash, idle).Scan(&l.User.Name, &l.Account.Name, &l.Account.Type, &l.Account.State, &l.Grants,
		&n.CSRF, &n.CreatedAt, &n.SeenAt, &n.ExpiresAt,
		&n.Preferences.Theme, &n.Preferences.Zone, &n.Preferences.Rail, &n.Preferences.Density, &n.Preferences.PageSize)
	if err != nil {
		return engine.Session{}, fmt.Errorf("session: %w", domain(err))
	}
	n.Identity = l.Identity()
	if seen && time.Since(n.SeenAt) > time.Minute {
		if _, err := s.pool.Exec(ctx, mark, hash); err != nil {
			return engine.Session{}, fmt.Errorf("session seen: %w", domain(err))
		}
	}
	return n, nil
}

// EndSession forgets a session; engine.ErrNotFound when there is none.
func (s *Store) EndSession(ctx context.Context, hash []byte) error {
	const q = `
		WITH ended AS (DELETE FROM sessions WHERE id_hash = $1 RETURNING user_name)
		SELECT u.account, u.name FROM ended JOIN users u ON u.name = ended.user_name`

	return s.inTx(ctx, "end session", func(tx pgx.Tx) error {
		var account, user string
		if err := tx.QueryRow(ctx, q, hash).Scan(&account, &user); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeSession, account, user, nil)
	})
}

// UserSessions lists the live sessions of a user, the one used last first.
func (s *Store) UserSessions(ctx context.Context, user string, idle time.Duration) ([]engine.Session, error) {
	const q = `
		SELECT id_hash, created_at, seen_at, expires_at, address, agent FROM sessions
		 WHERE user_name = $1 AND expires_at > now() AND seen_at > now() - $2::interval
		 ORDER BY seen_at DESC, created_at DESC LIMIT 200`

	rows, err := s.pool.Query(ctx, q, user, idle)
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (n engine.Session, err error) {
		n.User = user
		err = r.Scan(&n.Hash, &n.CreatedAt, &n.SeenAt, &n.ExpiresAt, &n.Address, &n.Agent)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("sessions: %w", domain(err))
	}
	return list, nil
}

// EndUserSessions ends the sessions of a user but the one of a hash, and gives
// the hashes of those that ended.
func (s *Store) EndUserSessions(ctx context.Context, user string, keep []byte) ([][]byte, error) {
	const q = `DELETE FROM sessions WHERE user_name = $1 AND id_hash <> $2 RETURNING id_hash`
	const home = `SELECT account FROM users WHERE name = $1`

	if keep == nil {
		keep = []byte{}
	}
	var list [][]byte
	err := s.inTx(ctx, "end sessions", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, q, user, keep)
		if err != nil {
			return err
		}
		if list, err = pgx.CollectRows(rows, pgx.RowTo[[]byte]); err != nil || len(list) == 0 {
			return err
		}
		var account string
		if err := tx.QueryRow(ctx, home, user).Scan(&account); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeSession, account, user, nil)
	})
	return list, err
}

// AccountLeft counts what an account still owns of what there is most of, the
// events up to a bound.
func (s *Store) AccountLeft(ctx context.Context, account string) (images, events int64, err error) {
	const q = `
		SELECT (SELECT count(*) FROM images WHERE account = $1),
		       (SELECT count(*) FROM (SELECT 1 FROM events WHERE account = $1 LIMIT 100000) e)`

	if err := s.pool.QueryRow(ctx, q, account).Scan(&images, &events); err != nil {
		return 0, 0, fmt.Errorf("account left: %w", domain(err))
	}
	return images, events, nil
}
