package main

import (
	"strings"
	"testing"
)

// beyond calls what stands apart from v1, under /console.
func (f *fixture) beyond(t *testing.T) {
	c, admin, owner := f.contract, f.admin, f.owner

	c.want(t, 200, admin, "GET", "/console/roles", nil)
	second := f.user(t, "team", "team-second")
	roles := "/console/accounts/team/users/team-second/roles"
	c.want(t, 200, owner, "PUT", roles, map[string]any{"roles": []string{"read-only"}})
	c.want(t, 400, owner, "PUT", roles, map[string]any{"roles": []string{"king"}})
	c.want(t, 200, owner, "GET", roles, nil)
	c.want(t, 200, owner, "GET", "/console/accounts/team/roles", nil)
	c.want(t, 200, second, "GET", "/registries", nil)
	c.want(t, 403, second, "DELETE", "/registries/nosuch.example", nil)
	c.want(t, 403, second, "PUT", roles, map[string]any{"roles": []string{"full-control"}})

	made := c.want(t, 200, second, "POST", "/console/tokens", map[string]any{"name": "pipeline"})
	token := caller{token: made.text(t, "token")}
	c.want(t, 200, token, "GET", "/registries", nil)
	c.want(t, 200, caller{name: "_token", password: token.token}, "GET", "/registries", nil)
	c.want(t, 403, token, "DELETE", "/registries/nosuch.example", nil)
	c.want(t, 200, second, "GET", "/console/tokens", nil)
	c.want(t, 204, second, "DELETE", "/console/tokens/"+made.text(t, "id"), nil)
	c.want(t, 401, token, "GET", "/registries", nil)
	tokens := "/console/accounts/team/users/team-second/tokens"
	id := c.want(t, 200, admin, "POST", tokens, map[string]any{"name": "made by admin", "role": "read-only", "account": "team"}).text(t, "id")
	c.want(t, 200, admin, "GET", tokens, nil)
	c.want(t, 204, admin, "DELETE", tokens+"/"+id, nil)

	c.want(t, 200, admin, "GET", "/console/audit?limit=5", nil)
	if got := c.want(t, 200, admin, "GET", "/console/audit?action=setUserRoles&limit=1", nil).text(t, "entries.0.user"); got != second.name {
		t.Errorf("the newest attempt to give a role is noted of %q, want %q", got, second.name)
	}

	hook := map[string]any{"type": "general", "url": f.receiver + "/<userId>", "user": "u", "password": "p", "verify": true, "enabled": true}
	hookID := c.want(t, 200, owner, "POST", "/console/webhooks", hook).text(t, "id")
	c.want(t, 400, owner, "POST", "/console/webhooks", map[string]any{"type": "general", "url": "ftp://x"})
	c.want(t, 200, owner, "GET", "/console/webhooks", nil)
	c.want(t, 200, owner, "GET", "/console/webhooks/"+hookID, nil)
	c.want(t, 200, owner, "PUT", "/console/webhooks/"+hookID, hook)
	c.want(t, 200, owner, "POST", "/console/webhooks/"+hookID+"/test", nil)
	c.want(t, 200, owner, "DELETE", "/console/webhooks/"+hookID, nil)
	c.want(t, 404, owner, "GET", "/console/webhooks/"+hookID, nil)

	seq := c.want(t, 200, admin, "GET", "/console/notifications?limit=10&type=analysis_update", nil).text(t, "results.0.id")
	c.want(t, 200, admin, "GET", "/console/notifications/"+seq, nil)
	c.want(t, 200, admin, "POST", "/console/notifications/"+seq+"/redeliver", nil)
	c.want(t, 404, admin, "GET", "/console/notifications/999999999", nil)

	c.want(t, 200, admin, "POST", "/repositories?repository="+strings.TrimSuffix(f.tag, ":1.0"), nil)
	sub := c.want(t, 200, admin, "GET", "/console/subscriptions?type=repo_update&limit=5", nil).text(t, "subscriptions.0.subscription_id")
	c.want(t, 200, admin, "POST", "/console/subscriptions/"+sub+"/check", nil)

	c.want(t, 200, admin, "GET", "/console/checks", nil)
	c.want(t, 200, owner, "GET", "/console/checks?check=services,feeds&fresh=true", nil)
	c.want(t, 400, owner, "GET", "/console/checks?check=nosuch", nil)
	c.want(t, 200, admin, "GET", "/console/support_bundle", nil)
	c.want(t, 403, owner, "GET", "/console/support_bundle", nil)
	c.want(t, 200, owner, "GET", "/console/checks/report?registries=true&check=registries", nil)
	c.want(t, 200, owner, "POST", "/console/failed_images/retry?cause=disk", nil)
	c.want(t, 400, owner, "POST", "/console/failed_images/retry?cause=nosuch", nil)

	c.want(t, 200, admin, "GET", "/console/sample", nil)
	c.want(t, 204, owner, "POST", "/console/sample", nil)
	c.want(t, 204, owner, "DELETE", "/console/sample", nil)
}
