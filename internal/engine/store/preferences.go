package store

import (
	"context"
	"fmt"

	"windlass/internal/engine"
)

// preferenceColumns are a user's preferences f, which may not be there.
const preferenceColumns = `
	COALESCE(f.theme, ''), COALESCE(f.zone, ''), COALESCE(f.rail, ''), COALESCE(f.density, ''), COALESCE(f.page_size, 0)`

// SetPreferences keeps how a user likes the console drawn; what change leaves
// open stays as it is. engine.ErrNotFound without that user.
func (s *Store) SetPreferences(ctx context.Context, user string, change engine.Preferences) error {
	// One statement, so that two switches pressed at once are both kept.
	const q = `
		INSERT INTO user_preferences AS f (user_name, theme, zone, rail, density, page_size)
		SELECT name, $2, $3, $4, $5, $6 FROM users WHERE name = $1
		ON CONFLICT (user_name) DO UPDATE SET
			theme = COALESCE(NULLIF($2, ''), f.theme), zone = COALESCE(NULLIF($3, ''), f.zone),
			rail = COALESCE(NULLIF($4, ''), f.rail), density = COALESCE(NULLIF($5, ''), f.density),
			page_size = COALESCE(NULLIF($6, 0), f.page_size), updated_at = now()`

	tag, err := s.pool.Exec(ctx, q, user, change.Theme, change.Zone, change.Rail, change.Density, change.PageSize)
	if err != nil {
		return fmt.Errorf("set preferences: %w", domain(err))
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("set preferences: %w", engine.ErrNotFound)
	}
	return nil
}
