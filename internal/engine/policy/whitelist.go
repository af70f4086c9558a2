package policy

import (
	"strings"
	"time"

	"windlass/internal/engine/pattern"
)

// exceptions are the items of one whitelist for one gate. The first item that
// matches wins, and lists hold thousands, so items that name an id, or an id's
// beginning, are found by it; only the others are tried one by one.
type exceptions struct {
	exact   map[string][]exception
	begins  map[string][]exception // by the text before a star at the end
	lengths []int                  // of the keys of begins
	others  []exception
}

type exception struct {
	at   int // in the whitelist
	item *Item
	glob *pattern.Glob
}

func (x *exceptions) add(at int, item *Item, glob *pattern.Glob) {
	e := exception{at, item, glob}
	// The id as it stands matches too, even of an id that holds a star.
	if x.exact == nil {
		x.exact, x.begins = map[string][]exception{}, map[string][]exception{}
	}
	x.exact[item.TriggerID] = append(x.exact[item.TriggerID], e)
	text, exact := glob.Literal()
	switch {
	case exact:
	case glob.Tail():
		if len(x.begins[text]) == 0 {
			known := false
			for _, n := range x.lengths {
				known = known || n == len(text)
			}
			if !known {
				x.lengths = append(x.lengths, len(text))
			}
		}
		x.begins[text] = append(x.begins[text], e)
	default:
		x.others = append(x.others, e)
	}
}

// first is the first item in force at now that matches a trigger id.
func (x *exceptions) first(b *pattern.Budget, id string, now time.Time) (*Item, error) {
	best := exception{at: int(^uint(0) >> 1)}
	try := func(list []exception) {
		for _, e := range list {
			if e.at >= best.at {
				return
			}
			if e.item.inForce(now) {
				best = e
				return
			}
		}
	}
	try(x.exact[id])
	for _, n := range x.lengths {
		if n <= len(id) {
			try(x.begins[id[:n]])
		}
	}
	for _, e := range x.others {
		if e.at >= best.at {
			break
		}
		if !e.item.inForce(now) {
			continue
		}
		ok, err := e.glob.Match(b, id)
		if err != nil {
			return nil, err
		}
		if ok {
			best = e
			break
		}
	}
	return best.item, nil
}

// Expires is when the item ends; zero: never.
func (i *Item) Expires() time.Time { return i.expires }

func (i *Item) inForce(now time.Time) bool { return i.expires.IsZero() || now.Before(i.expires) }

// exception looks for the first item of the whitelists, in their order, that
// sets a row aside.
func exceptionOf(b *pattern.Budget, lists []*Whitelist, r *Row, now time.Time) (*Exception, error) {
	for _, w := range lists {
		x := w.index[strings.ToLower(r.Gate)]
		if x == nil {
			continue
		}
		item, err := x.first(b, r.TriggerID, now)
		if err != nil {
			return nil, err
		}
		if item != nil {
			return &Exception{WhitelistID: w.ID, WhitelistName: w.Name, ItemID: item.ID, Reason: item.Reason, ExpiresAt: item.expires}, nil
		}
	}
	return nil, nil
}
