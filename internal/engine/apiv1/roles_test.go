package apiv1

import (
	"net/http"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// Every action that an operation asks for stands in the table of roles: one
// that does not is for full control alone, and nobody has thought about it.
func TestOperationsAskForKnownActions(t *testing.T) {
	s := New(testAuth{}, Options{})
	for _, b := range s.routes.all() {
		if (b.perm.class == classAcct || b.perm.class == classPath) && !engine.KnownAction(b.perm.action) {
			t.Errorf("%s asks for the action %q, which is not in engine's table of roles", b.endpoint.route.Operation.OperationID, b.perm.action)
		}
	}
}

// all lists every operation on the router.
func (t *tree) all() []*bound { return t.root.all(nil) }

func (n *node) all(list []*bound) []*bound {
	if n == nil {
		return list
	}
	for _, l := range n.methods {
		list = append(list, l.op)
	}
	for _, l := range n.rest {
		list = append(list, l.op)
	}
	for _, next := range n.literal {
		list = next.all(list)
	}
	return n.param.all(list)
}

func TestRoles(t *testing.T) {
	_, s := newPeopled(t)
	for _, d := range []do{
		{"", "GET", "/console/roles", "", 401, "Unauthorized"},
		{"bob", "GET", "/v1/console/roles", "", 200, `"name":"image-analyzer"`},
		{"ann", "GET", "/console/accounts/ann/roles", "", 200, "[]"},
		{"ann", "GET", "/console/accounts/bob/roles", "", 403, "domain=bob action=listRoles"},
		{"admin", "GET", "/console/accounts/ghost/roles", "", 404, "Account not found"},
		{"ann", "GET", "/console/accounts/ann/users/ann2/roles", "", 200, "[]"},
		{"ann", "GET", "/console/accounts/ann/users/bob/roles", "", 404, "User not found"},
		{"admin", "GET", "/console/accounts/ann/users/bob/roles", "", 200, "[]"},

		{"", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":["king"]}`, 400, "about:blank"},
		{"", "PUT", "/console/accounts/ann/users/ann2/roles", `{}`, 400, "about:blank"},
		{"ann", "PUT", "/console/accounts/ann/users/ann/roles", `{"roles":["read-only"]}`, 400, "own roles"},
		{"ann", "PUT", "/console/accounts/ann/users/nobody/roles", `{"roles":["read-only"]}`, 404, "User not found"},
		{"ann", "PUT", "/console/accounts/ann/users/bob/roles", `{"roles":["read-only"]}`, 404, "User not found"},
		{"ann", "PUT", "/console/accounts/ann/users/anchore-system/roles", `{"roles":["read-only"]}`, 404, "User not found"},
		{"bob", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":["read-only"]}`, 403, "action=updateRoles"},
		{"admin", "PUT", "/console/accounts/ghost/users/ann2/roles", `{"roles":["read-only"]}`, 404, "Account not found"},
		{"admin", "PUT", "/console/accounts/admin/users/ann2/roles", `{"roles":["full-control"]}`, 400, "Users of other accounts"},
		{"admin", "PUT", "/console/accounts/anchore-system/users/ann2/roles", `{"roles":["full-control"]}`, 404, "Account not found"},
		{"ann", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":["read-only","read-only"]}`, 200, `"role":"read-only","granted_by":"ann"`},

		// Roles narrow the own account.
		{"ann2", "GET", "/accounts/ann/users", "", 200, "ann2"},
		{"ann2", "GET", "/account", "", 200, "ann"},
		{"ann2", "POST", "/accounts/ann/users", `{"username":"carl","password":"123456"}`, 403, "domain=ann action=createUser target=*"},
		{"ann2", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":[]}`, 403, "action=updateRoles"},
		{"ann2", "GET", "/console/audit", "", 403, "action=listAudit"},
		{"ann2", "POST", "/user/credentials", `{"type":"password","value":"` + secret + `"}`, 200, "**"},
		// A user of another account is let in by an administrator, and only there.
		{"bob", "GET", "/accounts/ann/users", "", 403, "domain=ann action=listUsers"},
		{"admin", "PUT", "/console/accounts/ann/users/bob/roles", `{"roles":["read-only"]}`, 200, `"user_account":"bob","account":"ann"`},
		{"bob", "GET", "/accounts/ann/users", "", 200, "ann2"},
		{"bob", "DELETE", "/accounts/ann/users/ann2", "", 403, "action=deleteUser"},
		{"bob", "DELETE", "/accounts/bob/users/nobody", "", 404, "User not found"},
		{"bob", "GET", "/accounts/admin/users", "", 403, "domain=admin action=listUsers"},
		{"ann", "GET", "/console/accounts/ann/roles", "", 200, `"username":"bob"`},
		{"ann", "GET", "/console/accounts/ann/users/bob/roles", "", 200, "read-only"},
		{"ann", "GET", "/accounts/ann/users/bob", "", 404, "User not found"},
		// While that account is disabled he waits, and learns of it.
		{"admin", "PUT", "/accounts/ann/state", `{"state":"disabled"}`, 200, "disabled"},
		{"bob", "GET", "/accounts/ann/users", "", 403, "Not authorized. Account ann not enabled."},
		{"admin", "GET", "/accounts/ann/users", "", 200, "ann2"},
		{"admin", "PUT", "/accounts/ann/state", `{"state":"enabled"}`, 200, "enabled"},
		{"bob", "GET", "/accounts/ann/users", "", 200, "ann2"},
		{"admin", "PUT", "/console/accounts/ann/users/bob/roles", `{"roles":[]}`, 200, "[]"},
		{"bob", "GET", "/accounts/ann/users", "", 403, "domain=ann action=listUsers"},
		{"ann", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":[]}`, 200, "[]"},
		{"ann2", "POST", "/accounts/ann/users", `{"username":"carl","password":"123456"}`, 200, "carl"},
		// In the administrators' account a role makes a user none of them.
		{"admin", "POST", "/accounts/admin/users", `{"username":"watch","password":"` + secret + `"}`, 200, "watch"},
		{"watch", "GET", "/accounts", "", 200, "ann"},
		{"watch", "PUT", "/console/accounts/admin/users/admin/roles", `{"roles":["read-only"]}`, 400, "cannot be altered"},
		{"admin", "PUT", "/console/accounts/admin/users/watch/roles", `{"roles":["read-only"]}`, 200, "watch"},
		{"watch", "GET", "/accounts", "", 403, "domain=system action=listAccounts"},
		{"watch", "GET", "/accounts/admin/users", "", 200, "watch"},
		{"watch", "GET", "/accounts/ann/users", "", 403, "domain=ann action=listUsers"},
		{"watch", "POST", "/accounts/admin/users/admin/credentials", `{"type":"password","value":"mine"}`, 403, "action=updateUser"},
	} {
		d.on(t, s)
	}
	// The header names what the path does elsewhere.
	for account, code := range map[string]int{"ann": 403, "bob": 200} {
		if w := askServer(t, s, "GET", "/account", "", as("bob"), http.Header{"X-Anchore-Account": {account}}); w.Code != code {
			t.Errorf("bob in %s: %d %s", account, w.Code, w.Body)
		}
	}
}

// TestForeignUsers lets a user look for another account's users by every
// operation about users, and finds that no answer says whether they exist.
func TestForeignUsers(t *testing.T) {
	_, s := newPeopled(t)
	bodies := map[string]string{
		"setUserCredential": `{"type":"password","value":"xyz"}`, "createUser": `{"username":"new-one","password":"123456"}`,
		"setUserRoles": `{"roles":["read-only"]}`, "createUserToken": `{"name":"n"}`, "updateAccountState": `{"state":"disabled"}`,
	}
	tried := 0
	for _, b := range s.routes.all() {
		path := b.endpoint.route.Path
		if !strings.Contains(path, "{accountname}") {
			continue
		}
		tried++
		ask := func(account, user string) string {
			p := strings.NewReplacer("{accountname}", account, "{username}", user, "{tokenId}", "1").Replace(path)
			if b.endpoint.route.Operation.OperationID == "deleteUserCredential" {
				p += "?credential_type=password"
			}
			w := askServer(t, s, b.endpoint.route.Method, p, bodies[b.endpoint.route.Operation.OperationID], as("bob"), nil)
			if w.Code < 400 {
				t.Errorf("bob: %s %s: %d %s", b.endpoint.route.Method, p, w.Code, w.Body)
			}
			return strings.NewReplacer(account, "ACCOUNT", user, "USER").Replace(w.Body.String())
		}
		if there, nowhere := ask("ann", "ann2"), ask("ghost", "spook"); there != nowhere {
			t.Errorf("%s tells who is there:\n%s\n%s", path, there, nowhere)
		}
		if !strings.Contains(path, "{username}") {
			continue
		}
		// In the own account another's user is nobody's.
		if there, nowhere := ask("bob", "ann2"), ask("bob", "spook"); there != nowhere {
			t.Errorf("%s tells who is another's:\n%s\n%s", path, there, nowhere)
		}
	}
	if tried < 15 {
		t.Errorf("%d operations: are they still found?", tried)
	}
}
