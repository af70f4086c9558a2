package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"windlass/internal/engine"
)

// Limits of what is read. An archive of our own of the largest images stays far
// below them.
const (
	maxMembers = 256
	maxMember  = 512 << 20
	maxTotal   = 1 << 30
	// maxRatio is how much a file may unpack to, a member's worth of free
	// bytes aside: repetitive lists of files come near fifty.
	maxRatio  = 200
	freeBytes = 64 << 20
	// maxEntries bounds the lists within a member: a short entry of JSON makes
	// a long one in memory.
	maxEntries = 300_000
)

// Is reports whether a stream is an archive of this package: whether its first
// member is the manifest. It peeks and takes nothing away.
func Is(r *bufio.Reader) bool {
	const head = 64 << 10
	raw, _ := r.Peek(min(head, r.Size())) // a shorter stream gives what it has
	var in io.Reader = bytes.NewReader(raw)
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return false
		}
		defer z.Close()
		in = io.LimitReader(z, head)
	}
	h, err := tar.NewReader(in).Next()
	return err == nil && strings.TrimPrefix(h.Name, "./") == manifestName
}

// Read reads an archive. An error that is engine.ErrConflict says that its
// manifest cannot be read; any other one that it is damaged or too large, which
// is engine.ErrInvalid, or that the stream broke.
func Read(r io.Reader) (*Contents, error) {
	packed := &counter{r: r}
	br := bufio.NewReaderSize(packed, 64<<10)
	var in io.Reader = br
	if head, _ := br.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, conflict(err)
		}
		defer z.Close()
		in = z
	}
	bounded := &budget{r: in, packed: packed}
	tr := tar.NewReader(bounded)
	c := &Contents{Rows: map[string]json.RawMessage{}, Documents: map[string][]byte{}}
	if err := c.readManifest(tr); err != nil {
		return nil, conflict(err)
	}
	seen := map[string]bool{}
	for n := 1; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, invalid(err)
		}
		name := strings.TrimPrefix(h.Name, "./")
		switch {
		case n > maxMembers:
			return nil, invalid(fmt.Errorf("it has more than %d members", maxMembers))
		case seen[name]:
			return nil, invalid(fmt.Errorf("%.80q stands twice", name))
		}
		seen[name] = true
		body, err := member(tr, h)
		if err == nil {
			err = c.take(name, body)
		}
		if err != nil {
			return nil, invalid(err)
		}
	}
	if err := c.check(); err != nil {
		return nil, invalid(err)
	}
	return c, nil
}

func (c *Contents) readManifest(tr *tar.Reader) error {
	h, err := tr.Next()
	if err != nil {
		return err
	}
	if strings.TrimPrefix(h.Name, "./") != manifestName || h.Size > 1<<20 {
		return errManifest
	}
	body, err := member(tr, h)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &c.Manifest); err != nil {
		return err
	}
	m := c.Manifest
	if m.Account == "" || !digestText.MatchString(m.ImageDigest) || m.Version < 1 || m.Version > version {
		return errManifest
	}
	return nil
}

func member(tr *tar.Reader, h *tar.Header) ([]byte, error) {
	if h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("%.80q is not a file", h.Name)
	}
	if h.Size < 0 || h.Size > maxMember {
		return nil, fmt.Errorf("%.80q has %d bytes", h.Name, h.Size)
	}
	// Memory grows with what comes, not with what was announced.
	var b bytes.Buffer
	if _, err := io.Copy(&b, tr); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// take puts one member where it belongs. One that is not known is an error: it
// would be lost silently.
func (c *Contents) take(name string, body []byte) error {
	var err error
	switch {
	case name == imageName:
		err = json.Unmarshal(body, &c.Image)
	case name == packagesName:
		c.Packages, err = list[engine.Package](body)
	case name == matchesName:
		c.Matches, err = list[Match](body)
	default:
		return c.takeNamed(name, body)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// list reads a JSON list of a bounded number of entries.
func list[T any](body []byte) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, errors.New("not a list")
	}
	var out []T
	for d.More() {
		if len(out) == maxEntries {
			return nil, fmt.Errorf("more than %d entries", maxEntries)
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

func (c *Contents) takeNamed(name string, body []byte) error {
	if doc, ok := strings.CutPrefix(name, documentsDir); ok && memberName.MatchString(doc) {
		c.Documents[doc] = body
		return nil
	}
	table, ok := strings.CutPrefix(name, rowsDir)
	table, isJSON := strings.CutSuffix(table, ".json")
	if !ok || !isJSON || !memberName.MatchString(table) {
		return fmt.Errorf("%.80q is not a member of an archive", name)
	}
	if !json.Valid(body) {
		return fmt.Errorf("%s is not JSON", name)
	}
	c.Rows[table] = body
	return nil
}

func conflict(err error) error {
	return &engine.Fault{Kind: engine.ErrConflict, Message: "The archive's manifest cannot be read.", Cause: err}
}

func invalid(err error) error {
	return &engine.Fault{Kind: engine.ErrInvalid, Message: "The archive is damaged: " + err.Error() + ".", Cause: err}
}

// counter counts what came in.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// budget stops a stream that unpacks to too much.
type budget struct {
	r      io.Reader
	packed *counter
	n      int64
}

func (b *budget) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.n > maxTotal || b.n > freeBytes+maxRatio*b.packed.n {
		return n, fmt.Errorf("it unpacks to more than is taken: %d bytes from %d", b.n, b.packed.n)
	}
	return n, err
}
