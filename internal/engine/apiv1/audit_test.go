package apiv1

import (
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every operation that changes something is noted, but for those that are listed
// with a reason: here again, so that nobody adds one in passing.
func TestWhatIsNotAudited(t *testing.T) {
	want := []string{
		"addImage", "appendFeedArchive", "createImport", "getOauthToken", "importImageArchive", "tryImage", "tryPolicy", "uploadImportDockerfile", "uploadImportImageConfig",
		"uploadImportManifest", "uploadImportPackages", "uploadImportParentManifest",
	}
	s := New(testAuth{}, Options{})
	var got []string
	for _, b := range s.routes.all() {
		id, method := b.endpoint.route.Operation.OperationID, b.endpoint.route.Method
		switch {
		case method == "GET" && b.audited:
			t.Errorf("%s reads and is noted", id)
		case method != "GET" && !b.audited:
			got = append(got, id)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("no trace in the audit log of\n%v\nwant\n%v", got, want)
	}
	for id := range unnoted {
		if !slices.Contains(got, id) {
			t.Errorf("there is no operation %s", id)
		}
	}
}

type auditReply struct {
	Entries []struct {
		User, Account, Action, Subject, Outcome, Peer string
		Token                                         *string
		Status                                        int
		Details                                       map[string]any
		RequestID                                     string `json:"request_id"`
	}
	Next *string
}

func readAudit(t *testing.T, w *httptest.ResponseRecorder) (reply auditReply) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestAudit(t *testing.T) {
	_, s := newPeopled(t)
	const hidden = "hidden-" + secret
	for _, d := range []do{
		{"admin", "POST", "/accounts", `{"name":"carl","email":"c@example.com"}`, 200, ""},
		{"admin", "POST", "/accounts/carl/users", `{"username":"carl","password":"` + hidden + `"}`, 200, ""},
		{"ann", "POST", "/accounts/ann/users/ann2/credentials", `{"type":"password","value":"` + hidden + `"}`, 200, ""},
		{"ann", "DELETE", "/accounts/bob/users/bob", "", 403, ""},
		{"ann", "DELETE", "/accounts/ann/users/nobody", "", 404, ""},
		{"ann", "PUT", "/console/accounts/ann/users/ann2/roles", `{"roles":["read-only"]}`, 200, ""},
		{"", "DELETE", "/accounts/ann", "", 401, ""},        // nobody did it
		{"ann", "GET", "/accounts/ann/users", "", 200, ""},  // nothing was done
		{"ann", "PUT", "/accounts/ann/state", `{`, 400, ""}, // before anyone was asked who he is
		{"admin", "PUT", "/accounts/carl/state", `{"state":"disabled"}`, 200, ""},
	} {
		d.on(t, s)
	}
	token := do{"bob", "POST", "/console/tokens", `{"name":"ci","role":"read-only"}`, 200, ""}.made(t, s)
	askServer(t, s, "DELETE", "/accounts/bob/users/nobody", "", "", bearing(token.Token))

	w := do{"admin", "GET", "/console/audit", "", 200, ""}.on(t, s)
	for _, text := range []string{hidden, token.Token, "example.com"} {
		if strings.Contains(w.Body.String(), text) {
			t.Errorf("the log tells %q", text)
		}
	}
	page := readAudit(t, w)
	var got []string
	for _, e := range slices.Backward(page.Entries) {
		got = append(got, strings.Join([]string{e.User, e.Account, e.Action, e.Subject, e.Outcome}, " "))
		if e.Peer != "192.0.2.1" || e.RequestID == "" {
			t.Errorf("from %q by request %q", e.Peer, e.RequestID)
		}
	}
	want := []string{
		"admin admin createAccount carl done",
		"admin carl createUser carl done",
		"ann ann setUserCredential ann2 done",
		"ann bob deleteUser bob refused",
		"ann ann deleteUser nobody failed",
		"ann ann setUserRoles ann2 done",
		"admin carl updateAccountState carl done",
		"bob bob createOwnToken ci done",
		"bob bob deleteUser nobody refused",
	}
	if !slices.Equal(got, want) {
		t.Errorf("audit log:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if last := page.Entries[0]; last.Token == nil || *last.Token != token.ID {
		t.Errorf("done with an API token: %+v", last)
	}
	if d := page.Entries[3].Details; !reflect.DeepEqual(d, map[string]any{"roles": []any{"read-only"}}) {
		t.Errorf("details %v", d)
	}

	for query, n := range map[string]int{
		"?user=ann": 4, "?account=carl": 2, "?action=deleteUser": 3, "?failed=true": 3, "?failed=False&user=admin": 3,
		"?subject=nobody": 2, "?since=2100-01-01T00:00:00Z": 0, "?before=2100-01-01T00:00:00Z": 9, "?user=%00": 0,
	} {
		w := do{"admin", "GET", "/console/audit" + query, "", 200, ""}.on(t, s)
		if got := len(readAudit(t, w).Entries); got != n {
			t.Errorf("%s finds %d, want %d", query, got, n)
		}
	}
	for query, code := range map[string]int{"?limit=0": 400, "?limit=2000": 400, "?since=then": 400, "?after=x": 400, "?after=-1": 400, "?failed=perhaps": 400} {
		do{"admin", "GET", "/console/audit" + query, "", code, ""}.on(t, s)
	}
	// Page by page it is the same log.
	pages, after := 0, ""
	var again []string
	for {
		reply := readAudit(t, do{"admin", "GET", "/console/audit?limit=4" + after, "", 200, ""}.on(t, s))
		for _, e := range reply.Entries {
			again = append(again, strings.Join([]string{e.User, e.Account, e.Action, e.Subject, e.Outcome}, " "))
		}
		if pages++; reply.Next == nil {
			break
		}
		after = "&after=" + *reply.Next
	}
	slices.Reverse(again)
	if pages != 3 || !slices.Equal(again, want) {
		t.Errorf("%d pages:\n%s", pages, strings.Join(again, "\n"))
	}
	// An account sees what was done to it, whatever it asks for.
	for _, query := range []string{"", "?account=ann", "?account="} {
		for _, e := range readAudit(t, do{"bob", "GET", "/console/audit" + query, "", 200, ""}.on(t, s)).Entries {
			if e.Account != "bob" {
				t.Errorf("bob reads of %s", e.Account)
			}
		}
	}
	if _, err := s.backend.(peopled).store.Pool().Exec(t.Context(), `UPDATE audit_log SET user_name = 'bob'`); err == nil {
		t.Error("entries can be altered")
	}
	if _, err := s.backend.(peopled).store.Pool().Exec(t.Context(), `DELETE FROM audit_log`); err == nil {
		t.Error("new entries can be deleted")
	}
}
