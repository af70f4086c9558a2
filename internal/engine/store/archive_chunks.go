package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/archive"
)

// archiveChunk is how much of an archive stands in one row.
const archiveChunk = 1 << 20

// chunkWriter lays what is written down in rows of an archive.
type chunkWriter struct {
	ctx     context.Context
	tx      pgx.Tx
	archive int64
	n       int
	size    int64
	buf     []byte
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		take := min(len(rest), archiveChunk-len(w.buf))
		w.buf = append(w.buf, rest[:take]...)
		rest = rest[take:]
		if len(w.buf) == archiveChunk {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (w *chunkWriter) flush() error {
	const q = `INSERT INTO archived_chunks (archive, n, body) VALUES ($1, $2, $3)`

	if len(w.buf) == 0 {
		return nil
	}
	if _, err := w.tx.Exec(w.ctx, q, w.archive, w.n, w.buf); err != nil {
		return err
	}
	w.size += int64(len(w.buf))
	w.n++
	w.buf = w.buf[:0]
	return nil
}

// chunkReader reads an archive row by row.
type chunkReader struct {
	ctx     context.Context
	store   *Store
	archive int64
	n       int
	buf     []byte
}

func (r *chunkReader) Read(p []byte) (int, error) {
	const q = `SELECT body FROM archived_chunks WHERE archive = $1 AND n = $2`

	if len(r.buf) == 0 {
		err := r.store.pool.QueryRow(r.ctx, q, r.archive, r.n).Scan(&r.buf)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, domain(err)
		}
		r.n++
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

// OpenArchived gives the bytes of an archived image and how many they are.
func (s *Store) OpenArchived(ctx context.Context, account, digest string) (io.Reader, int64, error) {
	var pk, size int64
	err := s.pool.QueryRow(ctx, `SELECT a.pk, a.size`+findArchived, account, digest).Scan(&pk, &size)
	if err != nil {
		return nil, 0, fmt.Errorf("archived image: %w", domain(err))
	}
	return &chunkReader{ctx: ctx, store: s, archive: pk}, size, nil
}

// ReadArchived reads all that an archive holds of an image.
func (s *Store) ReadArchived(ctx context.Context, account, digest string) (*archive.Contents, error) {
	r, _, err := s.OpenArchived(ctx, account, digest)
	if err != nil {
		return nil, err
	}
	c, err := archive.Read(r)
	if err != nil {
		return nil, fmt.Errorf("archived image %s: %w", engine.Digest(digest).Short(), err)
	}
	return c, nil
}
