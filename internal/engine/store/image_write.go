package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// NewImage is an image that was found in a registry or an archive and is to be
// recorded, with how its bytes are reached again.
type NewImage struct {
	Account      string
	Digest       engine.Digest
	ParentDigest engine.Digest
	ID           string
	Tag          engine.ImageTag
	Dockerfile   string // base64
	Annotations  map[string]any
	CreatedAt    time.Time // zero: now
	Force        bool
	// AutoSubscribe: the tags of the image are watched for updates.
	AutoSubscribe bool
	// Watch is the watched subscription that this image is added for: nothing
	// is when it is no longer held. For a tag_update the move is told.
	Watch    *Watched
	Task     engine.AnalyzeTask
	Host     string // the job is pinned to it; empty: any
	Manifest []byte
	Source   engine.Source
}

// PutImage records an image, or adds the tag to the record there is, and
// enqueues its analysis when it is new, forced, failed or on its way out. One
// transaction: image, tag, job, event and change. It reports whether an
// analysis was enqueued.
func (s *Store) PutImage(ctx context.Context, n NewImage) (bool, error) {
	var enqueued bool
	err := s.inTx(ctx, "add image", func(tx pgx.Tx) error {
		row, err := s.upsertImage(ctx, tx, n)
		if err != nil {
			return err
		}
		moved := n.Watch != nil && n.Watch.Type == engine.SubTagUpdate
		if n.Watch != nil {
			if err := holdWatch(ctx, tx, n.Watch); err != nil {
				return err
			}
		}
		if moved {
			if err := tagMoved(ctx, tx, n); err != nil {
				return err
			}
		}
		fresh, err := putTag(ctx, tx, row.pk, n)
		if err != nil {
			return err
		}
		if fresh {
			if err := enqueueLosers(ctx, tx, n); err != nil {
				return err
			}
		}
		// What somebody switched off does not come on because a tag moved.
		if err := putSubscriptions(ctx, tx, row.pk, n.AutoSubscribe, !moved); err != nil {
			return err
		}
		enqueued = row.isNew || n.Force || row.state == engine.Failed || row.status != engine.ImageActive
		if enqueued {
			if err := s.requeue(ctx, tx, row.pk, n.Account, string(n.Digest), n.Task, n.Host, row.isNew); err != nil {
				return err
			}
		} else if fresh && row.state == engine.Analyzed {
			if err := enqueueEvaluation(ctx, tx, n.Account, string(n.Digest)); err != nil {
				return err
			}
			if err := tellAnalyzed(ctx, tx, row.pk, n.Source, n.Tag.Full()); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeImage, n.Account, string(n.Digest), nil)
	})
	return enqueued, err
}

// tellAnalyzed emits that an image is analyzed, once for each of the tags, with
// the annotations it has by then.
func tellAnalyzed(ctx context.Context, tx pgx.Tx, image int64, src engine.Source, tags ...string) error {
	const q = `SELECT account, digest, annotations FROM images WHERE pk = $1`

	var account, digest string
	annotations := map[string]any{}
	if err := tx.QueryRow(ctx, q, image).Scan(&account, &digest, &annotations); err != nil {
		return err
	}
	eval := func(state engine.AnalysisState) map[string]any {
		return map[string]any{"imageDigest": digest, "analysis_status": string(state), "annotations": annotations}
	}
	for _, t := range tags {
		e := engine.NewEvent(engine.EvAnalysisCompleted, account, t, map[string]any{
			"last_eval": eval(engine.Analyzing), "curr_eval": eval(engine.Analyzed),
			"subscription_type": engine.NotifyAnalysis, "annotations": annotations,
		}, src)
		if err := emit(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

type imageState struct {
	pk     int64
	isNew  bool
	state  engine.AnalysisState
	status engine.ImageStatus
}

func (s *Store) upsertImage(ctx context.Context, tx pgx.Tx, n NewImage) (imageState, error) {
	const add = `
		INSERT INTO images (account, digest, parent_digest, image_id, source, sample, annotations, created_at, task, host)
		VALUES ($1, $2, $3, $4, $5, $6, $7, COALESCE($8, now()), $9, $10)
		ON CONFLICT (account, digest) DO NOTHING
		RETURNING pk`
	const find = `SELECT pk, state, status, annotations FROM images WHERE account = $1 AND digest = $2 FOR UPDATE`
	const update = `UPDATE images SET annotations = $2, updated_at = now() WHERE pk = $1`

	row := imageState{isNew: true, state: engine.NotAnalyzed, status: engine.ImageActive}
	annotations := map[string]any{}
	merge(annotations, n.Annotations)
	raw, err := packAnnotations(annotations)
	if err != nil {
		return row, err
	}
	err = tx.QueryRow(ctx, add, n.Account, n.Digest, n.ParentDigest, n.ID, n.Task.Source,
		n.Task.Source == engine.FromSample, raw, null(n.CreatedAt), n.Task, n.Host).Scan(&row.pk)
	if err == nil {
		return row, putDocument(ctx, tx, n.Account, engine.DocManifest, string(n.Digest), n.Manifest)
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return row, err
	}
	row.isNew = false
	var old []byte
	if err := tx.QueryRow(ctx, find, n.Account, n.Digest).Scan(&row.pk, &row.state, &row.status, &old); err != nil {
		return row, err
	}
	annotations = map[string]any{}
	if err := json.Unmarshal(old, &annotations); err != nil {
		return row, fmt.Errorf("annotations: %w", err)
	}
	merge(annotations, n.Annotations)
	if raw, err = packAnnotations(annotations); err != nil {
		return row, err
	}
	_, err = tx.Exec(ctx, update, row.pk, raw)
	return row, err
}

func packAnnotations(m map[string]any) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, engine.Invalidf("annotations: %v", err)
	}
	if len(raw) > engine.MaxAnnotations {
		return nil, engine.Invalidf("annotations: an image may have at most %d bytes of them", engine.MaxAnnotations)
	}
	return raw, nil
}

// merge adds annotations key by key; the string null removes one.
func merge(to, from map[string]any) {
	maps.Copy(to, from)
	maps.DeleteFunc(to, func(_ string, v any) bool { return v == "null" })
}

// putTag records under which name the image was seen; false when it was known.
func putTag(ctx context.Context, tx pgx.Tx, image int64, n NewImage) (bool, error) {
	const put = `
		INSERT INTO image_tags AS t (image, account, registry, repository, tag, dockerfile, created_at)
		SELECT i.pk, $2, $3, $4, $5, $6,
		       -- The first tag is as old as the image says it is.
		       CASE WHEN EXISTS (SELECT FROM image_tags o WHERE o.image = i.pk) THEN now() ELSE i.created_at END
		  FROM images i WHERE i.pk = $1
		ON CONFLICT (image, registry, repository, tag) DO UPDATE
		   SET dockerfile = CASE WHEN excluded.dockerfile = '' THEN t.dockerfile ELSE excluded.dockerfile END,
		       updated_at = now(),
		       -- A tag that moved away and came back is newest here again.
		       detected_at = CASE WHEN EXISTS (
				SELECT FROM image_tags o
				 WHERE (o.account, o.registry, o.repository, o.tag) = (t.account, t.registry, t.repository, t.tag)
				   AND o.detected_at > t.detected_at) THEN clock_timestamp() ELSE t.detected_at END
		RETURNING xmax = 0`

	if n.Tag.Tag == "" {
		return false, nil
	}
	var fresh bool
	err := tx.QueryRow(ctx, put, image, n.Account, n.Tag.Registry, n.Tag.Repository, n.Tag.Tag, n.Dockerfile).Scan(&fresh)
	return fresh, err
}

// requeue moves an image to not_analyzed and enqueues its analysis.
func (s *Store) requeue(ctx context.Context, tx pgx.Tx, image int64, account, digest string, task engine.AnalyzeTask, host string, isNew bool) error {
	// Every state may be left for not_analyzed, so there is nothing to guard:
	// an analysis in hand is fenced off by the renewed job.
	const q = `
		UPDATE images SET state = 'not_analyzed', status = 'active', stage = '', stage_done = 0, stage_total = 0,
		       stage_since = NULL, attempt = 0, worker = '', failure = NULL, source = $2, task = $3, host = $4, updated_at = now()
		 WHERE pk = $1`

	payload, err := json.Marshal(task)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q, image, task.Source, payload, host); err != nil {
		return err
	}
	note := ""
	if !isNew {
		note = "queued again"
	}
	if err := noteState(ctx, tx, image, engine.NotAnalyzed, note); err != nil {
		return err
	}
	return enqueue(ctx, tx, engine.Job{
		Queue: engine.QueueAnalyze, Account: account, Subject: digest, Payload: payload, Host: host, MaxAttempts: s.analyzeAttempts,
	})
}

// noteState adds to an image's timeline.
func noteState(ctx context.Context, tx pgx.Tx, image int64, state engine.AnalysisState, note string) error {
	_, err := tx.Exec(ctx, `INSERT INTO image_states (image, state, note) VALUES ($1, $2, $3)`, image, state, note)
	return err
}
