package logs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"windlass/internal/engine"
)

// forward reads a service's lines in the order they were written, through
// every rotation, and can be asked again at the end: the file it reads stays
// open while rotation renames it, and is left for the next only when that is
// there and nothing more came.
type forward struct {
	set     *Set
	service string

	file       *os.File
	info       os.FileInfo
	name       string
	generation string // empty until the first whole line is there
	off        int64  // offset of buf[0] in file
	buf        []byte
	room       []byte // holds buf
	inLong     bool   // what is in buf continues a line that was given out, cut
	gap        bool   // lines were lost before the next

	at    time.Time // of the line before, for lines of another shape
	level string
}

// use continues at an offset of g.
func (f *forward) use(g generation, off int64) error {
	file, err := f.set.open(g)
	if err != nil {
		return err
	}
	f.close()
	if f.room == nil {
		f.room = make([]byte, maxLine+block)
	}
	f.file, f.info, f.name = file, g.info, g.name
	f.off, f.buf, f.inLong = off, f.room[:0], false
	f.generation, err = fingerprint(file)
	return err
}

func (f *forward) close() {
	if f.file != nil {
		_ = f.file.Close() // only read
		f.file = nil
	}
}

// next gives the next line. ok is false while there is none; ask again later.
func (f *forward) next() (r record, ok bool, err error) {
	if f.file == nil {
		if ok, err := f.oldest(); !ok || err != nil {
			return record{}, false, err
		}
	}
	ended := false // a later file exists, and this one was read to its end since
	for {
		if r, ok := f.buffered(); ok {
			return f.shape(r), true, nil
		}
		n, err := f.fill()
		if err != nil {
			return record{}, false, err
		}
		if n > 0 {
			continue
		}
		if !ended {
			if ended, err = f.rotated(); !ended || err != nil {
				return record{}, false, err
			}
			continue
		}
		if r, ok := f.unfinished(); ok {
			return f.shape(r), true, nil
		}
		if ok, err := f.advance(); !ok || err != nil {
			return record{}, false, err
		}
		ended = false
	}
}

// buffered takes a line out of buf.
func (f *forward) buffered() (r record, ok bool) {
	for {
		i := bytes.IndexByte(f.buf, '\n')
		switch {
		case i < 0 && len(f.buf) < maxLine:
			return record{}, false
		case i < 0 || i > maxLine:
			r = f.take(maxLine, maxLine)
			r.cut = true
		default:
			r = f.take(i, i+1)
		}
		wasLong := f.inLong
		f.inLong = r.cut
		if !wasLong {
			return r, true
		}
	}
}

func (f *forward) take(text, bytes int) record {
	r := record{text: f.buf[:text], offset: f.off, end: f.off + int64(bytes)}
	f.buf, f.off = f.buf[bytes:], r.end
	return r
}

// unfinished takes what a file that is not written any more ends with.
func (f *forward) unfinished() (r record, ok bool) {
	if len(f.buf) == 0 {
		return record{}, false
	}
	r = f.take(len(f.buf), len(f.buf))
	wasLong := f.inLong
	f.inLong = false
	return r, !wasLong
}

func (f *forward) shape(raw record) record {
	r, ok := parse(raw.text)
	r.offset, r.end, r.cut, r.file = raw.offset, raw.end, raw.cut, f.name
	if f.generation == "" {
		f.generation, _ = fingerprint(f.file) // an unreadable file fails at the next read
	}
	r.generation = f.generation
	if ok {
		f.at, f.level = r.at, r.level
	} else {
		r.at, r.level = f.at, f.level
	}
	if r.at.IsZero() {
		r.at = f.info.ModTime()
	}
	return r
}

func (f *forward) fill() (int, error) {
	held := copy(f.room, f.buf)
	n, err := f.file.ReadAt(f.room[held:min(held+block, len(f.room))], f.off+int64(held))
	f.buf = f.room[:held+n]
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// rotated reports whether this file has a successor. A current file that
// became shorter was emptied by someone else: it is read from its start.
func (f *forward) rotated() (bool, error) {
	current, err := os.Stat(f.set.path(engine.LogFileNames[f.service]))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // between renaming and making anew
	}
	if err != nil {
		return false, err
	}
	if !os.SameFile(current, f.info) {
		return true, nil
	}
	if current.Size() < f.off {
		f.off, f.buf, f.inLong, f.generation, f.gap = 0, f.room[:0], false, "", true
	}
	return false, nil
}

// advance moves to the generation behind this one. If this one is deleted, so
// may be those behind it.
func (f *forward) advance() (ok bool, err error) {
	for range 20 {
		gens, err := f.set.generations(f.service)
		if err != nil || len(gens) == 0 {
			return false, err
		}
		next := 0
		for i, g := range gens {
			if os.SameFile(g.info, f.info) {
				next = i + 1
			}
		}
		if next == len(gens) {
			return false, nil
		}
		f.gap = f.gap || next == 0
		if err = f.use(gens[next], 0); err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, errMoving
}

// oldest begins with the first line there is.
func (f *forward) oldest() (ok bool, err error) {
	for range 20 {
		gens, err := f.set.generations(f.service)
		if err != nil || len(gens) == 0 {
			return false, err
		}
		if err = f.use(gens[0], 0); err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, errMoving
}

// ahead is how many bytes lie between this reader and the end of the log.
func (f *forward) ahead() (int64, error) {
	if f.file == nil {
		return 0, nil
	}
	info, err := f.file.Stat()
	if err != nil {
		return 0, err
	}
	n := info.Size() - f.off
	if f.name == engine.LogFileNames[f.service] {
		current, err := os.Stat(f.set.path(f.name))
		if err == nil && os.SameFile(current, f.info) {
			return n, nil
		}
	}
	gens, err := f.set.generations(f.service)
	if err != nil {
		return 0, err
	}
	for i := len(gens) - 1; i >= 0 && !os.SameFile(gens[i].info, f.info); i-- {
		n += gens[i].info.Size()
	}
	return n, nil
}
