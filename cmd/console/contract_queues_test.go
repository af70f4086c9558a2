package main

import (
	"strings"
	"testing"
)

// queues pauses the analyses, looks at the message that waits, drops it, takes
// that back and lets it be worked off.
func (f *fixture) queues(t *testing.T) {
	c, admin, owner := f.contract, f.admin, f.owner

	if a := c.want(t, 200, admin, "GET", "/console/queues?everyone=true", nil); a.text(t, "queues.0.workers.0.hands") == "0" {
		t.Errorf("the analyzer has no hands: %s", a.body)
	}
	c.want(t, 200, owner, "GET", "/console/queues", nil)
	c.want(t, 403, owner, "GET", "/console/queues?everyone=true", nil)
	c.want(t, 403, owner, "PUT", "/console/queues/images_to_analyze", map[string]any{"paused": true})
	c.want(t, 404, admin, "PUT", "/console/queues/nosuch", map[string]any{"paused": true})
	c.want(t, 404, admin, "GET", "/console/queues/nosuch/history", nil)
	c.want(t, 200, admin, "GET", "/console/queues/images_to_analyze/history?minutes=5", nil)
	c.want(t, 400, admin, "GET", "/console/messages?state=odd", nil)

	if a := c.want(t, 200, admin, "PUT", "/console/queues/images_to_analyze", map[string]any{"paused": true, "reason": "contract"}); a.text(t, "paused.reason") != "contract" {
		t.Errorf("paused: %s", a.body)
	}
	c.want(t, 200, admin, "POST", "/images?force=true", map[string]any{"tag": f.tag})
	list := c.want(t, 200, admin, "GET", "/console/messages?queue=images_to_analyze&state=waiting&limit=5&text="+f.digest, nil)
	if list.text(t, "messages.0.why.code") != "paused" || list.text(t, "messages.0.why.stuck") != "true" {
		t.Errorf("the message waits since %s", list.body)
	}
	path := "/console/messages/" + list.text(t, "messages.0.id")
	c.want(t, 200, admin, "GET", path, nil)
	c.want(t, 404, owner, "GET", path, nil)
	c.want(t, 403, owner, "GET", path+"?everyone=true", nil)
	c.want(t, 404, admin, "GET", "/console/messages/none", nil)

	what := map[string]any{"action": "drop", "queue": "images_to_analyze", "text": f.digest}
	act := func(who caller, more map[string]any) answer {
		t.Helper()
		body := map[string]any{}
		for k, v := range what {
			body[k] = v
		}
		for k, v := range more {
			body[k] = v
		}
		return c.want(t, 200, who, "POST", "/console/messages/actions", body)
	}
	if a := act(admin, map[string]any{"dry_run": true}); a.text(t, "matched") != "1" || a.text(t, "done") != "0" {
		t.Errorf("counted %s", a.body)
	}
	if a := act(owner, nil); a.text(t, "done") != "0" {
		t.Errorf("another account dropped %s", a.body)
	}
	if a := act(admin, map[string]any{"action": "release"}); a.text(t, "done") != "0" {
		t.Errorf("released a message that waits: %s", a.body)
	}
	if a := act(admin, map[string]any{"action": "retry"}); a.text(t, "done") != "1" {
		t.Errorf("retried %s", a.body)
	}
	undo := act(admin, map[string]any{"everyone": true}).text(t, "undo")
	c.want(t, 404, admin, "GET", path, nil)
	c.want(t, 404, owner, "POST", "/console/messages/undo", map[string]any{"undo": undo})
	if a := c.want(t, 200, admin, "POST", "/console/messages/undo", map[string]any{"undo": undo}); a.text(t, "done") != "1" {
		t.Errorf("took back %s", a.body)
	}
	c.want(t, 404, admin, "POST", "/console/messages/undo", map[string]any{"undo": undo})
	c.want(t, 403, owner, "POST", "/console/messages/undo", map[string]any{"undo": undo, "everyone": true})
	c.want(t, 200, admin, "PUT", "/console/queues/images_to_analyze", map[string]any{"paused": false})
	f.until(t, "/images/"+f.digest, func(a answer) bool { return strings.Contains(string(a.body), `"analyzed"`) })
}
