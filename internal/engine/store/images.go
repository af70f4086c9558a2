package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// imageColumns are the columns that scanImage reads, in its order. The starter
// flag asks by primary key and costs nothing beside the row itself.
const imageColumns = `
	i.pk, i.account, i.digest, i.parent_digest, i.image_id, i.state, i.status, i.source, i.annotations,
	i.arch, i.distro, i.distro_version, i.dockerfile_mode, i.image_size, i.layer_count, i.analysis_ms, i.analysis_peak,
	i.stage, i.stage_done, i.stage_total, i.stage_since, i.attempt, i.attempts, i.worker, i.failure,
	i.packages, i.sev_critical, i.sev_high, i.sev_medium, i.sev_low, i.sev_negligible, i.sev_unknown,
	i.fixable, i.known_exploited, i.matched_with, i.matched_at, i.created_at, i.updated_at, i.analyzed_at,
	COALESCE((SELECT d.starter FROM feed_data d WHERE d.id = i.matched_with), false),
	COALESCE((SELECT sum(v.not_affected + v.fixed) FROM vex_marks v WHERE v.image = i.pk), 0),
	CASE WHEN i.state = 'not_analyzed' AND i.failure IS NOT NULL THEN
		(SELECT j.available_at FROM jobs j WHERE j.queue = 'images_to_analyze' AND j.account = i.account AND j.subject = i.digest) END`

// imageRow is an image with the key that the rest of the schema knows it by.
type imageRow struct {
	pk   int64
	size int // bytes of what varies
	engine.Image
}

// imageScan takes in one row of imageColumns.
type imageScan struct {
	row                                  imageRow
	annotations, failure                 []byte
	arch, distro, distroVersion, docMode *string
	size                                 *int64
	layers                               *int
	tookMS                               int64
	progress                             engine.Progress
	since, matched, analyzed, next       *time.Time
}

// into are the places of the columns, in their order.
func (c *imageScan) into() []any {
	i, p := &c.row.Image, &c.progress
	return []any{
		&c.row.pk, &i.Account, &i.Digest, &i.ParentDigest, &i.ID, &i.State, &i.Status, &i.Source, &c.annotations,
		&c.arch, &c.distro, &c.distroVersion, &c.docMode, &c.size, &c.layers, &c.tookMS, &i.Run.Peak,
		&p.Stage, &p.Done, &p.Total, &c.since, &p.Attempt, &p.Attempts, &p.Worker, &c.failure,
		&i.Packages, &i.Severities.Critical, &i.Severities.High, &i.Severities.Medium, &i.Severities.Low,
		&i.Severities.Negligible, &i.Severities.Unknown,
		&i.Fixable, &i.Exploited, &i.MatchedWith, &c.matched, &i.CreatedAt, &i.UpdatedAt, &c.analyzed, &i.Starter, &i.Cleared, &c.next,
	}
}

// image makes an image of the row.
func (c *imageScan) image() (imageRow, error) {
	i := &c.row.Image
	c.row.size = len(c.annotations) + len(c.failure)
	i.CreatedAt, i.UpdatedAt = i.CreatedAt.UTC(), i.UpdatedAt.UTC()
	i.Run.Took = time.Duration(c.tookMS) * time.Millisecond
	i.AnalyzedAt, i.MatchedAt, c.progress.Since = zero(c.analyzed), zero(c.matched), zero(c.since)
	if err := json.Unmarshal(c.annotations, &i.Annotations); err != nil {
		return c.row, fmt.Errorf("annotations: %w", err)
	}
	if c.layers != nil {
		i.Meta = &engine.ImageMeta{
			Arch: orEmpty(c.arch), Distro: orEmpty(c.distro), DistroVersion: orEmpty(c.distroVersion),
			DockerfileMode: orEmpty(c.docMode), LayerCount: *c.layers,
		}
		if c.size != nil {
			i.Meta.Size = *c.size
		}
	}
	if i.State == engine.Analyzing {
		i.Progress = &c.progress
	}
	if c.failure != nil && (i.State == engine.Failed || i.State == engine.NotAnalyzed) {
		i.Failure = new(engine.Failure)
		if err := json.Unmarshal(c.failure, i.Failure); err != nil {
			return c.row, fmt.Errorf("failure: %w", err)
		}
		// When the queue will offer it, which may have been told to do so
		// earlier since the attempt failed.
		if c.next != nil {
			i.Failure.NextAt = zero(c.next)
		}
	}
	return c.row, nil
}

func scanImage(r pgx.CollectableRow) (imageRow, error) {
	var c imageScan
	if err := r.Scan(c.into()...); err != nil {
		return c.row, err
	}
	return c.image()
}

// orEmpty is the empty string for NULL.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// image finds the image whose key pick selects, with its tags, in one round
// trip: this is what clients poll.
func (s *Store) image(ctx context.Context, pick string, args ...any) (engine.Image, error) {
	q := `SELECT ` + imageColumns + `,
		       COALESCE(t.registry, ''), COALESCE(t.repository, ''), COALESCE(t.tag, ''), COALESCE(t.dockerfile, ''), t.detected_at, t.created_at, t.updated_at
		  FROM images i LEFT JOIN image_tags t ON t.image = i.pk
		 WHERE i.pk = (` + pick + ` ORDER BY created_at DESC, pk DESC LIMIT 1)
		 ORDER BY t.detected_at DESC, t.tag`

	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return engine.Image{}, fmt.Errorf("image: %w", domain(err))
	}
	var c imageScan
	var tags []engine.ImageTag
	var t engine.ImageTag
	var detected, created, updated *time.Time
	_, err = pgx.ForEachRow(rows, append(c.into(), &t.Registry, &t.Repository, &t.Tag, &t.Dockerfile, &detected, &created, &updated), func() error {
		if t.Tag != "" {
			t.Digest = c.row.Digest
			t.DetectedAt, t.CreatedAt, t.UpdatedAt = zero(detected), zero(created), zero(updated)
			tags = append(tags, t)
		}
		return nil
	})
	if err != nil {
		return engine.Image{}, fmt.Errorf("image: %w", domain(err))
	}
	if c.row.pk == 0 {
		return engine.Image{}, fmt.Errorf("image: %w", engine.ErrNotFound)
	}
	row, err := c.image()
	if err != nil {
		return engine.Image{}, fmt.Errorf("image: %w", err)
	}
	row.Tags = tags
	return row.Image, nil
}

// Image finds an image by its digest or by that of the index it was reached
// through; the newest when several match.
func (s *Store) Image(ctx context.Context, account, digest string) (engine.Image, error) {
	// Joined, and not one condition with OR: each part has its index, and the
	// planner is not tempted to walk the list instead.
	const pick = `
		SELECT pk FROM (
			SELECT pk, created_at FROM images WHERE account = $1 AND digest = $2
			UNION ALL
			SELECT pk, created_at FROM images WHERE account = $1 AND parent_digest = $2) x`
	return s.image(ctx, pick, account, digest)
}

// ImageByID finds the newest image whose configuration has this digest.
func (s *Store) ImageByID(ctx context.Context, account, id string) (engine.Image, error) {
	return s.image(ctx, `SELECT pk FROM images WHERE account = $1 AND image_id = $2`, account, id)
}

// ImagesByTag lists one page of the images that carried a tag, those that came
// to it last first, and the cursor of the next. Of f only the states and the
// page are looked at.
func (s *Store) ImagesByTag(ctx context.Context, account string, t engine.ImageTag, f engine.ImageFilter) (list []engine.Image, next string, err error) {
	const q = `SELECT ` + imageColumns + `
		  FROM image_tags t JOIN images i ON i.pk = t.image
		 WHERE t.account = $1 AND t.registry = $2 AND t.repository = $3 AND t.tag = $4
		   AND ($5 = '' OR i.status = $5) AND ($6 = '' OR i.state = $6)
		   AND (t.detected_at, t.image) < (COALESCE($7::timestamptz, 'infinity'), $8)
		 ORDER BY t.detected_at DESC, t.image DESC LIMIT $9`

	var after *time.Time
	var key int64
	if f.After != "" {
		at, pk, err := parseImageCursor(f.After)
		if err != nil {
			return nil, "", err
		}
		after, key = &at, pk
	}
	limit := pageLimit(f)
	rows, more, err := s.images(ctx, limit, q, account, t.Registry, t.Repository, t.Tag, statusOf(f), string(f.State), after, key, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("images by tag: %w", err)
	}
	if more {
		last := rows[len(rows)-1]
		for _, had := range last.Tags {
			if had.Registry == t.Registry && had.Repository == t.Repository && had.Tag == t.Tag {
				next = imageCursor(had.DetectedAt, last.pk)
			}
		}
	}
	return plain(rows), next, nil
}

func plain(rows []imageRow) []engine.Image {
	list := make([]engine.Image, len(rows))
	for n := range rows {
		list[n] = rows[n].Image
	}
	return list
}

// statusOf is the status a filter asks for; empty for any.
func statusOf(f engine.ImageFilter) string {
	switch {
	case f.AnyStatus:
		return ""
	case f.Status == "":
		return string(engine.ImageActive)
	}
	return string(f.Status)
}

// Timeline lists the states an image went through, oldest first.
func (s *Store) Timeline(ctx context.Context, account, digest string) ([]engine.StateEntry, error) {
	// The newest thousand: an image that fails in a loop must not grow the page.
	const q = `
		SELECT state, at, note FROM (
			SELECT s.state, s.at, s.note
			  FROM images i JOIN image_states s ON s.image = i.pk
			 WHERE i.account = $1 AND i.digest = $2
			 ORDER BY s.at DESC LIMIT 1000) s
		 ORDER BY at`

	rows, err := s.pool.Query(ctx, q, account, digest)
	if err != nil {
		return nil, fmt.Errorf("timeline: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (e engine.StateEntry, err error) {
		err = r.Scan(&e.State, &e.At, &e.Note)
		e.At = e.At.UTC()
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("timeline: %w", domain(err))
	}
	return list, nil
}
