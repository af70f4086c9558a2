package feeds

import (
	"cmp"
	"slices"
	"time"

	"windlass/internal/engine"
)

// maxGroupEvents bounds the events one activation emits about groups.
const maxGroupEvents = 20

func (s *Service) event(kind, resource string, details map[string]any) engine.Event {
	return engine.NewEvent(kind, engine.AdminAccount, resource, details, s.cfg.Source)
}

// activated is the events of new data that came into use.
func (s *Service) activated(before []engine.Feed, groups []engine.FeedGroup, took time.Duration) []engine.Event {
	old := map[groupName]int64{}
	off := map[groupName]bool{}
	for _, f := range before {
		off[groupName{feed: f.Name}] = !f.Enabled
		for _, g := range f.Groups {
			old[groupName{f.Name, g.Name}] = g.Records
			off[groupName{f.Name, g.Name}] = !g.Enabled || !f.Enabled
		}
	}
	var names []string
	changed := make([]engine.FeedGroup, 0, len(groups)) // Records: by how much
	for _, g := range groups {
		if !off[groupName{feed: g.Feed}] && !slices.Contains(names, g.Feed) {
			names = append(names, g.Feed)
		}
		k := groupName{g.Feed, g.Name}
		if d := g.Records - old[k]; d != 0 && !off[k] {
			changed = append(changed, engine.FeedGroup{Feed: g.Feed, Name: g.Name, Records: d})
		}
	}
	slices.SortStableFunc(changed, func(a, b engine.FeedGroup) int {
		return cmp.Compare(max(b.Records, -b.Records), max(a.Records, -a.Records))
	})
	var list []engine.Event
	for _, n := range names {
		list = append(list, s.event(engine.EvFeedStarted, n, nil))
	}
	for _, g := range changed[:min(len(changed), maxGroupEvents)] {
		list = append(list, s.event(engine.EvFeedGroupCompleted, g.Feed+"/"+g.Name, map[string]any{"result": map[string]any{
			"group": g.Name, "status": "success", "updated_record_count": max(g.Records, -g.Records),
			"updated_image_count": 0, "total_time_seconds": took.Seconds(),
		}}))
	}
	for _, n := range names {
		list = append(list, s.event(engine.EvFeedCompleted, n, nil))
	}
	return append(list, s.event(engine.EvFeedsSyncCompleted, "", map[string]any{"sync_feed_types": names}))
}
