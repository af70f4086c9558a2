package main

import (
	"net/url"
	"testing"
)

func (f *fixture) accounts(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/accounts", nil)
	c.want(t, 400, admin, "GET", "/accounts?state=kitchen", nil)
	c.want(t, 403, f.owner, "GET", "/accounts", nil)
	c.want(t, 200, admin, "POST", "/accounts", map[string]any{"name": "brief", "email": "a@b.example"})
	for body, status := range map[string]int{
		`{"name":"brief"}`: 400, `{"name":"admin"}`: 400, `{"name":"x"}`: 400, `{"name":"other","type":"admin"}`: 400, `{}`: 400,
	} {
		c.want(t, status, admin, "POST", "/accounts", body)
	}
	c.want(t, 403, f.owner, "POST", "/accounts", map[string]any{"name": "mine"})
	c.want(t, 200, admin, "GET", "/accounts/brief", nil)
	c.fails(t, 404, "Account not found", admin, "GET", "/accounts/nosuch", nil)
	c.want(t, 403, f.owner, "GET", "/accounts/brief", nil)

	users := "/accounts/brief/users"
	c.want(t, 200, admin, "POST", users, map[string]any{"username": "brief-user", "password": "first-password"})
	c.fails(t, 400, "User already exists", admin, "POST", users, map[string]any{"username": "brief-user", "password": "first-password"})
	c.want(t, 400, admin, "POST", users, map[string]any{"username": "short-password", "password": "12345"})
	c.want(t, 404, admin, "POST", "/accounts/nosuch/users", map[string]any{"username": "somebody", "password": "first-password"})
	c.want(t, 200, admin, "GET", users, nil)
	c.want(t, 404, admin, "GET", "/accounts/nosuch/users", nil)
	c.want(t, 200, admin, "GET", users+"/brief-user", nil)
	c.fails(t, 404, "User not found", admin, "GET", users+"/"+f.owner.name, nil)
	c.want(t, 200, admin, "GET", users+"/brief-user/credentials", nil)
	c.want(t, 404, admin, "GET", users+"/nosuch/credentials", nil)
	c.want(t, 200, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "password", "value": "second-password"})
	c.want(t, 400, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "password", "value": ""})
	c.want(t, 400, admin, "POST", users+"/brief-user/credentials", map[string]any{"type": "key", "value": "x"})

	brief := caller{name: "brief-user", password: "second-password"}
	c.want(t, 200, brief, "GET", "/account", nil)
	c.want(t, 200, brief, "GET", "/user", nil)
	c.want(t, 200, brief, "GET", "/user/credentials", nil)
	c.want(t, 401, caller{name: "brief-user", password: "first-password"}, "GET", "/user", nil)
	c.want(t, 400, brief, "POST", "/user/credentials", map[string]any{"type": "key", "value": "x"})
	c.want(t, 200, brief, "POST", "/user/credentials", map[string]any{"type": "password", "value": "third-password"})
	brief.password = "third-password"
	c.want(t, 400, brief, "DELETE", users+"/brief-user", nil)
	c.want(t, 400, brief, "DELETE", users+"/brief-user/credentials?credential_type=password", nil)
	for _, path := range []string{"/account", "/user", "/user/credentials", "/accounts/brief", users, users + "/brief-user"} {
		c.want(t, 401, nobody, "GET", path, nil)
	}

	token := f.tokenOf(t, brief)
	c.want(t, 200, caller{token: token}, "GET", "/user", nil)
	c.want(t, 401, caller{token: token + "x"}, "GET", "/user", nil)

	c.want(t, 400, admin, "DELETE", users+"/brief-user/credentials", nil)
	c.want(t, 204, admin, "DELETE", users+"/brief-user/credentials?credential_type=password", nil)
	c.want(t, 401, brief, "GET", "/user", nil)
	c.want(t, 204, admin, "DELETE", users+"/brief-user", nil)
	c.want(t, 404, admin, "DELETE", users+"/brief-user", nil)
	c.want(t, 401, caller{token: token}, "GET", "/user", nil)
	c.want(t, 400, admin, "DELETE", "/accounts/admin/users/admin", nil)

	c.fails(t, 400, "Invalid account state change requested", admin, "DELETE", "/accounts/brief", nil)
	c.want(t, 400, admin, "PUT", "/accounts/brief/state", map[string]any{"state": "deleting"})
	c.want(t, 400, admin, "PUT", "/accounts/admin/state", map[string]any{"state": "disabled"})
	c.want(t, 404, admin, "PUT", "/accounts/nosuch/state", map[string]any{"state": "disabled"})
	c.want(t, 200, admin, "PUT", "/accounts/brief/state", map[string]any{"state": "disabled"})
	c.want(t, 404, admin, "DELETE", "/accounts/nosuch", nil)
	c.fails(t, 400, "Account cannot be deleted", admin, "DELETE", "/accounts/admin", nil)
	if got := c.want(t, 200, admin, "DELETE", "/accounts/brief", nil).text(t, "state"); got != "deleting" {
		t.Errorf("a deleted account is %s", got)
	}
}

// tokenOf asks for a token as OAuth clients do, and for what they are refused.
func (f *fixture) tokenOf(t *testing.T, who caller) string {
	t.Helper()
	c := f.contract
	form := func(kv ...string) upload {
		v := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			v.Set(kv[i], kv[i+1])
		}
		return upload{"application/x-www-form-urlencoded", []byte(v.Encode())}
	}
	c.want(t, 400, nobody, "POST", "/oauth/token", form("grant_type", "implicit", "username", who.name, "password", who.password, "client_id", "anonymous"))
	c.want(t, 500, nobody, "POST", "/oauth/token", form("grant_type", "password", "username", who.name, "password", "wrong", "client_id", "anonymous"))
	a := c.want(t, 200, nobody, "POST", "/oauth/token", form("grant_type", "password", "username", who.name, "password", who.password, "client_id", "anonymous"))
	return a.text(t, "access_token")
}
