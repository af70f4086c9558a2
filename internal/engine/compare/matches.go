package compare

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// finding is how a vulnerability is known again.
type finding struct {
	vuln string
	name
}

// worstOf keeps one match of each finding: the worst of those that stand for it.
func worstOf(list []engine.Match) map[finding]engine.Match {
	all := map[finding]engine.Match{}
	for _, m := range list {
		k := finding{m.Vuln, name{m.Package, m.PackageType}}
		if old, ok := all[k]; !ok || rank(m) < rank(old) {
			all[k] = m
		}
	}
	return all
}

func rank(m engine.Match) int {
	return slices.Index(engine.SeverityNames, engine.SeverityName(m.Severity))
}

func matches(before, after Side) ([]engine.MatchChange, engine.Differences) {
	old, now := worstOf(before.Matches), worstOf(after.Matches)
	had, has := versionsOf(before.Packages), versionsOf(after.Packages)
	list := make([]engine.MatchChange, 0, len(now))
	var n engine.Differences
	for k, m := range now {
		c := engine.MatchChange{Difference: engine.Same, Match: m}
		was, ok := old[k]
		switch {
		case !ok:
			c.Difference = engine.Added
			c.Reason, c.Other = reason(m, had[k.name])
		case rank(was) != rank(m):
			c.Difference, c.Was = engine.Changed, engine.SeverityName(was.Severity)
		}
		list = append(list, c)
	}
	for k, m := range old {
		if _, ok := now[k]; !ok {
			c := engine.MatchChange{Difference: engine.Removed, Match: m}
			c.Reason, c.Other = reason(m, has[k.name])
			list = append(list, c)
		}
	}
	for _, c := range list {
		n.Count(c.Difference)
	}
	order := []engine.Difference{engine.Added, engine.Removed, engine.Changed, engine.Same}
	slices.SortFunc(list, func(a, b engine.MatchChange) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Difference), slices.Index(order, b.Difference)), cmp.Compare(rank(a.Match), rank(b.Match)),
			cmp.Compare(b.EPSS, a.EPSS), cmp.Compare(a.Vuln, b.Vuln), cmp.Compare(a.Package, b.Package), cmp.Compare(a.PackageType, b.PackageType))
	})
	return list, n
}

// reason says why a match is on one side alone, from the versions of its
// package on the other.
func reason(m engine.Match, other map[string]int) (engine.ChangeReason, string) {
	switch {
	case len(other) == 0:
		return engine.ReasonPackage, ""
	case other[m.Version] > 0:
		return engine.ReasonData, ""
	}
	return engine.ReasonVersion, strings.Join(slices.Sorted(maps.Keys(other)), ", ")
}
