package listing

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// Page is one page of what a query selects.
func (l *List) Page(ctx context.Context, q engine.FileQuery) (engine.FilePage, error) {
	q.Offset = max(q.Offset, 0)
	if q.Limit <= 0 {
		q.Limit = 100
	}
	switch text := strings.ToLower(strings.TrimSpace(q.Text)); {
	case q.Browse && text == "" && q.Owner == "":
		return l.folder(ctx, q)
	case len(text) == 64 && hexText(text):
		return l.bySum(ctx, q, text)
	case text == "" && q.Owner == "" && q.Folder == "":
		return l.byNumber(ctx, q)
	default:
		return l.search(ctx, q, text)
	}
}

func hexText(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

func (l *List) byNumber(ctx context.Context, q engine.FileQuery) (engine.FilePage, error) {
	page := engine.FilePage{Total: l.head.Files}
	from, to := min(q.Offset, l.head.Files), min(q.Offset+q.Limit, l.head.Files)
	if from == to {
		return page, nil
	}
	var list []picked
	err := l.eachName(ctx, from/nameBlock, blocks(to, nameBlock), func(at int, n name, path []byte) bool {
		if at >= from && at < to {
			n.path = string(path)
			list = append(list, picked{at, n})
		}
		return at < to
	})
	if err == nil {
		page.Entries, err = l.entries(ctx, list)
	}
	return page, err
}

// within is the blocks of names in which paths with a prefix can be.
func (l *List) within(prefix string) (from, to int) {
	if prefix == "" {
		return 0, len(l.head.Names)
	}
	first := func(from int, past func(first string) bool) int {
		for n := from; n < len(l.head.Names); n++ {
			if past(l.head.Names[n].First) {
				return n
			}
		}
		return len(l.head.Names)
	}
	from = max(first(0, func(s string) bool { return s >= prefix })-1, 0)
	to = first(from, func(s string) bool { return s > prefix && !strings.HasPrefix(s, prefix) })
	return from, to
}

// search goes through the names in order. The texts of paths are compared
// without regard to case, as far as ASCII goes.
func (l *List) search(ctx context.Context, q engine.FileQuery, text string) (engine.FilePage, error) {
	var page engine.FilePage
	owner := -1
	if q.Owner != "" {
		owners, err := l.ownersOf(ctx)
		if err != nil {
			return page, err
		}
		if owner = slices.IndexFunc(owners, func(o engine.FileOwner) bool { return o.Key == q.Owner }); owner < 0 {
			return page, nil
		}
	}
	prefix := inside(q.Folder)
	from, to := l.within(prefix)
	var list []picked
	var low []byte
	err := l.eachName(ctx, from, to, func(at int, n name, path []byte) bool {
		if owner >= 0 && n.owner != owner || prefix != "" && !bytes.HasPrefix(path, []byte(prefix)) {
			return true
		}
		if text != "" {
			low = lower(low[:0], path)
			if !bytes.Contains(low, []byte(text)) {
				return true
			}
		}
		if page.Total >= q.Offset && page.Total < q.Offset+q.Limit {
			n.path = string(path)
			list = append(list, picked{at, n})
		}
		page.Total++
		return true
	})
	if err == nil {
		page.Entries, err = l.entries(ctx, list)
	}
	return page, err
}

func lower(to, b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// bySum finds the files of one content.
func (l *List) bySum(ctx context.Context, q engine.FileQuery, text string) (engine.FilePage, error) {
	var page engine.FilePage
	sum, _ := hex.DecodeString(text) // it was looked at
	var hits []int
	err := l.blocks(ctx, l.head.Details, func(n int, raw []byte) (bool, error) {
		c := cursor{b: raw}
		for at := n * detailBlock; at < min((n+1)*detailBlock, l.head.Files); at++ {
			c.text()
			c.text()
			c.int()
			c.int()
			if got := c.text(); c.err == nil && bytes.Equal(got, sum) {
				hits = append(hits, at)
			}
			if c.err != nil {
				return false, c.err
			}
		}
		return true, nil
	})
	if err != nil {
		return page, err
	}
	page.Total = len(hits)
	hits = hits[min(q.Offset, len(hits)):min(q.Offset+q.Limit, len(hits))]
	if len(hits) == 0 {
		return page, nil
	}
	var list []picked
	err = l.eachName(ctx, hits[0]/nameBlock, hits[len(hits)-1]/nameBlock+1, func(at int, n name, path []byte) bool {
		if at == hits[len(list)] {
			n.path = string(path)
			list = append(list, picked{at, n})
		}
		return len(list) < len(hits)
	})
	if err == nil {
		page.Entries, err = l.entries(ctx, list)
	}
	return page, err
}

// inside is the prefix of what a folder holds; nothing for the root.
func inside(folder string) string {
	folder = strings.Trim(folder, "/")
	if folder == "" {
		return ""
	}
	return "/" + folder + "/"
}

// child is an entry of a folder: a file, or another folder with what it holds.
type child struct {
	picked
	known  bool // it has an entry of its own
	folder bool
	files  int
	bytes  int64
}

// folder lists what stands in one folder: folders first, each with how much is
// in it at any depth.
func (l *List) folder(ctx context.Context, q engine.FileQuery) (engine.FilePage, error) {
	var page engine.FilePage
	prefix := inside(q.Folder)
	from, to := l.within(prefix)
	skip := len(prefix)
	if skip == 0 {
		skip = 1
	}
	byName := map[string]int{}
	var all []child
	err := l.eachName(ctx, from, to, func(at int, n name, path []byte) bool {
		if len(path) <= skip || prefix != "" && !bytes.HasPrefix(path, []byte(prefix)) {
			return true
		}
		rest := path[skip:]
		deep := bytes.IndexByte(rest, '/')
		own := rest
		if deep >= 0 {
			own = rest[:deep]
		}
		i, ok := byName[string(own)]
		if !ok {
			i = len(all)
			byName[string(own)] = i
			all = append(all, child{picked: picked{at: at, name: name{path: string(path[:skip+len(own)]), kind: "dir", owner: -1}}})
		}
		c := &all[i]
		if deep < 0 {
			p := c.path
			c.picked, c.known = picked{at, n}, true
			c.path = p
			c.folder = c.folder || n.kind == "dir"
		} else {
			c.folder = true
			if n.kind != "dir" {
				c.files++
				c.bytes += n.size
			}
		}
		return true
	})
	if err != nil {
		return page, err
	}
	slices.SortFunc(all, func(a, b child) int {
		if a.folder != b.folder {
			if a.folder {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.path, b.path)
	})
	page.Total = len(all)
	all = all[min(q.Offset, len(all)):min(q.Offset+q.Limit, len(all))]
	var list []picked
	for _, c := range all {
		if c.known {
			list = append(list, c.picked)
		}
	}
	entries, err := l.entries(ctx, list)
	if err != nil {
		return page, err
	}
	for _, c := range all {
		e := engine.FileEntry{File: engine.File{Path: c.path, Type: "dir"}}
		if c.known {
			e, entries = entries[0], entries[1:]
		}
		e.Folder, e.Files, e.Bytes = c.folder, c.files, c.bytes
		page.Entries = append(page.Entries, e)
	}
	return page, nil
}
