package remote

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"windlass/internal/engine"
)

type wireData struct {
	ID        string `json:"id"`
	Schema    string `json:"schema"`
	Checksum  string `json:"checksum"`
	Source    string `json:"source"`
	Built     stamp  `json:"built"`
	Installed stamp  `json:"installed_at"`
	Bytes     int64  `json:"bytes"`
	Records   int64  `json:"records"`
	Starter   bool   `json:"starter"`
	SetAside  bool   `json:"set_aside"`
}

func dataOf(w *wireData) *engine.FeedData {
	if w == nil || w.ID == "" {
		return nil
	}
	return &engine.FeedData{
		ID: w.ID, Checksum: w.Checksum, Schema: w.Schema, Built: w.Built.Time, Source: w.Source, Starter: w.Starter, Bytes: w.Bytes,
		Records: w.Records, InstalledAt: w.Installed.Time, SetAside: w.SetAside,
	}
}

type wireSync struct {
	ID      int64  `json:"id"`
	Trigger string `json:"trigger"`
	Status  string `json:"status"`
	Stage   string `json:"stage"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
	Steps   []struct {
		Stage string  `json:"stage"`
		Took  float64 `json:"seconds"`
	} `json:"stages"`
	Started stamp  `json:"started_at"`
	Ended   stamp  `json:"ended_at"`
	Cause   string `json:"cause"`
	Message string `json:"message"`
	Source  string `json:"source"`
	Host    string `json:"host"`
	Data    string `json:"data"`
	Records int64  `json:"records"`
	Delta   int64  `json:"delta"`
	Images  int64  `json:"images"`
	Changed int64  `json:"images_changed"`
	Matched stamp  `json:"matched_at"`
}

func syncOf(w wireSync) engine.FeedSync {
	s := engine.FeedSync{
		ID: w.ID, Trigger: w.Trigger, Status: w.Status, Stage: engine.FeedStage(w.Stage), Done: w.Done, Total: w.Total, StartedAt: w.Started.Time,
		EndedAt: w.Ended.Time, Cause: w.Cause, Message: clean(w.Message), Source: w.Source, Host: w.Host, Data: w.Data, Records: w.Records,
		Delta: w.Delta, Images: w.Images, Changed: w.Changed, MatchedAt: w.Matched.Time,
	}
	s.StageAt = s.StartedAt
	for _, step := range w.Steps {
		took := time.Duration(step.Took * float64(time.Second))
		s.Steps = append(s.Steps, engine.FeedStep{Stage: engine.FeedStage(step.Stage), Took: took})
		s.StageAt = s.StageAt.Add(took)
	}
	return s
}

// feedStatus is what a Windlass tells of its data.
func (c *Client) feedStatus(ctx context.Context) (engine.FeedStatus, error) {
	var w struct {
		Source   string    `json:"source"`
		Interval float64   `json:"interval_seconds"`
		Next     stamp     `json:"next_sync"`
		Active   *wireData `json:"active"`
		Previous *wireData `json:"previous"`
		Rematch  *struct {
			Data    string `json:"data"`
			Done    int64  `json:"done"`
			Total   int64  `json:"total"`
			Changed int64  `json:"changed"`
			Started stamp  `json:"started_at"`
			Ended   stamp  `json:"ended_at"`
		} `json:"rematch"`
		Hosts []struct {
			Host    string `json:"host"`
			Data    string `json:"data"`
			Message string `json:"message"`
			At      stamp  `json:"at"`
		} `json:"hosts"`
	}
	if err := c.beyond(ctx, "GET /console/feeds", call{out: &w}); err != nil {
		return engine.FeedStatus{}, err
	}
	v := engine.FeedStatus{
		Source: w.Source, Interval: time.Duration(w.Interval * float64(time.Second)), Next: w.Next.Time, Active: dataOf(w.Active), Previous: dataOf(w.Previous),
	}
	if v.Active != nil {
		v.Active.Active = true
	}
	if v.Previous != nil {
		v.Previous.Previous = true
	}
	if m := w.Rematch; m != nil {
		v.Rematch = engine.Rematch{Data: m.Data, Done: m.Done, Total: m.Total, Changed: m.Changed, StartedAt: m.Started.Time, EndedAt: m.Ended.Time}
	}
	for _, h := range w.Hosts {
		v.Hosts = append(v.Hosts, engine.FeedHost{Host: h.Host, Data: h.Data, Message: clean(h.Message), At: h.At.Time})
	}
	var err error
	v.Syncs, err = c.feedSyncs(ctx, 0, 20)
	return v, err
}

// feedSyncs lists those that a Windlass remembers.
func (c *Client) feedSyncs(ctx context.Context, before int64, limit int) ([]engine.FeedSync, error) {
	q := url.Values{"limit": {strconv.Itoa(min(max(limit, 1), 100))}}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	var page struct {
		Syncs []wireSync `json:"syncs"`
	}
	err := c.beyond(ctx, "GET /console/feeds/syncs", call{query: q, out: &page})
	var list []engine.FeedSync
	for _, w := range page.Syncs {
		list = append(list, syncOf(w))
	}
	return list, err
}

// feedUse counts what hangs on a feed or a group of a Windlass.
func (c *Client) feedUse(ctx context.Context, feed, group string) (engine.FeedUse, error) {
	var w struct {
		Enabled bool  `json:"enabled"`
		Groups  int   `json:"groups"`
		Records int64 `json:"records"`
		Matches int64 `json:"matches"`
		Images  int64 `json:"images"`
	}
	err := c.beyond(ctx, "GET /console/feeds/use", call{query: set(url.Values{}, "feed", feed, "group", group), out: &w})
	return engine.FeedUse{Feed: feed, Group: group, Enabled: w.Enabled, Groups: w.Groups, Records: w.Records, Matches: w.Matches, Images: w.Images}, err
}

// CancelFeedSync ends the running sync; v1 has no such question.
func (c *Client) CancelFeedSync(ctx context.Context, _ string) error {
	return c.changed(ctx, "DELETE /console/feeds/syncs/current", call{}, engine.ChangeFeedSync, "")
}

// FeedRollback counts what going back would change.
func (c *Client) FeedRollback(ctx context.Context) (engine.FeedRollback, error) {
	var w struct {
		From   *wireData `json:"from"`
		To     *wireData `json:"to"`
		Images int64     `json:"images"`
		Groups []struct {
			Feed  string `json:"feed"`
			Group string `json:"group"`
			Now   int64  `json:"records"`
			Then  int64  `json:"records_then"`
		} `json:"groups"`
	}
	if err := c.beyond(ctx, "GET /console/feeds/rollback", call{out: &w}); err != nil {
		return engine.FeedRollback{}, err
	}
	from, to := dataOf(w.From), dataOf(w.To)
	if from == nil || to == nil {
		return engine.FeedRollback{}, engine.NotFoundf("There is no data to go back to.")
	}
	v := engine.FeedRollback{From: *from, To: *to, Images: w.Images}
	for _, g := range w.Groups {
		v.Groups = append(v.Groups, engine.FeedGroup{Feed: g.Feed, Name: g.Group, Before: g.Now, Records: g.Then})
	}
	return v, nil
}

// RollbackFeeds begins to go back.
func (c *Client) RollbackFeeds(ctx context.Context, to string) error {
	return c.changed(ctx, "POST /console/feeds/rollback", call{body: map[string]string{"to": to}}, engine.ChangeFeeds, "")
}

type wireFeedArchive struct {
	ID       string `json:"id"`
	Source   string `json:"source"`
	State    string `json:"state"`
	Size     int64  `json:"size"`
	Have     int64  `json:"have"`
	Checksum string `json:"checksum"`
	Flush    bool   `json:"flush"`
	By       string `json:"by"`
	Cause    string `json:"cause"`
	Message  string `json:"message"`
	Created  stamp  `json:"created_at"`
	Touched  stamp  `json:"touched_at"`
}

func feedArchiveOf(w wireFeedArchive) engine.FeedArchive {
	return engine.FeedArchive{
		ID: w.ID, Source: w.Source, State: engine.FeedArchiveState(w.State), Size: w.Size, Have: w.Have, Checksum: w.Checksum, Flush: w.Flush, By: w.By,
		Cause: w.Cause, Message: clean(w.Message), CreatedAt: w.Created.Time, TouchedAt: w.Touched.Time,
	}
}

// OpenFeedArchive begins an upload.
func (c *Client) OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error) {
	body := map[string]any{"name": a.Source, "size": a.Size, "checksum": a.Checksum, "flush": a.Flush}
	var w wireFeedArchive
	err := c.beyond(ctx, "POST /console/feeds/archives", call{body: body, out: &w})
	return feedArchiveOf(w), err
}

// FeedArchive is how far an upload is.
func (c *Client) FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error) {
	var w wireFeedArchive
	err := c.beyond(ctx, "GET /console/feeds/archives/{archiveId}", call{out: &w}, id)
	return feedArchiveOf(w), absent(err, "There is no such upload.")
}

// AppendFeedArchive sends bytes of it.
func (c *Client) AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error) {
	var w wireFeedArchive
	q := call{query: url.Values{"at": {strconv.FormatInt(at, 10)}}, body: r, kind: "application/octet-stream", out: &w, timeout: uploadTime}
	err := c.beyond(ctx, "PUT /console/feeds/archives/{archiveId}", q, id)
	return feedArchiveOf(w), err
}

// InstallFeedArchive begins to install it.
func (c *Client) InstallFeedArchive(ctx context.Context, id string, flush bool) error {
	q := call{query: url.Values{"flush": {strconv.FormatBool(flush)}}}
	return c.changed(ctx, "POST /console/feeds/archives/{archiveId}/install", q, engine.ChangeFeedSync, "", id)
}

// DropFeedArchive discards it.
func (c *Client) DropFeedArchive(ctx context.Context, id string) error {
	return c.beyond(ctx, "DELETE /console/feeds/archives/{archiveId}", call{}, id)
}

// ImportFeeds sends a whole archive and has it installed.
func (c *Client) ImportFeeds(ctx context.Context, archive io.Reader, name, checksum string, flush bool) error {
	a, err := c.OpenFeedArchive(ctx, engine.FeedArchive{Source: name, Checksum: checksum, Flush: flush})
	if err != nil {
		return err
	}
	if _, err = c.AppendFeedArchive(ctx, a.ID, 0, archive); err == nil {
		err = c.InstallFeedArchive(ctx, a.ID, flush)
	}
	if err != nil {
		c.DropFeedArchive(context.WithoutCancel(ctx), a.ID)
		return fmt.Errorf("import feeds: %w", err)
	}
	return nil
}
