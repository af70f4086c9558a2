package policy

import (
	"fmt"
	"math/bits"
	gopath "path"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/pattern"
)

// fileView finds files by path and by expression without trying every file for
// every rule: an image has a hundred thousand of them, a bundle hundreds of
// rules. An expression that begins with a text is tried on the paths that do,
// which lie together; one that needs a text anywhere on those that one sweep
// for all such texts found (sweep.go).
type fileView struct {
	list   []engine.File // as given
	by     []int32       // the order by path; nil: as given
	shared []int32       // how many bytes each path has in common with the one before
	texts  []string      // to look for in a sweep
	tails  []byte        // what of the paths is swept: of each, from where it begins to differ, less overlap
	starts []int32       // where each tail begins, and the end
	found  map[string][]int32

	folders map[string]string // where the way to a folder leads, by its path
	sets    []*engine.File
	setsOK  bool
}

func (c *context) fileView() *fileView {
	if c.files == nil {
		c.files = viewFiles(c.image.Files, c.texts)
	}
	return c.files
}

func viewFiles(list []engine.File, texts []string) *fileView {
	v := &fileView{list: list, texts: texts, shared: make([]int32, len(list))}
	if !v.share() {
		v.by = make([]int32, len(list))
		for i := range v.by {
			v.by[i] = int32(i)
		}
		slices.SortStableFunc(v.by, func(a, b int32) int { return strings.Compare(list[a].Path, list[b].Path) })
		v.share()
	}
	return v
}

// share holds each path against the one before, and writes the tails while it
// has the path in hand. It reports whether the paths are in order, and stops
// where they are not.
func (v *fileView) share() bool {
	if len(v.texts) > 0 {
		v.tails, v.starts = make([]byte, 0, 24*len(v.list)), make([]int32, 0, len(v.list)+1)
	}
	before := ""
	for i := range v.list {
		path := v.at(i).Path
		n := commonPrefix(before, path)
		if n < len(before) && (n == len(path) || path[n] < before[n]) {
			return false
		}
		v.shared[i] = int32(n)
		before = path
		if len(v.texts) > 0 {
			v.starts = append(v.starts, int32(len(v.tails)))
			v.tails = append(v.tails, path[max(0, n-overlap):]...)
		}
	}
	v.starts = append(v.starts, int32(len(v.tails)))
	return true
}

// commonPrefix is how many bytes two texts begin with in common, compared eight
// at a time.
func commonPrefix(a, b string) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if differ := word(a[i:i+8]) ^ word(b[i:i+8]); differ != 0 {
			return i + bits.TrailingZeros64(differ)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// word is eight bytes of a text as a number, its first byte lowest; the compiler
// makes one load of it.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// at is the i-th file by path.
func (v *fileView) at(i int) *engine.File {
	if v.by != nil {
		i = int(v.by[i])
	}
	return &v.list[i]
}

// from is the place of the first path that is not before p.
func (v *fileView) from(p string) int {
	lo, hi := 0, len(v.list)
	for lo < hi {
		if mid := (lo + hi) / 2; v.at(mid).Path < p {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (v *fileView) find(path string) *engine.File {
	if i := v.from(path); i < len(v.list) && v.at(i).Path == path {
		return v.at(i)
	}
	return nil
}

// maxLinks is how many links on the way to a file are followed.
const maxLinks = 40

// through finds the file that a path leads to when the directories on its way
// may be links: package databases know /bin/sh, which lies in /usr/bin where
// /bin is a link there.
func (v *fileView) through(path string) *engine.File {
	if f := v.find(path); f != nil {
		return f
	}
	dir, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	if dir = v.folder(dir, 0); dir == "" {
		return nil
	}
	return v.find(dir + name)
}

// folder is the folder that a path with its last slash leads to, in the same
// form; empty when there are too many links on the way. What no layer describes
// is taken as a folder.
func (v *fileView) folder(dir string, links int) string {
	if dir == "" || dir == "/" {
		return "/"
	}
	if known, ok := v.folders[dir]; ok {
		return known
	}
	flat := strings.TrimSuffix(dir, "/")
	at := strings.LastIndexByte(flat, '/') + 1
	to := v.folder(flat[:at], links)
	if to != "" {
		to += flat[at:]
		if f := v.find(to); f != nil && f.Type == "slink" {
			if links++; links > maxLinks {
				return ""
			}
			target := f.Link
			if !strings.HasPrefix(target, "/") {
				target = to[:strings.LastIndexByte(to, '/')+1] + target
			}
			to = v.folder(strings.TrimSuffix(gopath.Clean("/"+target), "/")+"/", links)
		} else {
			to += "/"
		}
	}
	if v.folders == nil {
		v.folders = map[string]string{}
	}
	if links == 0 || to != "" {
		v.folders[dir] = to
	}
	return to
}

// matching calls do for each path that re matches from its start.
func (v *fileView) matching(b *pattern.Budget, re *pattern.Regexp, do func(*engine.File)) error {
	try := func(i int) error {
		f := v.at(i)
		ok, err := re.MatchStart(b, f.Path)
		if ok {
			do(f)
		}
		return err
	}
	need, prefix := re.Literal()
	if prefix && need != "" {
		for i := v.from(need); i < len(v.list) && strings.HasPrefix(v.at(i).Path, need); i++ {
			if err := try(i); err != nil {
				return err
			}
		}
		return nil
	}
	if v.found == nil {
		v.found = v.sweep()
	}
	if some, ok := v.found[need]; ok {
		for _, i := range some {
			if err := try(int(i)); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range v.list {
		if err := try(i); err != nil {
			return err
		}
	}
	return nil
}

// setID are the files that run with the rights of their owner or group.
func (v *fileView) setID() []*engine.File {
	if !v.setsOK {
		v.setsOK = true
		for i := range v.list {
			f := v.at(i)
			// The digit before the last three holds the bits, 4 and 2.
			if n := len(f.Mode); n >= 4 && f.Mode[n-4]&6 != 0 {
				v.sets = append(v.sets, f)
			}
		}
	}
	return v.sets
}

// permissionBits are those that a mode is compared by.
const permissionBits = 0o7777

// permissions reads the permission bits of a mode in octal.
func permissions(mode string) uint64 {
	n, _ := strconv.ParseUint(mode, 8, 64)
	return n & permissionBits
}

func octal(mode string) string { return fmt.Sprintf("0o%o", permissions(mode)) }
