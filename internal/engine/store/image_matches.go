package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// ImageMatches is an image, without its tags, and what it is affected by, worst
// first and without descriptions: all that the v1 API's report needs, asked for
// in one round trip where no exploitability document speaks of it.
func (s *Store) ImageMatches(ctx context.Context, account, digest string) (engine.Image, []engine.Match, error) {
	const find = ` FROM images i WHERE i.account = $1 AND (i.digest = $2 OR i.parent_digest = $2)
		ORDER BY i.created_at DESC, i.pk DESC LIMIT 1`
	const matches = `
		SELECT package_key, package, version, package_type, path, vuln, severity, fixes, fix_state, url, feed, feed_group,
		       namespace, '', cves, cpe, cpe23, will_not_fix, scores, epss, known_exploited, matcher, version_range, sample
		  FROM matches WHERE image = (SELECT i.pk` + find + `)
		 ORDER BY array_position(ARRAY['Critical','High','Medium','Low','Negligible','Unknown'], severity), vuln, package, version, path`

	var batch pgx.Batch
	batch.Queue(`SELECT `+imageColumns+find, account, digest)
	batch.Queue(matches, account, digest)
	batch.Queue(fmt.Sprintf(vexQuery, `(SELECT i.pk`+find+`)`), account, digest)
	answer := s.pool.SendBatch(ctx, &batch)
	defer answer.Close() //nolint:errcheck // what was wrong has been said by the rows
	rows, err := answer.Query()
	if err != nil {
		return engine.Image{}, nil, fmt.Errorf("image: %w", domain(err))
	}
	i, err := pgx.CollectExactlyOneRow(rows, scanImage)
	if err != nil {
		return engine.Image{}, nil, fmt.Errorf("image: %w", domain(err))
	}
	if rows, err = answer.Query(); err != nil {
		return engine.Image{}, nil, fmt.Errorf("matches: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanMatch)
	if err != nil {
		return engine.Image{}, nil, fmt.Errorf("matches: %w", domain(err))
	}
	if rows, err = answer.Query(); err != nil {
		return engine.Image{}, nil, fmt.Errorf("VEX statements: %w", domain(err))
	}
	statements, err := pgx.CollectRows(rows, scanMarking)
	if err != nil {
		return engine.Image{}, nil, fmt.Errorf("VEX statements: %w", domain(err))
	}
	if err := answer.Close(); err != nil {
		return engine.Image{}, nil, fmt.Errorf("matches: %w", domain(err))
	}
	if err := markBy(ctx, s.pool, i.pk, statements, list); err != nil {
		return engine.Image{}, nil, fmt.Errorf("matches: %w", domain(err))
	}
	return i.Image, list, nil
}
