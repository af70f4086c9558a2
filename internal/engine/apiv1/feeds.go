package apiv1

import (
	"context"
	"errors"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Feeds is what the feeds operations ask of the engine. A feed whose name means
// nothing to it is engine.ErrInvalid, one that it knows and does not hold
// engine.ErrNotFound.
type Feeds interface {
	Feeds(ctx context.Context) ([]engine.Feed, error)
	// SyncFeeds waits for the sync it starts. A sync that failed is in the
	// result; the error is for one that could not start.
	SyncFeeds(ctx context.Context, flush bool) ([]engine.FeedSyncResult, error)
	SetFeed(ctx context.Context, feed string, enabled bool) (engine.Feed, error)
	SetFeedGroup(ctx context.Context, feed, group string, enabled bool) (engine.FeedGroup, error)
	DeleteFeed(ctx context.Context, feed string) (engine.Feed, error)
	DeleteFeedGroup(ctx context.Context, feed, group string) (engine.FeedGroup, error)
}

// syncTimeout is how long a caller may wait for a sync: a gigabyte over a thin
// line.
const syncTimeout = 2 * time.Hour

func (s *Server) feedsOps() map[string]op {
	return map[string]op{
		"listFeeds":       {perm: anyo, call: s.listFeeds},
		"syncFeeds":       {perm: admin("updateFeeds"), call: s.syncFeeds, timeout: syncTimeout},
		"toggleFeed":      {perm: admin("updateFeeds"), call: s.toggleFeed},
		"deleteFeed":      {perm: admin("updateFeeds"), call: s.deleteFeed},
		"toggleFeedGroup": {perm: admin("updateFeeds"), call: s.toggleFeedGroup},
		"deleteFeedGroup": {perm: admin("updateFeeds"), call: s.deleteFeedGroup},
	}
}

type feedJSON struct {
	Name         string          `json:"name"`
	CreatedAt    *string         `json:"created_at"`
	UpdatedAt    *string         `json:"updated_at"`
	LastFullSync *string         `json:"last_full_sync"`
	Enabled      bool            `json:"enabled"`
	Groups       []feedGroupJSON `json:"groups"`
}

type feedGroupJSON struct {
	Name        string  `json:"name"`
	CreatedAt   *string `json:"created_at"`
	UpdatedAt   *string `json:"updated_at"`
	LastSync    *string `json:"last_sync"`
	Enabled     bool    `json:"enabled"`
	RecordCount int64   `json:"record_count"`
}

type feedSyncJSON struct {
	Feed   string              `json:"feed"`
	Status string              `json:"status"`
	Took   float64             `json:"total_time_seconds"`
	Groups []feedSyncGroupJSON `json:"groups"`
}

type feedSyncGroupJSON struct {
	Group   string  `json:"group"`
	Status  string  `json:"status"`
	Records int64   `json:"updated_record_count"`
	Images  int64   `json:"updated_image_count"`
	Took    float64 `json:"total_time_seconds"`
}

func feedOf(f engine.Feed) feedJSON {
	out := feedJSON{
		Name: f.Name, CreatedAt: wholeSeconds(f.CreatedAt), UpdatedAt: wholeSeconds(f.UpdatedAt),
		LastFullSync: wholeSeconds(f.LastSync), Enabled: f.Enabled, Groups: make([]feedGroupJSON, len(f.Groups)),
	}
	for i, g := range f.Groups {
		out.Groups[i] = feedGroupOf(g)
	}
	return out
}

func feedGroupOf(g engine.FeedGroup) feedGroupJSON {
	return feedGroupJSON{
		Name: g.Name, CreatedAt: wholeSeconds(g.CreatedAt), UpdatedAt: wholeSeconds(g.UpdatedAt),
		LastSync: wholeSeconds(g.LastSync), Enabled: g.Enabled, RecordCount: g.Records,
	}
}

// wholeSeconds writes a time as these records have it; null for never.
func wholeSeconds(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format("2006-01-02T15:04:05Z")
	return &text
}

func outcome(failed bool) string {
	if failed {
		return "failure"
	}
	return "success"
}

func (s *Server) listFeeds(w http.ResponseWriter, r *request) error {
	list, err := s.backend.Feeds(r.Context())
	if err != nil {
		return err
	}
	out := make([]feedJSON, len(list))
	for i, f := range list {
		out[i] = feedOf(f)
	}
	return reply(w, out)
}

func (s *Server) syncFeeds(w http.ResponseWriter, r *request) error {
	list, err := s.backend.SyncFeeds(r.Context(), r.queryBool("flush", false))
	if err != nil {
		return err
	}
	out := make([]feedSyncJSON, len(list))
	for i, f := range list {
		out[i] = feedSyncJSON{Feed: f.Feed, Status: outcome(f.Failed), Took: f.Took.Seconds(), Groups: make([]feedSyncGroupJSON, len(f.Groups))}
		for k, g := range f.Groups {
			out[i].Groups[k] = feedSyncGroupJSON{Group: g.Group, Status: outcome(g.Failed), Records: g.Updated, Images: g.Images, Took: g.Took.Seconds()}
		}
	}
	return reply(w, out)
}

// feedFault gives a feed's absence the code each operation has for it.
func feedFault(err error, absent int) error {
	switch {
	case errors.Is(err, engine.ErrInvalid):
		return status(err, http.StatusInternalServerError)
	case errors.Is(err, engine.ErrNotFound):
		return status(err, absent)
	}
	return err
}

func (s *Server) toggleFeed(w http.ResponseWriter, r *request) error {
	f, err := s.backend.SetFeed(r.Context(), r.param("feed"), r.queryBool("enabled", false))
	if err != nil {
		return feedFault(err, http.StatusInternalServerError)
	}
	return reply(w, feedOf(f))
}

func (s *Server) deleteFeed(w http.ResponseWriter, r *request) error {
	f, err := s.backend.DeleteFeed(r.Context(), r.param("feed"))
	if err != nil {
		return feedFault(err, http.StatusNotFound)
	}
	return reply(w, feedOf(f))
}

func (s *Server) toggleFeedGroup(w http.ResponseWriter, r *request) error {
	g, err := s.backend.SetFeedGroup(r.Context(), r.param("feed"), r.param("group"), r.queryBool("enabled", false))
	if err != nil {
		return feedFault(err, http.StatusNotFound)
	}
	return reply(w, feedGroupOf(g))
}

func (s *Server) deleteFeedGroup(w http.ResponseWriter, r *request) error {
	g, err := s.backend.DeleteFeedGroup(r.Context(), r.param("feed"), r.param("group"))
	if err != nil {
		return feedFault(err, http.StatusNotFound)
	}
	return reply(w, feedGroupOf(g))
}
