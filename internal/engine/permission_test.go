package engine

import (
	"slices"
	"strings"
	"testing"
)

// TestRoleTable is the table of roles and actions, written down a second time:
// a letter for each role that allows an action.
//
//	d image-developer, p policy-editor, a image-analyzer, r read-only
func TestRoleTable(t *testing.T) {
	letters := map[byte]Role{'d': ImageDeveloper, 'p': PolicyEditor, 'a': ImageAnalyzer, 'r': ReadOnly}
	want := map[string]string{
		"getAccount": "dpar", "listImages": "dpar", "getImage": "dpar", "getImageEvaluation": "dpar",
		"createImage": "da", "importImage": "da", "deleteImage": "d",
		"createRepository": "d", "listSubscriptions": "dpar", "getSubscription": "dpar",
		"createSubscription": "d", "updateSubscription": "d", "deleteSubscription": "d",
		"listArchives": "dpr", "listArchivedImageAnalysis": "dpr", "getArchivedImageAnalysis": "dpr",
		"createArchivedImageAnalysis": "d", "deleteArchivedImageAnalysis": "d",
		"listArchiveTransitionRules": "dpr", "getArchiveTransitionRule": "dpr", "getArchiveTransitionRuleHistory": "dpr",
		"createArchiveTransitionRule": "", "deleteArchiveTransitionRule": "",
		"listPolicies": "dpar", "getPolicy": "dpar", "createPolicy": "p", "updatePolicy": "p", "deletePolicy": "p",
		"listRegistries": "dpr", "getRegistry": "dpr", "createRegistry": "", "updateRegistry": "", "deleteRegistry": "",
		"listChecks": "dpr", "listEvents": "dpr", "getEvent": "dpr", "deleteEvents": "",
		"listUsers": "dpr", "getUser": "dpr", "createUser": "", "updateUser": "", "deleteUser": "",
		"listRoles": "dpr", "updateRoles": "", "listTokens": "", "deleteToken": "", "listAudit": "",
		"listWebhooks": "", "getWebhook": "", "createWebhook": "", "updateWebhook": "", "deleteWebhook": "",
	}
	for action, roles := range want {
		if !KnownAction(action) || !FullControl.May(action) {
			t.Errorf("full control may not %s", action)
		}
		for letter, role := range letters {
			if got := role.May(action); got != slices.Contains([]byte(roles), letter) {
				t.Errorf("%s may %s: %v", role, action, got)
			}
		}
	}
	for _, r := range Roles {
		if !r.Known() || r.Says() == "" || r != FullControl && r.May("inventTime") || r.May("getImage") != slices.Contains(r.Actions(), "getImage") {
			t.Errorf("role %s is not whole", r)
		}
	}
	if Role("").Known() || Role("").May("getImage") || Role("king").Known() {
		t.Error("a role that there is not")
	}
}

func TestPermit(t *testing.T) {
	login := func(kind string, state AccountState, grants ...Grant) Login {
		return Login{User: User{Name: "u"}, Account: Account{Name: "own", Type: kind, State: state}, Grants: grants}
	}
	user := login(AccountUser, AccountEnabled)
	boss := login(AccountAdmin, AccountEnabled)
	guest := login(AccountUser, AccountEnabled, Grant{"other", ReadOnly, true}, Grant{"asleep", FullControl, false})
	clerk := login(AccountUser, AccountEnabled, Grant{"own", ImageAnalyzer, true}, Grant{"own", PolicyEditor, true})
	warden := login(AccountAdmin, AccountEnabled, Grant{"own", ReadOnly, true})
	chief := login(AccountAdmin, AccountEnabled, Grant{"own", FullControl, true}, Grant{"own", ReadOnly, true})
	tests := map[string]struct {
		who             Identity
		account, action string
		want            string // the end of the message; empty: allowed
	}{
		"own":                                  {user.Identity(), "own", "deleteImage", ""},
		"own, an action nobody knows":          {user.Identity(), "own", "inventTime", ""},
		"another's":                            {user.Identity(), "other", "getImage", "domain=other action=getImage target=*"},
		"the system's":                         {user.Identity(), SystemDomain, "updateFeeds", "domain=system action=updateFeeds target=*"},
		"admin anywhere":                       {boss.Identity(), "ghost", "getImage", ""},
		"admin of the system":                  {boss.Identity(), SystemDomain, "updateFeeds", ""},
		"service anywhere":                     {login(AccountService, AccountEnabled).Identity(), "ghost", "getImage", ""},
		"disabled, own":                        {login(AccountUser, AccountDisabled).Identity(), "own", "getImage", "Account own not enabled."},
		"disabled, with a role":                {login(AccountUser, AccountDisabled, Grant{"other", ReadOnly, true}).Identity(), "other", "getImage", "Account own not enabled."},
		"guest at home":                        {guest.Identity(), "own", "deleteImage", ""},
		"guest reads":                          {guest.Identity(), "other", "getImage", ""},
		"guest deletes":                        {guest.Identity(), "other", "deleteImage", "domain=other action=deleteImage target=*"},
		"guest of a disabled account":          {guest.Identity(), "asleep", "getImage", "Account asleep not enabled."},
		"guest elsewhere":                      {guest.Identity(), "third", "getImage", "domain=third action=getImage target=*"},
		"guest of the system":                  {guest.Identity(), SystemDomain, "updateFeeds", "domain=system action=updateFeeds target=*"},
		"first role":                           {clerk.Identity(), "own", "createImage", ""},
		"second role":                          {clerk.Identity(), "own", "updatePolicy", ""},
		"neither role":                         {clerk.Identity(), "own", "deleteImage", "domain=own action=deleteImage target=*"},
		"admin's reader reads":                 {warden.Identity(), "own", "getImage", ""},
		"admin's reader deletes":               {warden.Identity(), "own", "deleteImage", "domain=own action=deleteImage target=*"},
		"admin's reader elsewhere":             {warden.Identity(), "other", "getImage", "domain=other action=getImage target=*"},
		"admin's reader of the system":         {warden.Identity(), SystemDomain, "updateFeeds", "domain=system action=updateFeeds target=*"},
		"admin by role":                        {chief.Identity(), SystemDomain, "updateFeeds", ""},
		"token":                                {user.Through("t", Scope{}), "own", "deleteImage", ""},
		"token elsewhere":                      {user.Through("t", Scope{}), "other", "getImage", "domain=other action=getImage target=*"},
		"reading token reads":                  {user.Through("t", Scope{Role: ReadOnly}), "own", "getImage", ""},
		"reading token deletes":                {user.Through("t", Scope{Role: ReadOnly}), "own", "deleteImage", "domain=own action=deleteImage target=*"},
		"a token is no more than its user":     {clerk.Through("t", Scope{Role: FullControl}), "own", "deleteImage", "domain=own action=deleteImage target=*"},
		"token for another account":            {guest.Through("t", Scope{Account: "other"}), "other", "getImage", ""},
		"token for another account, at home":   {guest.Through("t", Scope{Account: "other"}), "own", "getImage", "domain=own action=getImage target=*"},
		"admin's token":                        {boss.Through("t", Scope{}), SystemDomain, "updateFeeds", ""},
		"admin's token for one account":        {boss.Through("t", Scope{Account: "x"}), "x", "deleteImage", ""},
		"admin's token for another":            {boss.Through("t", Scope{Account: "x"}), "y", "getImage", "domain=y action=getImage target=*"},
		"admin's token for one is no system's": {boss.Through("t", Scope{Account: "x"}), SystemDomain, "updateFeeds", "domain=system action=updateFeeds target=*"},
		"admin's reading token anywhere":       {boss.Through("t", Scope{Role: ReadOnly}), "x", "getImage", ""},
		"admin's reading token deletes":        {boss.Through("t", Scope{Role: ReadOnly}), "x", "deleteImage", "domain=x action=deleteImage target=*"},
		"admin's token of a role and system":   {boss.Through("t", Scope{Role: FullControl}), SystemDomain, "updateFeeds", "domain=system action=updateFeeds target=*"},
		"token of a disabled account":          {login(AccountUser, AccountDisabled).Through("t", Scope{}), "own", "getImage", "Account own not enabled."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			err := tc.who.Permit(tc.account, tc.action)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasSuffix(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if tc.who.May(tc.account, tc.action) != (err == nil) {
				t.Error("May and Permit disagree")
			}
		})
	}
}
