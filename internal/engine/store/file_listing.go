package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/listing"
)

// FilePage is one page of an image's files, read without the rest of them.
// engine.ErrNotFound when the image has no list of files.
func (s *Store) FilePage(ctx context.Context, account, digest string, q engine.FileQuery) (engine.FilePage, error) {
	page, err := s.filePage(ctx, account, digest, q)
	if !errors.Is(err, engine.ErrNotFound) {
		return page, err
	}
	// One that was analyzed before there were listings, or restored from an
	// archive of then.
	if err := s.addListing(ctx, account, digest); err != nil {
		return engine.FilePage{}, fmt.Errorf("file page: %w", err)
	}
	return s.filePage(ctx, account, digest, q)
}

func (s *Store) filePage(ctx context.Context, account, digest string, q engine.FileQuery) (engine.FilePage, error) {
	l, err := listing.Open(ctx, func(ctx context.Context, ranges []listing.Range) ([][]byte, error) {
		return s.documentRanges(ctx, account, engine.DocListing, digest, ranges)
	})
	if err != nil {
		return engine.FilePage{}, fmt.Errorf("file page: %w", err)
	}
	page, err := l.Page(ctx, q)
	if err != nil {
		return page, fmt.Errorf("file page: %w", err)
	}
	return page, nil
}

// documentRanges reads parts of a document that is stored as it is: the column
// is not compressed, so that the database reads no more than is asked for.
func (s *Store) documentRanges(ctx context.Context, account, bucket, key string, ranges []listing.Range) ([][]byte, error) {
	const q = `
		SELECT substring(d.body FROM r.at FOR r.len)
		  FROM documents d, unnest($4::int[], $5::int[]) WITH ORDINALITY AS r(at, len, n)
		 WHERE d.account = $1 AND d.bucket = $2 AND d.key = $3 AND d.encoding = ''
		 ORDER BY r.n`

	at, size := make([]int32, len(ranges)), make([]int32, len(ranges))
	for n, r := range ranges {
		if r.At < 0 || r.Len < 0 || r.At > maxDocument || r.Len > maxDocument {
			return nil, fmt.Errorf("document %s: a part from %d of %d bytes", bucket, r.At, r.Len)
		}
		at[n], size[n] = int32(r.At)+1, int32(r.Len) // counted from one
	}
	rows, err := s.pool.Query(ctx, q, account, bucket, key, at, size)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", bucket, domain(err))
	}
	defer rows.Close()
	var parts [][]byte
	for rows.Next() {
		var part []byte
		if err := rows.Scan(&part); err != nil {
			return nil, fmt.Errorf("document %s: %w", bucket, domain(err))
		}
		parts = append(parts, part)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("document %s: %w", bucket, domain(err))
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("document %s: %w", bucket, engine.ErrNotFound)
	}
	return parts, nil
}

// addListing makes the listing of an image that has none, unless the image was
// analyzed anew meanwhile: then it has one.
func (s *Store) addListing(ctx context.Context, account, digest string) error {
	const read = `SELECT updated_at FROM documents WHERE account = $1 AND bucket = $2 AND key = $3`
	const add = `
		INSERT INTO documents (account, bucket, key, encoding, body)
		SELECT $1, $2, $3, '', $4 FROM documents
		 WHERE account = $1 AND bucket = $5 AND key = $3 AND updated_at = $6
		    ON CONFLICT (account, bucket, key) DO NOTHING`

	var at time.Time
	if err := s.pool.QueryRow(ctx, read, account, engine.DocFiles, digest).Scan(&at); err != nil {
		return domain(err)
	}
	files, err := s.Files(ctx, account, digest)
	if err != nil {
		return err
	}
	list, err := s.Packages(ctx, account, digest, "")
	if err != nil {
		return err
	}
	sbom, err := s.Document(ctx, account, engine.DocSBOM, digest)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	body, err := listing.Of(engine.Analysis{Files: files, Packages: list, SBOM: sbom})
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, add, account, engine.DocListing, digest, body, engine.DocFiles, at)
	return domain(err)
}
