package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

const archiveColumns = `
	a.account, a.digest, a.parent_digest, a.status, a.annotations, a.size, a.analyzed_at, a.created_at, a.updated_at,
	(SELECT COALESCE(jsonb_agg(jsonb_build_object('Registry', t.registry, 'Repository', t.repository, 'Tag', t.tag,
			'DetectedAt', t.detected_at, 'CreatedAt', t.created_at, 'UpdatedAt', t.updated_at)
			ORDER BY t.detected_at DESC, t.tag), '[]')
	   FROM archived_tags t WHERE t.archive = a.pk)`

// scanArchived reads a row; before takes the columns in front.
func scanArchived(r pgx.CollectableRow, before ...any) (a engine.ArchivedImage, err error) {
	var annotations, tags []byte
	var analyzed *time.Time
	err = r.Scan(append(before, &a.Account, &a.Digest, &a.ParentDigest, &a.Status, &annotations, &a.Size, &analyzed,
		&a.CreatedAt, &a.UpdatedAt, &tags)...)
	if err != nil {
		return a, err
	}
	a.AnalyzedAt = zero(analyzed)
	return a, errors.Join(json.Unmarshal(annotations, &a.Annotations), json.Unmarshal(tags, &a.Tags))
}

// archivePage is how many archived images a walk takes at once.
const archivePage = 200

// ArchivedImages walks an account's archive, newest first.
func (s *Store) ArchivedImages(ctx context.Context, account string) iter.Seq2[engine.ArchivedImage, error] {
	const q = `SELECT a.pk,` + archiveColumns + ` FROM archived_images a
		 WHERE a.account = $1 AND (a.created_at, a.pk) < ($2, $3) ORDER BY a.created_at DESC, a.pk DESC LIMIT $4`

	return func(yield func(engine.ArchivedImage, error) bool) {
		var at time.Time
		var pk int64
		err := inPages("archived images", archivePage, func() (pgx.Rows, error) {
			return s.pool.Query(ctx, q, account, orEndless(at), pk, archivePage)
		}, func(r pgx.CollectableRow) (engine.ArchivedImage, error) {
			a, err := scanArchived(r, &pk)
			at = a.CreatedAt
			return a, err
		}, func(a engine.ArchivedImage) error {
			if !yield(a, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(engine.ArchivedImage{}, err)
		}
	}
}

// findArchived picks the newest archived image of a digest, own or parent.
const findArchived = ` FROM archived_images a WHERE a.account = $1 AND (a.digest = $2 OR a.parent_digest = $2)
	ORDER BY a.created_at DESC, a.pk DESC LIMIT 1`

// ArchivedImage finds an archived image by its digest or by that of its index.
func (s *Store) ArchivedImage(ctx context.Context, account, digest string) (engine.ArchivedImage, error) {
	rows, err := s.pool.Query(ctx, `SELECT`+archiveColumns+findArchived, account, digest)
	if err != nil {
		return engine.ArchivedImage{}, fmt.Errorf("archived image: %w", domain(err))
	}
	a, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (engine.ArchivedImage, error) { return scanArchived(r) })
	if err != nil {
		return a, fmt.Errorf("archived image: %w", domain(err))
	}
	return a, nil
}

// DeleteArchived removes an image from the archive.
func (s *Store) DeleteArchived(ctx context.Context, account, digest, msg string, src engine.Source) error {
	const find = `SELECT a.pk, a.digest, a.status` + findArchived + ` FOR UPDATE`

	return s.inTx(ctx, "delete archived image", func(tx pgx.Tx) error {
		var pk int64
		var own string
		var status engine.ArchiveStatus
		if err := tx.QueryRow(ctx, find, account, digest).Scan(&pk, &own, &status); err != nil {
			return err
		}
		if status != engine.Archived && status != engine.ArchiveDeleting {
			return engine.Invalidf("Invalid object state: %s", status)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM archived_images WHERE pk = $1`, pk); err != nil {
			return err
		}
		if err := emit(ctx, tx, engine.NewEvent(engine.EvArchivedDeleted, account, own, map[string]any{"msg": msg}, src)); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeArchive, account, own, nil)
	})
}

// ArchiveSummary counts the images archived in the whole system and the rules
// of one account.
func (s *Store) ArchiveSummary(ctx context.Context, account string) (engine.ArchiveSummary, error) {
	const q = `
		SELECT (SELECT count(*) FROM archived_images), (SELECT count(*) FROM archived_tags),
		       (SELECT COALESCE(sum(size), 0)::bigint FROM archived_images), (SELECT max(updated_at) FROM archived_images),
		       (SELECT count(*) FROM archive_rules WHERE account = $1), (SELECT max(updated_at) FROM archive_rules WHERE account = $1)`

	var a engine.ArchiveSummary
	var images, rules *time.Time
	if err := s.pool.QueryRow(ctx, q, account).Scan(&a.Images, &a.Tags, &a.Bytes, &images, &a.Rules, &rules); err != nil {
		return a, fmt.Errorf("archive summary: %w", domain(err))
	}
	a.ImagesAt, a.RulesAt = zero(images), zero(rules)
	return a, nil
}
