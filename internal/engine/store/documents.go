package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/listing"
)

// Documents of an image stand in the bucket of their name (engine.DocSBOM,
// engine.DocFiles, ...) under the image's digest. Those that compression
// shortens are kept as gzip, and the column is not compressed again.

// maxDocument bounds what one stored document may unpack to. A large image's
// file list or SBOM has some tens of megabytes.
const maxDocument = 512 << 20

// smallDocument is the size under which compression is not worth its header.
const smallDocument = 512

// putDocument stores a document in place of one of the same name.
func putDocument(ctx context.Context, tx pgx.Tx, account, bucket, key string, body []byte) error {
	return putPacked(ctx, tx, account, bucket, key, packDocument(body))
}

// packedDocument is a document ready to be stored: packing takes longer than
// storing, so it is done before the transaction where there is much.
type packedDocument struct {
	body     []byte
	encoding string
}

func packDocument(body []byte) packedDocument {
	if body == nil {
		body = []byte{}
	}
	packed, encoding := pack(body)
	return packedDocument{packed, encoding}
}

// packDocuments packs all documents of an analysis, side by side.
func packDocuments(a engine.Analysis) (map[string]packedDocument, error) {
	// By path, as those who look a file up want them; the analyzer walks a tree
	// in no order.
	sorted := slices.Clone(a.Files)
	slices.SortFunc(sorted, func(x, y engine.File) int { return strings.Compare(x.Path, y.Path) })
	files, err := json.Marshal(sorted)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", engine.DocFiles, err)
	}
	list, err := listing.Of(a)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", engine.DocListing, err)
	}
	bodies := map[string][]byte{
		engine.DocSBOM: a.SBOM, engine.DocFiles: files, engine.DocManifest: a.Manifest,
		engine.DocHistory: a.History, engine.DocDockerfile: []byte(a.Dockerfile),
	}
	maps.Copy(bodies, a.Documents)
	docs := make(map[string]packedDocument, len(bodies))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, body := range bodies {
		wg.Go(func() {
			d := packDocument(body)
			mu.Lock()
			defer mu.Unlock()
			docs[name] = d
		})
	}
	wg.Wait()
	docs[engine.DocListing] = packedDocument{body: list} // as it is: parts of it are read
	return docs, nil
}

func putPacked(ctx context.Context, tx pgx.Tx, account, bucket, key string, d packedDocument) error {
	const q = `
		INSERT INTO documents (account, bucket, key, encoding, body) VALUES ($1, $2, $3, $4, $5)
		    ON CONFLICT (account, bucket, key)
		    DO UPDATE SET encoding = excluded.encoding, body = excluded.body, updated_at = now()`

	if _, err := tx.Exec(ctx, q, account, bucket, key, d.encoding, d.body); err != nil {
		return fmt.Errorf("document %s: %w", bucket, err)
	}
	return nil
}

// Document is the text of one document. engine.ErrNotFound when there is none.
func (s *Store) Document(ctx context.Context, account, bucket, key string) ([]byte, error) {
	body, encoding, err := s.rawDocument(ctx, account, bucket, key)
	if err != nil {
		return nil, err
	}
	if body, err = unpack(body, encoding); err != nil {
		return nil, fmt.Errorf("document %s: %w", bucket, err)
	}
	return body, nil
}

// DocumentGzip is one document as gzip, for downloads that go out compressed:
// the stored bytes where they are that already.
func (s *Store) DocumentGzip(ctx context.Context, account, bucket, key string) ([]byte, error) {
	body, encoding, err := s.rawDocument(ctx, account, bucket, key)
	if err != nil || encoding == "gzip" {
		return body, err
	}
	return compress(body), nil
}

func (s *Store) rawDocument(ctx context.Context, account, bucket, key string) (body []byte, encoding string, err error) {
	const q = `SELECT body, encoding FROM documents WHERE account = $1 AND bucket = $2 AND key = $3`

	if err := s.pool.QueryRow(ctx, q, account, bucket, key).Scan(&body, &encoding); err != nil {
		return nil, "", fmt.Errorf("document %s: %w", bucket, domain(err))
	}
	return body, encoding, nil
}

// Files is the file list of an image.
func (s *Store) Files(ctx context.Context, account, digest string) ([]engine.File, error) {
	body, err := s.Document(ctx, account, engine.DocFiles, digest)
	if err != nil {
		return nil, err
	}
	var files []engine.File
	if err := json.Unmarshal(body, &files); err != nil {
		return nil, fmt.Errorf("document %s: %w", engine.DocFiles, err)
	}
	return files, nil
}

func pack(body []byte) (packed []byte, encoding string) {
	if len(body) < smallDocument {
		return body, ""
	}
	if packed = compress(body); len(packed) >= len(body) {
		return body, ""
	}
	return packed, "gzip"
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // errs on unknown levels only
	z.Write(body)                                   // a buffer takes everything
	z.Close()
	return b.Bytes()
}

func unpack(body []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "":
		return body, nil
	case "gzip":
	default:
		return nil, fmt.Errorf("encoding %q is unknown", encoding)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(out) > maxDocument {
		return nil, fmt.Errorf("%w: unpacks to more than %d bytes", engine.ErrInvalid, maxDocument)
	}
	return out, nil
}
