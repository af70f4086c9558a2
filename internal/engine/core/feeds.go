package core

import (
	"context"
	"errors"
	"io"
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
	st.Rematch, err = c.store.LastRematch(ctx)
	if isNotFound(err) {
		err = nil
	}
	return st, err
}

// StartFeedSync begins a sync in the background.
func (c *Core) StartFeedSync(ctx context.Context, flush bool) error {
	return c.feeds.Start(ctx, "manual", flush)
}

// CancelFeedSync stops the running sync.
func (c *Core) CancelFeedSync(ctx context.Context, by string) error { return c.feeds.Cancel(ctx, by) }

// RollbackFeeds goes back to the data before.
func (c *Core) RollbackFeeds(ctx context.Context) error {
	_, err := c.feeds.Rollback(ctx)
	return err
}

// ImportFeeds takes in an archive and installs it in the background. The name is
// for the history; checksum may be empty.
func (c *Core) ImportFeeds(ctx context.Context, archive io.Reader, name, checksum string, flush bool) error {
	return c.feeds.StartImport(ctx, archive, "upload: "+name, checksum, flush)
}

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }
