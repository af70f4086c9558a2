package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// A page of images is bounded by its bytes as well: each tag may have a
// Dockerfile of up to a megabyte.
const imagePageBytes = 8 << 20

// images runs a query for imageColumns and adds the tags of what it found: of
// the first limit images, and of as many of them as make a page. It reports
// whether more were found.
func (s *Store) images(ctx context.Context, limit int, q string, args ...any) (page []imageRow, more bool, err error) {
	rows, err := s.pool.Query(ctx, q, args...)
	if err != nil {
		return nil, false, domain(err)
	}
	list, err := pgx.CollectRows(rows, scanImage)
	if err != nil {
		return nil, false, domain(err)
	}
	page = list[:min(len(list), limit)]
	docs, err := s.addTags(ctx, page)
	if err != nil {
		return nil, false, fmt.Errorf("tags: %w", domain(err))
	}
	size, has := 0, false
	for n, row := range page {
		if size += row.size + docs[row.pk]; n > 0 && size > imagePageBytes {
			page = page[:n]
			break
		}
		has = has || docs[row.pk] > 0
	}
	if has {
		if err := s.addDockerfiles(ctx, page); err != nil {
			return nil, false, fmt.Errorf("dockerfiles: %w", domain(err))
		}
	}
	return page, len(page) < len(list), nil
}

// addTags adds tags without their Dockerfiles, and gives the bytes of these by
// image.
func (s *Store) addTags(ctx context.Context, list []imageRow) (map[int64]int, error) {
	const q = `
		SELECT image, registry, repository, tag, octet_length(dockerfile), detected_at, created_at, updated_at
		  FROM image_tags WHERE image = ANY($1) ORDER BY image, detected_at DESC, tag`

	if len(list) == 0 {
		return nil, nil
	}
	at, pks := byKey(list)
	rows, err := s.pool.Query(ctx, q, pks)
	if err != nil {
		return nil, err
	}
	docs := map[int64]int{}
	var pk int64
	var size int
	var t engine.ImageTag
	_, err = pgx.ForEachRow(rows, []any{&pk, &t.Registry, &t.Repository, &t.Tag, &size, &t.DetectedAt, &t.CreatedAt, &t.UpdatedAt}, func() error {
		i := at[pk]
		t.Digest = i.Digest
		t.DetectedAt, t.CreatedAt, t.UpdatedAt = t.DetectedAt.UTC(), t.CreatedAt.UTC(), t.UpdatedAt.UTC()
		i.Tags = append(i.Tags, t)
		docs[pk] += size
		return nil
	})
	return docs, err
}

// addDockerfiles adds those of the tags that images have.
func (s *Store) addDockerfiles(ctx context.Context, list []imageRow) error {
	const q = `SELECT image, registry, repository, tag, dockerfile FROM image_tags WHERE image = ANY($1) AND dockerfile <> ''`

	at, pks := byKey(list)
	rows, err := s.pool.Query(ctx, q, pks)
	if err != nil {
		return err
	}
	var pk int64
	var t engine.ImageTag
	_, err = pgx.ForEachRow(rows, []any{&pk, &t.Registry, &t.Repository, &t.Tag, &t.Dockerfile}, func() error {
		for n := range at[pk].Tags {
			if has := &at[pk].Tags[n]; has.Tag == t.Tag && has.Repository == t.Repository && has.Registry == t.Registry {
				has.Dockerfile = t.Dockerfile
			}
		}
		return nil
	})
	return err
}

func byKey(list []imageRow) (map[int64]*engine.Image, []int64) {
	at := make(map[int64]*engine.Image, len(list))
	pks := make([]int64, len(list))
	for n := range list {
		pks[n], at[list[n].pk] = list[n].pk, &list[n].Image
	}
	return at, pks
}
