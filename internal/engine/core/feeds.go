package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"windlass/internal/engine"
)

// knownFeeds are the names that mean something even before the data has them.
var knownFeeds = []string{"vulnerabilities", "nvd", "nvdv2", "github", "packages", "vulndb"}

// Feeds lists all feeds with their groups.
func (c *Core) Feeds(ctx context.Context) ([]engine.Feed, error) { return c.store.Feeds(ctx) }

// SyncFeeds syncs all enabled feeds and waits for the outcome. The sync goes on
// when the caller leaves. One that fails is in the result, as v1 has it.
func (c *Core) SyncFeeds(ctx context.Context, flush bool) ([]engine.FeedSyncResult, error) {
	before, err := c.store.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	out, err := c.feeds.SyncWait(ctx, "manual", flush)
	if out.ID == 0 || ctx.Err() != nil {
		return nil, err // it never began, or the caller has left
	}
	failed := out.Status != "success" && out.Status != "unchanged"
	after, err := c.store.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	return syncResults(before, after, out.Status == "success", flush, failed, time.Since(began)), nil
}

// syncResults words the outcome of one database as v1 words that of many feeds.
func syncResults(before, after []engine.Feed, switched, flush, failed bool, took time.Duration) []engine.FeedSyncResult {
	had := map[[2]string]int64{}
	for _, f := range before {
		for _, g := range f.Groups {
			had[[2]string{f.Name, g.Name}] = g.Records
		}
	}
	list := []engine.FeedSyncResult{}
	for _, f := range after {
		if !f.Enabled {
			continue
		}
		res := engine.FeedSyncResult{Feed: f.Name, Failed: failed, Took: took}
		for _, g := range f.Groups {
			if !g.Enabled {
				continue
			}
			updated := int64(0)
			switch was := had[[2]string{f.Name, g.Name}]; {
			case !switched:
			case flush:
				updated = g.Records
			default:
				updated = max(g.Records-was, was-g.Records)
			}
			res.Groups = append(res.Groups, engine.FeedGroupSyncResult{Group: g.Name, Failed: failed, Updated: updated, Took: took})
		}
		list = append(list, res)
	}
	if len(list) == 0 && failed {
		list = append(list, engine.FeedSyncResult{Feed: knownFeeds[0], Failed: true, Took: took})
	}
	// v1 syncs the feed of the distributions first.
	slices.SortStableFunc(list, func(a, b engine.FeedSyncResult) int {
		return rank(a.Feed) - rank(b.Feed)
	})
	return list
}

func rank(feed string) int {
	if feed == knownFeeds[0] {
		return 0
	}
	return 1
}

// feed finds a feed: engine.ErrInvalid for a name that means nothing.
func (c *Core) feed(ctx context.Context, name string) (engine.Feed, error) {
	list, err := c.store.Feeds(ctx)
	if err != nil {
		return engine.Feed{}, err
	}
	for _, f := range list {
		if f.Name == name {
			return f, nil
		}
	}
	if slices.Contains(knownFeeds, name) {
		return engine.Feed{}, engine.NotFoundf("feed %s not found", name)
	}
	return engine.Feed{}, engine.Invalidf("feed %s is not known", name)
}

func (c *Core) feedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error) {
	f, err := c.feed(ctx, feed)
	if err != nil {
		return engine.FeedGroup{}, err
	}
	for _, g := range f.Groups {
		if g.Name == group {
			return g, nil
		}
	}
	return engine.FeedGroup{}, engine.NotFoundf("feed group %s/%s not found", feed, group)
}

// SetFeed enables or disables a feed; images are matched again in the background.
func (c *Core) SetFeed(ctx context.Context, feed string, enabled bool) (engine.Feed, error) {
	if _, err := c.feed(ctx, feed); err != nil {
		return engine.Feed{}, err
	}
	if err := c.store.SetFeedEnabled(ctx, feed, enabled); err != nil {
		return engine.Feed{}, err
	}
	return c.feed(ctx, feed)
}

// SetFeedGroup enables or disables a group of a feed.
func (c *Core) SetFeedGroup(ctx context.Context, feed, group string, enabled bool) (engine.FeedGroup, error) {
	if _, err := c.feedGroup(ctx, feed, group); err != nil {
		return engine.FeedGroup{}, err
	}
	if err := c.store.SetGroupEnabled(ctx, feed, group, enabled); err != nil {
		return engine.FeedGroup{}, err
	}
	return c.feedGroup(ctx, feed, group)
}

// DeleteFeed empties a disabled feed.
func (c *Core) DeleteFeed(ctx context.Context, feed string) (engine.Feed, error) {
	if _, err := c.feed(ctx, feed); err != nil {
		return engine.Feed{}, err
	}
	if err := c.store.DeleteFeedData(ctx, feed); err != nil {
		return engine.Feed{}, err
	}
	return c.feed(ctx, feed)
}

// DeleteFeedGroup empties a disabled group.
func (c *Core) DeleteFeedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error) {
	if _, err := c.feedGroup(ctx, feed, group); err != nil {
		return engine.FeedGroup{}, err
	}
	if err := c.store.DeleteGroupData(ctx, feed, group); err != nil {
		return engine.FeedGroup{}, err
	}
	return c.feedGroup(ctx, feed, group)
}

// FeedStatus is what the feeds page shows beside the feeds.
func (c *Core) FeedStatus(ctx context.Context) (engine.FeedStatus, error) {
	st := engine.FeedStatus{Source: c.feeds.URL(), Next: c.feeds.Next(), Interval: c.feeds.Interval()}
	data, err := c.store.FeedData(ctx)
	if err != nil {
		return st, err
	}
	for _, d := range data {
		d := d
		switch {
		case d.Active:
			st.Active = &d
		case d.Previous:
			st.Previous = &d
			if st.Before, err = c.store.DataGroups(ctx, d.ID); err != nil {
				return st, err
			}
		}
	}
	if st.Syncs, err = c.store.FeedSyncs(ctx, 20); err != nil {
		return st, err
	}
	if st.Next.IsZero() && len(st.Syncs) > 0 && st.Syncs[0].NextTry.After(time.Now()) {
		st.Next = st.Syncs[0].NextTry // planned by another host
	}
	if st.Archives, err = c.store.FeedArchives(ctx); err != nil {
		return st, err
	}
	if st.Hosts, err = c.store.FeedHosts(ctx, hostSilence); err != nil {
		return st, err
	}
	st.Rematch, err = c.store.LastRematch(ctx)
	if isNotFound(err) {
		err = nil
	}
	return st, err
}

// hostSilence is after how long a host that says nothing of its data is not
// listed any more; it says so every minute.
const hostSilence = 3 * time.Minute

// FeedSyncs lists the newest syncs before one of them; 0: all.
func (c *Core) FeedSyncs(ctx context.Context, before int64, limit int) ([]engine.FeedSync, error) {
	return c.store.FeedSyncsBefore(ctx, before, limit)
}

// FeedUse counts what hangs on a feed, or on one group of it.
func (c *Core) FeedUse(ctx context.Context, feed, group string) (engine.FeedUse, error) {
	return c.store.FeedUse(ctx, feed, group)
}

// StartFeedSync begins a sync in the background.
func (c *Core) StartFeedSync(ctx context.Context, flush bool) error {
	return c.feeds.Start(ctx, "manual", flush)
}

// CancelFeedSync stops the running sync.
func (c *Core) CancelFeedSync(ctx context.Context, by string) error { return c.feeds.Cancel(ctx, by) }

// FeedRollback counts what going back to the data before would change.
func (c *Core) FeedRollback(ctx context.Context) (engine.FeedRollback, error) {
	var r engine.FeedRollback
	data, err := c.store.FeedData(ctx)
	if err != nil {
		return r, err
	}
	groups := map[string][]engine.FeedGroup{}
	for _, d := range data {
		if groups[d.ID], err = c.store.DataGroups(ctx, d.ID); err != nil {
			return r, err
		}
		switch {
		case d.Active:
			r.From = d
		case d.Previous:
			r.To = d
		}
	}
	if r.To.ID == "" || r.From.ID == "" {
		return r, engine.NotFoundf("There is no earlier data to go back to.")
	}
	r.Groups = groupChanges(groups[r.From.ID], groups[r.To.ID])
	r.Images, err = c.store.CountMatched(ctx)
	return r, err
}

// groupChanges lists the groups whose counts differ, largest change first.
func groupChanges(from, to []engine.FeedGroup) []engine.FeedGroup {
	type name struct{ feed, group string }
	all := map[name]engine.FeedGroup{}
	for _, g := range to {
		all[name{g.Feed, g.Name}] = engine.FeedGroup{Feed: g.Feed, Name: g.Name, Records: g.Records}
	}
	for _, g := range from {
		n := name{g.Feed, g.Name}
		both := all[n]
		all[n] = engine.FeedGroup{Feed: g.Feed, Name: g.Name, Records: both.Records, Before: g.Records}
	}
	var list []engine.FeedGroup
	for _, g := range all {
		if g.Records != g.Before {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b engine.FeedGroup) int {
		x, y := a.Records-a.Before, b.Records-b.Before
		return cmp.Or(cmp.Compare(max(y, -y), max(x, -x)), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// RollbackFeeds begins to go back to the data before; to is its id, so that
// nobody goes back further than was shown.
func (c *Core) RollbackFeeds(ctx context.Context, to string) error {
	return c.feeds.StartRollback(ctx, to)
}

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }
