package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
)

// TagRecord is one tag of an image, as archive rules weigh it.
type TagRecord struct {
	Image      int64
	Digest     string
	Registry   string
	Repository string
	Tag        string
	DetectedAt time.Time
	Since      time.Time // what its age counts from: when it was analyzed or archived; zero: neither
	AnalyzedAt time.Time // zero: never
	Tags       int       // how many tags its image has
}

// tagPage is how many tag records are read at a time.
const tagPage = 2000

// TagRecords walks the tags of an account's active images, those of one name
// together and the newest of them first. Pages, not one long read: what is done
// with a record may take its time.
func (s *Store) TagRecords(ctx context.Context, account string) iter.Seq2[TagRecord, error] {
	const q = `
		SELECT t.image, i.digest, t.registry, t.repository, t.tag, t.detected_at, i.analyzed_at, i.analyzed_at,
		       (SELECT count(*) FROM image_tags o WHERE o.image = t.image)
		  FROM image_tags t JOIN images i ON i.pk = t.image
		 WHERE t.account = $1 AND i.status = 'active'
		   AND (t.registry, t.repository, t.tag) >= ($2, $3, $4)
		   AND ((t.registry, t.repository, t.tag) > ($2, $3, $4) OR (t.detected_at, t.image) < ($5, $6))
		 ORDER BY t.registry, t.repository, t.tag, t.detected_at DESC, t.image DESC LIMIT $7`
	return s.tagRecords(ctx, account, q)
}

// ArchivedTagRecords walks the tags of an account's archived images likewise.
func (s *Store) ArchivedTagRecords(ctx context.Context, account string) iter.Seq2[TagRecord, error] {
	const q = `
		SELECT t.archive, a.digest, t.registry, t.repository, t.tag, t.detected_at, a.created_at, a.analyzed_at,
		       (SELECT count(*) FROM archived_tags o WHERE o.archive = t.archive)
		  FROM archived_tags t JOIN archived_images a ON a.pk = t.archive
		 WHERE t.account = $1 AND a.status = 'archived'
		   AND (t.registry, t.repository, t.tag) >= ($2, $3, $4)
		   AND ((t.registry, t.repository, t.tag) > ($2, $3, $4) OR (t.detected_at, t.archive) < ($5, $6))
		 ORDER BY t.registry, t.repository, t.tag, t.detected_at DESC, t.archive DESC LIMIT $7`
	return s.tagRecords(ctx, account, q)
}

func (s *Store) tagRecords(ctx context.Context, account, q string) iter.Seq2[TagRecord, error] {
	return func(yield func(TagRecord, error) bool) {
		last := TagRecord{DetectedAt: time.Unix(0, 0)}
		for {
			rows, err := s.pool.Query(ctx, q, account, last.Registry, last.Repository, last.Tag, last.DetectedAt, last.Image, tagPage)
			var list []TagRecord
			if err == nil {
				list, err = pgx.CollectRows(rows, scanTagRecord)
			}
			if err != nil {
				yield(TagRecord{}, fmt.Errorf("tag records: %w", domain(err)))
				return
			}
			for _, t := range list {
				if !yield(t, nil) {
					return
				}
			}
			if len(list) < tagPage {
				return
			}
			last = list[len(list)-1]
		}
	}
}

func scanTagRecord(r pgx.CollectableRow) (t TagRecord, err error) {
	var since, analyzed *time.Time
	err = r.Scan(&t.Image, &t.Digest, &t.Registry, &t.Repository, &t.Tag, &t.DetectedAt, &since, &analyzed, &t.Tags)
	t.Since, t.AnalyzedAt = zero(since), zero(analyzed)
	return t, err
}

// ImagesBeyond lists the analyzed images of an account older than its newest
// max, by when they were analyzed; at most limit of them, the oldest first.
func (s *Store) ImagesBeyond(ctx context.Context, account string, maxImages, limit int) ([]int64, error) {
	const q = `
		SELECT pk FROM (
			SELECT pk, analyzed_at FROM images
			 WHERE account = $1 AND state = 'analyzed' AND status = 'active'
			 ORDER BY analyzed_at DESC, pk DESC OFFSET $2) old
		 ORDER BY analyzed_at, pk LIMIT $3`

	rows, err := s.pool.Query(ctx, q, account, maxImages, limit)
	if err != nil {
		return nil, fmt.Errorf("images beyond: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("images beyond: %w", domain(err))
	}
	return list, nil
}

// LockArchiveRules gives the one process that may apply archive rules its turn.
// False: another has it. release must be called.
func (s *Store) LockArchiveRules(ctx context.Context) (release func(), ok bool, err error) {
	return s.trySessionLock(ctx, archiveLock)
}
