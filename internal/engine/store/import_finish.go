package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// FinishImport makes an image of an import, or adds its tags to the image
// there is: image, tags, job and the state of the import in one transaction.
// What an analyzed image holds is kept unless force says otherwise.
func (s *Store) FinishImport(ctx context.Context, f engine.FinishImport, src engine.Source) error {
	return s.inTx(ctx, "finish import", func(tx pgx.Tx) error {
		manifest, dockerfile, err := chooseContents(ctx, tx, f)
		if err != nil {
			return err
		}
		annotations := maps.Clone(f.Annotations)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[engine.AnnotationImport] = f.Import
		n := NewImage{
			Account: f.Account, Digest: f.Digest, ParentDigest: f.ParentDigest, ID: f.ImageID, Dockerfile: dockerfile,
			Annotations: annotations, Force: f.Force, Manifest: manifest, Source: src,
			Task: engine.AnalyzeTask{Source: engine.FromImport, Import: f.Import},
		}
		row, err := s.upsertImage(ctx, tx, n)
		if err != nil {
			return err
		}
		enqueued := row.isNew || f.Force || row.state == engine.Failed || row.status != engine.ImageActive
		var news []string // tags of an image that is analyzed already
		for _, t := range f.Tags {
			n.Tag = t
			fresh, err := putTag(ctx, tx, row.pk, n)
			if err != nil {
				return err
			}
			if fresh && !enqueued && row.state == engine.Analyzed {
				news = append(news, t.Full())
			}
		}
		if err := initSubscriptions(ctx, tx, row.pk, f.AutoSubscribe); err != nil {
			return err
		}
		if len(news) > 0 { // now that somebody can have subscribed to them
			if err := tellAnalyzed(ctx, tx, row.pk, src, news...); err != nil {
				return err
			}
		}
		if enqueued {
			if err := s.requeue(ctx, tx, row.pk, f.Account, string(f.Digest), n.Task, "", row.isNew); err != nil {
				return err
			}
		}
		return record(ctx, tx, engine.ChangeImage, f.Account, string(f.Digest), nil)
	})
}

// chooseContents moves an import from pending to processing with the uploads
// that its image is made of, and gives its manifest and its Dockerfile in
// base64.
func chooseContents(ctx context.Context, tx pgx.Tx, f engine.FinishImport) (manifest []byte, dockerfile string, err error) {
	const find = `
		SELECT encoding, CASE WHEN kind IN ('manifest', 'dockerfile') THEN body END FROM import_contents
		 WHERE operation = $1 AND kind = $2 AND digest = $3`
	const choose = `UPDATE import_operations SET status = 'processing', digest = $2, chosen = $3, updated_at = now() WHERE uuid = $1`

	status, err := lockImport(ctx, tx, f.Account, f.Import)
	if err != nil {
		return nil, "", err
	}
	if status != engine.ImportPending {
		return nil, "", &engine.Fault{
			Kind: engine.ErrConflict, Message: "import operation status does not allow finalization",
			Detail: map[string]any{"status": string(status)},
		}
	}
	for kind, digest := range f.Contents {
		var encoding string
		var body []byte
		err := tx.QueryRow(ctx, find, f.Import, kind, digest).Scan(&encoding, &body)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, "", &engine.Fault{
				Kind:    engine.ErrInvalid,
				Message: fmt.Sprintf("a content digest that is referred to was not uploaded for import operation %s", f.Import),
				Detail:  map[string]any{"digest": digest},
			}
		}
		if err != nil {
			return nil, "", err
		}
		switch kind {
		case engine.ImportManifest:
			manifest, err = unpack(body, encoding)
		case engine.ImportDockerfile:
			if body, err = unpack(body, encoding); err == nil {
				dockerfile = base64.StdEncoding.EncodeToString(plainDockerfile(body))
			}
		}
		if err != nil {
			return nil, "", err
		}
	}
	chosen, err := json.Marshal(f.Contents)
	if err != nil {
		return nil, "", err
	}
	_, err = tx.Exec(ctx, choose, f.Import, string(f.Digest), chosen)
	return manifest, dockerfile, err
}

// plainDockerfile is an uploaded Dockerfile as text: it comes raw or as a JSON
// string.
func plainDockerfile(body []byte) []byte {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return []byte(text)
	}
	return body
}
