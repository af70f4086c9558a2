package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/feeds/starter"
)

// feedData follows syncs, uploads newer data in two pieces, goes back from it
// and ends with what the source has.
func (f *fixture) feedData(t *testing.T) {
	c, admin, owner := f.contract, f.admin, f.owner

	feed := c.want(t, 200, owner, "GET", "/system/feeds", nil).text(t, "0.name")
	before := c.want(t, 200, owner, "GET", "/console/feeds", nil).text(t, "active.id")
	c.want(t, 200, owner, "GET", "/console/feeds/syncs?limit=1", nil).text(t, "next_before")
	c.want(t, 400, owner, "GET", "/console/feeds/syncs?limit=0", nil)
	c.want(t, 200, admin, "GET", "/console/feeds/use?feed="+feed, nil)
	c.want(t, 404, admin, "GET", "/console/feeds/use?feed="+feed+"&group=nosuch", nil)
	c.want(t, 403, owner, "GET", "/console/feeds/use?feed="+feed, nil)

	newer := starter.Database()
	newer.Built = newer.Built.Add(24 * time.Hour)
	dir := t.TempDir()
	l, err := build.Archive(dir, newer)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, l.Path))
	if err != nil {
		t.Fatal(err)
	}
	what := map[string]any{"name": "db.tar.zst", "size": len(raw), "checksum": l.Checksum}
	c.want(t, 403, owner, "POST", "/console/feeds/archives", what)
	c.want(t, 400, admin, "POST", "/console/feeds/archives", map[string]any{"name": "x", "size": 5, "checksum": "md5:1"})
	c.want(t, 400, admin, "POST", "/console/feeds/archives", map[string]any{"name": "x", "size": 1 << 40})
	open := func() string {
		return "/console/feeds/archives/" + c.want(t, 200, admin, "POST", "/console/feeds/archives", what).text(t, "id")
	}
	none := open()
	c.want(t, 409, admin, "POST", none+"/install", nil)
	c.want(t, 204, admin, "DELETE", none, nil)
	c.want(t, 404, admin, "GET", none, nil)
	path := open()
	kind := "application/octet-stream"
	c.want(t, 200, admin, "PUT", path, upload{kind, raw[:1000]})
	c.want(t, 409, admin, "PUT", path+"?at=0", upload{kind, raw[1:]})
	c.want(t, 409, admin, "PUT", path+"?at=2000", upload{kind, raw[2000:]})
	if a := c.want(t, 200, admin, "PUT", path+"?at=500", upload{kind, raw[500:]}); a.text(t, "have") != a.text(t, "size") {
		t.Errorf("the upload is not complete: %s", a.body)
	}
	c.want(t, 200, admin, "GET", path, nil)
	c.want(t, 200, admin, "GET", "/console/feeds/archives", nil)
	c.want(t, 204, admin, "POST", path+"/install", nil)
	uploaded := l.Checksum[7:23]
	f.until(t, "/console/feeds", func(a answer) bool { return a.text(t, "active.id") == uploaded })
	f.until(t, path, func(a answer) bool { return a.status == 200 && a.text(t, "state") == "kept" })
	c.want(t, 409, admin, "POST", path+"/install", nil)
	if a := c.want(t, 200, admin, "GET", "/console/feeds", nil); a.text(t, "active.archive_kept") != "true" || a.text(t, "last_sync.status") != "success" {
		t.Errorf("after the upload: %s", a.body)
	}

	if got := c.want(t, 200, admin, "GET", "/console/feeds/rollback", nil).text(t, "to.id"); got != before {
		t.Errorf("it would go back to %s, want %s", got, before)
	}
	c.want(t, 409, admin, "POST", "/console/feeds/rollback", map[string]any{"to": uploaded})
	// What has just ended may hold its lock for another moment.
	begin := func(status int, path string, body any) {
		t.Helper()
		f.until(t, "/console/feeds", func(answer) bool { return c.ask(t, admin, "POST", path, body).status == status })
	}
	begin(204, "/console/feeds/rollback", map[string]any{"to": before})
	f.until(t, "/console/feeds", func(a answer) bool {
		return a.text(t, "active.id") == before && a.text(t, "previous.set_aside") == "true"
	})

	begin(204, "/console/feeds/syncs?flush=true", nil)
	f.until(t, "/console/feeds", func(a answer) bool {
		return a.text(t, "last_sync.trigger") == "manual" && a.text(t, "last_sync.status") != "running"
	})
	c.want(t, 404, admin, "DELETE", "/console/feeds/syncs/current", nil)
	f.sql(t, `INSERT INTO feed_syncs (trigger) VALUES ('manual')`)
	c.want(t, 204, admin, "DELETE", "/console/feeds/syncs/current", nil)
	begin(200, "/system/feeds?flush=True", nil)
}
