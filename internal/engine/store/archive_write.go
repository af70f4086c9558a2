package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/archive"
)

// ArchiveImage copies the analysis of an image into the archive, where it
// stays when the image goes. All in one transaction, so that an archive is
// there whole or not at all. engine.ErrConflict, with the status of the record
// in its detail, when there is one.
func (s *Store) ArchiveImage(ctx context.Context, account, digest, msg string, src engine.Source) error {
	const add = `
		INSERT INTO archived_images (account, digest, parent_digest, image_id, status, annotations, analyzed_at)
		SELECT account, digest, parent_digest, image_id, 'archiving', annotations, analyzed_at FROM images WHERE pk = $1
		    ON CONFLICT (account, digest) DO NOTHING RETURNING pk`
	const tags = `
		INSERT INTO archived_tags (archive, account, registry, repository, tag, detected_at, created_at, updated_at)
		SELECT $1, account, registry, repository, tag, detected_at, created_at, updated_at FROM image_tags WHERE image = $2`
	const done = `UPDATE archived_images SET status = 'archived', size = $2, updated_at = now() WHERE pk = $1`

	return s.inTx(ctx, "archive image", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, account, digest)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.NotFoundf("Image not found")
		}
		if err != nil {
			return err
		}
		if i.state != engine.Analyzed || i.status != engine.ImageActive {
			return engine.Invalidf("Invalid image state: %s, %s. Only analyzed and active images can be archived", i.state, i.status)
		}
		var pk int64
		err = tx.QueryRow(ctx, add, i.pk).Scan(&pk)
		if errors.Is(err, pgx.ErrNoRows) {
			return archiveExists(ctx, tx, account, i.digest)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, tags, pk, i.pk); err != nil {
			return err
		}
		w := &chunkWriter{ctx: ctx, tx: tx, archive: pk}
		if err := writeArchive(ctx, tx, w, i.pk); err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, done, pk, w.size); err != nil {
			return err
		}
		if err := emit(ctx, tx, engine.NewEvent(engine.EvImageArchived, account, i.digest, map[string]any{"msg": msg}, src)); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeArchive, account, i.digest, nil)
	})
}

func archiveExists(ctx context.Context, tx pgx.Tx, account, digest string) error {
	const q = `SELECT status FROM archived_images WHERE account = $1 AND digest = $2`

	var status string
	if err := tx.QueryRow(ctx, q, account, digest).Scan(&status); err != nil {
		return err
	}
	return &engine.Fault{
		Kind: engine.ErrConflict, Message: "Existing record found, archiving aborted", Detail: map[string]any{"status": status},
	}
}

// writeArchive writes all that is kept of an image, one document at a time.
func writeArchive(ctx context.Context, tx pgx.Tx, w *chunkWriter, image int64) error {
	const packages = `SELECT ` + packageColumns + ` FROM packages p WHERE p.image = $1 ORDER BY p.key`

	rec, account, err := archivedRecord(ctx, tx, image)
	if err != nil {
		return err
	}
	a, err := archive.NewWriter(w, archive.Manifest{
		Account: account, ImageDigest: rec.Digest, ParentDigest: rec.ParentDigest, ArchivedAt: time.Now().UTC(),
	})
	if err != nil {
		return err
	}
	if err := a.Image(rec); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, packages, image)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, scanPackage)
	if err != nil {
		return err
	}
	if err := a.Packages(list); err != nil {
		return err
	}
	matches, err := archivedMatches(ctx, tx, image)
	if err != nil {
		return err
	}
	if err := a.Matches(matches); err != nil {
		return err
	}
	if err := archiveEvaluations(ctx, tx, a, account, rec.Digest); err != nil {
		return err
	}
	if err := archiveDocuments(ctx, tx, a, account, rec.Digest); err != nil {
		return err
	}
	return a.Close()
}

func archivedRecord(ctx context.Context, tx pgx.Tx, image int64) (rec archive.Image, account string, err error) {
	const q = `
		SELECT account, digest, parent_digest, image_id, source, sample, task, host, annotations, matched_with, created_at, analyzed_at,
		       COALESCE(arch, ''), COALESCE(distro, ''), COALESCE(distro_version, ''), COALESCE(dockerfile_mode, ''),
		       COALESCE(image_size, 0), COALESCE(layer_count, 0)
		  FROM images WHERE pk = $1`
	const tags = `
		SELECT registry, repository, tag, dockerfile, detected_at, created_at, updated_at FROM image_tags
		 WHERE image = $1 ORDER BY detected_at, registry, repository, tag`

	var annotations []byte
	m := &rec.Meta
	err = tx.QueryRow(ctx, q, image).Scan(&account, &rec.Digest, &rec.ParentDigest, &rec.ID, &rec.Source, &rec.Sample, &rec.Task, &rec.Host,
		&annotations, &rec.MatchedWith, &rec.CreatedAt, &rec.AnalyzedAt, &m.Arch, &m.Distro, &m.DistroVersion, &m.DockerfileMode, &m.Size, &m.LayerCount)
	if err != nil {
		return rec, "", err
	}
	if err := json.Unmarshal(annotations, &rec.Annotations); err != nil {
		return rec, "", err
	}
	rows, err := tx.Query(ctx, tags, image)
	if err != nil {
		return rec, "", err
	}
	rec.Tags, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (t engine.ImageTag, err error) {
		err = r.Scan(&t.Registry, &t.Repository, &t.Tag, &t.Dockerfile, &t.DetectedAt, &t.CreatedAt, &t.UpdatedAt)
		return t, err
	})
	return rec, account, err
}

func archivedMatches(ctx context.Context, tx pgx.Tx, image int64) ([]archive.Match, error) {
	const q = `
		SELECT package_key, package, version, package_type, path, vuln, severity, fixes, fix_state, url, feed, feed_group,
		       namespace, description, cves, cpe, cpe23, will_not_fix, scores, epss, known_exploited, matcher,
		       version_range, sample
		  FROM matches WHERE image = $1 ORDER BY package_key, vuln, namespace`
	const seen = `SELECT first_seen FROM matches WHERE image = $1 ORDER BY package_key, vuln, namespace`

	rows, err := tx.Query(ctx, q, image)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, scanMatch)
	if err != nil {
		return nil, err
	}
	if rows, err = tx.Query(ctx, seen, image); err != nil {
		return nil, err
	}
	times, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil || len(times) != len(list) {
		return nil, errors.Join(err, fmt.Errorf("%d matches, %d times", len(list), len(times)))
	}
	out := make([]archive.Match, len(list))
	for i := range list {
		out[i] = archive.Match{Match: list[i], FirstSeen: times[i].UTC()}
	}
	return out, nil
}

// evaluationRows is the member for the history of evaluations, and
// maxArchivedEvaluations how much of it moves along.
const (
	evaluationRows         = "policy_evaluations"
	maxArchivedEvaluations = 100
)

func archiveEvaluations(ctx context.Context, tx pgx.Tx, a *archive.Writer, account, digest string) error {
	const q = `
		SELECT COALESCE(jsonb_agg(to_jsonb(e) - 'pk' - 'account' ORDER BY e.evaluated_at, e.pk), '[]') FROM (
			SELECT * FROM policy_evaluations WHERE account = $1 AND digest = $2
			 ORDER BY evaluated_at DESC, pk DESC LIMIT $3) e`

	var raw []byte
	if err := tx.QueryRow(ctx, q, account, digest, maxArchivedEvaluations).Scan(&raw); err != nil {
		return fmt.Errorf("evaluations: %w", err)
	}
	return a.Rows(evaluationRows, raw)
}

func archiveDocuments(ctx context.Context, tx pgx.Tx, a *archive.Writer, account, digest string) error {
	const names = `SELECT bucket FROM documents WHERE account = $1 AND key = $2 ORDER BY bucket`
	const one = `SELECT encoding, body FROM documents WHERE account = $1 AND key = $2 AND bucket = $3`

	rows, err := tx.Query(ctx, names, account, digest)
	if err != nil {
		return err
	}
	buckets, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		var encoding string
		var body []byte
		if err := tx.QueryRow(ctx, one, account, digest, bucket).Scan(&encoding, &body); err != nil {
			return fmt.Errorf("document %s: %w", bucket, err)
		}
		if body, err = unpack(body, encoding); err != nil {
			return fmt.Errorf("document %s: %w", bucket, err)
		}
		if err := a.Document(bucket, body); err != nil {
			return err
		}
	}
	return nil
}
