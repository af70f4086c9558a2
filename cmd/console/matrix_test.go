package main

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/apiv1"
)

// A request of the matrix that must pass the document's checks, so that what
// comes back is a matter of permission. Names are of things that do not exist:
// a request that is allowed changes nothing.
var matrixNames = map[string]string{
	"servicename": "analyzer", "hostid": "nowhere", "feed": "nosuch", "group": "nosuch", "ctype": "os", "mtype": "manifest", "vtype": "os",
	"imageDigest": absent, "imageId": absent[7:], "eventId": absent[7:39], "subscriptionId": absent[7:39], "operation_id": absent[7:39],
	"ruleId": absent[7:39], "policyId": "nosuch", "registry": "nosuch.example", "username": "nosuch-user", "webhook_type": "general",
	"enabled": "true", "tag": "docker.io/team/app:1", "imageDigests": absent, "repository": "127.0.0.1:9/none", "vulnerability_id": "CVE-1999-99999",
	"name": "nosuch", "id": "CVE-1999-99999", "credential_type": "password", "notificationSeq": "1",
	"queue": "nosuch", "messageId": "1", "image": "127.0.0.1:9/none:1", "runId": "0",
	"otherDigest": absent, "sbomFormat": "spdx-json", "reportFormat": "sarif",
}

// matrixBodies are for the operations whose every-field example would not pass.
var matrixBodies = map[string]string{
	"POST /accounts":                                               `{"name":"admin"}`, // reserved: refused after the permission
	"PUT /accounts/{accountname}/state":                            `{"state":"enabled"}`,
	"POST /accounts/{accountname}/users":                           `{"username":"team-owner","password":"long enough"}`, // taken
	"POST /accounts/{accountname}/users/{username}/credentials":    `{"type":"password","value":"long enough"}`,
	"POST /console/tokens":                                         `{"name":"x","expires_at":"2001-01-01"}`,
	"POST /console/accounts/{accountname}/users/{username}/tokens": `{"name":"x","expires_at":"2001-01-01"}`,
	"POST /user/credentials":                                       `{"type":"password","value":""}`,
	"POST /images":                                                 `{"tag":"127.0.0.1:9/none:1"}`,
	"POST /console/vex":                                            `{}`,
	"POST /console/messages/actions":                               `{"action":"retry","ids":[0]}`,
	"POST /policies":                                               `{"id":"x","version":"0","policies":[],"mappings":[]}`,
	"PUT /policies/{policyId}":                                     `{"policyId":"nosuch","policybundle":{"id":"x","version":"1_0","policies":[],"mappings":[]}}`,
	"POST /console/policies/try":                                   `{"policybundle":{}}`,
	"POST /subscriptions":                                          `{"subscription_key":"x","subscription_type":"nosuch"}`,
	"PUT /console/events/retention":                                `{"rules":[{"level":"info","enabled":false,"days":90}]}`,
	"POST /console/events/retention/plan":                          `{}`,
	"POST /archives/images":                                        `["` + absent + `"]`,
	"POST /archives/rules":                                         `{"transition":"archive"}`,
	"POST /registries":                                             `{"registry":"https://nosuch.example"}`,
	"PUT /registries/{registry}":                                   `{"registry":"other.example"}`,
	"POST /imports/images/{operation_id}/packages":                 `{"artifacts":[],"source":{"type":"image","target":{}},"distro":{"name":"","version":"","idLike":""}}`,
}

// matrixRequest is a valid request for an operation, in an account.
func matrixRequest(o engine.APIOperation, account string, names map[string]string) (path string, body any) {
	q := url.Values{}
	path = o.Path
	for _, p := range o.Parameters {
		v := names[p.Name]
		if p.Name == "accountname" || p.Name == "account" {
			v = account
		}
		if v == "" {
			v = "nosuch"
		}
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v))
		case p.In == "query" && p.Required:
			q.Set(p.Name, v)
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	if text, given := matrixBodies[o.Method+" "+o.Path]; given {
		return path, text
	}
	if o.Body != nil && o.Body.Example != "" {
		return path, o.Body.Example
	}
	if o.Body != nil && strings.HasPrefix(o.Body.Kind, "multipart/") {
		return path, upload{"multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"archive_file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n")}
	}
	return path, nil
}

var (
	anybodys = regexp.MustCompile(`^(GET /(status|system|metrics|user|user/credentials|query/vulnerabilities|system/(error_codes|policy_spec|feeds))|POST /user/credentials)$`)
	systems  = regexp.MustCompile(`^(GET|DELETE) /system/services|^(POST|PUT|DELETE) /system/(feeds|webhooks)|^(GET|POST) /accounts$|^DELETE /accounts/\{accountname\}$|^PUT /accounts/\{accountname\}/state$`)
	// what each role may do beside what anybody may
	roleMay = map[engine.Role]*regexp.Regexp{
		engine.FullControl:    regexp.MustCompile(`.`),
		engine.ReadOnly:       regexp.MustCompile(`^GET /([a-hj-z]|images)|^POST /console/policies/try$`),
		engine.ImageDeveloper: regexp.MustCompile(`^GET |^\w+ /(images|imports|import|repositories|subscriptions|archives/images)\b|^POST /console/policies/try$`),
		engine.PolicyEditor:   regexp.MustCompile(`^GET /([a-hj-z]|images)|^\w+ /policies\b|^POST /console/policies/try$`),
		engine.ImageAnalyzer:  regexp.MustCompile(`^GET /accounts/\{accountname\}$|^GET /(account|images|query|summaries|policies|subscriptions|imports)\b|^POST /images$|^\w+ /imports?/images\b`),
	}
)

// Every operation of the document is tried by everybody: nobody, an impostor, a
// user whose account is disabled, a user of each role, and a user of another
// account who names this one.
func TestEveryOperationAsksWhoMay(t *testing.T) {
	f := newFixture(t)
	groups, err := apiv1.Describe()
	if err != nil {
		t.Fatal(err)
	}
	asleep := f.user(t, "asleep", "asleep-user")
	f.contract.want(t, 200, f.admin, "PUT", "/accounts/asleep/state", `{"state":"disabled"}`)
	stranger := f.user(t, "other", "other-owner")
	impostor := f.user(t, "other", "other-second")
	byRole := map[engine.Role]caller{}
	for role := range roleMay {
		byRole[role] = f.roleHolder(t, role)
	}
	tried := 0
	for _, g := range groups {
		for _, o := range g.Operations {
			name := o.Method + " " + o.Path
			path, body := matrixRequest(o, "team", matrixNames)
			try := func(who caller, as string, allowed bool, denied int) {
				t.Helper()
				tried++
				a := f.contract.ask(t, who, o.Method, path, body)
				switch {
				case a.status == http.StatusBadRequest && strings.Contains(a.header.Get("Content-Type"), "problem"):
					t.Errorf("%s as %s: the request is not valid: %s", name, as, a.body)
				case allowed && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
					t.Errorf("%s as %s = %d, want it to be allowed: %s", name, as, a.status, a.body)
				case !allowed && a.status != denied:
					t.Errorf("%s as %s = %d, want %d: %.200s", name, as, a.status, denied, a.body)
				}
			}
			if o.ID == "createToken" || strings.HasPrefix(o.Path, "/oauth/") {
				continue // authenticates by itself: tested on its own
			}
			try(nobody, "nobody", o.Open, http.StatusUnauthorized)
			if o.Open {
				continue
			}
			try(caller{name: impostor.name, password: "always the same wrong one"}, "an impostor", false, http.StatusUnauthorized)
			try(asleep, "a user of a disabled account", false, http.StatusForbidden)
			anybody := anybodys.MatchString(name)
			system := systems.MatchString(name)
			if !strings.HasPrefix(o.Path, "/console/") {
				try(f.owner, "a user without a role", anybody || !system, http.StatusForbidden)
				for role, pattern := range roleMay {
					try(byRole[role], string(role), anybody || !system && pattern.MatchString(name), http.StatusForbidden)
				}
				if !anybody && !strings.HasPrefix(o.Path, "/accounts") {
					try(stranger.in("team"), "a user of another account", false, http.StatusForbidden)
				}
				if strings.HasPrefix(o.Path, "/accounts/") {
					try(stranger, "a user of another account", false, http.StatusForbidden)
				}
			}
		}
	}
	t.Logf("%d requests tried", tried)
}

// What one account has is never told to another, whatever it asks for by name,
// and nothing of it changes.
func TestAccountsDoNotSeeEachOther(t *testing.T) {
	f := newFixture(t)
	groups, err := apiv1.Describe()
	if err != nil {
		t.Fatal(err)
	}
	names := maps.Clone(matrixNames)
	maps.Copy(names, f.belongings(t))
	before := f.inventory(t)
	for _, path := range []string{"/images?image_status=all", "/registries", "/subscriptions", "/policies?detail=true", "/archives/rules", "/console/vex"} {
		if !strings.Contains(before[path], "belongs-to-team") {
			t.Errorf("the account has nothing to hide in %s", path)
		}
	}
	stranger := f.user(t, "other", "other-owner")
	for _, g := range groups {
		for _, o := range g.Operations {
			if o.Open || o.ID == "listAudit" { // it tells a user what he himself asked for by name
				continue
			}
			path, body := matrixRequest(o, "team", names)
			for _, who := range []caller{stranger, stranger.in("other"), stranger.in("team")} {
				a := f.contract.ask(t, who, o.Method, path, body)
				if a.status < 300 && strings.Contains(string(a.body), "belongs-to-team") {
					t.Errorf("%s tells a user of another account: %.300s", a.what, a.body)
				}
			}
		}
	}
	for what, now := range f.inventory(t) {
		if had := before[what]; now != had {
			t.Errorf("%s of the account changed:\nbefore %.600s\nafter  %.600s", what, had, now)
		}
	}
}

// belongings gives the account team something of everything, marked, and
// returns the names by which it can be asked for.
func (f *fixture) belongings(t *testing.T) map[string]string {
	t.Helper()
	c, owner := f.contract, f.owner
	c.want(t, 200, owner, "POST", "/images", map[string]any{"tag": f.tag, "annotations": map[string]any{"note": "belongs-to-team"}})
	f.until(t, "/accounts/team", func(answer) bool {
		return c.ask(t, owner, "GET", "/images/"+f.digest, nil).text(t, "0.analysis_status") == "analyzed"
	})
	c.want(t, 200, owner, "POST", "/registries?validate=false", map[string]any{
		"registry": "belongs-to-team.example", "registry_user": "u", "registry_pass": "p", "registry_type": "docker_v2", "registry_verify": true,
	})
	sub := c.want(t, 200, owner, "POST", "/subscriptions", map[string]any{"subscription_key": "docker.io/belongs-to-team:1", "subscription_type": "tag_update"})
	c.want(t, 200, owner, "POST", "/policies", map[string]any{
		"id": "belongs-to-team-policy", "name": "belongs-to-team", "version": "1_0", "policies": []any{}, "mappings": []any{},
	})
	op := c.want(t, 200, owner, "POST", "/imports/images", nil)
	c.want(t, 200, owner, "POST", "/archives/images", []string{f.digest})
	rule := c.want(t, 200, owner, "POST", "/archives/rules", map[string]any{
		"transition": "archive", "analysis_age_days": 9000, "tag_versions_newer": 9000,
		"selector": map[string]any{"registry": "belongs-to-team", "repository": "*", "tag": "*"},
	})
	event := c.want(t, 200, owner, "GET", "/events?limit=1", nil)
	vex := c.want(t, 200, owner, "POST", "/console/vex?imageDigest="+f.digest, vexDocument("belongs-to-team", "CVE-1999-1", f.digest))
	return map[string]string{
		"imageDigest": f.digest, "imageId": f.imageID, "imageDigests": f.digest, "registry": "belongs-to-team.example",
		"subscriptionId": sub.text(t, "0.subscription_id"), "policyId": "belongs-to-team-policy", "operation_id": op.text(t, "uuid"),
		"ruleId": rule.text(t, "rule_id"), "eventId": event.text(t, "results.0.generated_uuid"), "username": "team-owner", "tag": f.tag,
		"vexId": vex.text(t, "id"),
	}
}

// inventory is all that the account team has, as it sees it itself.
func (f *fixture) inventory(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range []string{
		"/images?image_status=all", "/registries", "/subscriptions", "/policies?detail=true", "/imports/images", "/archives/images",
		"/archives/rules", "/console/vex", "/accounts/team/users", "/accounts/team", "/summaries/imagetags",
	} {
		all[path] = string(f.contract.want(t, 200, f.owner, "GET", path, nil).body)
	}
	return all
}
