package present

import (
	"cmp"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Addresses of the pages about people.
const (
	AccountsHref = "/accounts"
	OwnHref      = "/account"
	AuditHref    = "/audit"
)

// AccountHref is the address of an account's page.
func AccountHref(name string) string { return AccountsHref + "/" + url.PathEscape(name) }

// UserHref is the address of a user's page.
func UserHref(account, user string) string {
	return AccountHref(account) + "/users/" + url.PathEscape(user)
}

// AccountTabs leads between the pages about people; those that the user may not
// see are left out.
func AccountTabs(who engine.Identity) []view.Tab {
	var tabs []view.Tab
	if who.May(who.Home(), "listUsers") {
		text := "Users"
		if who.Admin {
			text = "Accounts"
		}
		tabs = append(tabs, view.Tab{Key: "accounts", Text: text, Href: AccountsHref})
	}
	tabs = append(tabs, view.Tab{Key: "own", Text: "Yourself", Href: OwnHref})
	if who.May(who.Home(), "listAudit") {
		tabs = append(tabs, view.Tab{Key: "audit", Text: "Audit log", Href: AuditHref})
	}
	return tabs
}

// AccountLeft is what an account in deletion still owns.
type AccountLeft struct{ Images, Events int64 }

// Accounts shapes the list; left is of those in deletion.
func Accounts(list []engine.Account, left map[string]AccountLeft, who engine.Identity, q url.Values, next string, form view.AccountForm, api string, c Clock) view.Accounts {
	v := view.Accounts{
		Tabs: AccountTabs(who), Form: form, Sub: Plural(len(list), "account", "accounts"),
		Same: view.SameBy{API: curl(who.User, api, "/accounts"), CLI: "anchore-cli account list"},
	}
	for _, a := range list {
		v.Rows = append(v.Rows, accountRow(a, left, who, c))
	}
	v.Pager.Text = v.Sub
	if q.Get("after") != "" {
		v.Pager.First = AccountsHref
	}
	if next != "" {
		v.Pager.Next = address(AccountsHref, q, "after", next)
	}
	return v
}

func accountRow(a engine.Account, left map[string]AccountLeft, who engine.Identity, c Clock) view.AccountRow {
	r := view.AccountRow{
		DOMID: "account-" + domID(a.Name), Name: a.Name, Href: AccountHref(a.Name), Email: a.Email, Type: a.Type, Made: c.Ago(a.CreatedAt),
		State: map[engine.AccountState]view.Pill{
			engine.AccountEnabled:  {Tone: "ok", Text: "enabled"},
			engine.AccountDisabled: {Tone: "off", Text: "disabled", Title: "Its users can do nothing"},
			engine.AccountDeleting: {Tone: "run", Text: "being deleted"},
		}[a.State],
	}
	if n, ok := left[a.Name]; ok {
		events := Plural(n.Events, "event", "events")
		if n.Events >= 100_000 {
			events = "more than " + events
		}
		r.Left = Plural(n.Images, "image", "images") + " and " + events + " left"
	}
	move := func(to engine.AccountState, action, text, tone, confirm string) {
		if to != a.State && a.Becomes(to) == nil && who.May(engine.SystemDomain, action) {
			r.Moves = append(r.Moves, view.AccountMove{To: string(to), Text: text, Tone: tone, Confirm: confirm, Action: r.Href + "/state"})
		}
	}
	move(engine.AccountEnabled, "updateAccount", "Enable", "", "")
	move(engine.AccountDisabled, "updateAccount", "Disable", "", "Disable the account "+a.Name+"? Its users can do nothing until it is enabled again; what it owns stays.")
	move(engine.AccountDeleting, "deleteAccount", "Delete", "danger", "Delete the account "+a.Name+" with its users, images, events, policies and all else it owns? This cannot be undone.")
	return r
}

// AccountPage shapes one account; grants are the roles given in it.
func AccountPage(a engine.Account, users []engine.Login, next string, q url.Values, grants []engine.RoleGrant, left map[string]AccountLeft, who engine.Identity, form view.UserForm, api string, c Clock) view.AccountPage {
	v := view.AccountPage{
		Row: accountRow(a, left, who, c), Tabs: AccountTabs(who), Form: form,
		Add:  a.State != engine.AccountDeleting && who.May(a.Name, "createUser"),
		Same: view.SameBy{API: curl(who.User, api, "/accounts/"+url.PathEscape(a.Name)+"/users"), CLI: "anchore-cli account user list --account " + shellWord(a.Name)},
	}
	v.Form.Action = v.Row.Href + "/users"
	roles := map[string][]string{}
	for _, g := range grants {
		roles[g.User] = append(roles[g.User], string(g.Role))
		if g.UserAccount != a.Name && len(roles[g.User]) == 1 {
			v.Guests = append(v.Guests, view.UserRow{DOMID: "guest-" + domID(g.User), Name: g.User, Account: g.UserAccount, Made: c.Ago(g.CreatedAt), Href: UserHref(a.Name, g.User)})
		}
	}
	for n := range v.Guests {
		v.Guests[n].Roles = strings.Join(roles[v.Guests[n].Name], ", ")
	}
	for _, l := range users {
		r := view.UserRow{
			DOMID: "user-" + domID(l.User.Name), Name: l.User.Name, Account: a.Name, Href: UserHref(a.Name, l.User.Name), Made: c.Ago(l.User.CreatedAt),
			Login: loginPill(l), Roles: strings.Join(roles[l.User.Name], ", "),
		}
		if r.Roles == "" {
			r.Roles = "full control"
			if a.Type == engine.AccountAdmin {
				r.Roles = "administrator"
			}
		}
		v.Users = append(v.Users, r)
	}
	v.Pager.Text = Plural(len(users), "user", "users")
	if q.Get("after") != "" {
		v.Pager.First = v.Row.Href
	}
	if next != "" {
		v.Pager.Next = address(v.Row.Href, q, "after", next)
	}
	return v
}

func loginPill(l engine.Login) view.Pill {
	if l.Hash == "" {
		return view.Pill{Tone: "off", Text: "no password", Title: "Cannot sign in by password"}
	}
	return view.Pill{Tone: "ok", Text: "by password"}
}

// UserPage shapes one user as seen in an account.
func UserPage(account string, l engine.Login, grants []engine.RoleGrant, who engine.Identity, c Clock) view.UserPage {
	own := l.Account.Name == account
	v := view.UserPage{
		Name: l.User.Name, Account: account, Base: UserHref(account, l.User.Name), Tabs: AccountTabs(who), Login: loginPill(l), Made: c.Ago(l.User.CreatedAt),
		MayPassword: own && who.May(account, "updateUser"),
		MayClear:    own && who.May(account, "updateUser") && l.Hash != "" && l.User.Name != who.User,
		MayRemove:   own && who.May(account, "deleteUser") && l.User.Name != who.User && l.User.Name != engine.AdminUser,
	}
	v.Password.Action = v.Base + "/password"
	for _, r := range engine.Roles {
		v.Roles = append(v.Roles, view.RoleChoice{Role: string(r), Says: r.Says(),
			Given: slices.ContainsFunc(grants, func(g engine.RoleGrant) bool { return g.Role == r })})
	}
	switch {
	case !who.May(account, "updateRoles"):
		v.RolesWhy = "Your role does not allow to alter roles."
	case l.User.Name == who.User:
		v.RolesWhy = "Nobody can alter his own roles."
	case l.User.Name == engine.AdminUser:
		v.RolesWhy = "The roles of admin cannot be altered."
	}
	return v
}

// TokenTerms are how long a token may be made to last, in days.
var TokenTerms = []int{30, 90, 365, 1825}

// Tokens shapes a user's tokens.
func Tokens(list []engine.APIToken, base string, form view.TokenForm, c Clock) view.Tokens {
	v := view.Tokens{Base: base, Form: form}
	role, days := "", strconv.Itoa(int(engine.TokenLife.Hours()/24))
	if len(form.Roles) > 0 {
		role = form.Roles[0].Value
	}
	if len(form.Expires) > 0 {
		days = form.Expires[0].Value
	}
	v.Form.Roles = []view.Option{{Text: "All that you may", Selected: role == ""}}
	for _, r := range engine.Roles {
		v.Form.Roles = append(v.Form.Roles, view.Option{Value: string(r), Text: string(r), Selected: role == string(r)})
	}
	v.Form.Expires = nil
	for _, n := range TokenTerms {
		text := strconv.Itoa(n) + " days"
		if n >= 365 {
			text = Plural(n/365, "year", "years")
		}
		v.Form.Expires = append(v.Form.Expires, view.Option{Value: strconv.Itoa(n), Text: text, Selected: days == strconv.Itoa(n)})
	}
	for _, t := range list {
		r := view.TokenRow{
			DOMID: "token-" + domID(t.ID), ID: t.ID, Name: t.Name, Scope: "all that the user may", Made: c.Ago(t.CreatedAt), By: t.CreatedBy,
			Expires: c.Until(t.ExpiresAt), Used: c.Ago(t.UsedAt), State: view.Pill{Tone: "ok", Text: "valid"},
			Confirm: "Revoke the token " + t.Name + "? Whatever uses it is refused at once.",
		}
		if !c.Now.Before(t.ExpiresAt) {
			r.State, r.Expires = view.Pill{Tone: "off", Text: "expired"}, c.Ago(t.ExpiresAt)
		}
		switch s := t.Scope; {
		case s.Role != "" && s.Account != "":
			r.Scope = string(s.Role) + " in " + s.Account
		case s.Role != "":
			r.Scope = string(s.Role)
		case s.Account != "":
			r.Scope = "in " + s.Account
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

// Sessions shapes a user's console logins; this is the hash of the one that asks.
func Sessions(list []engine.Session, this []byte, c Clock) []view.SessionRow {
	var rows []view.SessionRow
	for _, s := range list {
		rows = append(rows, view.SessionRow{
			DOMID: "session-" + hex.EncodeToString(s.Hash[:min(len(s.Hash), 6)]), This: slices.Equal(s.Hash, this),
			Made: c.Ago(s.CreatedAt), Seen: c.Ago(s.SeenAt), Expires: c.Until(s.ExpiresAt),
			Browser: browserName(s.Agent), Agent: s.Agent, Address: orDash(s.Address),
		})
	}
	return rows
}

// browserName is a browser and its system in words, from what it calls itself:
// enough for its owner to know it again.
func browserName(agent string) string {
	name := ""
	// The order matters: most claim to be those below them, too.
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, b[0]) {
			name = b[1]
			break
		}
	}
	if name == "" {
		first, _, _ := strings.Cut(agent, " ")
		return cmp.Or(printable([]byte(first), 40), "unknown")
	}
	for _, s := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, s[0]) {
			return name + " on " + s[1]
		}
	}
	return name
}

// OwnRoles says what a user may, account by account.
func OwnRoles(who engine.Identity) []view.RoleLine {
	if who.Admin {
		return []view.RoleLine{{Role: "administrator", Account: "every account", Says: "Everything, feeds, services and accounts included."}}
	}
	var lines []view.RoleLine
	own := false
	if who.Rights != nil {
		for _, g := range who.Rights.Grants {
			own = own || g.Account == who.Account
			lines = append(lines, view.RoleLine{Role: string(g.Role), Account: g.Account, Says: g.Role.Says()})
		}
	}
	if !own {
		lines = append([]view.RoleLine{{Role: string(engine.FullControl), Account: who.Account, Says: engine.FullControl.Says()}}, lines...)
	}
	return lines
}
