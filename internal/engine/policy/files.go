package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/pattern"
)

// fileView finds files by path and by expression without trying every file for
// every rule: an image has a hundred thousand of them, a bundle hundreds of
// rules.
type fileView struct {
	list []engine.File // as given
	by   []int32       // the order by path; nil: as given

	// all is every path, each followed by a newline, in that order, for finding
	// the text that an expression needs in one sweep; starts are their places.
	all    string
	starts []int32

	sets   []*engine.File
	setsOK bool
}

func (c *context) fileView() *fileView {
	if c.files == nil {
		c.files = viewFiles(c.image.Files)
	}
	return c.files
}

func viewFiles(list []engine.File) *fileView {
	v := &fileView{list: list}
	byPath := func(a, b engine.File) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(list, byPath) {
		v.by = make([]int32, len(list))
		for i := range v.by {
			v.by[i] = int32(i)
		}
		slices.SortStableFunc(v.by, func(a, b int32) int { return strings.Compare(list[a].Path, list[b].Path) })
	}
	return v
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
	switch need, prefix := re.Literal(); {
	case prefix && need != "":
		for i := v.from(need); i < len(v.list) && strings.HasPrefix(v.at(i).Path, need); i++ {
			if err := try(i); err != nil {
				return err
			}
		}
	case need != "" && !strings.Contains(need, "\n"):
		return v.containing(need, try)
	default:
		for i := range v.list {
			if err := try(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// containing calls do with the place of each path that contains a text.
func (v *fileView) containing(text string, do func(i int) error) error {
	if v.starts == nil {
		size := 0
		for i := range v.list {
			size += len(v.list[i].Path) + 1
		}
		var b strings.Builder
		b.Grow(size)
		v.starts = make([]int32, 0, len(v.list))
		for i := range v.list {
			v.starts = append(v.starts, int32(b.Len()))
			b.WriteString(v.at(i).Path)
			b.WriteByte('\n')
		}
		v.all = b.String()
	}
	at := 0
	for next := 0; next < len(v.all); {
		hit := strings.Index(v.all[next:], text)
		if hit < 0 {
			return nil
		}
		i, exact := slices.BinarySearch(v.starts[at:], int32(next+hit))
		if !exact {
			i--
		}
		at += i
		if err := do(at); err != nil {
			return err
		}
		if at++; at == len(v.starts) {
			return nil
		}
		next = int(v.starts[at])
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
