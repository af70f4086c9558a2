package feeds

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"syscall"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/klauspost/compress/zstd"
)

// Limits on an archive's contents. Real databases unpack to about eight times
// their archive; nothing honest comes near these.
const (
	maxUnpacked = 24 << 30
	maxRatio    = 200
	maxEntries  = 16
)

// unpack extracts the database from an archive into dir. Of all entries only
// one regular file of the one expected name is written, under a name of our
// own: what an archive says of paths, links and modes is of no consequence.
func unpack(ctx context.Context, archive, dir string, p *progress) error {
	f, err := os.Open(archive)
	if err != nil {
		return fail(CauseDisk, "The archive cannot be read from the data folder.", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fail(CauseDisk, "The archive cannot be read from the data folder.", err)
	}
	limit := min(maxUnpacked, max(st.Size(), 64<<10)*maxRatio)
	plain, done, err := decompress(&countReader{r: f, ctx: ctx, p: p, total: st.Size()})
	if err != nil {
		return err
	}
	defer done()
	tr := tar.NewReader(plain)
	for range maxEntries {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		name := path.Clean(h.Name)
		if !filepath.IsLocal(name) {
			return fail(CauseFormat, fmt.Sprintf("The archive holds an entry that points outside of it (%.80q).", h.Name), nil)
		}
		if name != v6.VulnerabilityDBFileName {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			return fail(CauseFormat, "The database in the archive is not a file.", nil)
		}
		if h.Size > limit {
			return fail(CauseFormat, "The archive unpacks to more than a database of its size could.", nil)
		}
		if err := room(dir, h.Size+h.Size/2); err != nil { // half as much again for the indexes
			return err
		}
		return extract(tr, filepath.Join(dir, name), h.Size)
	}
	return fail(CauseFormat, "The archive holds no vulnerability database.", nil)
}

func extract(r io.Reader, name string, size int64) error {
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(CauseDisk, "The database cannot be written to the data folder.", err)
	}
	defer out.Close()
	w := &diskWriter{w: out}
	// The tar reader gives no more than the entry's stated size, which was
	// checked; a short entry is an error of its own.
	if _, err := io.CopyBuffer(w, r, make([]byte, 1<<20)); err != nil {
		if w.err != nil {
			return fail(CauseDisk, "The database cannot be written to the data folder.", err)
		}
		return broken(err)
	}
	if err := out.Close(); err != nil {
		return fail(CauseDisk, "The database cannot be written to the data folder.", err)
	}
	return nil
}

func broken(err error) error {
	return fail(CauseFormat, "The archive is damaged or cut short.", err)
}

// decompress looks at the first bytes for what they are. The second result
// frees what the reader holds.
func decompress(r io.Reader) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(r, 1<<20)
	magic, err := br.Peek(4)
	if err != nil {
		return nil, nil, broken(err)
	}
	switch {
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// The window is bounded: it is memory that the archive asks for.
		z, err := zstd.NewReader(br, zstd.WithDecoderMaxWindow(256<<20), zstd.WithDecoderConcurrency(2))
		if err != nil {
			return nil, nil, broken(err)
		}
		return z, z.Close, nil
	case magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, broken(err)
		}
		return z, func() {}, nil
	}
	return nil, nil, fail(CauseFormat, "The archive is neither .tar.zst nor .tar.gz.", nil)
}

// countReader reports how much of the archive was read and stops with ctx.
type countReader struct {
	r     io.Reader
	ctx   context.Context
	p     *progress
	done  int64
	total int64
}

func (c *countReader) Read(b []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.done += int64(n)
	c.p.set(c.done, c.total)
	return n, err
}

// diskWriter remembers that it was the writing that failed.
type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(b []byte) (int, error) {
	n, err := d.w.Write(b)
	d.err = err
	return n, err
}

// reserve is left free for the rest of the host.
const reserve = 64 << 20

// room checks that n more bytes fit beside path; an unknown n always does.
func room(path string, n int64) error {
	var st syscall.Statfs_t
	if n <= 0 || syscall.Statfs(filepath.Dir(path), &st) != nil {
		return nil
	}
	if free := int64(st.Bavail) * st.Bsize; free < n+reserve {
		return &failure{CauseDisk, fmt.Sprintf("The data folder has %d MB free; %d MB are needed.", free>>20, (n+reserve)>>20), nil}
	}
	return nil
}
