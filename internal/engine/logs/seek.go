package logs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"time"

	"windlass/internal/engine"
)

// place is a position resolved to a generation of a listing.
type place struct {
	gens  []generation
	index int // of the generation; len(gens) when there is none
	off   int64
}

// retry asks again while files are renamed between listing and opening.
func retry(try func() error) error {
	for range 20 {
		if err := try(); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errMoving
}

// resolve finds a position. known is false when its file is gone; the place is
// then the beginning of the oldest.
func (s *Set) resolve(service string, p engine.LogPosition) (at place, known bool, err error) {
	err = retry(func() error {
		at, known = place{}, p.Generation == ""
		if at.gens, err = s.generations(service); err != nil {
			return err
		}
		for i := len(at.gens) - 1; i >= 0 && !known; i-- {
			name, err := s.fingerprint(at.gens[i])
			if err != nil {
				return err
			}
			if name == p.Generation {
				at.index, at.off, known = i, min(p.Offset, at.gens[i].info.Size()), true
			}
		}
		return nil
	})
	return at, known, err
}

func (s *Set) fingerprint(g generation) (string, error) {
	f, err := s.open(g)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return fingerprint(f)
}

// end is the place behind the last whole line, and its position.
func (s *Set) end(service string) (at place, p engine.LogPosition, err error) {
	err = retry(func() error {
		at, p = place{}, engine.LogPosition{}
		if at.gens, err = s.generations(service); err != nil {
			return err
		}
		at.index = len(at.gens)
		for i := len(at.gens) - 1; i >= 0 && p.Generation == ""; i-- {
			if p, err = s.endOf(at.gens[i]); err != nil {
				return err
			}
			if i == len(at.gens)-1 || p.Generation != "" {
				at.index, at.off = i, p.Offset
			}
		}
		return nil
	})
	return at, p, err
}

func (s *Set) endOf(g generation) (p engine.LogPosition, err error) {
	f, err := s.open(g)
	if err != nil {
		return p, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return p, err
	}
	if p.Generation, err = fingerprint(f); err != nil || p.Generation == "" {
		return p, err
	}
	p.Offset, err = completeEnd(f, info.Size())
	return p, err
}

// seek finds a moment by halving. Lines before low are older than t, lines
// from high on are not, as far as lines are in order; between them lies about
// a block. Both are in one generation.
func (s *Set) seek(service string, t time.Time) (low, high place, err error) {
	err = retry(func() error {
		gens, err := s.generations(service)
		if err != nil {
			return err
		}
		low, high = place{gens: gens}, place{gens: gens}
		for i := len(gens) - 1; i >= 0; i-- {
			f, err := s.open(gens[i])
			if err != nil {
				return err
			}
			_, first, ok := probe(f, 0, gens[i].info.Size())
			if i > 0 && (!ok || !first.Before(t)) {
				_ = f.Close()
				continue
			}
			low.index, high.index = i, i
			low.off, high.off, err = halve(f, gens[i].info.Size(), t)
			_ = f.Close()
			return err
		}
		return nil
	})
	return low, high, err
}

func halve(f *os.File, size int64, t time.Time) (low, high int64, err error) {
	if high, err = completeEnd(f, size); err != nil {
		return 0, 0, err
	}
	for high-low > block {
		start, at, ok := probe(f, low+(high-low)/2, high)
		switch {
		case !ok:
			return low, high, nil
		case at.Before(t):
			low = start
		default:
			high = start
		}
	}
	return low, high, nil
}

// probe finds the first line that parses and begins at or behind off, within a
// block and before limit.
func probe(f *os.File, off, limit int64) (start int64, at time.Time, ok bool) {
	buf := make([]byte, min(block, limit-off))
	n, _ := f.ReadAt(buf, off) // what cannot be read is not found
	buf = buf[:n]
	if off > 0 { // begin behind the line that off may lie within
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return 0, at, false
		}
		off, buf = off+int64(i+1), buf[i+1:]
	}
	for {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return 0, at, false
		}
		if r, ok := parse(buf[:i]); ok {
			return off, r.at, true
		}
		off, buf = off+int64(i+1), buf[i+1:]
	}
}
