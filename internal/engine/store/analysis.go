package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// An analysis in the database: begun, moved on, and ended by its result or its
// failure. Every step locks the image before the job, as all that touches both
// does, and is fenced by the job's attempt: a worker that lost its lease
// changes nothing.

// defaultAnalyzeAttempts are made at an analysis whose cause of failure can pass.
const defaultAnalyzeAttempts = 5

// SetAnalyzeAttempts says how many attempts are made at each analysis that is
// enqueued from now on. It is called before the store is used.
func (s *Store) SetAnalyzeAttempts(n int) {
	if n > 0 {
		s.analyzeAttempts = n
	}
}

// BeginAnalysis moves a leased image to analyzing and returns it. False means
// that there is nothing to do, because the image is gone, deleted, cancelled
// or done: the job has been removed.
func (s *Store) BeginAnalysis(ctx context.Context, j engine.Job, worker string) (engine.Image, bool, error) {
	const begin = `
		UPDATE images SET state = 'analyzing', stage = 'pull', stage_done = 0, stage_total = 0, stage_since = now(),
		       attempt = $2, attempts = $5, worker = $3, failure = NULL, updated_at = now()
		 WHERE pk = $1 AND state = ANY($4)`

	work := false
	err := s.inTx(ctx, "begin analysis", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, j.Account, j.Subject)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err != nil || i.status != engine.ImageActive || i.state == engine.Analyzed || i.state == engine.Failed {
			return finishJob(ctx, tx, j)
		}
		if err := holdJob(ctx, tx, j); err != nil {
			return err
		}
		if i.state == engine.Analyzing { // the worker of the attempt before was lost
			if _, err := tx.Exec(ctx, `UPDATE images SET state = 'not_analyzed' WHERE pk = $1`, i.pk); err != nil {
				return err
			}
			if err := noteState(ctx, tx, i.pk, engine.NotAnalyzed, "its worker was lost"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, begin, i.pk, j.Attempt, worker, engine.Analyzing.Before(), j.MaxAttempts); err != nil {
			return err
		}
		if err := noteState(ctx, tx, i.pk, engine.Analyzing, attemptNote(j.Attempt)); err != nil {
			return err
		}
		work = true
		return record(ctx, tx, engine.ChangeImage, j.Account, i.digest, nil)
	})
	if err != nil || !work {
		return engine.Image{}, false, err
	}
	img, err := s.Image(ctx, j.Account, j.Subject)
	return img, err == nil, err
}

func attemptNote(n int) string {
	if n <= 1 {
		return ""
	}
	return fmt.Sprintf("attempt %d", n)
}

// holdJob checks that a job is still held and keeps it so until the end of
// the transaction.
func holdJob(ctx context.Context, tx pgx.Tx, j engine.Job) error {
	const q = `SELECT FROM jobs WHERE id = $1 AND attempt = $2 AND generation = $3 AND leased_by = $4 FOR UPDATE`

	tag, err := tx.Exec(ctx, q, j.ID, j.Attempt, j.Generation, j.LeasedBy)
	if err == nil && tag.RowsAffected() == 0 {
		return engine.ErrLeaseLost
	}
	return err
}

// AnalysisProgress records how far an analysis has come, for those who watch.
func (s *Store) AnalysisProgress(ctx context.Context, j engine.Job, p engine.Progress) error {
	const q = `
		UPDATE images SET stage_since = CASE WHEN stage = $4 THEN stage_since ELSE now() END,
		       stage = $4, stage_done = $5, stage_total = $6
		 WHERE account = $1 AND digest = $2 AND state = 'analyzing' AND attempt = $3`

	return s.inTx(ctx, "analysis progress", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, j.Account, j.Subject, j.Attempt, p.Stage, p.Done, p.Total)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, j.Account, j.Subject, nil)
	})
}

// SaveAnalysis stores all that was found in an image, with its matches, moves
// it to analyzed, tells of it and removes the job: all or nothing.
// engine.ErrLeaseLost when the job is another's by now.
func (s *Store) SaveAnalysis(ctx context.Context, j engine.Job, a engine.Analysis, matches []engine.Match, data string, src engine.Source) error {
	const done = `
		UPDATE images SET state = 'analyzed', analyzed_at = now(), updated_at = now(), stage = '', stage_done = 0,
		       stage_total = 0, stage_since = NULL, worker = '', failure = NULL, arch = $2, distro = $3,
		       distro_version = $4, dockerfile_mode = $5, image_size = $6, layer_count = $7, packages = $8,
		       analysis_ms = $10, analysis_peak = $11
		 WHERE pk = $1 AND state = ANY($9)`

	docs, err := packDocuments(a)
	if err != nil {
		return fmt.Errorf("save analysis: %w", err)
	}
	return s.inTx(ctx, "save analysis", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, j.Account, j.Subject)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.ErrLeaseLost // its job went with it
		}
		if err != nil {
			return err
		}
		if err := finishJob(ctx, tx, j); err != nil {
			return err
		}
		tags, err := settleDockerfiles(ctx, tx, i.pk, &a, docs)
		if err != nil {
			return err
		}
		m := a.Meta
		tag, err := tx.Exec(ctx, done, i.pk, m.Arch, m.Distro, m.DistroVersion, m.DockerfileMode, m.Size, m.LayerCount,
			len(a.Packages), engine.Analyzed.Before(), a.Run.Took.Milliseconds(), a.Run.Peak)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("%w: image is %s", engine.ErrConflict, i.state)
		}
		if err := replacePackages(ctx, tx, i.pk, a.Packages); err != nil {
			return err
		}
		watch, err := watchVulns(ctx, tx, i.pk)
		if err != nil {
			return err
		}
		if _, err := replaceMatches(ctx, tx, i.pk, data, matches); err != nil {
			return err
		}
		for bucket, d := range docs {
			if err := putPacked(ctx, tx, j.Account, bucket, i.digest, d); err != nil {
				return err
			}
		}
		if err := noteState(ctx, tx, i.pk, engine.Analyzed, ""); err != nil {
			return err
		}
		if err := matchAgainIfLate(ctx, tx, j.Account, i.digest, data); err != nil {
			return err
		}
		if err := enqueueEvaluation(ctx, tx, j.Account, i.digest); err != nil {
			return err
		}
		if err := settleImports(ctx, tx, j.Account, i.digest, engine.ImportComplete); err != nil {
			return err
		}
		if err := tellAnalyzed(ctx, tx, i.pk, src, tags...); err != nil {
			return err
		}
		if a.Unscanned != "" {
			details := map[string]any{"error": a.Unscanned, "imageDigest": i.digest}
			if err := emit(ctx, tx, engine.NewEvent(engine.EvMalwareUnscanned, j.Account, i.digest, details, src)); err != nil {
				return err
			}
		}
		if err := watch.tell(ctx, tx, matches, src); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, j.Account, i.digest, nil)
	})
}

// settleDockerfiles finds out whether a Dockerfile was submitted, fills in the
// guess where none was, and returns the full names of the image's tags.
func settleDockerfiles(ctx context.Context, tx pgx.Tx, image int64, a *engine.Analysis, docs map[string]packedDocument) ([]string, error) {
	const list = `
		SELECT registry || '/' || repository || ':' || tag, dockerfile FROM image_tags
		 WHERE image = $1 ORDER BY detected_at DESC, tag`
	const fill = `UPDATE image_tags SET dockerfile = $2 WHERE image = $1 AND dockerfile = ''`

	rows, err := tx.Query(ctx, list, image)
	if err != nil {
		return nil, err
	}
	guess := base64.StdEncoding.EncodeToString([]byte(a.Dockerfile))
	var tags []string
	var name, dockerfile, actual string
	_, err = pgx.ForEachRow(rows, []any{&name, &dockerfile}, func() error {
		tags = append(tags, name)
		// An earlier analysis has filled in the same guess.
		if actual == "" && dockerfile != guess {
			actual = dockerfile
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if text, err := base64.StdEncoding.DecodeString(actual); err == nil && actual != "" {
		a.Meta.DockerfileMode = "Actual"
		docs[engine.DocDockerfile] = packDocument(text)
	}
	_, err = tx.Exec(ctx, fill, image, guess)
	return tags, err
}

func replacePackages(ctx context.Context, tx pgx.Tx, image int64, list []engine.Package) error {
	columns := []string{"image", "key", "name", "version", "type", "class", "path", "licenses", "origin", "source", "size", "cpes", "purl", "extra"}

	if _, err := tx.Exec(ctx, `DELETE FROM packages WHERE image = $1`, image); err != nil {
		return err
	}
	rows := make([][]any, 0, len(list))
	for _, p := range list {
		var extra []byte
		if len(p.Extra) > 0 {
			var err error
			if extra, err = json.Marshal(p.Extra); err != nil {
				return fmt.Errorf("package %s: %w", p.Name, err)
			}
		}
		rows = append(rows, []any{image, p.Key, p.Name, p.Version, p.Type, p.Class, p.Path, text(p.Licenses), p.Origin, p.Source, p.Size, text(p.CPEs), p.PURL, extra})
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"packages"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("copy packages: %w", err)
	}
	return nil
}

// FailAnalysis ends an attempt. With a pause the image waits again and the job
// is offered after it; with none the image has failed for good, and only then
// is anybody told.
func (s *Store) FailAnalysis(ctx context.Context, j engine.Job, f engine.Failure, pause time.Duration, src engine.Source) error {
	f.Attempts, f.NextAt, f.Host = j.MaxAttempts, time.Time{}, src.Host
	return s.inTx(ctx, "fail analysis", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, j.Account, j.Subject)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.ErrLeaseLost
		}
		if err != nil {
			return err
		}
		to, note := engine.Failed, f.Cause
		if pause > 0 {
			to, note = engine.NotAnalyzed, fmt.Sprintf("attempt %d: %s, again in %s", f.Attempt, f.Cause, pause.Round(time.Second))
			f.NextAt, err = retryJob(ctx, tx, j, pause, f.Message)
		} else {
			err = giveUpJob(ctx, tx, j)
		}
		if err != nil {
			return err
		}
		if err := endAttempt(ctx, tx, i, to, f, note); err != nil {
			return err
		}
		if to == engine.Failed {
			if err := tellFailed(ctx, tx, i, j.Account, f, src); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeImage, j.Account, i.digest, nil)
	})
}

// endAttempt moves an image out of an attempt that failed.
func endAttempt(ctx context.Context, tx pgx.Tx, i lockedImage, to engine.AnalysisState, f engine.Failure, note string) error {
	const end = `
		UPDATE images SET state = $2, failure = $3, stage = '', stage_done = 0, stage_total = 0, stage_since = NULL,
		       worker = '', updated_at = now()
		 WHERE pk = $1 AND state = ANY($4)`

	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, end, i.pk, to, raw, to.Before())
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("%w: image is %s", engine.ErrConflict, i.state)
	}
	return noteState(ctx, tx, i.pk, to, note)
}

// tellFailed emits that the analysis of an image has failed for good, and ends
// the imports it was for.
func tellFailed(ctx context.Context, tx pgx.Tx, i lockedImage, account string, f engine.Failure, src engine.Source) error {
	if err := settleImports(ctx, tx, account, i.digest, engine.ImportFailed); err != nil {
		return err
	}
	return emitFailure(ctx, tx, i, account, f, src)
}

func emitFailure(ctx context.Context, tx pgx.Tx, i lockedImage, account string, f engine.Failure, src engine.Source) error {
	const q = `SELECT registry || '/' || repository || ':' || tag FROM image_tags WHERE image = $1 ORDER BY detected_at DESC, tag`

	rows, err := tx.Query(ctx, q, i.pk)
	if err != nil {
		return err
	}
	tags, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	details := map[string]any{"cause": f.Cause, "stage": f.Stage, "error": f.Message, "attempt": f.Attempt, "imageDigest": i.digest}
	for _, t := range tags {
		if err := emit(ctx, tx, engine.NewEvent(engine.EvAnalysisFailed, account, t, details, src)); err != nil {
			return err
		}
	}
	kind := engine.EvImageAnalysisFailed
	if f.Stage == engine.StageSave {
		kind = engine.EvCatalogSaveFailed
	}
	return emit(ctx, tx, engine.NewEvent(kind, account, i.digest, details, src))
}

// ReturnAnalysis puts an image back among the waiting, for a worker that stops
// in order and gives its lease back after.
func (s *Store) ReturnAnalysis(ctx context.Context, j engine.Job) error {
	const q = `
		UPDATE images SET state = 'not_analyzed', stage = '', stage_done = 0, stage_total = 0, stage_since = NULL,
		       worker = '', updated_at = now()
		 WHERE pk = $1 AND state = 'analyzing'`

	return s.inTx(ctx, "return analysis", func(tx pgx.Tx) error {
		i, err := findLocked(ctx, tx, j.Account, j.Subject)
		if err != nil {
			return err
		}
		if err := holdJob(ctx, tx, j); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q, i.pk); err != nil {
			return err
		}
		if err := noteState(ctx, tx, i.pk, engine.NotAnalyzed, "its worker stopped"); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeImage, j.Account, i.digest, nil)
	})
}

// UploadLayouts names the uploads that images are analyzed from.
func (s *Store) UploadLayouts(ctx context.Context) (map[string]bool, error) {
	const q = `SELECT DISTINCT task->>'layout' FROM images WHERE source = 'upload' AND status = 'active' AND task->>'layout' <> ''`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("upload layouts: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("upload layouts: %w", domain(err))
	}
	needed := make(map[string]bool, len(list))
	for _, name := range list {
		needed[name] = true
	}
	return needed, nil
}
