package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// summaryPage is how many images a walk over all tags takes at once: no
// connection waits for a client that reads slowly.
const summaryPage = 1000

// EachTagSummary calls each with every tag of an account's images, those of
// the newest image first; with nil statuses, of images of any status.
func (s *Store) EachTagSummary(ctx context.Context, account string, statuses []string, each func(engine.TagSummary) error) error {
	var after *time.Time // NULL: from the newest
	var last int64
	for {
		images, err := s.summaries(ctx, account, statuses, &after, &last, each)
		if err != nil {
			return fmt.Errorf("tag summaries: %w", err)
		}
		if images < summaryPage {
			return nil
		}
	}
}

// summaries walks one page, moves the cursor behind it and counts its images.
func (s *Store) summaries(ctx context.Context, account string, statuses []string, after **time.Time, last *int64, each func(engine.TagSummary) error) (int, error) {
	// A cursor that is there or not would be a filter: so it is a bound, which
	// the index knows.
	q := `
		WITH page AS (
			SELECT * FROM images
			 WHERE account = $1 AND ($2::text[] IS NULL OR status = ANY($2))
			   AND (created_at, pk) < (COALESCE($3::timestamptz, 'infinity'), $4)
			 ORDER BY created_at DESC, pk DESC LIMIT ` + strconv.Itoa(summaryPage) + `)
		SELECT i.pk, i.digest, i.parent_digest, i.image_id, i.state, i.status, i.created_at, i.analyzed_at,
		       COALESCE(t.registry, ''), COALESCE(t.repository, ''), COALESCE(t.tag, ''), t.detected_at
		  FROM page i LEFT JOIN LATERAL (
			-- OFFSET keeps the planner from reading the whole table for a page.
			SELECT * FROM image_tags WHERE image = i.pk OFFSET 0) t ON true
		 ORDER BY i.created_at DESC, i.pk DESC, t.detected_at DESC, t.registry, t.repository, t.tag`

	type summary struct {
		pk int64
		engine.TagSummary
	}
	rows, err := s.pool.Query(ctx, q, account, statuses, *after, *last)
	if err != nil {
		return 0, domain(err)
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t summary, err error) {
		var analyzed, detected *time.Time
		err = r.Scan(&t.pk, &t.Digest, &t.ParentDigest, &t.ImageID, &t.State, &t.Status, &t.CreatedAt, &analyzed,
			&t.Registry, &t.Repository, &t.Tag, &detected)
		t.AnalyzedAt, t.DetectedAt = zero(analyzed), zero(detected)
		return t, err
	})
	if err != nil {
		return 0, domain(err)
	}
	images := 0
	for _, t := range list {
		if t.pk != *last || images == 0 {
			images++
		}
		*after, *last = &t.CreatedAt, t.pk
		if t.Tag == "" {
			continue // an image without a tag
		}
		if err := each(t.TagSummary); err != nil {
			return images, err
		}
	}
	return images, nil
}
