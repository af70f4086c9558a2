package main

import (
	"net/http"
	"strings"
	"testing"
)

// services asks what the API says of itself and of the engine's services.
func (f *fixture) services(t *testing.T) {
	c, admin := f.contract, f.admin
	for _, path := range []string{"/", "/health", "/version", "/swagger.json"} {
		c.want(t, 200, nobody, "GET", path, nil)
	}
	if got := string(c.want(t, 200, nobody, "GET", "/", nil).body); strings.TrimSpace(got) != `"v1"` {
		t.Errorf("GET / = %s", got)
	}
	for _, path := range []string{
		"/status", "/system", "/system/services", "/system/services/analyzer", "/system/services/analyzer/test-host",
		"/system/error_codes", "/system/policy_spec", "/metrics",
	} {
		c.want(t, 200, admin, "GET", path, nil)
		if a := c.want(t, 401, nobody, "GET", path, nil); string(a.body) != "Unauthorized" {
			t.Errorf("%s without a password says %q", a.what, a.body)
		}
	}
	if got := string(c.want(t, 200, admin, "GET", "/system/services/kitchen", nil).body); strings.TrimSpace(got) != "[]" {
		t.Errorf("an unknown service is %s, want []", got)
	}
	c.want(t, 404, admin, "GET", "/system/services/analyzer/nowhere", nil)
	c.want(t, 404, admin, "DELETE", "/system/services/analyzer/nowhere", nil)
	c.fails(t, 409, "cannot delete an active service", admin, "DELETE", "/system/services/analyzer/test-host", nil)
	f.sql(t, `INSERT INTO services (host, name, base_url, state) VALUES ('gone', 'analyzer', 'http://127.0.0.1:9', 'unavailable')`)
	if got := string(c.want(t, 200, admin, "DELETE", "/system/services/analyzer/gone", nil).body); strings.TrimSpace(got) != "true" {
		t.Errorf("removing a service says %s", got)
	}
	c.want(t, 404, nobody, "GET", "/nothing", nil)
	c.want(t, 405, nobody, "PATCH", "/system", nil)
	c.want(t, 404, nobody, "GET", "/enterprise/corrections", nil)
	c.want(t, 404, nobody, "POST", "/imageimport", "{}")
	c.want(t, 405, nobody, "POST", "/images/"+f.digest+"/check", "{}")
}

func (f *fixture) feeds(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 401, nobody, "GET", "/system/feeds", nil)
	c.want(t, 200, admin, "GET", "/system/feeds", nil)
	synced := c.want(t, 200, admin, "POST", "/system/feeds?flush=False&sync=True", nil)
	feed := synced.text(t, "0.feed")
	group := synced.text(t, "0.groups.0.group")
	c.want(t, 400, admin, "POST", "/system/feeds?flush=maybe", nil)
	for _, path := range []string{"/system/feeds/" + feed + "/" + group, "/system/feeds/" + feed} {
		c.want(t, 400, admin, "PUT", path, nil)
		c.fails(t, 409, "Cannot delete an enabled feed", admin, "DELETE", path, nil)
		c.want(t, 200, admin, "PUT", path+"?enabled=False", nil)
		c.want(t, 200, admin, "DELETE", path, nil)
		c.want(t, 200, admin, "PUT", path+"?enabled=True", nil)
		// A name that no data has is a fault of the server in v1.
		c.want(t, 500, admin, "PUT", strings.Replace(path, feed, "nosuch", 1)+"?enabled=True", nil)
		c.want(t, 500, admin, "DELETE", strings.Replace(path, feed, "nosuch", 1), nil)
	}
	c.want(t, 404, admin, "PUT", "/system/feeds/"+feed+"/nosuch?enabled=True", nil)
	c.want(t, 200, admin, "POST", "/system/feeds?flush=True", nil)
}

func (f *fixture) events(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/event_types", nil)
	c.want(t, 401, nobody, "GET", "/event_types", nil)
	list := c.want(t, 200, admin, "GET", "/events?limit=1&page=1&event_type=system.*", nil)
	for _, bad := range []string{"page=0", "page=x", "limit=0", "limit=1001", "since=nonsense", "before=nonsense", "event_type=A!", "since=2026-02-01&before=2026-01-01"} {
		c.want(t, 400, admin, "GET", "/events?"+bad, nil)
	}
	if got := c.want(t, 200, admin, "GET", "/events?level=kitchen", nil).text(t, "item_count"); got != "0" {
		t.Errorf("events of no level: %s", got)
	}
	id := list.text(t, "results.0.generated_uuid")
	c.want(t, 200, admin, "GET", "/events/"+id, nil)
	c.want(t, 200, admin, "DELETE", "/events/"+id, nil)
	c.fails(t, 404, "Event not found", admin, "GET", "/events/"+id, nil)
	c.fails(t, 404, "Event not found", admin, "DELETE", "/events/"+id, nil)
	c.want(t, 400, admin, "DELETE", "/events?since=nonsense", nil)
	c.want(t, 200, admin, "DELETE", "/events?before=2020-01-01", nil)
	c.want(t, 200, admin, "DELETE", "/events?level=info", nil)
}

func (f *fixture) registries(t *testing.T) {
	c, admin := f.contract, f.admin
	body := func(name string) map[string]any {
		return map[string]any{
			"registry": name, "registry_user": "ann", "registry_pass": "secret-of-ann", "registry_type": "docker_v2", "registry_verify": false,
		}
	}
	added := c.want(t, 200, admin, "POST", "/registries?validate=False", body("registry.example/team/*"))
	if strings.Contains(string(added.body), "secret-of-ann") {
		t.Errorf("the password came back: %s", added.body)
	}
	c.fails(t, 500, "registry already exists in DB", admin, "POST", "/registries?validate=False", body("registry.example/team/*"))
	c.fails(t, 500, "body does not contain registry key", admin, "POST", "/registries?validate=False", "{}")
	c.want(t, 409, admin, "POST", "/registries?validate=False", body("https://registry.example"))
	c.want(t, 409, admin, "POST", "/registries?validate=False", body("registry.example/"))
	c.fails(t, 406, "cannot ping supplied registry", admin, "POST", "/registries", body("127.0.0.1:9"))
	c.want(t, 400, admin, "POST", "/registries?validate=perhaps", body("x.example"))
	c.want(t, 200, admin, "GET", "/registries", nil)
	escaped := "/registries/registry.example%2Fteam%2F%2A"
	c.want(t, 200, admin, "GET", escaped, nil)
	c.want(t, 200, admin, "PUT", escaped+"?validate=False", body("registry.example/team/*"))
	f.registryStates(t)
	c.want(t, 409, admin, "PUT", escaped+"?validate=False", body("other.example"))
	c.fails(t, 404, "registry not found in DB", admin, "GET", "/registries/nosuch", nil)
	c.want(t, 404, admin, "PUT", "/registries/nosuch?validate=False", body("nosuch"))
	c.want(t, 200, admin, "DELETE", escaped, nil)
	c.want(t, 200, admin, "DELETE", escaped, nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		c.want(t, 401, nobody, method, escaped, nil)
	}
}

// registryStates asks what is beyond v1 about the one stored registry, which
// does not answer, and about an image of the test's own, which does.
func (f *fixture) registryStates(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "POST", "/registries?validate=False", map[string]any{"registry": "127.0.0.1:9", "registry_user": "ann", "registry_pass": "secret-of-ann"})
	list := c.want(t, 200, admin, "GET", "/console/registries", nil)
	if list.text(t, "registries.0.registry") != "127.0.0.1:9" || strings.Contains(string(list.body), "secret-of-ann") {
		t.Errorf("states: %s", list.body)
	}
	if a := c.want(t, 200, admin, "POST", "/console/registries/verify", map[string]any{"registry": "127.0.0.1:9"}); a.text(t, "check.cause") != "registry_unreachable" || a.text(t, "check.ok") != "false" {
		t.Errorf("verified: %s", a.body)
	}
	c.fails(t, 404, "registry not found in DB", admin, "POST", "/console/registries/verify", map[string]any{"registry": "nosuch"})
	c.want(t, 403, f.owner.in("admin"), "POST", "/console/registries/verify", map[string]any{"registry": "127.0.0.1:9"})
	c.want(t, 400, admin, "GET", "/console/registries/explain?image=a+b", nil)
	c.want(t, 400, admin, "POST", "/console/registries/try", map[string]any{"image": "sha256:1"})
	if a := c.want(t, 200, admin, "GET", "/console/registries/explain?image=127.0.0.1:9/a/b:1", nil); a.text(t, "asks.0.registry") != "127.0.0.1:9" || a.text(t, "stored.0.used") != "false" || a.text(t, "stored.1.used") != "true" {
		t.Errorf("explained: %s", a.body)
	}
	if a := c.want(t, 200, admin, "POST", "/console/registries/try", map[string]any{"image": f.tag}); a.text(t, "asks.0.tried.ok") != "true" || a.text(t, "asks.0.tried.imageDigest") != f.digest {
		t.Errorf("tried: %s", a.body)
	}
	c.want(t, 200, admin, "POST", "/console/registries/try", map[string]any{"image": "127.0.0.1:9/a/b:1"})
	c.want(t, 200, admin, "DELETE", "/registries/127.0.0.1:9", nil)
}

func (f *fixture) subscriptions(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/subscriptions?subscription_type=tag_update&subscription_key="+f.tag, nil)
	c.want(t, 400, admin, "GET", "/subscriptions?subscription_type=kitchen", nil)
	body := map[string]any{"subscription_key": "docker.io/team/app:v1", "subscription_type": "policy_eval"}
	added := c.want(t, 200, admin, "POST", "/subscriptions", body)
	id := added.text(t, "0.subscription_id")
	if got := added.text(t, "0.active"); got != "false" {
		t.Errorf("a new subscription is active: %s", got)
	}
	c.fails(t, 500, "subscription already exists in DB", admin, "POST", "/subscriptions", body)
	c.want(t, 400, admin, "POST", "/subscriptions", map[string]any{"subscription_key": "x", "subscription_type": "kitchen"})
	c.want(t, 200, admin, "GET", "/subscriptions/"+id, nil)
	if got := strings.TrimSpace(string(c.want(t, 200, admin, "GET", "/subscriptions/nosuch", nil).body)); got != "[]" {
		t.Errorf("an unknown subscription is %s, want []", got)
	}
	if got := c.want(t, 200, admin, "PUT", "/subscriptions/"+id, map[string]any{"active": true}).text(t, "0.active"); got != "true" {
		t.Errorf("activated, it says active: %s", got)
	}
	c.want(t, 500, admin, "PUT", "/subscriptions/nosuch", map[string]any{"active": true})
	c.want(t, 200, admin, "DELETE", "/subscriptions/"+id, nil)
	c.want(t, 200, admin, "DELETE", "/subscriptions/"+id, nil)
	c.want(t, 401, nobody, "DELETE", "/subscriptions/"+id, nil)
	c.want(t, 401, nobody, "GET", "/subscriptions/"+id, nil)

	repo := strings.Split(f.tag, ":1.0")[0]
	if got := c.want(t, 200, admin, "POST", "/repositories?dryrun=True&repository="+repo, nil).text(t, "0.active"); got != "false" {
		t.Errorf("a dry run says active: %s", got)
	}
	watched := c.want(t, 200, admin, "POST", "/repositories?autosubscribe=False&lookuptag=1.0&repository="+repo, nil).text(t, "0.subscription_id")
	f.until(t, "/subscriptions/"+watched, func(a answer) bool {
		return strings.Contains(a.text(t, "0.subscription_value"), `"repotags":["1.0"]`) || strings.Contains(a.text(t, "0.subscription_value"), `"repotags": ["1.0"]`)
	})
	c.want(t, 200, admin, "DELETE", "/subscriptions/"+watched, nil) // or it would bring the image back when it is deleted
	c.want(t, 400, admin, "POST", "/repositories", nil)
	c.fails(t, 404, "no tags could be added from input regrepo", admin, "POST", "/repositories?repository=127.0.0.1:9/nothing", nil)
}

func (f *fixture) webhooks(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "POST", "/system/webhooks/general/test?notification_type=policy_eval", nil)
	c.want(t, 400, admin, "POST", "/system/webhooks/general/test?notification_type=kitchen", nil)
	c.want(t, 500, admin, "POST", "/system/webhooks/kitchen/test", nil)
	c.want(t, 403, f.owner, "POST", "/system/webhooks/general/test", nil)
}
