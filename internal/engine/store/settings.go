package store

import (
	"context"
	"fmt"
)

// SettingOnce gives a setting that all processes of one engine share. The
// first to ask stores value; all others get that one.
func (s *Store) SettingOnce(ctx context.Context, key, value string) (string, error) {
	const add = `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`
	const get = `SELECT value FROM settings WHERE key = $1`

	// Two statements: one with RETURNING would not see a row that a racing
	// process commits meanwhile.
	if _, err := s.pool.Exec(ctx, add, key, value); err != nil {
		return "", fmt.Errorf("setting %s: %w", key, domain(err))
	}
	if err := s.pool.QueryRow(ctx, get, key).Scan(&value); err != nil {
		return "", fmt.Errorf("setting %s: %w", key, domain(err))
	}
	return value, nil
}
