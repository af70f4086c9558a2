package apiv1

import (
	"context"
	"io"
	"net/http"

	"windlass/internal/engine"
)

// FeedData is what the operations on the data as a whole ask of the engine:
// syncs that are followed, the way back, and archives that come by hand.
type FeedData interface {
	FeedStatus(ctx context.Context) (engine.FeedStatus, error)
	FeedSyncs(ctx context.Context, before int64, limit int) ([]engine.FeedSync, error)
	StartFeedSync(ctx context.Context, flush bool) error
	CancelFeedSync(ctx context.Context, by string) error
	FeedRollback(ctx context.Context) (engine.FeedRollback, error)
	RollbackFeeds(ctx context.Context, to string) error
	FeedUse(ctx context.Context, feed, group string) (engine.FeedUse, error)
	FeedArchives(ctx context.Context) ([]engine.FeedArchive, error)
	FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error)
	OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error)
	AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error)
	InstallFeedArchive(ctx context.Context, id string, flush bool) error
	DropFeedArchive(ctx context.Context, id string) error
}

func (s *Server) feedDataOps() map[string]op {
	return map[string]op{
		"getFeedStatus":      {perm: anyo, call: s.getFeedStatus, quiet: true},
		"listFeedSyncs":      {perm: anyo, call: s.listFeedSyncs},
		"startFeedSync":      {perm: admin("updateFeeds"), call: s.startFeedSync},
		"cancelFeedSync":     {perm: admin("updateFeeds"), call: s.cancelFeedSync},
		"getFeedRollback":    {perm: admin("updateFeeds"), call: s.getFeedRollback},
		"rollbackFeeds":      {perm: admin("updateFeeds"), call: s.rollbackFeeds},
		"getFeedUse":         {perm: admin("updateFeeds"), call: s.getFeedUse},
		"listFeedArchives":   {perm: admin("updateFeeds"), call: s.listFeedArchives},
		"openFeedArchive":    {perm: admin("updateFeeds"), call: s.openFeedArchive},
		"getFeedArchive":     {perm: admin("updateFeeds"), call: s.getFeedArchive, quiet: true},
		"appendFeedArchive":  {perm: admin("updateFeeds"), call: s.appendFeedArchive, maxBody: engine.MaxFeedArchive + 1, timeout: importTimeout},
		"installFeedArchive": {perm: admin("updateFeeds"), call: s.installFeedArchive},
		"deleteFeedArchive":  {perm: admin("updateFeeds"), call: s.deleteFeedArchive},
	}
}

func (s *Server) getFeedStatus(w http.ResponseWriter, r *request) error {
	st, err := s.backend.FeedStatus(r.Context())
	if err != nil {
		return err
	}
	out := feedStatusJSON{
		Source: st.Source, Interval: st.Interval.Seconds(), Next: stampOrNil(st.Next), Active: feedDataOf(st.Active), Previous: feedDataOf(st.Previous),
		Hosts: []feedHostJSON{},
	}
	if len(st.Syncs) > 0 {
		last := syncRecordOf(st.Syncs[0])
		out.Sync = &last
	}
	if m := st.Rematch; m.Data != "" {
		out.Rematch = &rematchJSON{Data: m.Data, Done: m.Done, Total: m.Total, Changed: m.Changed, Started: stamp(m.StartedAt), Ended: stampOrNil(m.EndedAt)}
	}
	for _, h := range st.Hosts {
		out.Hosts = append(out.Hosts, feedHostJSON{Host: h.Host, Data: orNil(h.Data), Message: orNil(h.Message), At: stamp(h.At)})
	}
	return reply(w, out)
}

func (s *Server) listFeedSyncs(w http.ResponseWriter, r *request) error {
	limit := r.queryInt("limit", 20)
	list, err := s.backend.FeedSyncs(r.Context(), int64(r.queryInt("before", 0)), limit+1)
	if err != nil {
		return err
	}
	var next *int64 // where the page after this one begins
	if len(list) > limit {
		list = list[:limit]
		next = &list[limit-1].ID
	}
	out := make([]feedSyncRecordJSON, len(list))
	for i, f := range list {
		out[i] = syncRecordOf(f)
	}
	return reply(w, map[string]any{"syncs": out, "next_before": next})
}

func (s *Server) startFeedSync(w http.ResponseWriter, r *request) error {
	if err := s.backend.StartFeedSync(r.Context(), r.queryBool("flush", false)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) cancelFeedSync(w http.ResponseWriter, r *request) error {
	if err := s.backend.CancelFeedSync(r.Context(), r.Identity.User); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) getFeedRollback(w http.ResponseWriter, r *request) error {
	p, err := s.backend.FeedRollback(r.Context())
	if err != nil {
		return err
	}
	groups := make([]feedGroupChangeJSON, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = feedGroupChangeJSON{Feed: g.Feed, Group: g.Name, Now: g.Before, Then: g.Records}
	}
	return reply(w, map[string]any{"from": feedDataOf(&p.From), "to": feedDataOf(&p.To), "images": p.Images, "groups": groups})
}

func (s *Server) rollbackFeeds(w http.ResponseWriter, r *request) error {
	var body struct {
		To string `json:"to"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	if body.To == "" {
		return engine.Invalidf("Name the data to go back to; GET says which.")
	}
	if err := s.backend.RollbackFeeds(r.Context(), body.To); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) getFeedUse(w http.ResponseWriter, r *request) error {
	u, err := s.backend.FeedUse(r.Context(), r.queryText("feed"), r.queryText("group"))
	if err != nil {
		return err
	}
	return reply(w, feedUseJSON{Feed: u.Feed, Group: orNil(u.Group), Enabled: u.Enabled, Groups: u.Groups, Records: u.Records, Matches: u.Matches, Images: u.Images})
}

func (s *Server) listFeedArchives(w http.ResponseWriter, r *request) error {
	list, err := s.backend.FeedArchives(r.Context())
	if err != nil {
		return err
	}
	out := make([]feedArchiveJSON, len(list))
	for i, a := range list {
		out[i] = feedArchiveOf(a)
	}
	return reply(w, map[string]any{"archives": out})
}

func (s *Server) openFeedArchive(w http.ResponseWriter, r *request) error {
	var body struct {
		Name     string `json:"name"`
		Size     int64  `json:"size"`
		Checksum string `json:"checksum"`
		Flush    bool   `json:"flush"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	a, err := s.backend.OpenFeedArchive(r.Context(), engine.FeedArchive{Source: body.Name, Size: body.Size, Checksum: body.Checksum, Flush: body.Flush, By: r.Identity.User})
	if err != nil {
		return err
	}
	return reply(w, feedArchiveOf(a))
}

func (s *Server) getFeedArchive(w http.ResponseWriter, r *request) error {
	a, err := s.backend.FeedArchive(r.Context(), r.param("archiveId"))
	if err != nil {
		return err
	}
	return reply(w, feedArchiveOf(a))
}

// appendFeedArchive takes the bytes straight from the connection.
func (s *Server) appendFeedArchive(w http.ResponseWriter, r *request) error {
	release, err := s.admitUpload(r)
	if err != nil {
		return err
	}
	defer release()
	body := io.Reader(http.NoBody)
	if r.Body != nil {
		body = r.Body
	}
	a, err := s.backend.AppendFeedArchive(r.Context(), r.param("archiveId"), int64(r.queryInt("at", 0)), body)
	if err != nil {
		return err
	}
	return reply(w, feedArchiveOf(a))
}

func (s *Server) installFeedArchive(w http.ResponseWriter, r *request) error {
	if err := s.backend.InstallFeedArchive(r.Context(), r.param("archiveId"), r.queryBool("flush", false)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) deleteFeedArchive(w http.ResponseWriter, r *request) error {
	if err := s.backend.DropFeedArchive(r.Context(), r.param("archiveId")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
