package present

import (
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// maxRollbackRows is how many changed groups the plan of a roll back lists.
const maxRollbackRows = 50

// FeedRollback shapes what going back to the data before would change.
func FeedRollback(r engine.FeedRollback, c Clock) view.FeedRollback {
	v := view.FeedRollback{
		To: r.To.ID, From: *feedData(r.From, c), Back: *feedData(r.To, c), Delta: change(r.To.Records - r.From.Records),
		Groups: Plural(len(r.Groups), "group differs", "groups differ"), Images: Plural(r.Images, "analyzed image", "analyzed images"),
	}
	if older := r.From.Built.Sub(r.To.Built); older > 0 {
		v.Older = Span(older) + " older"
	} else if older < 0 {
		v.Older = Span(-older) + " newer"
	}
	for i, g := range r.Groups {
		if i == maxRollbackRows {
			v.More = Plural(len(r.Groups)-i, "more group differs", "more groups differ")
			break
		}
		row := view.FeedRollbackRow{Feed: g.Feed, Name: g.Name, Now: Count(g.Before), Then: Count(g.Records), Change: change(g.Records - g.Before)}
		switch {
		case g.Before == 0:
			row.Change.Way = "new"
		case g.Records == 0:
			row.Change.Way = "gone"
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// FeedDelete shapes what deleting data would remove.
func FeedDelete(u engine.FeedUse) view.FeedDelete {
	v := view.FeedDelete{
		Name: u.Feed, What: "feed", Records: Count(u.Records), Groups: Count(u.Groups),
		Matches: "None in any image: it is left out of matching already.", Enabled: u.Enabled, Post: FeedsHref(u.Feed, "delete"), Disable: FeedsHref(u.Feed, "toggle"),
	}
	if u.Group != "" {
		v.Name, v.What, v.Post, v.Disable = u.Group, "group", FeedsHref(u.Feed, u.Group, "delete"), FeedsHref(u.Feed, u.Group, "toggle")
	}
	switch {
	case u.Matches < 0:
		v.Matches = "The engine does not say in how many images it is found."
	case u.Matches > 0:
		v.Matches = Count(u.Matches) + " in " + Plural(u.Images, "image", "images")
	}
	return v
}
