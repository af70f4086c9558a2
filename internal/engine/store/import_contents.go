package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// AddImportContent keeps an upload. The same bytes uploaded again are the
// upload there is. The import must still take uploads.
func (s *Store) AddImportContent(ctx context.Context, account, id string, c engine.ImportContent, body []byte) (engine.ImportContent, error) {
	const known = `SELECT created_at FROM import_contents WHERE operation = $1 AND kind = $2 AND digest = $3`
	const held = `SELECT count(*), COALESCE(sum(size), 0) FROM import_contents WHERE operation = $1`
	const add = `
		INSERT INTO import_contents (operation, account, kind, digest, size, encoding, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING created_at`

	packed := packDocument(body)
	err := s.inTx(ctx, "add import content", func(tx pgx.Tx) error {
		status, err := lockImport(ctx, tx, account, id)
		if err != nil {
			return err
		}
		if !status.Active() {
			return engine.Conflictf("import operation %s is %s: it takes no more content", id, status)
		}
		err = tx.QueryRow(ctx, known, id, c.Kind, c.Digest).Scan(&c.CreatedAt)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		var n int
		var size int64
		if err := tx.QueryRow(ctx, held, id).Scan(&n, &size); err != nil {
			return err
		}
		if n >= engine.MaxImportContents || size+int64(len(body)) > engine.MaxImportBytes {
			return engine.Invalidf("import operation %s holds %d contents of %d bytes: no more are taken", id, n, size)
		}
		return tx.QueryRow(ctx, add, id, account, c.Kind, c.Digest, len(body), packed.encoding, packed.body).Scan(&c.CreatedAt)
	})
	return c, err
}

// ImportContents lists what was uploaded of one kind, oldest first; nothing
// for an import that there is not.
func (s *Store) ImportContents(ctx context.Context, account, id string, kind engine.ImportKind) ([]engine.ImportContent, error) {
	const q = `
		SELECT kind, digest, created_at FROM import_contents
		 WHERE account = $1 AND operation = $2 AND kind = $3 ORDER BY created_at, digest`

	rows, err := s.pool.Query(ctx, q, account, id, kind)
	if err != nil {
		return nil, fmt.Errorf("import contents: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c engine.ImportContent, err error) {
		err = r.Scan(&c.Kind, &c.Digest, &c.CreatedAt)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("import contents: %w", domain(err))
	}
	return list, nil
}

// Imported is what an image of an import is made of: the uploads that were
// chosen when the import was finished or, when they have been collected since,
// what an earlier analysis made of them. engine.ErrNotFound when neither is
// there.
func (s *Store) Imported(ctx context.Context, account, id, digest string) (engine.Imported, error) {
	const q = `
		SELECT c.kind, c.encoding, c.body FROM import_contents c JOIN import_operations o ON o.uuid = c.operation
		 WHERE o.account = $1 AND o.uuid = $2 AND o.chosen ->> c.kind = c.digest`

	rows, err := s.pool.Query(ctx, q, account, id)
	if err != nil {
		return engine.Imported{}, fmt.Errorf("imported: %w", domain(err))
	}
	found := map[engine.ImportKind][]byte{}
	var kind engine.ImportKind
	var encoding string
	var body []byte
	_, err = pgx.ForEachRow(rows, []any{&kind, &encoding, &body}, func() error {
		plain, err := unpack(body, encoding)
		found[kind] = plain
		return err
	})
	if err != nil {
		return engine.Imported{}, fmt.Errorf("imported: %w", domain(err))
	}
	if found[engine.ImportPackages] == nil {
		return s.analyzedImport(ctx, account, digest)
	}
	return engine.Imported{
		SBOM: found[engine.ImportPackages], Manifest: found[engine.ImportManifest], Parent: found[engine.ImportParentManifest],
		Config: found[engine.ImportImageConfig], Dockerfile: found[engine.ImportDockerfile],
	}, nil
}

// analyzedImport gives back the stored documents of an imported image. A
// submitted Dockerfile stands with the image's tags.
func (s *Store) analyzedImport(ctx context.Context, account, digest string) (in engine.Imported, err error) {
	if in.SBOM, err = s.Document(ctx, account, engine.DocSBOM, digest); err != nil {
		return in, err
	}
	if in.Manifest, err = s.Document(ctx, account, engine.DocManifest, digest); err != nil {
		return in, err
	}
	if in.Config, err = s.Document(ctx, account, engine.DocConfig, digest); err != nil {
		return in, err
	}
	if in.Parent, err = s.Document(ctx, account, engine.DocParentManifest, digest); errors.Is(err, engine.ErrNotFound) {
		err = nil
	}
	return in, err
}
