package analyzer

import (
	"archive/tar"
	"fmt"
	"path"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// v1 types of a regular file and of a further name of one.
const (
	kindFile = "file"
	kindLink = "hlink"
)

// entry is one entry of one layer.
type entry struct {
	path string // clean, without leading slash
	link string
	size int64
	mode int64
	sha  string
	kind string
	uid  int
	gid  int

	of *entry // of a hard link: the file that has the bytes
	as *entry // of a file: the entry under whose name its bytes are searched; nil when upper layers hide them
}

func entryOf(h *tar.Header) entry {
	e := entry{
		path: strings.TrimPrefix(path.Clean("/"+h.Name), "/"), link: h.Linkname,
		size: h.Size, mode: h.Mode & 0o7777, kind: kindFile, uid: h.Uid, gid: h.Gid,
	}
	switch h.Typeflag {
	case tar.TypeDir:
		e.kind = "dir"
	case tar.TypeSymlink:
		e.kind = "slink"
	case tar.TypeLink:
		e.kind, e.size = kindLink, 0
	case tar.TypeChar:
		e.kind = "chrdev"
	case tar.TypeBlock:
		e.kind = "blkdev"
	case tar.TypeFifo:
		e.kind = "fifo"
	}
	return e
}

// node is a name of the squashed file system. A tree, not a map of paths, so
// that dropping a directory costs nothing however much it holds.
type node struct {
	entry *entry // nil for a directory that no layer describes
	under map[string]*node
}

// squash lays the layers over each other, lowest first. It gives up when the
// tree has more than so many names: an entry may name a thousand folders that
// no other does.
func squash(layers []unpacked, most int64) (*node, bool) {
	root := &node{}
	for _, layer := range layers {
		list := layer.entries
		// Whiteouts hide what lower layers hold, never their own layer.
		for i := range list {
			dir, name := path.Split(list[i].path)
			switch {
			case name == ".wh..wh..opq":
				if d := root.find(dir); d != nil {
					d.under = nil
				}
			case strings.HasPrefix(name, ".wh."):
				if d := root.find(dir); d != nil {
					delete(d.under, strings.TrimPrefix(name, ".wh."))
				}
			}
		}
		for i := range list {
			if e := &list[i]; e.path != "" && !strings.HasPrefix(path.Base(e.path), ".wh.") {
				if e.kind == kindLink {
					e.of = root.file(e.link)
				}
				if most -= root.put(e); most < 0 {
					return nil, false
				}
			}
		}
	}
	return root, true
}

func (n *node) find(dir string) *node {
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if part == "" {
			continue
		}
		if n = n.under[part]; n == nil {
			return nil
		}
	}
	return n
}

// file is the file with the bytes that stand under a path; nil when there is
// none.
func (n *node) file(path string) *entry {
	n = n.find(path)
	switch {
	case n == nil || n.entry == nil:
		return nil
	case n.entry.kind == kindLink:
		return n.entry.of
	case n.entry.kind == kindFile:
		return n.entry
	}
	return nil
}

// maxLinks is how many links on the way to a file are followed.
const maxLinks = 40

// through is the file with the bytes that a path leads to when the directories
// on its way may be links: /bin/sh lies in /usr/bin where /bin is a link there.
// The last part is not followed.
func (n *node) through(p string) *entry { return n.file(n.follow(p, false)) }

// behind is the same, and follows the last part too.
func (n *node) behind(p string) *entry { return n.file(n.follow(p, true)) }

// follow is the path that another leads to through links; "" when it leads
// nowhere.
func (n *node) follow(p string, last bool) string {
	at, rest := "", strings.Split(strings.Trim(path.Clean("/"+p), "/"), "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		rest = rest[1:]
		if len(rest) == 0 && !last {
			return next
		}
		d := n.find(next)
		if d == nil {
			return ""
		}
		if d.entry == nil || d.entry.kind != "slink" {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return ""
		}
		to := d.entry.link
		if !path.IsAbs(to) {
			to = path.Join("/", at, to)
		}
		if to = strings.Trim(path.Clean("/"+to), "/"); to != "" {
			rest = append(strings.Split(to, "/"), rest...)
		}
		at = ""
	}
	return at
}

// names finds the names of the files that have one of some contents.
func (n *node) names(sums map[string]bool) map[string][]string {
	found := map[string][]string{}
	var walk func(*node)
	walk = func(n *node) {
		if e := n.entry; e != nil {
			of := e
			if e.kind == kindLink {
				of = e.of
			}
			if of != nil && of.kind == kindFile && sums[of.sha] {
				found[of.sha] = append(found[of.sha], "/"+e.path)
			}
		}
		for _, c := range n.under {
			walk(c)
		}
	}
	walk(n)
	return found
}

// reach marks the files whose bytes can be got at. A hard link lends its name
// to a file that has lost its own.
func (n *node) reach() {
	var links []*entry
	var walk func(*node)
	walk = func(n *node) {
		if e := n.entry; e != nil {
			switch {
			case e.kind == kindFile:
				e.as = e
			case e.of != nil:
				links = append(links, e)
			}
		}
		for _, c := range n.under {
			walk(c)
		}
	}
	walk(n)
	slices.SortFunc(links, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	for _, e := range links {
		if e.of.as == nil {
			e.of.as = e
		}
	}
}

// put adds an entry and says how many names that made.
func (n *node) put(e *entry) (made int64) {
	for part := range strings.SplitSeq(e.path, "/") {
		if n.under == nil {
			n.under = map[string]*node{}
		}
		next := n.under[part]
		if next == nil {
			next = &node{}
			n.under[part] = next
			made++
		}
		n = next
	}
	if e.kind != "dir" {
		n.under = nil
	}
	n.entry = e
	return made
}

// files lists the tree, and the bytes of a tar of it.
func (n *node) files() (list []engine.File, size int64) {
	size = 2 * block // end mark
	var walk func(*node)
	walk = func(n *node) {
		if e := n.entry; e != nil {
			list = append(list, engine.File{
				Path: engine.Text("/"+e.path, maxPath+1), Link: engine.Text(e.link, maxPath), Size: e.size, Mode: fmt.Sprintf("%05o", e.mode),
				SHA256: e.sha, Type: e.kind, UID: e.uid, GID: e.gid,
			})
			size += block
			if e.kind == kindFile {
				size += (e.size + block - 1) / block * block
			}
		}
		for _, c := range n.under {
			walk(c)
		}
	}
	walk(n)
	return list, size
}

// block is the unit of a tar archive.
const block = 512
