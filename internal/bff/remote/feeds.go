package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"windlass/internal/engine"
)

type wireFeed struct {
	Name      string      `json:"name"`
	CreatedAt stamp       `json:"created_at"`
	UpdatedAt stamp       `json:"updated_at"`
	LastSync  stamp       `json:"last_full_sync"`
	Enabled   *bool       `json:"enabled"`
	Groups    []wireGroup `json:"groups"`
}

type wireGroup struct {
	Name      string `json:"name"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
	LastSync  stamp  `json:"last_sync"`
	Enabled   *bool  `json:"enabled"`
	Records   int64  `json:"record_count"`
}

func feedOf(w wireFeed) engine.Feed {
	f := engine.Feed{
		Name: w.Name, Enabled: w.Enabled == nil || *w.Enabled,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, LastSync: w.LastSync.Time,
	}
	for _, g := range w.Groups {
		f.Groups = append(f.Groups, groupOf(w.Name, g))
	}
	return f
}

func groupOf(feed string, w wireGroup) engine.FeedGroup {
	return engine.FeedGroup{
		Feed: feed, Name: w.Name, Enabled: w.Enabled == nil || *w.Enabled,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, LastSync: w.LastSync.Time,
		Records: w.Records, Before: w.Records, // v1 keeps no count of before: no change is claimed
	}
}

// Feeds lists them with their groups.
func (c *Client) Feeds(ctx context.Context) ([]engine.Feed, error) {
	return kept(ctx, c, "", "feeds", time.Second, func(ctx context.Context) ([]engine.Feed, error) {
		var all []wireFeed
		if err := c.get(ctx, "", "/system/feeds", nil, &all); err != nil {
			return nil, err
		}
		list := make([]engine.Feed, 0, len(all))
		for _, w := range all {
			list = append(list, feedOf(w))
		}
		return list, nil
	})
}

// feedRuns are the syncs that were started from here: v1 answers only when one
// has ended, and remembers none.
type feedRuns struct {
	mu   sync.Mutex
	list []engine.FeedSync // newest first
}

// keptRuns is how many of them are shown.
const keptRuns = 20

// syncTime bounds the wait for a sync.
const syncTime = 2 * time.Hour

// FeedStatus is what a Windlass tells or, else, what can be told of the data
// from the groups and from the syncs that were started here.
func (c *Client) FeedStatus(ctx context.Context) (engine.FeedStatus, error) {
	if v, err := c.feedStatus(ctx); !errors.Is(err, engine.ErrUnsupported) {
		return v, err
	}
	feeds, err := c.Feeds(ctx)
	if err != nil {
		return engine.FeedStatus{}, err
	}
	var v engine.FeedStatus
	var last time.Time
	var records int64
	for _, f := range feeds {
		if f.LastSync.After(last) {
			last = f.LastSync
		}
		for _, g := range f.Groups {
			records += g.Records
			if g.LastSync.After(last) {
				last = g.LastSync
			}
		}
	}
	if !last.IsZero() {
		v.Active = &engine.FeedData{Built: last, InstalledAt: last, Records: records, Active: true}
	}
	c.runs.mu.Lock()
	defer c.runs.mu.Unlock()
	v.Syncs = append(v.Syncs, c.runs.list...)
	return v, nil
}

// FeedSyncs lists the syncs that were started here, before one of them; 0: all.
func (c *Client) FeedSyncs(ctx context.Context, before int64, limit int) ([]engine.FeedSync, error) {
	if list, err := c.feedSyncs(ctx, before, limit); !errors.Is(err, engine.ErrUnsupported) {
		return list, err
	}
	c.runs.mu.Lock()
	defer c.runs.mu.Unlock()
	var list []engine.FeedSync
	for _, r := range c.runs.list {
		if (before == 0 || r.ID < before) && len(list) < limit {
			list = append(list, r)
		}
	}
	return list, nil
}

// FeedUse counts the records of a feed or group. v1 does not tell where they
// are found.
func (c *Client) FeedUse(ctx context.Context, feed, group string) (engine.FeedUse, error) {
	if u, err := c.feedUse(ctx, feed, group); !errors.Is(err, engine.ErrUnsupported) {
		return u, err
	}
	feeds, err := c.Feeds(ctx)
	if err != nil {
		return engine.FeedUse{}, err
	}
	for _, f := range feeds {
		if f.Name != feed {
			continue
		}
		u := engine.FeedUse{Feed: feed, Group: group, Enabled: f.Enabled, Matches: -1}
		for _, g := range f.Groups {
			if group == "" || g.Name == group {
				u.Groups++
				u.Records += g.Records
				u.Enabled = u.Enabled && (group == "" || g.Enabled)
			}
		}
		if u.Groups > 0 || group == "" {
			return u, nil
		}
	}
	return engine.FeedUse{}, engine.NotFoundf("feed %s not found", feed)
}

// StartFeedSync asks for a sync and waits for its end in the background: v1
// answers with the result.
func (c *Client) StartFeedSync(ctx context.Context, flush bool) error {
	err := c.changed(ctx, "POST /console/feeds/syncs", call{query: url.Values{"flush": {strconv.FormatBool(flush)}}}, engine.ChangeFeedSync, "")
	if !errors.Is(err, engine.ErrUnsupported) {
		return err
	}
	who, err := c.sessions.who(ctx, "")
	if err != nil {
		return err
	}
	c.runs.mu.Lock()
	if len(c.runs.list) > 0 && c.runs.list[0].Status == "running" {
		c.runs.mu.Unlock()
		return engine.Conflictf("A sync is running already.")
	}
	run := engine.FeedSync{ID: time.Now().UnixMilli(), Trigger: "manual", Status: "running", Stage: engine.FeedCheck, StartedAt: time.Now(), StageAt: time.Now()}
	c.runs.list = append([]engine.FeedSync{run}, c.runs.list[:min(len(c.runs.list), keptRuns-1)]...)
	c.runs.mu.Unlock()
	c.altered("", engine.ChangeFeedSync, strconv.FormatInt(run.ID, 10))

	// The request outlives the page's, and not the client.
	background := context.WithoutCancel(ctx)
	c.own.Go(func() {
		ctx, cancel := context.WithTimeout(background, syncTime)
		defer cancel()
		defer context.AfterFunc(c.life, cancel)()
		err := c.syncFeeds(ctx, who, flush)
		c.endSync(run.ID, err)
	})
	return nil
}

func (c *Client) syncFeeds(ctx context.Context, who credential, flush bool) error {
	var result []struct{ Feed, Status string }
	q := url.Values{"flush": {strconv.FormatBool(flush)}}
	err := c.call(ctx, call{method: http.MethodPost, path: "/system/feeds", query: q, out: &result, as: &who, timeout: syncTime})
	if err != nil {
		return err
	}
	for _, f := range result {
		if f.Status == "failure" {
			return engine.Invalidf("The feed %s could not be synced. Its events say why.", f.Feed)
		}
	}
	return nil
}

func (c *Client) endSync(id int64, err error) {
	c.runs.mu.Lock()
	for n := range c.runs.list {
		if r := &c.runs.list[n]; r.ID == id {
			r.Status, r.EndedAt = "success", time.Now()
			if err != nil {
				r.Status, r.Message = "failure", engine.MessageOf(err, "The engine did not sync its feeds.")
			}
		}
	}
	c.runs.mu.Unlock()
	if err != nil {
		c.log.Warn("feed sync failed", "error", err)
	}
	c.altered("", engine.ChangeFeedSync, strconv.FormatInt(id, 10))
	c.altered("", engine.ChangeFeeds, "")
}

// SetFeed switches a feed on or off.
func (c *Client) SetFeed(ctx context.Context, feed string, enabled bool) (engine.Feed, error) {
	var w wireFeed
	err := c.call(ctx, call{method: http.MethodPut, path: path("system", "feeds", feed), query: enabledQuery(enabled), out: &w})
	return feedOf(w), c.feedAltered(err, feed)
}

// SetFeedGroup switches a group on or off.
func (c *Client) SetFeedGroup(ctx context.Context, feed, group string, enabled bool) (engine.FeedGroup, error) {
	var w wireGroup
	err := c.call(ctx, call{method: http.MethodPut, path: path("system", "feeds", feed, group), query: enabledQuery(enabled), out: &w})
	return groupOf(feed, w), c.feedAltered(err, feed)
}

// DeleteFeed deletes the data of a feed.
func (c *Client) DeleteFeed(ctx context.Context, feed string) (engine.Feed, error) {
	var w wireFeed
	err := c.call(ctx, call{method: http.MethodDelete, path: path("system", "feeds", feed), out: &w})
	return feedOf(w), c.feedAltered(err, feed)
}

// DeleteFeedGroup deletes the data of a group.
func (c *Client) DeleteFeedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error) {
	var w wireGroup
	err := c.call(ctx, call{method: http.MethodDelete, path: path("system", "feeds", feed, group), out: &w})
	return groupOf(feed, w), c.feedAltered(err, feed)
}

func enabledQuery(enabled bool) url.Values {
	return url.Values{"enabled": {strconv.FormatBool(enabled)}}
}

func (c *Client) feedAltered(err error, feed string) error {
	if err != nil {
		return fmt.Errorf("feed %s: %w", feed, err)
	}
	c.altered("", engine.ChangeFeeds, feed)
	return nil
}
