package compare

import (
	"cmp"
	"maps"
	"slices"

	"windlass/internal/engine"
)

// name is how a package is known again.
type name struct{ name, kind string }

// somePaths is how many places of a package are told.
const somePaths = 5

// versionsOf counts the versions of each package.
func versionsOf(list []engine.Package) map[name]map[string]int {
	all := map[name]map[string]int{}
	for _, p := range list {
		k := name{p.Name, p.Type}
		if all[k] == nil {
			all[k] = map[string]int{}
		}
		all[k][p.Version]++
	}
	return all
}

func packages(before, after []engine.Package) ([]engine.PackageChange, engine.Differences) {
	old, now := versionsOf(before), versionsOf(after)
	var list []engine.PackageChange
	var n engine.Differences
	names := maps.Clone(old)
	maps.Copy(names, now)
	for k := range names {
		c := engine.PackageChange{Name: k.name, Type: k.kind, Before: beyond(old[k], now[k]), After: beyond(now[k], old[k])}
		switch {
		case len(c.Before) == 0 && len(c.After) == 0:
			c.Difference = engine.Same
		case len(now[k]) == 0 || len(c.After) == 0:
			c.Difference = engine.Removed
		case len(old[k]) == 0 || len(c.Before) == 0:
			c.Difference = engine.Added
		default:
			c.Difference = engine.Changed
		}
		n.Count(c.Difference)
		if c.Difference != engine.Same {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b engine.PackageChange) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	place(list, before, after)
	return list, n
}

// beyond lists the versions that one image has more often than the other: a
// second copy of a version is an addition too.
func beyond(of, other map[string]int) []string {
	var list []string
	for v, n := range of {
		if n > other[v] {
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return list
}

// place tells where the packages of changes stand, or stood.
func place(list []engine.PackageChange, before, after []engine.Package) {
	index := make(map[name]*engine.PackageChange, len(list))
	for i := range list {
		index[name{list[i].Name, list[i].Type}] = &list[i]
	}
	look := func(packages []engine.Package, in func(*engine.PackageChange) []string) {
		for _, p := range packages {
			c := index[name{p.Name, p.Type}]
			if c != nil && p.Path != "" && len(c.Paths) < somePaths && slices.Contains(in(c), p.Version) && !slices.Contains(c.Paths, p.Path) {
				c.Paths = append(c.Paths, p.Path)
			}
		}
	}
	look(after, func(c *engine.PackageChange) []string { return c.After })
	look(before, func(c *engine.PackageChange) []string {
		if c.Difference != engine.Removed {
			return nil
		}
		return c.Before
	})
}
