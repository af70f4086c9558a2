// Package listing keeps the files of an image in a form of which a page is read
// without the rest: an image has some hundred thousand files, and a page shows
// a hundred.
//
// A listing is one sequence of bytes: a head that says where everything stands,
// blocks of names in the order of the paths, and blocks of what else is known
// of the files. Each block is compressed by itself. A page by number needs one
// or two blocks of each kind; a search goes through the blocks of names, one in
// memory at a time, and then through the few others that its page needs.
//
// The package is pure: where the bytes come from is the caller's (Source). It
// trusts no listing, since archives bring them from elsewhere: whatever does
// not fit together is an error, and sizes are bounded.
package listing

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// Sizes of blocks, in files: those of names are gone through in order, of the
// others single ones are picked.
const (
	nameBlock   = 4096
	detailBlock = 256
)

// What a listing may hold at most.
const (
	maxHead  = 16 << 20
	maxBlock = 64 << 20 // unpacked
)

var magic = []byte("WFL1")

var errBroken = errors.New("the listing is broken")

// span is where a block stands in the listing.
type span struct {
	At    int64  `json:"at"`
	Len   int64  `json:"len"`
	First string `json:"first,omitempty"` // path, of a block of names
}

// head says where everything stands; offsets count from its end.
type head struct {
	Files   int    `json:"files"`
	Owners  span   `json:"owners"`
	Names   []span `json:"names"`
	Details []span `json:"details"`
}

// Build lays out files. owner gives the index in owners of the package that a
// path belongs to; -1: none.
func Build(files []engine.File, owners []engine.FileOwner, owner func(path string) int) ([]byte, error) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b engine.File) int { return strings.Compare(a.Path, b.Path) })
	h := head{Files: len(files)}
	var body bytes.Buffer
	put := func(raw []byte, first string) (span, error) {
		s := span{At: int64(body.Len()), First: first}
		z, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
		if err != nil {
			return s, err
		}
		if _, err := z.Write(raw); err != nil {
			return s, err
		}
		if err := z.Close(); err != nil {
			return s, err
		}
		s.Len = int64(body.Len()) - s.At
		return s, nil
	}
	raw, err := json.Marshal(owners)
	if err != nil {
		return nil, fmt.Errorf("listing: %w", err)
	}
	if h.Owners, err = put(raw, ""); err != nil {
		return nil, fmt.Errorf("listing: %w", err)
	}
	for part := range slices.Chunk(files, nameBlock) {
		s, err := put(names(part, owner), part[0].Path)
		if err != nil {
			return nil, fmt.Errorf("listing: %w", err)
		}
		h.Names = append(h.Names, s)
	}
	for part := range slices.Chunk(files, detailBlock) {
		s, err := put(details(part), "")
		if err != nil {
			return nil, fmt.Errorf("listing: %w", err)
		}
		h.Details = append(h.Details, s)
	}
	top, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("listing: %w", err)
	}
	out := make([]byte, 0, len(magic)+4+len(top)+body.Len())
	out = append(out, magic...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(top)))
	out = append(out, top...)
	return append(out, body.Bytes()...), nil
}

// name is what a block of names has of a file.
type name struct {
	path  string
	kind  string
	size  int64
	owner int // -1: none
}

func names(files []engine.File, owner func(string) int) []byte {
	var b []byte
	last := ""
	for _, f := range files {
		same := 0
		for same < len(last) && same < len(f.Path) && last[same] == f.Path[same] {
			same++
		}
		b = binary.AppendUvarint(b, uint64(same))
		b = text(b, f.Path[same:])
		b = text(b, f.Type)
		b = binary.AppendUvarint(b, uint64(max(f.Size, 0)))
		b = binary.AppendUvarint(b, uint64(owner(f.Path)+1))
		last = f.Path
	}
	return b
}

func details(files []engine.File) []byte {
	var b []byte
	for _, f := range files {
		b = text(b, f.Mode)
		b = text(b, f.Link)
		b = binary.AppendVarint(b, int64(f.UID))
		b = binary.AppendVarint(b, int64(f.GID))
		sum, err := hex.DecodeString(f.SHA256)
		if err != nil {
			sum = nil
		}
		b = text(b, string(sum))
	}
	return b
}

func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cursor reads what text and the varints wrote; its first fault stays.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) uint() uint64 {
	n, k := binary.Uvarint(c.b)
	if k <= 0 {
		c.err, c.b = errBroken, nil
		return 0
	}
	c.b = c.b[k:]
	return n
}

func (c *cursor) int() int64 {
	n, k := binary.Varint(c.b)
	if k <= 0 {
		c.err, c.b = errBroken, nil
		return 0
	}
	c.b = c.b[k:]
	return n
}

func (c *cursor) text() []byte {
	n := c.uint()
	if n > uint64(len(c.b)) {
		c.err, c.b = errBroken, nil
		return nil
	}
	s := c.b[:n]
	c.b = c.b[n:]
	return s
}

func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, errBroken
	}
	out, err := io.ReadAll(io.LimitReader(z, maxBlock+1))
	if err != nil || len(out) > maxBlock {
		return nil, errBroken
	}
	return out, nil
}
