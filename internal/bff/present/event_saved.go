package present

import (
	"fmt"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// eventsSaved shapes the saved filters of the user, and what saving would save.
func eventsSaved(d EventsData) view.EventsSaved {
	now := d.Query.saved()
	v := view.EventsSaved{Back: d.Query.closed(), Full: len(d.Saved) >= engine.MaxSavedFilters}
	if d.Keeps {
		v.Query = now
	}
	for _, f := range d.Saved {
		id := fmt.Sprint(f.ID)
		s := view.SavedFilter{ID: id, Name: f.Name, Href: "/events" + f.Query, Current: f.Query == now,
			Rename: "/events/filters/" + id + "/rename", Delete: "/events/filters/" + id + "/delete"}
		if s.Current {
			v.Query = ""
		}
		v.List = append(v.List, s)
	}
	return v
}

// saved is the query as it is kept: all of the list's state, but no place in it.
// It is empty when there is nothing to keep.
func (q EventQuery) saved() string { return q.List().Query() }

// SavedQuery reads the query of a form that saves it: only what an address of
// the page can say is kept.
func SavedQuery(get func(name string) string) (string, error) {
	q := ParseEventQuery(get)
	if q.saved() == "" {
		return "", engine.Invalidf("Nothing is set that could be saved. Filter the list first.")
	}
	return q.saved(), nil
}
