package listing

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"windlass/internal/engine"
)

// Source gives ranges of a listing's bytes, in the order asked for. A range
// that goes past the end is cut short.
type Source func(ctx context.Context, ranges []Range) ([][]byte, error)

// Range is a part of a listing.
type Range struct{ At, Len int64 }

// firstRead is how much is read at first: the head of most listings.
const firstRead = 64 << 10

// List is a listing that is being read. It is for one goroutine.
type List struct {
	src    Source
	head   head
	base   int64 // where offsets count from
	owners []engine.FileOwner
}

// Open reads the head.
func Open(ctx context.Context, src Source) (*List, error) {
	parts, err := src(ctx, []Range{{0, firstRead}})
	if err != nil {
		return nil, err
	}
	b := parts[0]
	if len(b) < len(magic)+4 || string(b[:len(magic)]) != string(magic) {
		return nil, errBroken
	}
	n := int64(binary.BigEndian.Uint32(b[len(magic):]))
	l := &List{src: src, base: int64(len(magic)) + 4 + n}
	if n > maxHead {
		return nil, errBroken
	}
	if l.base > int64(len(b)) {
		if parts, err = src(ctx, []Range{{0, l.base}}); err != nil {
			return nil, err
		}
		b = parts[0]
	}
	if l.base > int64(len(b)) || json.Unmarshal(b[len(magic)+4:l.base], &l.head) != nil {
		return nil, errBroken
	}
	if h := l.head; h.Files < 0 || len(h.Names) != blocks(h.Files, nameBlock) || len(h.Details) != blocks(h.Files, detailBlock) {
		return nil, errBroken
	}
	return l, nil
}

func blocks(n, size int) int { return (n + size - 1) / size }

// Files is how many files there are.
func (l *List) Files() int { return l.head.Files }

// block reads and unpacks blocks; each is called with one after the other.
func (l *List) blocks(ctx context.Context, spans []span, each func(n int, raw []byte) (bool, error)) error {
	// A few at once: one query for a page, and not all in memory for a search.
	const atOnce = 16
	n := 0
	for some := range slices.Chunk(spans, atOnce) {
		ranges := make([]Range, len(some))
		for i, s := range some {
			if s.At < 0 || s.Len < 0 || s.Len > maxBlock {
				return errBroken
			}
			ranges[i] = Range{l.base + s.At, s.Len}
		}
		parts, err := l.src(ctx, ranges)
		if err != nil {
			return err
		}
		if len(parts) != len(some) {
			return errBroken
		}
		for _, p := range parts {
			raw, err := unpack(p)
			if err != nil {
				return err
			}
			more, err := each(n, raw)
			if err != nil || !more {
				return err
			}
			n++
		}
	}
	return ctx.Err()
}

// eachName calls each with the names of the blocks from one to before another,
// in order, until it says false. A name's path is good until the next call.
func (l *List) eachName(ctx context.Context, from, to int, each func(at int, n name, path []byte) bool) error {
	var path []byte
	kinds := map[string]string{}
	return l.blocks(ctx, l.head.Names[from:to], func(n int, raw []byte) (bool, error) {
		c := cursor{b: raw}
		path = path[:0]
		at := (from + n) * nameBlock
		for end := min(at+nameBlock, l.head.Files); at < end; at++ {
			same := c.uint()
			if same > uint64(len(path)) {
				return false, errBroken
			}
			path = append(path[:same], c.text()...)
			raw := c.text()
			kind, ok := kinds[string(raw)]
			if !ok {
				kind = string(raw)
				kinds[kind] = kind
			}
			x := name{kind: kind, size: int64(c.uint()), owner: int(c.uint()) - 1}
			if c.err != nil {
				return false, c.err
			}
			if !each(at, x, path) {
				return false, nil
			}
		}
		return true, nil
	})
}

// picked is a file that a page shows.
type picked struct {
	at int
	name
}

// entries fills in what else is known of files.
func (l *List) entries(ctx context.Context, list []picked) ([]engine.FileEntry, error) {
	out := make([]engine.FileEntry, len(list))
	var which []int
	of := map[int][]int{} // by block: indexes in list
	for n, p := range list {
		b := p.at / detailBlock
		if len(of[b]) == 0 {
			which = append(which, b)
		}
		of[b] = append(of[b], n)
	}
	spans := make([]span, len(which))
	for n, b := range which {
		spans[n] = l.head.Details[b]
	}
	err := l.blocks(ctx, spans, func(n int, raw []byte) (bool, error) {
		wanted := map[int]int{}
		for _, at := range of[which[n]] {
			wanted[list[at].at] = at
		}
		c := cursor{b: raw}
		first := which[n] * detailBlock
		for at := first; at < min(first+detailBlock, l.head.Files) && len(wanted) > 0; at++ {
			mode, link, uid, gid, sum := c.text(), c.text(), c.int(), c.int(), c.text()
			if c.err != nil {
				return false, c.err
			}
			to, ok := wanted[at]
			if !ok {
				continue
			}
			delete(wanted, at)
			p := list[to]
			out[to].File = engine.File{
				Path: p.path, Type: p.kind, Size: p.size, Mode: string(mode), Link: string(link), UID: int(uid), GID: int(gid), SHA256: hex.EncodeToString(sum),
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	for n, p := range list {
		if p.owner < 0 {
			continue
		}
		owners, err := l.ownersOf(ctx)
		if err != nil {
			return nil, err
		}
		if p.owner < len(owners) {
			out[n].Owner = owners[p.owner]
		}
	}
	return out, nil
}

func (l *List) ownersOf(ctx context.Context) ([]engine.FileOwner, error) {
	if l.owners != nil {
		return l.owners, nil
	}
	err := l.blocks(ctx, []span{l.head.Owners}, func(_ int, raw []byte) (bool, error) {
		if err := json.Unmarshal(raw, &l.owners); err != nil {
			return false, fmt.Errorf("%w: owners", errBroken)
		}
		return true, nil
	})
	return l.owners, err
}
