package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"windlass/internal/engine"
)

// DocumentInfo tells of one document without reading it: a gzip ends with the
// length of what it holds. engine.ErrNotFound when there is none.
func (s *Store) DocumentInfo(ctx context.Context, account, bucket, key string) (engine.DocumentInfo, error) {
	const q = `
		SELECT encoding, octet_length(body), CASE WHEN encoding = 'gzip' THEN substring(body FROM octet_length(body) - 3) ELSE '' END, updated_at
		  FROM documents WHERE account = $1 AND bucket = $2 AND key = $3`

	var info engine.DocumentInfo
	var encoding string
	var end []byte
	var at time.Time
	if err := s.pool.QueryRow(ctx, q, account, bucket, key).Scan(&encoding, &info.Size, &end, &at); err != nil {
		return info, fmt.Errorf("document %s: %w", bucket, domain(err))
	}
	if encoding == "gzip" && len(end) == 4 {
		info.Size = int64(binary.LittleEndian.Uint32(end))
	}
	info.Tag = fmt.Sprintf("%x-%x", at.UnixMicro(), info.Size)
	return info, nil
}
