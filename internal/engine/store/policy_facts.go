package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// factsVersion changes with all that an evaluation sees of an image: its
// analysis, its matches, the data they were made with, the syncs of that data,
// and the exploitability documents that count for it. Of images i.
const factsVersion = `
	concat_ws(' ', extract(epoch FROM i.analyzed_at), i.matched_with, extract(epoch FROM i.matched_at),
		(SELECT extract(epoch FROM max(last_sync)) FROM feed_groups), ` + vexVersion + `)`

// PolicyFactsVersion is the version of what is known of an image now.
func (s *Store) PolicyFactsVersion(ctx context.Context, account, digest string) (string, error) {
	const q = `SELECT ` + factsVersion + ` FROM images i WHERE i.account = $1 AND i.digest = $2`

	var v string
	if err := s.pool.QueryRow(ctx, q, account, digest).Scan(&v); err != nil {
		return "", fmt.Errorf("facts version: %w", domain(err))
	}
	return v, nil
}

// PolicyFacts loads what is wanted of an image's facts, all of one moment: an
// analysis or a rematch that ends meanwhile is seen whole or not at all. The
// list of files is decoded as it is unpacked, so that it is in memory once.
func (s *Store) PolicyFacts(ctx context.Context, account, digest string, want engine.PolicyFactsWanted) (engine.PolicyFacts, error) {
	const find = `SELECT ` + imageColumns + ` FROM images i WHERE i.account = $1 AND i.digest = $2`
	const version = `SELECT ` + factsVersion + ` FROM images i WHERE i.account = $1 AND i.digest = $2`
	const groups = `SELECT feed, name, enabled, created_at, updated_at, last_sync, records, records_before FROM feed_groups WHERE feed = 'vulnerabilities'`

	var f engine.PolicyFacts
	var files []byte
	var encoding string
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, find, account, digest)
		if err != nil {
			return err
		}
		row, err := pgx.CollectExactlyOneRow(rows, scanImage)
		if err != nil {
			return err
		}
		f.Image = row.Image
		if err := tx.QueryRow(ctx, version, account, digest).Scan(&f.Version); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, groups); err != nil {
			return err
		}
		if f.Groups, err = pgx.CollectRows(rows, scanGroup); err != nil {
			return err
		}
		if want.Packages {
			if f.Packages, err = factPackages(ctx, tx, account, digest); err != nil {
				return err
			}
		}
		if want.Matches {
			if f.Matches, err = factMatches(ctx, tx, account, digest, row.pk); err != nil {
				return err
			}
		}
		if want.Files {
			if files, encoding, err = factDocument(ctx, tx, account, engine.DocFiles, digest); err != nil {
				return err
			}
		}
		f.Documents = make(map[string][]byte, len(want.Documents))
		for _, name := range want.Documents {
			body, encoding, err := factDocument(ctx, tx, account, name, digest)
			if err != nil {
				return err
			}
			if f.Documents[name], err = unpack(body, encoding); err != nil {
				return fmt.Errorf("document %s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("policy facts: %w", domain(err))
	}
	if f.Files, err = decodeFiles(files, encoding); err != nil {
		return f, fmt.Errorf("policy facts: document %s: %w", engine.DocFiles, err)
	}
	return f, nil
}

func factPackages(ctx context.Context, tx pgx.Tx, account, digest string) ([]engine.Package, error) {
	const q = `SELECT ` + packageColumns + `
		  FROM packages p JOIN images i ON i.pk = p.image
		 WHERE i.account = $1 AND i.digest = $2 ORDER BY p.name, p.version, p.path, p.key`

	rows, err := tx.Query(ctx, q, account, digest)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanPackage)
}

// factMatches leaves out the descriptions: no rule reads them. The order is
// fixed, so that the rows of an evaluation are.
func factMatches(ctx context.Context, tx pgx.Tx, account, digest string, image int64) ([]engine.SeenMatch, error) {
	const q = `
		SELECT m.package_key, m.package, m.version, m.package_type, m.path, m.vuln, m.severity, m.fixes, m.fix_state, m.url,
		       m.feed, m.feed_group, m.namespace, '', m.cves, m.cpe, m.cpe23, m.will_not_fix, m.scores, m.epss,
		       m.known_exploited, m.matcher, m.version_range, m.sample, m.first_seen, m.fix_at
		  FROM matches m JOIN images i ON i.pk = m.image
		 WHERE i.account = $1 AND i.digest = $2
		 ORDER BY m.package, m.version, m.path, m.vuln, m.namespace, m.package_key`

	rows, err := tx.Query(ctx, q, account, digest)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (m engine.SeenMatch, err error) {
		var fixed nullTime
		m.Match, err = scanMatchMore(r, &m.FirstSeen, &fixed)
		m.FirstSeen, m.FixAt = m.FirstSeen.UTC(), zero(fixed)
		return m, err
	})
	if err != nil {
		return nil, err
	}
	return list, markSeen(ctx, tx, image, list)
}

// factDocument is nil for a document that the image has not.
func factDocument(ctx context.Context, tx pgx.Tx, account, name, digest string) (body []byte, encoding string, err error) {
	const q = `SELECT body, encoding FROM documents WHERE account = $1 AND bucket = $2 AND key = $3`

	err = tx.QueryRow(ctx, q, account, name, digest).Scan(&body, &encoding)
	if isNotFound(domain(err)) {
		return nil, "", nil
	}
	return body, encoding, err
}

func decodeFiles(body []byte, encoding string) ([]engine.File, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var r io.Reader = bytes.NewReader(body)
	if encoding == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = io.LimitReader(z, maxDocument)
	}
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, err // null: no files
	}
	var list []engine.File
	for d.More() {
		var f engine.File
		if err := d.Decode(&f); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}
