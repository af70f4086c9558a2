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

// maxHeld is how many lines of another shape are held back while the line they
// belong to, which gives them time and level, is looked for.
const maxHeld = 500

// backward reads a service's lines from newest to oldest, block by block, over
// all generations.
type backward struct {
	set     *Set
	service string
	older   []generation // not opened yet, oldest first
	spent   *int64       // bytes read, shared by the readers of one query

	file       *os.File
	name       string
	generation string
	start      int64  // offset of buf[0] in file
	buf        []byte // read and not given out yet

	held  []record // newest first: given out before anything else
	after time.Time
}

// use continues with the lines of g before end; a negative end is that of the
// file.
func (b *backward) use(g generation, end int64) error {
	b.close()
	f, err := b.set.open(g)
	if err != nil {
		return err
	}
	b.file, b.name, b.buf = f, g.name, nil
	if b.generation, err = fingerprint(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b.start = info.Size()
	if end >= 0 {
		b.start = min(end, b.start)
	}
	if b.after.IsZero() {
		b.after = info.ModTime()
	}
	return nil
}

func (b *backward) close() {
	if b.file != nil {
		_ = b.file.Close() // only read
		b.file = nil
	}
}

// next gives the line before the one it gave last. ok is false at the
// beginning of the oldest file.
func (b *backward) next() (r record, ok bool, err error) {
	if len(b.held) == 0 {
		if err := b.hold(); err != nil {
			return record{}, false, err
		}
	}
	if len(b.held) == 0 {
		return record{}, false, nil
	}
	r, b.held = b.held[0], b.held[1:]
	b.after = r.at
	return r, true, nil
}

// hold reads back to a line that parses and lends its time and level to those
// behind it that do not.
func (b *backward) hold() error {
	b.held = b.held[:0]
	for len(b.held) < maxHeld {
		raw, ok, err := b.line()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		parsed, whole := parse(raw.text)
		parsed.offset, parsed.end, parsed.cut = raw.offset, raw.end, raw.cut
		parsed.file, parsed.generation = b.name, b.generation
		b.held = append(b.held, parsed)
		if whole {
			for i := range b.held {
				b.held[i].at, b.held[i].level = parsed.at, parsed.level
			}
			return nil
		}
	}
	for i := range b.held {
		b.held[i].at = b.after
	}
	return nil
}

// line gives the bytes of the line before, as a record's text.
func (b *backward) line() (r record, ok bool, err error) {
	for {
		if len(b.buf) == 0 && b.start == 0 {
			ok, err := b.previous()
			if err != nil || !ok {
				return record{}, false, err
			}
			continue
		}
		end := len(b.buf)
		if end > 0 {
			text := bytes.TrimSuffix(b.buf, []byte{'\n'})
			i := bytes.LastIndexByte(text, '\n')
			if i >= 0 || b.start == 0 {
				r := record{text: text[i+1:], offset: b.start + int64(i+1), end: b.start + int64(end)}
				if len(r.text) > maxLine {
					r.text, r.cut = r.text[:maxLine], true
				}
				b.buf = b.buf[:i+1]
				return r, true, nil
			}
			if end > 2*maxLine {
				return b.longLine()
			}
		}
		if err := b.fill(); err != nil {
			return record{}, false, err
		}
	}
}

// fill puts the block before buf in front of it.
func (b *backward) fill() error {
	n := min(block, b.start)
	buf := make([]byte, int(n)+len(b.buf))
	if err := b.read(buf[:n], b.start-n); err != nil {
		return err
	}
	copy(buf[n:], b.buf)
	b.buf, b.start = buf, b.start-n
	return nil
}

// longLine gives the beginning of a line of which buf holds the end, looking
// for its start without keeping what lies between.
func (b *backward) longLine() (r record, ok bool, err error) {
	r.end = b.start + int64(len(b.buf))
	r.cut = true
	buf := make([]byte, block)
	for b.buf = nil; b.start > 0; {
		n := min(block, b.start)
		if err := b.read(buf[:n], b.start-n); err != nil {
			return record{}, false, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			b.start -= n - int64(i+1)
			break
		}
		b.start -= n
	}
	r.offset, r.text = b.start, make([]byte, maxLine)
	return r, true, b.read(r.text, r.offset)
}

func (b *backward) read(p []byte, at int64) error {
	*b.spent += int64(len(p))
	_, err := b.file.ReadAt(p, at)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // shortened by someone else
	}
	return err
}

// previous moves to the generation before. One that was deleted meanwhile was
// the oldest, so that is the end.
func (b *backward) previous() (ok bool, err error) {
	if len(b.older) == 0 {
		return false, nil
	}
	g := b.older[len(b.older)-1]
	b.older = b.older[:len(b.older)-1]
	if err := b.use(g, -1); errors.Is(err, fs.ErrNotExist) {
		b.older = nil
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// position is where r begins.
func (r record) position() engine.LogPosition {
	return engine.LogPosition{Generation: r.generation, Offset: r.offset}
}

// behind is where what follows r begins.
func (r record) behind() engine.LogPosition {
	return engine.LogPosition{Generation: r.generation, Offset: r.end}
}
