package logs

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// block is how much is read at once.
const block = 64 << 10

// errMoving is returned when the files are renamed faster than they can be
// listed.
var errMoving = fmt.Errorf("%w: log files keep being rotated", engine.ErrUnavailable)

// generation is one file of a service, named when its order was taken.
type generation struct {
	name string
	info os.FileInfo
}

func (s *Set) path(name string) string { return filepath.Join(s.dir, name) }

// generations lists a service's files, oldest first, the current one last.
// Rotation renames the current file and makes a new one, so the listing is
// taken again if a file appeared meanwhile: else one could be missed between
// the last rotated and the current.
func (s *Set) generations(service string) ([]generation, error) {
	current := engine.LogFileNames[service]
	for range 20 {
		names, err := s.rotated(current)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(s.path(current))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		again, err := s.rotated(current)
		if err != nil {
			return nil, err
		}
		if last(names) != last(again) {
			continue
		}
		gens := make([]generation, 0, len(again)+1)
		for _, name := range again {
			if i, err := os.Stat(s.path(name)); err == nil { // else deleted meanwhile
				gens = append(gens, generation{name, i})
			}
		}
		if info != nil {
			gens = append(gens, generation{current, info})
		}
		return gens, nil
	}
	return nil, errMoving
}

// rotated lists the names of a file's earlier generations, oldest first.
func (s *Set) rotated(current string) ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	type aged struct {
		name string
		at   time.Time
		n    int
	}
	var found []aged
	for _, e := range entries {
		at, n, ok := rotatedName(e.Name(), current)
		if ok && e.Type().IsRegular() {
			found = append(found, aged{e.Name(), at, n})
		}
	}
	slices.SortFunc(found, func(a, b aged) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.n - b.n
	})
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = f.name
	}
	return names, nil
}

// rotatedName reads "anchore-api-2026-11-22T21-45-00.000-size_3.log": the
// number tells apart what was rotated in one millisecond.
func rotatedName(name, current string) (at time.Time, n int, ok bool) {
	stem := strings.TrimSuffix(current, ".log") + "-"
	mark, isLog := strings.CutSuffix(name, ".log")
	mark, isOurs := strings.CutPrefix(mark, stem)
	stamp, reason, hasReason := cutLast(mark, "-")
	if !isLog || !isOurs || !hasReason {
		return at, 0, false
	}
	at, err := time.Parse("2006-01-02T15-04-05.000", stamp)
	if err != nil {
		return at, 0, false
	}
	if _, number, numbered := strings.Cut(reason, "_"); numbered {
		if n, err = strconv.Atoi(number); err != nil {
			return at, 0, false
		}
	}
	return at, n, true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func last(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}

// fingerprint names a file's content by its first line, of which it takes the
// first bytes; empty while there is no whole line.
func fingerprint(f io.ReaderAt) (string, error) {
	head := make([]byte, 256)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	head = head[:n]
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		head = head[:i+1]
	} else if n < cap(head) {
		return "", nil
	}
	h := fnv.New64a()
	_, _ = h.Write(head)
	return strconv.FormatUint(h.Sum64(), 16), nil
}

// open opens a generation, making sure that the name still is of that file.
func (s *Set) open(g generation) (*os.File, error) {
	f, err := os.Open(s.path(g.name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(info, g.info) {
		err = fs.ErrNotExist // renamed meanwhile
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// completeEnd is the offset behind the last whole line.
func completeEnd(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, block)
	for end := size; end > 0; {
		b := buf[:min(block, end)]
		if _, err := f.ReadAt(b, end-int64(len(b))); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return end - int64(len(b)-i-1), nil
		}
		end -= int64(len(b))
	}
	return 0, nil
}
