package present

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// AuditPage is how many entries stand on one page.
const AuditPage = 100

// Audit shapes a page of the audit log.
func Audit(list []engine.AuditEntry, next int64, q url.Values, who engine.Identity, api string, c Clock) view.Audit {
	v := view.Audit{
		Tabs: AccountTabs(who), User: q.Get("user"), Action: q.Get("action"), Subject: q.Get("subject"), In: q.Get("account"), Since: q.Get("since"), Before: q.Get("before"),
		All: who.Admin, Sub: "who altered what, from where, and how it ended",
		Outcomes: choices(q.Get("outcome"), "Any outcome", []string{"done", "failed"}, func(s string) string {
			return map[string]string{"done": "Done", "failed": "Refused or failed"}[s]
		}),
	}
	for _, k := range []string{"user", "action", "subject", "account", "since", "before", "outcome"} {
		v.Any = v.Any || q.Get(k) != ""
	}
	for _, e := range list {
		v.Rows = append(v.Rows, auditRow(e, c))
	}
	v.Pager.Text = Plural(len(list), "entry", "entries") + " on this page"
	if q.Get("after") != "" {
		v.Pager.First = address(AuditHref, q, "after", "")
	}
	if next > 0 {
		v.Pager.Next = address(AuditHref, q, "after", strconv.FormatInt(next, 10))
	}
	v.CSV, v.NDJSON = address(AuditHref+"/export.csv", q, "after", ""), address(AuditHref+"/export.ndjson", q, "after", "")
	path := url.Values{}
	for _, k := range []string{"user", "action", "subject", "account"} {
		if q.Get(k) != "" {
			path.Set(k, q.Get(k))
		}
	}
	if o := q.Get("outcome"); o != "" {
		path.Set("failed", strconv.FormatBool(o == "failed"))
	}
	v.Same = view.SameBy{API: curl(who.User, api, "/console/audit")}
	if len(path) > 0 {
		v.Same.API = curl(who.User, api, "/console/audit?"+path.Encode())
	}
	return v
}

func auditRow(e engine.AuditEntry, c Clock) view.AuditRow {
	r := view.AuditRow{
		DOMID: "audit-" + strconv.FormatInt(e.ID, 10), At: c.Exact(e.At), User: e.User, UserHref: AuditHref + "?user=" + url.QueryEscape(e.User),
		Action: e.Action, Subject: e.Subject, Account: e.Account, From: e.Peer, Outcome: AuditOutcome(e.Status),
	}
	if e.Token != "" {
		r.Details = append(r.Details, view.Fact{Name: "token", Text: e.Token})
	}
	for _, k := range slices.Sorted(maps.Keys(e.Details)) {
		if e.Details[k] != nil {
			r.Details = append(r.Details, view.Fact{Name: k, Text: clipText(fmt.Sprint(e.Details[k]), 200)})
		}
	}
	return r
}

// AuditOutcome says how an action ended, by the status of its reply.
func AuditOutcome(status int) view.Pill {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	switch {
	case status == http.StatusForbidden:
		return view.Pill{Tone: "warn", Text: "refused", Title: title}
	case status >= 400:
		return view.Pill{Tone: "bad", Text: "failed", Title: title}
	}
	return view.Pill{Tone: "ok", Text: "done", Title: title}
}
