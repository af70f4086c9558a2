package store

import (
	"context"
	"fmt"

	"windlass/internal/engine"
)

// VerdictCounts is how the analyzed images of an account stand with its active
// bundle: each by the worst that the bundle said last of any of its tags. What
// it said when its document was another does not count.
func (s *Store) VerdictCounts(ctx context.Context, account string) (engine.VerdictCounts, error) {
	const q = `
		WITH said AS (
			SELECT DISTINCT ON (e.digest, e.tag) e.digest, e.action, e.evaluated_at
			  FROM policies p JOIN policy_evaluations e ON (e.account, e.policy, e.bundle) = (p.account, p.id, p.digest)
			 WHERE p.account = $1 AND p.active
			 ORDER BY e.digest, e.tag, e.evaluated_at DESC, e.pk DESC),
		worst AS (
			SELECT digest, max(CASE action WHEN 'stop' THEN 2 WHEN 'warn' THEN 1 ELSE 0 END) AS action, max(evaluated_at) AS at
			  FROM said GROUP BY digest)
		SELECT count(*) FILTER (WHERE w.action = 0), count(*) FILTER (WHERE w.action = 1), count(*) FILTER (WHERE w.action = 2),
		       count(*) FILTER (WHERE w.action IS NULL), max(w.at)
		  FROM images i LEFT JOIN worst w ON w.digest = i.digest
		 WHERE i.account = $1 AND i.state = 'analyzed' AND i.status = 'active'`

	var c engine.VerdictCounts
	var at nullTime
	if err := s.pool.QueryRow(ctx, q, account).Scan(&c.Go, &c.Warn, &c.Stop, &c.Waiting, &at); err != nil {
		return c, fmt.Errorf("verdict counts: %w", domain(err))
	}
	c.At = zero(at)
	return c, nil
}
