package apiv1

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// feedsBackend holds one feed with one group.
type feedsBackend struct {
	testAuth
	err error
}

var synced = time.Date(2020, 1, 1, 0, 0, 0, 999, time.UTC)

var debian = engine.FeedGroup{Feed: "vulnerabilities", Name: "debian:12", Enabled: true, CreatedAt: synced, UpdatedAt: synced, LastSync: synced, Records: 1234}

func (b feedsBackend) feed() engine.Feed {
	return engine.Feed{Name: "vulnerabilities", Enabled: true, CreatedAt: synced, UpdatedAt: synced, Groups: []engine.FeedGroup{debian}}
}

func (b feedsBackend) Feeds(context.Context) ([]engine.Feed, error) {
	return []engine.Feed{b.feed()}, b.err
}

func (b feedsBackend) SyncFeeds(_ context.Context, flush bool) ([]engine.FeedSyncResult, error) {
	n := int64(0)
	if flush {
		n = 10
	}
	return []engine.FeedSyncResult{{Feed: "vulnerabilities", Took: 12300 * time.Millisecond, Groups: []engine.FeedGroupSyncResult{
		{Group: "alpine:3.10", Updated: n, Took: 500 * time.Millisecond}}}}, b.err
}

func (b feedsBackend) SetFeed(_ context.Context, _ string, on bool) (engine.Feed, error) {
	f := b.feed()
	f.Enabled = on
	return f, b.err
}

func (b feedsBackend) SetFeedGroup(_ context.Context, _, _ string, on bool) (engine.FeedGroup, error) {
	g := debian
	g.Enabled = on
	return g, b.err
}

func (b feedsBackend) DeleteFeed(context.Context, string) (engine.Feed, error) {
	return b.feed(), b.err
}

func (b feedsBackend) DeleteFeedGroup(context.Context, string, string) (engine.FeedGroup, error) {
	return debian, b.err
}

func TestFeedsReplies(t *testing.T) {
	const group = `{"name":"debian:12","created_at":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z","last_sync":"2020-01-01T00:00:00Z","enabled":true,"record_count":1234}`
	const feed = `{"name":"vulnerabilities","created_at":"2020-01-01T00:00:00Z","updated_at":"2020-01-01T00:00:00Z","last_full_sync":null,"enabled":true,"groups":[` + group + `]}`
	for name, tc := range map[string]struct {
		method, path, auth string
		code               int
		want               string
	}{
		"list":           {"GET", "/v1/system/feeds", asBob, 200, "[" + feed + "]"},
		"sync":           {"POST", "/v1/system/feeds?flush=true&sync=false", asAdmin, 200, `[{"feed":"vulnerabilities","status":"success","total_time_seconds":12.3,"groups":[{"group":"alpine:3.10","status":"success","updated_record_count":10,"updated_image_count":0,"total_time_seconds":0.5}]}]`},
		"sync, no admin": {"POST", "/v1/system/feeds", asBob, 403, ""},
		"disable":        {"PUT", "/v1/system/feeds/vulnerabilities?enabled=false", asAdmin, 200, strings.Replace(feed, `"enabled":true,"groups"`, `"enabled":false,"groups"`, 1)},
		"not said what":  {"PUT", "/v1/system/feeds/vulnerabilities", asAdmin, 400, ""},
		"one group":      {"PUT", "/v1/system/feeds/vulnerabilities/debian:12?enabled=false", asAdmin, 200, strings.Replace(group, `"enabled":true`, `"enabled":false`, 1)},
		"empty a feed":   {"DELETE", "/v1/system/feeds/vulnerabilities", asAdmin, 200, feed},
		"empty a group":  {"DELETE", "/v1/system/feeds/vulnerabilities/debian:12", asAdmin, 200, group},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, feedsBackend{}, tc.method, tc.path, "", tc.auth)
			if got := strings.TrimSpace(w.Body.String()); w.Code != tc.code || tc.want != "" && got != tc.want {
				t.Errorf("%d %s\nwant %d %s", w.Code, got, tc.code, tc.want)
			}
		})
	}
}

func TestFeedsFaults(t *testing.T) {
	busy := &engine.Fault{Kind: engine.ErrConflict, Message: "Feed sync lock already held", Codes: []string{"FEED_SYNC_ALREADY_IN_PROGRESS"}}
	for name, tc := range map[string]struct {
		method, path string
		err          error
		code         int
		has          string
	}{
		"another sync runs":    {"POST", "/system/feeds", busy, http.StatusConflict, `"message":"Feed sync lock already held","httpcode":409,"detail":{"error_codes":["FEED_SYNC_ALREADY_IN_PROGRESS"]}`},
		"a name without sense": {"PUT", "/system/feeds/x?enabled=true", engine.Invalidf("feed x is not known"), 500, ""},
		"not held, put":        {"PUT", "/system/feeds/nvd?enabled=true", engine.NotFoundf("feed nvd not found"), 500, ""},
		"not held, delete":     {"DELETE", "/system/feeds/nvd", engine.NotFoundf("feed nvd not found"), 404, ""},
		"senseless, delete":    {"DELETE", "/system/feeds/x", engine.Invalidf("feed x is not known"), 500, ""},
		"group not held":       {"PUT", "/system/feeds/nvd/g?enabled=true", engine.NotFoundf("no"), 404, ""},
		"still enabled":        {"DELETE", "/system/feeds/nvd/g", engine.Conflictf("Cannot delete an enabled feed group"), 409, "Cannot delete an enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, feedsBackend{err: tc.err}, tc.method, "/v1"+tc.path, "", asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.has) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tc.code, tc.has)
			}
		})
	}
}
