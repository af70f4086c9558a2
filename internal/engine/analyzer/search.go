package analyzer

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"windlass/internal/engine/search"
)

// search reads those files of the squashed file system that the settings want
// to see, each once and from the layer that has it. It knows which those are
// before it reads: layers are gone through in the order of their bytes, and all
// else in them is passed over. One file is in memory at a time.
func (a *Analyzer) search(ctx context.Context, fs *rootfs, log *slog.Logger) (map[string][]byte, error) {
	began := time.Now()
	settings := a.Search
	if settings == nil {
		settings = search.Default()
	}
	s := &searcher{finder: settings.NewFinder(), keep: map[*entry][]string{}}
	for _, path := range s.finder.Retrieves() {
		if e := fs.tree.file(path); e != nil && s.finder.Keeps(e.size) && !slices.Contains(s.keep[e], path) {
			s.keep[e] = append(s.keep[e], path)
		}
	}
	fs.tree.reach()
	for i, l := range fs.layers {
		if err := eachFile(ctx, l, s.wants, s.look); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	for _, note := range s.finder.Notes() {
		log.WarnContext(ctx, "search cut short", "why", note)
	}
	log.InfoContext(ctx, "search done", "files", s.files, "bytes", s.bytes, "took", time.Since(began).Round(time.Millisecond))
	return s.finder.Documents()
}

type searcher struct {
	finder *search.Finder
	keep   map[*entry][]string // files to keep, and the paths under which they were asked for
	body   []byte
	files  int
	bytes  int64
}

func (s *searcher) wants(e *entry) bool {
	if e.kind != kindFile {
		return false
	}
	return len(s.keep[e]) > 0 || e.as != nil && s.finder.Searches(e.size)
}

// eachFile reads those files of a layer that are wanted, and passes over the
// rest. Whether a file is wanted may change as others are read.
func eachFile(ctx context.Context, l unpacked, wants func(*entry) bool, look func(io.Reader, *entry) error) error {
	last := -1 // what follows the last file of interest is not even passed over
	for i := range l.entries {
		if wants(&l.entries[i]) {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	f, err := os.Open(l.file)
	if err != nil {
		return err
	}
	defer f.Close()
	tr := tar.NewReader(&seeker{f: f, buf: bufio.NewReaderSize(f, 128<<10)})
	for i := range l.entries[:last+1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := tr.Next(); err != nil {
			return err
		}
		if e := &l.entries[i]; wants(e) {
			if err := look(tr, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads one file.
func (s *searcher) look(r io.Reader, e *entry) error {
	s.body = slices.Grow(s.body[:0], int(e.size))[:e.size]
	if _, err := io.ReadFull(r, s.body); err != nil {
		return err
	}
	s.files++
	s.bytes += e.size
	for _, path := range s.keep[e] {
		s.finder.Keep(path, s.body)
	}
	if e.as != nil && s.finder.Searches(e.size) {
		s.finder.Search("/"+e.as.path, s.body)
	}
	return nil
}

// seeker reads a file through a buffer that short moves forward stay within,
// so that an archive of small files is read in large pieces and the content of
// a large one is not read at all.
type seeker struct {
	f   *os.File
	buf *bufio.Reader
	at  int64
}

func (s *seeker) Read(p []byte) (int, error) {
	n, err := s.buf.Read(p)
	s.at += int64(n)
	return n, err
}

// Seek moves forward, which is all that reading an archive needs.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return s.at, errors.ErrUnsupported
	}
	if offset <= int64(s.buf.Buffered()) {
		n, err := s.buf.Discard(int(offset))
		s.at += int64(n)
		return s.at, err
	}
	to, err := s.f.Seek(s.at+offset, io.SeekStart)
	if err != nil {
		return s.at, err
	}
	s.buf.Reset(s.f)
	s.at = to
	return s.at, nil
}
