package analyzer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// unpacker counts what the layers of one image unpack to.
type unpacker struct {
	limits  Limits
	dir     string // where they go
	bytes   atomic.Int64
	entries atomic.Int64
	names   atomic.Int64
}

// layer is one of them while it is unpacked.
type layer struct {
	*unpacker
	name string // for a person
	size int64  // as it is stored
	diff string // digest of what it unpacks to; empty: not known

	done    int64 // bytes of the archive
	content int64 // bytes of its files, which is more when they are sparse
	cut     bool  // what it is compressed into ends early
}

// unpack decompresses the layer into a file and lists its entries.
func (l *layer) unpack(ctx context.Context, blob, to string) ([]entry, error) {
	in, err := os.Open(blob)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	plain, err := decompress(in)
	if err != nil {
		l.cut = true
		return nil, l.readable(err)
	}
	defer plain.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 256<<10)

	sum := sha256.New()
	tee := io.TeeReader(&meter{ctx, plain, l}, io.MultiWriter(out, sum))
	list, err := l.list(tar.NewReader(tee))
	if err != nil {
		return nil, l.readable(err)
	}
	// What follows the end mark belongs to the layer's bytes too.
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return nil, l.readable(err)
	}
	if err := out.Flush(); err != nil {
		return nil, registry.Local(err)
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); l.diff != "" && got != l.diff {
		return nil, hostile(engine.CauseDigest, "%s unpacks to other bytes than the configuration says (%s, not %s)", l.name, engine.Digest(got).Short(), clip(l.diff))
	}
	return list, registry.Local(f.Close())
}

// list reads the layer's entries and hashes its files.
func (l *layer) list(tr *tar.Reader) ([]entry, error) {
	var list []entry
	sum, buf := sha256.New(), make([]byte, 128<<10)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if l.entries.Add(1) > l.limits.Entries {
			return nil, hostile(engine.CauseTooManyEntries, "it has more than %d files", l.limits.Entries)
		}
		if l.names.Add(int64(len(h.Name)+len(h.Linkname))) > l.limits.Names {
			return nil, hostile(engine.CauseTooManyEntries, "the names of its files have more than %d bytes", l.limits.Names)
		}
		if len(h.Name) > maxPath || len(h.Linkname) > maxPath {
			return nil, hostile(engine.CauseLayerInvalid, "%s has a path of more than %d bytes", l.name, maxPath)
		}
		if h.Typeflag == tar.TypeXGlobalHeader { // of the archive, not of a file
			list = append(list, entry{})
			continue
		}
		e := entryOf(h)
		if e.kind == kindFile {
			if e.sha, err = l.hash(tr, sum, buf); err != nil {
				return nil, err
			}
		}
		list = append(list, e)
	}
}

// hash reads a file. A sparse one is all read too, as whoever opens it would.
func (l *layer) hash(r io.Reader, sum hash.Hash, buf []byte) (string, error) {
	sum.Reset()
	for {
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		l.content += int64(n)
		if bad := l.check(l.content); bad != nil {
			return "", bad
		}
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// check holds a number of bytes of this layer to the limits.
func (l *layer) check(n int64) error {
	switch {
	case n > l.limits.Bytes:
		return hostile(engine.CauseTooLarge, "%s unpacks to more than %d bytes", l.name, l.limits.Bytes)
	case n > registry.BombFrom && n/l.size > l.limits.Ratio:
		return hostile(engine.CauseBomb, "%s unpacks to more than %d times its size", l.name, l.limits.Ratio)
	}
	return nil
}

// meter counts uncompressed bytes against the limits.
type meter struct {
	ctx context.Context
	r   io.Reader
	l   *layer
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.l.done += int64(n)
	m.l.cut = m.l.cut || errors.Is(err, io.ErrUnexpectedEOF)
	if bad := m.l.check(m.l.done); bad != nil {
		return 0, bad
	}
	all := m.l.bytes.Add(int64(n))
	if all > m.l.limits.Bytes {
		return 0, hostile(engine.CauseTooLarge, "its layers unpack to more than %d bytes", m.l.limits.Bytes)
	}
	const step = 64 << 20
	if all/step != (all-int64(n))/step {
		if full := registry.Room(m.l.dir, step); full != nil {
			return 0, full
		}
	}
	return n, err
}

// decompress looks at the bytes, not at the media type: builders mislabel.
func decompress(in io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(in, 256<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(br)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(br), nil
}

// readable turns a decoder's complaint into one about the image.
func (l *layer) readable(err error) error {
	var f *engine.Fault
	var path *os.PathError
	switch {
	case errors.As(err, &path):
		return registry.Local(err)
	case errors.As(err, &f), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) && (l.cut || l.done >= block): // less was never a tar archive
		return hostile(engine.CauseLayerTruncated, "%s ends in the middle", l.name)
	}
	return hostile(engine.CauseLayerInvalid, "%s is damaged (%w)", l.name, err)
}

// indexed turns what the reader of the unpacked layers complains of, like a
// name that is a file and a folder at once, into one about the image.
func indexed(err error) error {
	var path *os.PathError
	if errors.As(err, &path) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return registry.Local(err)
	}
	return hostile(engine.CauseLayerInvalid, "its layers make no file system (%w)", err)
}
