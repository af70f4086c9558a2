package compare

import (
	"cmp"
	"slices"

	"windlass/internal/engine"
)

// files walks two lists of files side by side.
func files(before, after []engine.File) ([]engine.FileChange, engine.Differences) {
	byPath := func(a, b engine.File) int { return cmp.Compare(a.Path, b.Path) }
	sorted := func(list []engine.File) []engine.File {
		if slices.IsSortedFunc(list, byPath) { // as they are stored
			return list
		}
		return slices.SortedStableFunc(slices.Values(list), byPath)
	}
	before, after = sorted(before), sorted(after)
	var list []engine.FileChange
	var n engine.Differences
	add := func(c engine.FileChange) {
		n.Count(c.Difference)
		if c.Difference != engine.Same {
			list = append(list, c)
		}
	}
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Path < after[0].Path:
			add(engine.FileChange{Difference: engine.Removed, Path: before[0].Path, Before: before[0]})
			before = before[1:]
		case len(before) == 0 || after[0].Path < before[0].Path:
			add(engine.FileChange{Difference: engine.Added, Path: after[0].Path, After: after[0]})
			after = after[1:]
		default:
			c := engine.FileChange{Difference: engine.Same, Path: after[0].Path, Before: before[0], After: after[0], What: differs(before[0], after[0])}
			if len(c.What) > 0 {
				c.Difference = engine.Changed
			}
			add(c)
			before, after = before[1:], after[1:]
		}
	}
	return list, n
}

// differs says in what two files of one path differ.
func differs(a, b engine.File) []string {
	var what []string
	note := func(differ bool, word string) {
		if differ {
			what = append(what, word)
		}
	}
	if a.Type != b.Type {
		return []string{"type"}
	}
	regular := a.Type == "file"
	if a.SHA256 != "" && b.SHA256 != "" {
		note(a.SHA256 != b.SHA256, "content")
	} else { // not read: the size is all there is
		note(regular && a.Size != b.Size, "content")
	}
	note(a.Link != b.Link, "link")
	note(a.Mode != b.Mode, "mode")
	note(a.UID != b.UID || a.GID != b.GID, "owner")
	return what
}
