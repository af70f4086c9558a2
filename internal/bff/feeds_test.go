package bff

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// feedEngine records what the feeds page asks for; it is not the admin's when
// plain is set.
type feedEngine struct {
	Engine
	plain bool
	asked []string
	err   error
}

func (e *feedEngine) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	return engine.Session{Identity: engine.Identity{User: "u", Account: "a", Admin: !e.plain}, CSRF: "token"}, nil
}
func (e *feedEngine) Services(context.Context) ([]engine.Service, error) { return nil, nil }
func (e *feedEngine) Feeds(context.Context) ([]engine.Feed, error) {
	return []engine.Feed{{Name: "nvd", Enabled: true, Groups: []engine.FeedGroup{{Feed: "nvd", Name: "nvddb:2020", Records: 7}}}}, nil
}
func (e *feedEngine) FeedStatus(context.Context) (engine.FeedStatus, error) {
	return engine.FeedStatus{Source: "http://x/v6/latest.json"}, nil
}
func (e *feedEngine) ask(what ...string) error {
	e.asked = append(e.asked, strings.Join(what, " "))
	return e.err
}
func (e *feedEngine) StartFeedSync(_ context.Context, flush bool) error {
	return e.ask("sync", yes(flush))
}
func (e *feedEngine) CancelFeedSync(_ context.Context, by string) error { return e.ask("cancel", by) }
func (e *feedEngine) RollbackFeeds(_ context.Context, to string) error {
	return e.ask("rollback", to)
}
func (e *feedEngine) FeedSyncs(_ context.Context, before int64, limit int) ([]engine.FeedSync, error) {
	var list []engine.FeedSync
	for id := int64(50); id > 0 && len(list) < limit; id-- {
		if before == 0 || id < before {
			list = append(list, engine.FeedSync{ID: id, Trigger: "periodic", Status: "unchanged", StartedAt: time.Now(), EndedAt: time.Now()})
		}
	}
	return list, nil
}
func (e *feedEngine) FeedRollback(context.Context) (engine.FeedRollback, error) {
	return engine.FeedRollback{From: engine.FeedData{ID: "new", Records: 9}, To: engine.FeedData{ID: "old", Records: 7}, Images: 1284,
		Groups: []engine.FeedGroup{{Feed: "nvd", Name: "nvddb:2020", Records: 7, Before: 9}}}, e.err
}
func (e *feedEngine) FeedUse(_ context.Context, feed, group string) (engine.FeedUse, error) {
	return engine.FeedUse{Feed: feed, Group: group, Groups: 3, Records: 5539, Matches: 213, Images: 2}, nil
}
func (e *feedEngine) OpenFeedArchive(_ context.Context, a engine.FeedArchive) (engine.FeedArchive, error) {
	a.ID = "u1"
	return a, e.ask("open", a.Source, a.Checksum, yes(a.Flush), a.By)
}
func (e *feedEngine) FeedArchive(_ context.Context, id string) (engine.FeedArchive, error) {
	return engine.FeedArchive{ID: id, Have: 3, Size: 5}, e.ask("state", id)
}
func (e *feedEngine) AppendFeedArchive(_ context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return engine.FeedArchive{}, err
	}
	return engine.FeedArchive{ID: id, Have: at + int64(len(b)), Size: 5}, e.ask("append", id, string(b))
}
func (e *feedEngine) InstallFeedArchive(_ context.Context, id string, flush bool) error {
	return e.ask("install", id, yes(flush))
}
func (e *feedEngine) DropFeedArchive(_ context.Context, id string) error { return e.ask("drop", id) }
func (e *feedEngine) ImportFeeds(_ context.Context, r io.Reader, name, sum string, flush bool) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return e.ask("import", name, sum, yes(flush), string(b[:min(len(b), 5)]))
}
func (e *feedEngine) SetFeed(_ context.Context, feed string, on bool) (engine.Feed, error) {
	return engine.Feed{}, e.ask("set", feed, yes(on))
}
func (e *feedEngine) SetFeedGroup(_ context.Context, feed, group string, on bool) (engine.FeedGroup, error) {
	return engine.FeedGroup{}, e.ask("set", feed, group, yes(on))
}
func (e *feedEngine) DeleteFeed(_ context.Context, feed string) (engine.Feed, error) {
	return engine.Feed{}, e.ask("delete", feed)
}
func (e *feedEngine) DeleteFeedGroup(_ context.Context, feed, group string) (engine.FeedGroup, error) {
	return engine.FeedGroup{}, e.ask("delete", feed, group)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func TestFeedActions(t *testing.T) {
	for name, tc := range map[string]struct {
		path string
		form url.Values
		err  error
		code int
		want string
	}{
		"sync":               {"/feeds/sync", url.Values{}, nil, 303, "sync no"},
		"flush":              {"/feeds/sync", url.Values{"flush": {"true"}}, nil, 303, "sync yes"},
		"another sync runs":  {"/feeds/sync", url.Values{}, engine.ErrConflict, 303, "sync no"},
		"cancel":             {"/feeds/cancel", url.Values{}, nil, 303, "cancel u"},
		"nothing to cancel":  {"/feeds/cancel", url.Values{}, engine.ErrNotFound, 303, "cancel u"},
		"roll back":          {"/feeds/rollback", url.Values{"to": {"abc"}}, nil, 303, "rollback abc"},
		"nothing before":     {"/feeds/rollback", url.Values{"to": {"abc"}}, engine.NotFoundf("no earlier data"), 404, "rollback abc"},
		"install an upload":  {"/feeds/uploads/u1/install", url.Values{}, nil, 303, "install u1 no"},
		"all the same":       {"/feeds/uploads/u1/install", url.Values{"flush": {"true"}}, nil, 303, "install u1 yes"},
		"half an upload":     {"/feeds/uploads/u1/install", url.Values{}, engine.Conflictf("not complete"), 409, "install u1 no"},
		"discard an upload":  {"/feeds/uploads/u1/discard", url.Values{}, nil, 303, "drop u1"},
		"begin an upload":    {"/feeds/uploads", url.Values{"name": {"a.zst"}, "size": {"5"}, "checksum": {"c"}, "flush": {"true"}}, nil, 200, "open a.zst c yes u"},
		"too many uploads":   {"/feeds/uploads", url.Values{"name": {"a.zst"}, "size": {"5"}}, engine.Conflictf("4 uploads"), 409, "open a.zst  no u"},
		"disable a feed":     {"/feeds/nvd/toggle", url.Values{"enabled": {"false"}}, nil, 303, "set nvd no"},
		"enable a group":     {"/feeds/github/github%3Anpm/toggle", url.Values{"enabled": {"true"}}, nil, 303, "set github github:npm yes"},
		"delete a feed":      {"/feeds/nvd/delete", url.Values{}, nil, 303, "delete nvd"},
		"delete a group":     {"/feeds/nvd/nvddb:2020/delete", url.Values{}, nil, 303, "delete nvd nvddb:2020"},
		"delete what is on":  {"/feeds/nvd/delete", url.Values{}, engine.Conflictf("Cannot delete an enabled feed"), 409, "delete nvd"},
		"a feed named sync?": {"/feeds/sync/toggle", url.Values{"enabled": {"true"}}, nil, 303, "set sync yes"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &feedEngine{err: tc.err}
			if code, _, body := post(t, e, tc.path, tc.form); code != tc.code || strings.Join(e.asked, ";") != tc.want {
				t.Errorf("%d, asked %q; want %d and %q\n%s", code, e.asked, tc.code, tc.want, body)
			}
			other := &feedEngine{plain: true}
			if code, _, _ := post(t, other, tc.path, tc.form); code != http.StatusForbidden || len(other.asked) > 0 {
				t.Errorf("for one who is no administrator: %d, asked %q", code, other.asked)
			}
		})
	}
}

func TestFeedsPageForThoseWhoMayOnlyLook(t *testing.T) {
	_, _, body := send(t, &feedEngine{plain: true}, http.MethodGet, "/feeds", "", nil)
	if !strings.Contains(body, "nvddb:2020") || strings.Contains(body, `action="/feeds`) && strings.Contains(body, `method="post" action="/feeds`) {
		t.Error("the page lacks the groups or offers what is not allowed")
	}
}

// What is destructive says its size first, and the history is paged.
func TestFeedPlans(t *testing.T) {
	for path, want := range map[string][]string{
		"/feeds/rollback":                          {`name="to" value="old"`, "1,284 analyzed images", "nvddb:2020", "-2"},
		"/feeds/delete?feed=nvd":                   {"<dd>5,539</dd>", "213 in 2 images", `action="/feeds/nvd/delete"`},
		"/feeds/delete?feed=nvd&group=nvddb%3A202": {"nvddb:202", `action="/feeds/nvd/nvddb:202/delete"`},
		"/feeds":           {"sync-50", "sync-31", "/feeds?before=31#feed-history"},
		"/feeds?before=11": {"sync-10", "sync-1\"", `href="/feeds#feed-history"`},
	} {
		code, _, body := send(t, &feedEngine{}, http.MethodGet, path, "", nil)
		for _, text := range want {
			if code != 200 || !strings.Contains(body, text) {
				t.Errorf("%s is %d and lacks %q", path, code, text)
			}
		}
	}
	for path, want := range map[string]int{"/feeds/delete": 400, "/feeds?before=x": 200} {
		if code, _, _ := send(t, &feedEngine{}, http.MethodGet, path, "", nil); code != want {
			t.Errorf("%s is %d, want %d", path, code, want)
		}
	}
	if code, _, _ := send(t, &feedEngine{plain: true}, http.MethodGet, "/feeds/rollback", "", nil); code != http.StatusForbidden {
		t.Errorf("the plan is shown to one who is no administrator: %d", code)
	}
}

// The script sends the bytes of a file from where it stopped.
func TestFeedUploadGoesOn(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path, body string
		code               int
		want               string
	}{
		"where it is":     {http.MethodGet, "/feeds/uploads/u1", "", 200, `{"id":"u1","have":3,"size":5}`},
		"the rest":        {http.MethodPost, "/feeds/uploads/u1/upload?csrf=token&at=3", "yz", 200, `{"id":"u1","have":5,"size":5}`},
		"from nowhere":    {http.MethodPost, "/feeds/uploads/u1/upload?csrf=token", "yz", 400, `{"message":"Say at which byte the upload goes on."}`},
		"without a token": {http.MethodPost, "/feeds/uploads/u1/upload?at=3", "yz", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var body io.Reader
			if tc.body != "" {
				body = strings.NewReader(tc.body)
			}
			code, _, text := send(t, &feedEngine{}, tc.method, tc.path, "application/octet-stream", body)
			if code != tc.code || tc.want != "" && text != tc.want {
				t.Errorf("%d %s, want %d %s", code, text, tc.code, tc.want)
			}
		})
	}
	if code, _, body := post(t, &feedEngine{}, "/feeds/uploads", url.Values{"size": {"0"}}); code != 400 || !strings.Contains(body, "message") {
		t.Errorf("an upload of nothing is %d %s", code, body)
	}
}

func feedBody(t testing.TB, fields [][2]string, file string) (string, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := w.CreateFormFile("archive", `C:\down\db.tar.zst`)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, file)
	}
	w.Close()
	return w.FormDataContentType(), &b
}

func TestFeedUpload(t *testing.T) {
	sum := strings.Repeat("Ab", 32)
	for name, tc := range map[string]struct {
		fields [][2]string
		file   string
		code   int
		want   string
	}{
		"an archive":       {nil, "bytes", 303, "import db.tar.zst  no bytes"},
		"with all":         {[][2]string{{"checksum", " sha256:" + sum}, {"flush", "true"}}, "bytes", 303, "import db.tar.zst sha256:" + strings.ToLower(sum) + " yes bytes"},
		"a bare checksum":  {[][2]string{{"checksum", sum}}, "bytes", 303, "import db.tar.zst sha256:" + strings.ToLower(sum) + " no bytes"},
		"no checksum that": {[][2]string{{"checksum", "md5:1"}}, "bytes", 400, ""},
		"no file":          {nil, "", 400, ""},
		"too large":        {nil, strings.Repeat("x", 2<<20), 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := &feedEngine{}
			kind, body := feedBody(t, tc.fields, tc.file)
			code, _, text := send(t, e, http.MethodPost, "/feeds/upload?csrf=token", kind, body)
			if code != tc.code || strings.Join(e.asked, ";") != tc.want {
				t.Errorf("%d, asked %q; want %d and %q\n%s", code, e.asked, tc.code, tc.want, text)
			}
		})
	}
}

// Whatever comes as an upload's form, what is handed on is a plain file name
// and a checksum or none.
func FuzzFeedParts(f *testing.F) {
	kind, body := feedBody(f, [][2]string{{"checksum", strings.Repeat("ab", 32)}, {"flush", "true"}}, "bytes")
	f.Add(kind, body.Bytes())
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"../../a\"\r\n\r\nz\r\n--x--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		form, file, err := feedParts(kind, bytes.NewReader(body))
		if err != nil {
			return
		}
		if file == nil || strings.ContainsAny(form.name, "/\\") || form.checksum != "" && !checksumText.MatchString(form.checksum) {
			t.Errorf("%+v", form)
		}
	})
}
