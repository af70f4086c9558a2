package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// feedPart is how much of an archive of vulnerability data stands in one row,
// and so how much of an upload that breaks off is sent again at most.
const feedPart = 1 << 20

// maxOpenArchives is how many uploads may lie about unfinished.
const maxOpenArchives = 4

const feedArchiveColumns = `id, source, size, have, checksum, flush, by, state, tries, cause, message, created_at, touched_at`

func scanFeedArchive(r pgx.CollectableRow) (a engine.FeedArchive, err error) {
	err = r.Scan(&a.ID, &a.Source, &a.Size, &a.Have, &a.Checksum, &a.Flush, &a.By, &a.State, &a.Tries, &a.Cause, &a.Message, &a.CreatedAt, &a.TouchedAt)
	return a, err
}

// OpenFeedArchive makes room for an archive whose bytes are to come.
func (s *Store) OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error) {
	const count = `SELECT count(*) FROM feed_archives WHERE state <> 'kept'`
	const add = `
		INSERT INTO feed_archives (id, source, size, checksum, flush, by) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ` + feedArchiveColumns

	var made engine.FeedArchive
	err := s.inTx(ctx, "open feed archive", func(tx pgx.Tx) error {
		var open int
		if err := tx.QueryRow(ctx, count).Scan(&open); err != nil {
			return err
		}
		if open >= maxOpenArchives {
			return engine.Conflictf("%d uploads are waiting already: go on with one, or discard it.", open)
		}
		rows, err := tx.Query(ctx, add, engine.NewID(), a.Source, a.Size, a.Checksum, a.Flush, a.By)
		if err != nil {
			return err
		}
		if made, err = pgx.CollectExactlyOneRow(rows, scanFeedArchive); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", made.ID, nil)
	})
	return made, err
}

// FeedArchives lists the archives that are not installed, newest first.
func (s *Store) FeedArchives(ctx context.Context) ([]engine.FeedArchive, error) {
	const q = `SELECT ` + feedArchiveColumns + ` FROM feed_archives WHERE state <> 'kept' ORDER BY created_at DESC, id`

	rows, err := s.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("feed archives: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanFeedArchive)
	if err != nil {
		return nil, fmt.Errorf("feed archives: %w", domain(err))
	}
	return list, nil
}

// FeedArchive is one of them, or one that is kept.
func (s *Store) FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+feedArchiveColumns+` FROM feed_archives WHERE id = $1`, id)
	if err != nil {
		return engine.FeedArchive{}, fmt.Errorf("feed archive: %w", domain(err))
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanFeedArchive)
	if err != nil {
		return engine.FeedArchive{}, missing(err, "there is no such upload")
	}
	return a, nil
}

// AppendFeedArchive takes in bytes of an open archive from an offset on. Bytes
// that are here already are compared with those that are: a file that is not
// the one that was begun is told at once. What came before r broke off stays.
func (s *Store) AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error) {
	a, err := s.FeedArchive(ctx, id)
	switch {
	case err != nil:
		return a, err
	case a.State != engine.FeedArchiveOpen:
		return a, engine.Conflictf("The upload has ended: it is %s.", a.State)
	case at < 0 || at > a.Have:
		return a, engine.Conflictf("The upload goes on at byte %d.", a.Have)
	}
	if err := s.sameBytes(ctx, a, at, r); err != nil {
		return a, err
	}
	buf := make([]byte, feedPart)
	for told := time.Now(); ; {
		n, rerr := io.ReadFull(r, buf)
		last := rerr != nil
		if n > 0 || last {
			tell := last || time.Since(told) > time.Second
			if tell {
				told = time.Now()
			}
			if a, err = s.appendPart(ctx, a, buf[:n], tell); err != nil {
				return a, err
			}
		}
		switch {
		case errors.Is(rerr, io.EOF), errors.Is(rerr, io.ErrUnexpectedEOF):
			return a, nil
		case last:
			return a, fmt.Errorf("append feed archive: %w", rerr)
		}
	}
}

// sameBytes reads as much of r as is here already.
func (s *Store) sameBytes(ctx context.Context, a engine.FeedArchive, at int64, r io.Reader) error {
	here := &feedPartReader{ctx: ctx, store: s, archive: a.ID, at: at}
	old, fresh := make([]byte, 64<<10), make([]byte, 64<<10)
	for left := a.Have - at; left > 0; {
		n := min(left, int64(len(old)))
		if _, err := io.ReadFull(here, old[:n]); err != nil {
			return fmt.Errorf("append feed archive: %w", err)
		}
		k, err := io.ReadFull(r, fresh[:n])
		if !bytes.Equal(old[:k], fresh[:k]) {
			return engine.Conflictf("This is not the file whose upload was begun.")
		}
		if err != nil {
			return engine.Invalidf("The upload was cut short.")
		}
		left -= n
	}
	return nil
}

func (s *Store) appendPart(ctx context.Context, a engine.FeedArchive, part []byte, tell bool) (engine.FeedArchive, error) {
	const grow = `
		UPDATE feed_archives SET have = have + $3, touched_at = now()
		 WHERE id = $1 AND have = $2 AND state = 'open' RETURNING ` + feedArchiveColumns
	const add = `INSERT INTO feed_archive_parts (archive, at, body) VALUES ($1, $2, $3)`

	switch end := a.Have + int64(len(part)); {
	case end > engine.MaxFeedArchive:
		return a, engine.Invalidf("The archive is larger than %d bytes: it is no vulnerability database.", int64(engine.MaxFeedArchive))
	case a.Size > 0 && end > a.Size:
		return a, engine.Invalidf("More bytes came than the %d that were announced.", a.Size)
	}
	// What came must be kept even when it is the sender's leaving that ends it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	out := a
	err := s.inTx(ctx, "append feed archive", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, grow, a.ID, a.Have, len(part))
		if err != nil {
			return err
		}
		out, err = pgx.CollectExactlyOneRow(rows, scanFeedArchive)
		if errors.Is(err, pgx.ErrNoRows) {
			return engine.Conflictf("The upload goes on elsewhere, or was discarded.")
		}
		if err != nil {
			return err
		}
		if len(part) > 0 {
			if _, err := tx.Exec(ctx, add, a.ID, a.Have, part); err != nil {
				return err
			}
		}
		if !tell {
			return nil
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", a.ID, nil)
	})
	return out, err
}

// BeginFeedArchive marks an archive as being installed and counts the try.
// engine.ErrConflict when it is being installed elsewhere, or not whole.
func (s *Store) BeginFeedArchive(ctx context.Context, id string) (engine.FeedArchive, error) {
	const q = `
		UPDATE feed_archives SET state = 'installing', tries = tries + 1, cause = '', message = '', touched_at = now()
		 WHERE id = $1 AND state <> 'kept' AND have > 0 AND (size = 0 OR have = size) RETURNING ` + feedArchiveColumns

	if a, err := s.FeedArchive(ctx, id); err != nil {
		return a, err
	} else if a.Have == 0 || a.Size > 0 && a.Have < a.Size {
		return a, engine.Conflictf("The upload is not complete: %d of %d bytes are here.", a.Have, a.Size)
	}
	return s.alterFeedArchive(ctx, "begin feed archive", q, id)
}

// RefuseFeedArchive says why an archive was not installed. It stays for another
// try.
func (s *Store) RefuseFeedArchive(ctx context.Context, id, cause, message string) error {
	const q = `
		UPDATE feed_archives SET state = 'refused', cause = $2, message = $3, touched_at = now()
		 WHERE id = $1 AND state <> 'kept' RETURNING ` + feedArchiveColumns

	_, err := s.alterFeedArchive(ctx, "refuse feed archive", q, id, cause, message)
	return err
}

// DropFeedArchive forgets an archive that is not kept for data.
func (s *Store) DropFeedArchive(ctx context.Context, id string) error {
	_, err := s.alterFeedArchive(ctx, "drop feed archive", `DELETE FROM feed_archives WHERE id = $1 AND state <> 'kept' RETURNING `+feedArchiveColumns, id)
	return err
}

func (s *Store) alterFeedArchive(ctx context.Context, what, q string, args ...any) (engine.FeedArchive, error) {
	var out engine.FeedArchive
	err := s.inTx(ctx, what, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, q, args...)
		if err != nil {
			return err
		}
		if out, err = pgx.CollectExactlyOneRow(rows, scanFeedArchive); err != nil {
			return missing(err, "there is no such upload")
		}
		return record(ctx, tx, engine.ChangeFeedSync, "", out.ID, nil)
	})
	return out, err
}

// SweepFeedArchives forgets uploads that nobody has gone on with for so long.
func (s *Store) SweepFeedArchives(ctx context.Context, idle time.Duration) error {
	const q = `DELETE FROM feed_archives WHERE state <> 'kept' AND touched_at < now() - make_interval(secs => $1)`
	if _, err := s.pool.Exec(ctx, q, idle.Seconds()); err != nil {
		return fmt.Errorf("sweep feed archives: %w", domain(err))
	}
	return nil
}

// keepArchives keeps the archive of the data that comes into use, and forgets
// those whose data can no longer be gone back to.
func keepArchives(ctx context.Context, tx pgx.Tx, id string) error {
	const (
		keep = `UPDATE feed_archives SET state = 'kept', cause = '', message = '' WHERE id = $1`
		drop = `
			DELETE FROM feed_archives a WHERE state = 'kept'
			   AND NOT EXISTS (SELECT FROM feed_data d WHERE d.archive = a.id AND d.role <> 'old')`
		gone = `UPDATE feed_data d SET archive = '' WHERE archive <> '' AND NOT EXISTS (SELECT FROM feed_archives a WHERE a.id = d.archive)`
	)
	if id != "" {
		if _, err := tx.Exec(ctx, keep, id); err != nil {
			return fmt.Errorf("keep archive: %w", err)
		}
	}
	for _, q := range []string{drop, gone} {
		if _, err := tx.Exec(ctx, q); err != nil {
			return fmt.Errorf("drop archives: %w", err)
		}
	}
	return nil
}

// AdoptFeedArchive keeps an archive for data that is in use and has none.
func (s *Store) AdoptFeedArchive(ctx context.Context, data, id string) error {
	return s.inTx(ctx, "adopt feed archive", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE feed_data SET archive = $2 WHERE id = $1 AND role <> 'old'`, data, id); err != nil {
			return err
		}
		if err := keepArchives(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, engine.ChangeFeeds, "", data, nil)
	})
}

// ReadFeedArchive gives the bytes of an archive from the database, a row at a
// time.
func (s *Store) ReadFeedArchive(ctx context.Context, id string) io.Reader {
	return &feedPartReader{ctx: ctx, store: s, archive: id}
}

type feedPartReader struct {
	ctx     context.Context
	store   *Store
	archive string
	at      int64
	buf     []byte
}

func (r *feedPartReader) Read(p []byte) (int, error) {
	const q = `SELECT at, body FROM feed_archive_parts WHERE archive = $1 AND at <= $2 ORDER BY at DESC LIMIT 1`

	if len(r.buf) == 0 {
		var from int64
		err := r.store.pool.QueryRow(r.ctx, q, r.archive, r.at).Scan(&from, &r.buf)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && from+int64(len(r.buf)) <= r.at {
			r.buf = nil
			return 0, io.EOF
		}
		if err != nil {
			return 0, domain(err)
		}
		r.buf = r.buf[r.at-from:]
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	r.at += int64(n)
	return n, nil
}
