package main

import "testing"

// retention alters how long events are kept, counts what that would delete,
// applies it and stops it.
func (f *fixture) retention(t *testing.T) {
	c, admin, owner := f.contract, f.admin, f.owner
	const path = "/console/events/retention"

	if a := c.want(t, 200, owner, "GET", path, nil); a.text(t, "rules.0.level") != "error" || a.text(t, "next_run") != "<nil>" {
		t.Errorf("at first %s", a.body)
	}
	c.want(t, 401, nobody, "GET", path, nil)
	rules := func(days int, enabled bool) map[string]any {
		return map[string]any{"rules": []any{map[string]any{"level": "info", "enabled": enabled, "days": days}}}
	}
	c.want(t, 403, owner, "PUT", path, rules(30, true))
	c.want(t, 400, admin, "PUT", path, rules(0, true))
	c.want(t, 409, admin, "POST", path+"/runs", nil)
	if a := c.want(t, 200, admin, "POST", path+"/plan", rules(30, false)); a.text(t, "plans.0.events") != "0" || a.text(t, "plans.0.days") != "30" {
		t.Errorf("planned %s", a.body)
	}
	c.want(t, 200, admin, "POST", path+"/plan", map[string]any{})
	c.want(t, 403, owner, "POST", path+"/plan", map[string]any{})
	if a := c.want(t, 200, admin, "PUT", path, rules(3650, true)); a.text(t, "rules.1.updated_by") != admin.name || a.text(t, "next_run") == "<nil>" {
		t.Errorf("altered %s", a.body)
	}
	c.want(t, 403, owner, "POST", path+"/runs", nil)
	// A run of nothing may be over before it is stopped.
	for stopped := false; !stopped; {
		run := c.want(t, 200, admin, "POST", path+"/runs", nil)
		stopped = c.ask(t, admin, "DELETE", path+"/runs/"+run.text(t, "id"), nil).status == 200
	}
	c.want(t, 409, admin, "DELETE", path+"/runs/0", nil)
	if a := c.want(t, 200, admin, "GET", path+"/runs?limit=1", nil); a.text(t, "runs.0.status") != "cancelled" || a.text(t, "runs.0.trigger") != "request" {
		t.Errorf("runs %s", a.body)
	}
	c.want(t, 403, owner, "GET", path+"/runs", nil)
	c.want(t, 200, admin, "PUT", path, rules(90, false))
}
