package registry

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"windlass/internal/engine"
)

// Limits of an uploaded archive.
const (
	maxArchive        = 64 << 30 // bytes, unpacked one level
	maxArchiveEntries = 5_000
	maxArchiveJSON    = 4 << 20
	maxName           = 1024 // bytes of a name in it
)

// What is compressed more than BombRatio times is a bomb, once it is larger
// than BombFrom: small things made of zeros do no harm.
const (
	BombRatio = 300
	BombFrom  = 64 << 20
)

// ErrNoImage says that an archive was read and holds no image.
var ErrNoImage = errors.New("the archive is neither an OCI nor a docker image archive")

// OpenArchive reads an OCI or docker archive (tar or tar.gz) from a stream,
// checks all of it, and keeps its image as an OCI layout in the folder
// uploads, under the hex digits of its digest. tag chooses among several
// images of one archive. Names in the archive are looked up, never opened, so
// they cannot lead out of the folder.
func (c *Client) OpenArchive(ctx context.Context, r io.Reader, uploads, tag string) (Resolved, error) {
	tmp, err := os.MkdirTemp(uploads, "incoming-")
	if err != nil {
		return Resolved{}, fmt.Errorf("upload: %w", err)
	}
	defer os.RemoveAll(tmp)
	a := &archive{dir: tmp, files: map[string]member{}, links: map[string]string{}}
	if err := a.read(ctx, r); err != nil {
		return Resolved{}, archiveFault(err)
	}
	found, err := a.image(tag)
	if err != nil {
		return Resolved{}, archiveFault(err)
	}
	found.Name = a.name
	if err := c.checkSize(found); err != nil {
		return Resolved{}, err
	}
	dir, err := a.keep(uploads, found)
	if err != nil {
		return Resolved{}, archiveFault(err)
	}
	found.Reference = Reference{Registry: DockerHub, Digest: string(found.Digest)}
	found.From, found.source = "upload", dirSource{dir}
	return found, nil
}

// archiveFault tells a person what is wrong with what was uploaded; what went
// wrong here stays an error.
func archiveFault(err error) error {
	var f *engine.Fault
	if errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if local(err) {
		return Local(err)
	}
	return archiveProblem(engine.CauseArchive, "%w", err)
}

// archive is an upload laid down file by file under numbers.
type archive struct {
	dir   string
	files map[string]member
	links map[string]string // symbolic link -> target, both within the archive
	name  string            // the image's name as the archive gives it
}

// member is one file of the archive.
type member struct {
	file   string // where it lies
	size   int64
	digest string
	head   []byte // its first bytes
}

func (a *archive) read(ctx context.Context, r io.Reader) error {
	sent := &tally{r: r}
	br := bufio.NewReaderSize(sent, 256<<10)
	var in io.Reader = br
	if head, _ := br.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return err
		}
		defer z.Close()
		in = z
	}
	limited := &budget{ctx: ctx, r: in, sent: sent, dir: a.dir}
	for tr, n := tar.NewReader(limited), 0; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return errors.New("it is empty")
			}
			// Whoever sends it waits until all of it is read.
			_, err = io.Copy(io.Discard, onlyReader{limited})
			return err
		}
		if err != nil {
			return fmt.Errorf("it is not a readable tar file (%w)", err)
		}
		if n >= maxArchiveEntries {
			return fmt.Errorf("it has more than %d entries", maxArchiveEntries)
		}
		if err := a.take(h, content{tr, limited}); err != nil {
			return err
		}
	}
}

// take lays down one entry. Folders say nothing; devices and hard links have
// no place in an image archive.
func (a *archive) take(h *tar.Header, body io.Reader) error {
	name := path.Clean("/" + h.Name)[1:]
	if name == "" || h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if len(h.Name) > maxName || len(h.Linkname) > maxName {
		return fmt.Errorf("its entry %q has a name of more than %d bytes", clip(h.Name), maxName)
	}
	if climbs(h.Name) {
		return fmt.Errorf("its entry %q leads out of it", clip(h.Name))
	}
	_, file := a.files[name]
	_, link := a.links[name]
	if file || link {
		return fmt.Errorf("it has %q twice", clip(name))
	}
	switch h.Typeflag {
	case tar.TypeReg:
		m, err := a.store(body)
		a.files[name] = m
		return err
	case tar.TypeSymlink: // old docker archives link equal layers
		if strings.HasPrefix(h.Linkname, "/") || climbs(path.Join(path.Dir(name), h.Linkname)) {
			return fmt.Errorf("its link %q leads out of it", clip(h.Name))
		}
		a.links[name] = path.Join(path.Dir(name), h.Linkname)
		return nil
	}
	return fmt.Errorf("its entry %q is neither a file nor a folder", clip(h.Name))
}

func climbs(name string) bool {
	return strings.HasPrefix(name, "/") || name == ".." || strings.HasPrefix(path.Clean(name), "../")
}

func (a *archive) store(body io.Reader) (member, error) {
	m := member{file: filepath.Join(a.dir, strconv.Itoa(len(a.files)))}
	f, err := os.OpenFile(m.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return m, err
	}
	defer f.Close()
	sum := sha256.New()
	head := make([]byte, 4)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return m, err
	}
	m.head = head[:n]
	m.size, err = io.Copy(io.MultiWriter(f, sum), io.MultiReader(bytes.NewReader(m.head), body))
	if err != nil {
		return m, fmt.Errorf("it ends early (%w)", err)
	}
	m.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return m, f.Close()
}

// find looks a name up, through at most one link.
func (a *archive) find(name string) (member, bool) {
	name = path.Clean("/" + name)[1:]
	if to, ok := a.links[name]; ok {
		name = to
	}
	m, ok := a.files[name]
	return m, ok
}

// text reads a small file of the archive.
func (a *archive) text(name string) ([]byte, error) {
	m, ok := a.find(name)
	if !ok {
		return nil, fmt.Errorf("it has no %s", clip(name))
	}
	if m.size > maxArchiveJSON {
		return nil, fmt.Errorf("its %s has more than %d bytes", clip(name), maxArchiveJSON)
	}
	return os.ReadFile(m.file)
}

// blob finds a blob by digest; its bytes have been found to have it.
func (a *archive) blob(digest string) (member, error) {
	hexDigits, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || !reID.MatchString(hexDigits) {
		return member{}, fmt.Errorf("it names a blob %q without a sha256 digest", clip(digest))
	}
	m, ok := a.find("blobs/sha256/" + hexDigits)
	if !ok {
		return m, fmt.Errorf("the blob %s is missing", engine.Digest(digest).Short())
	}
	if m.digest != digest {
		return m, fmt.Errorf("the blob %s has other bytes than its digest says", engine.Digest(digest).Short())
	}
	return m, nil
}

// tally counts what is read.
type tally struct {
	r io.Reader
	n int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	return n, err
}

// budget ends a stream that goes on for too long, is compressed beyond reason
// or fills the disk.
type budget struct {
	ctx     context.Context
	r       io.Reader
	sent    *tally // what it is unpacked from
	dir     string // where it goes
	out     int64
	content int64 // of files
	asked   int64 // up to which there was room
}

func (b *budget) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.out += int64(n)
	if bad := b.check(b.out); bad != nil {
		return 0, bad
	}
	return n, err
}

func (b *budget) check(bytes int64) error {
	const step = 64 << 20
	switch {
	case bytes > maxArchive:
		return archiveProblem(engine.CauseTooLarge, "it unpacks to more than %d bytes", int64(maxArchive))
	case bytes > BombFrom && bytes/max(b.sent.n, 1) > BombRatio:
		return archiveProblem(engine.CauseBomb, "it unpacks to more than %d times its size", BombRatio)
	case bytes > b.asked:
		b.asked = bytes + step
		return Room(b.dir, step)
	}
	return nil
}

// content is that of files, which is more than what is read of the archive when
// they are sparse.
type content struct {
	r io.Reader
	b *budget
}

func (c content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.b.content += int64(n)
	if bad := c.b.check(c.b.content); bad != nil {
		return 0, bad
	}
	return n, err
}

// archiveProblem is what is wrong with an archive, when it has a cause of its
// own.
func archiveProblem(cause, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: "The archive cannot be used: " + err.Error() + ".",
		Cause: &engine.Problem{Cause: cause, Err: err},
	}
}
