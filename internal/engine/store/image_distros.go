package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ImageDistros lists the distributions of an account's images, each by itself
// and with its versions, for the filters of the list page.
func (s *Store) ImageDistros(ctx context.Context, account string, limit int) ([]string, error) {
	// One look into the index for each, however many images there are.
	const q = `
		WITH RECURSIVE d (distro, version) AS (
			(SELECT distro, COALESCE(distro_version, '') FROM images
			  WHERE account = $1 AND distro IS NOT NULL ORDER BY distro, distro_version LIMIT 1)
			UNION ALL
			SELECT n.distro, n.version FROM d CROSS JOIN LATERAL (
				SELECT distro, COALESCE(distro_version, '') AS version FROM images
				 WHERE account = $1 AND distro IS NOT NULL AND (distro, distro_version) > (d.distro, d.version)
				 ORDER BY distro, distro_version LIMIT 1) n)
		SELECT distro, version FROM d LIMIT $2`

	rows, err := s.pool.Query(ctx, q, account, limit)
	if err != nil {
		return nil, fmt.Errorf("image distros: %w", domain(err))
	}
	var list []string
	var last, distro, version string
	_, err = pgx.ForEachRow(rows, []any{&distro, &version}, func() error {
		if name := knownDistro(distro); name != last || len(list) == 0 {
			list, last = append(list, name), name
		}
		if version != "" && knownDistro(distro) == distro {
			list = append(list, distro+" "+version)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("image distros: %w", domain(err))
	}
	return list, nil
}
