package policy

import (
	"strings"
	"time"

	"windlass/internal/engine/pattern"
)

// Lapsed is what of a bundle's whitelists had expired at a moment, to say of a
// row that an exception for it was there once.
type Lapsed struct {
	lists  []lapsedList
	budget *pattern.Budget
}

type lapsedList struct {
	id, name string
	index    map[string]*exceptions
}

// Lapsed collects the expired items of the whitelists of these ids.
func (b *Bundle) Lapsed(ids []string, now time.Time) *Lapsed {
	l := &Lapsed{budget: pattern.NewBudget(matchingTime)}
	for _, id := range ids {
		w, _ := b.whitelist(id)
		if w == nil {
			continue
		}
		list := lapsedList{id: w.ID, name: w.Name, index: map[string]*exceptions{}}
		for i := range w.Items {
			item := &w.Items[i]
			glob, err := pattern.CompileGlob(item.TriggerID)
			if item.inForce(now) || err != nil {
				continue
			}
			gate := strings.ToLower(item.Gate)
			if list.index[gate] == nil {
				list.index[gate] = &exceptions{}
			}
			list.index[gate].add(i, item, glob)
		}
		if len(list.index) > 0 {
			l.lists = append(l.lists, list)
		}
	}
	return l
}

// Of is the first item that would have set a row aside; nil: none would.
func (l *Lapsed) Of(gate, triggerID string) *Exception {
	for _, w := range l.lists {
		x := w.index[strings.ToLower(gate)]
		if x == nil {
			continue
		}
		// At the zero time every item is in force.
		item, err := x.first(l.budget, triggerID, time.Time{})
		if err == nil && item != nil {
			return &Exception{WhitelistID: w.id, WhitelistName: w.name, ItemID: item.ID, Reason: item.Reason, ExpiresAt: item.expires}
		}
	}
	return nil
}
