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

// RestoreImage makes an image of what an archive holds: directly analyzed, with
// its documents and packages, and with matches found in the data of that id.
// An empty id leaves the matches it was archived with, until they are made
// anew. engine.ErrConflict when the account has the image.
func (s *Store) RestoreImage(ctx context.Context, account string, c *archive.Contents, matches []engine.Match, data, msg string, src engine.Source) error {
	docs := make(map[string]packedDocument, len(c.Documents))
	for name, body := range c.Documents {
		docs[name] = packDocument(body)
	}
	return s.inTx(ctx, "restore image", func(tx pgx.Tx) error {
		digest := c.Image.Digest
		if err := makeRoom(ctx, tx, account, digest); err != nil {
			return err
		}
		pk, err := restoreRecord(ctx, tx, account, c)
		if err != nil {
			return err
		}
		if err := initSubscriptions(ctx, tx, pk, false); err != nil {
			return err
		}
		if err := replacePackages(ctx, tx, pk, c.Packages); err != nil {
			return err
		}
		if err := restoreMatches(ctx, tx, pk, c); err != nil {
			return err
		}
		if data != "" {
			if _, err := replaceMatches(ctx, tx, pk, data, matches); err != nil {
				return err
			}
		}
		for bucket, d := range docs {
			if err := putPacked(ctx, tx, account, bucket, digest, d); err != nil {
				return err
			}
		}
		if err := restoreEvaluations(ctx, tx, account, digest, c.Rows[evaluationRows]); err != nil {
			return err
		}
		if err := noteState(ctx, tx, pk, engine.Analyzed, "restored from the archive"); err != nil {
			return err
		}
		if err := matchAgainIfLate(ctx, tx, account, digest, data); err != nil {
			return err
		}
		if err := enqueueEvaluation(ctx, tx, account, digest); err != nil {
			return err
		}
		if err := emit(ctx, tx, engine.NewEvent(engine.EvRestoredFromArchive, account, digest, map[string]any{"msg": msg}, src)); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, account, digest, nil)
	})
}

// makeRoom finishes the removal of an image that is on its way out.
func makeRoom(ctx context.Context, tx pgx.Tx, account, digest string) error {
	const find = `SELECT pk, status FROM images WHERE account = $1 AND digest = $2 FOR UPDATE`

	var pk int64
	var status engine.ImageStatus
	err := tx.QueryRow(ctx, find, account, digest).Scan(&pk, &status)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if status != engine.ImageDeleting {
		return engine.ErrConflict
	}
	return removeImage(ctx, tx, pk, account, digest)
}

func restoreRecord(ctx context.Context, tx pgx.Tx, account string, c *archive.Contents) (int64, error) {
	const add = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, source, sample, task, host, annotations, arch, distro,
		       distro_version, dockerfile_mode, image_size, layer_count, packages, created_at, analyzed_at)
		VALUES ($1, $2, $3, $4, 'analyzed', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, COALESCE($17, now()), COALESCE($18, now()))
		ON CONFLICT (account, digest) DO NOTHING RETURNING pk`
	const tag = `
		INSERT INTO image_tags (image, account, registry, repository, tag, dockerfile, detected_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, COALESCE($7, now()), COALESCE($8, now()), COALESCE($9, now()))
		ON CONFLICT DO NOTHING`

	i, m := c.Image, c.Image.Meta
	if i.Annotations == nil {
		i.Annotations = map[string]any{}
	}
	annotations, err := packAnnotations(i.Annotations)
	if err != nil {
		return 0, err
	}
	var pk int64
	err = tx.QueryRow(ctx, add, account, i.Digest, i.ParentDigest, i.ID, i.Source, i.Sample, i.Task, i.Host, annotations, m.Arch, m.Distro,
		m.DistroVersion, m.DockerfileMode, m.Size, m.LayerCount, len(c.Packages), past(i.CreatedAt), past(i.AnalyzedAt)).Scan(&pk)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, engine.ErrConflict
	}
	if err != nil {
		return 0, err
	}
	for _, t := range i.Tags {
		_, err := tx.Exec(ctx, tag, pk, account, t.Registry, t.Repository, t.Tag, t.Dockerfile,
			past(t.DetectedAt), past(t.CreatedAt), past(t.UpdatedAt))
		if err != nil {
			return 0, fmt.Errorf("tag %s: %w", t.Full(), err)
		}
	}
	return pk, nil
}

// past is a time that has been, and null for any other: a file from elsewhere
// may claim what it likes.
func past(t time.Time) *time.Time {
	if t.IsZero() || t.After(time.Now()) || t.Year() < 1970 {
		return nil
	}
	return &t
}

// restoreMatches puts back what an image was archived with, and since when
// each was known.
func restoreMatches(ctx context.Context, tx pgx.Tx, image int64, c *archive.Contents) error {
	const since = `
		UPDATE matches m SET first_seen = v.seen
		  FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) v (key, vuln, namespace, seen)
		 WHERE m.image = $1 AND m.package_key = v.key AND m.vuln = v.vuln AND m.namespace = v.namespace`

	list := make([]engine.Match, 0, len(c.Matches))
	var keys, vulns, namespaces []string
	var seen []time.Time
	for _, m := range c.Matches {
		list = append(list, m.Match)
		if at := past(m.FirstSeen); at != nil {
			keys, vulns, namespaces, seen = append(keys, m.PackageKey), append(vulns, m.Vuln), append(namespaces, m.Namespace), append(seen, *at)
		}
	}
	if _, err := replaceMatches(ctx, tx, image, c.Image.MatchedWith, list); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, since, image, keys, vulns, namespaces, seen)
	return err
}

// restoreEvaluations adds the history of evaluations where the account has
// none of the image: its own outlives the image and says more. Those of
// bundles that the account has not mean nothing to it.
func restoreEvaluations(ctx context.Context, tx pgx.Tx, account, digest string, rows json.RawMessage) error {
	const q = `
		INSERT INTO policy_evaluations (account, policy, digest, tag, eval_id, action, active, bundle, facts, encoding, result, evaluated_at)
		SELECT $1, e.policy, $2, e.tag, e.eval_id, e.action, e.active, e.bundle, e.facts, e.encoding, e.result, least(e.evaluated_at, now())
		  FROM jsonb_populate_recordset(NULL::policy_evaluations, $3) e
		  JOIN policy_documents d ON d.account = $1 AND d.policy = e.policy AND d.digest = e.bundle
		 WHERE e.action IN ('go', 'warn', 'stop')
		   AND NOT EXISTS (SELECT FROM policy_evaluations o WHERE o.account = $1 AND o.digest = $2)
		 ORDER BY e.evaluated_at`

	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, q, account, digest, []byte(rows)); err != nil {
		return fmt.Errorf("evaluations: %w", err)
	}
	return nil
}
