package present

import (
	"encoding/json"
	"net/url"
	"slices"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Addresses of the pages about subscriptions.
const (
	SubscriptionsHref = "/subscriptions"
	RepositoriesHref  = "/subscriptions/repositories"
	DeliveriesHref    = "/subscriptions/deliveries"
	WebhooksHref      = "/subscriptions/webhooks"
)

// SubscriptionTabs leads between them; those that the user may not see are left
// out.
func SubscriptionTabs(may func(action string) bool) []view.Tab {
	tabs := []view.Tab{{Key: "tags", Text: "Tags", Href: SubscriptionsHref}, {Key: "repositories", Text: "Repositories", Href: RepositoriesHref}}
	if may("listNotifications") {
		tabs = append(tabs, view.Tab{Key: "deliveries", Text: "Deliveries", Href: DeliveriesHref})
	}
	if may("listWebhooks") {
		tabs = append(tabs, view.Tab{Key: "webhooks", Text: "Webhooks", Href: WebhooksHref})
	}
	return tabs
}

// SubscriptionMay says which forms the pages about subscriptions have.
func SubscriptionMay(may func(action string) bool) view.SubscriptionRights {
	return view.SubscriptionRights{
		Add: may("createSubscription"), Change: may("updateSubscription"), Remove: may("deleteSubscription"),
		Watch: may("createRepository"), Retry: may("updateNotification"), Deliveries: may("listNotifications"),
	}
}

// notificationWords say what each kind of notification tells.
var notificationWords = map[string]string{
	engine.NotifyTag:      "Tag moves",
	engine.NotifyPolicy:   "Policy result changes",
	engine.NotifyVulns:    "Vulnerabilities change",
	engine.NotifyAnalysis: "Analysis ends",
	engine.NotifyRepo:     "New tags",
	engine.NotifyEvents:   "Every event",
	engine.NotifyGeneral:  "Everything",
}

// NotificationWords is a kind of notification in words.
func NotificationWords(kind string) string {
	if w := notificationWords[kind]; w != "" {
		return w
	}
	return kind
}

// TagSubscriptions lists the types of subscription to a tag.
var TagSubscriptions = []engine.SubscriptionType{engine.SubTagUpdate, engine.SubVulnUpdate, engine.SubPolicyEval, engine.SubAnalysisUpdate}

// SubscriptionStates are the choices of the list's filter.
var SubscriptionStates = []string{"active", "inactive", "failing"}

// SubscriptionsIn is what a list of subscriptions is made of.
type SubscriptionsIn struct {
	List  []engine.Subscription
	Last  map[engine.SubscriptionRef]engine.Notification
	Query url.Values // q, type, state, after
	Next  string     // cursor of the page that follows
	Form  view.SubscriptionForm
	Hooks int // webhooks that can take something; negative: not known
	May   func(action string) bool
	API   string
	User  string
}

// Subscriptions shapes the list of those of tags, or of repositories.
func Subscriptions(in SubscriptionsIn, repositories bool, c Clock) view.Subscriptions {
	q := in.Query
	base, api := SubscriptionsHref, "/console/subscriptions"
	v := view.Subscriptions{
		Tabs: SubscriptionTabs(in.May), Form: in.Form, May: SubscriptionMay(in.May),
		Filter: view.SubscriptionFilter{
			Text: q.Get("q"), Any: q.Get("q")+q.Get("type")+q.Get("state") != "",
			States: choices(q.Get("state"), "Any state", SubscriptionStates, func(s string) string {
				return map[string]string{"active": "Active", "inactive": "Switched off", "failing": "Last look failed"}[s]
			}),
		},
		Same: view.SameBy{CLI: "anchore-cli subscription list --full"},
	}
	one, many := "subscription", "subscriptions"
	if repositories {
		base, api, one, many = RepositoriesHref, "/console/subscriptions?type=repo_update", "repository", "repositories"
		v.Same.CLI = "anchore-cli repo list"
	} else {
		types := make([]string, len(TagSubscriptions))
		for n, t := range TagSubscriptions {
			types[n] = string(t)
		}
		v.Filter.Types = choices(q.Get("type"), "Any type", types, NotificationWords)
		v.Form.Types = chosen(v.Form.Types, types)
	}
	v.Same.API = curl(in.User, in.API, api)
	v.None = len(in.List) == 0 && !v.Filter.Any && q.Get("after") == ""
	for _, s := range in.List {
		v.Rows = append(v.Rows, subscriptionRow(s, in.Last, c))
	}
	if in.Hooks == 0 && slices.ContainsFunc(in.List, func(s engine.Subscription) bool { return s.Active }) {
		v.Silent = "No webhook takes notifications, so that nobody is told. What is watched is watched all the same."
	}
	v.Pager.Text = Plural(len(in.List), one, many)
	if in.Next != "" || q.Get("after") != "" {
		v.Pager.Text += " on this page"
	}
	if v.Sub = v.Pager.Text; in.Next != "" || q.Get("after") != "" {
		v.Sub = "" // how many there are in all is not known
	}
	if q.Get("after") != "" {
		v.Pager.First = address(base, q, "after", "")
	}
	if in.Next != "" {
		v.Pager.Next = address(base, q, "after", in.Next)
	}
	return v
}

// address is a page with one field of its query set anew; empty: taken out.
func address(base string, q url.Values, name, value string) string {
	next := url.Values{}
	for k, vs := range q {
		if k != "fragment" && k != name && len(vs) > 0 && vs[0] != "" {
			next[k] = vs[:1]
		}
	}
	if value != "" {
		next.Set(name, value)
	}
	if len(next) == 0 {
		return base
	}
	return base + "?" + next.Encode()
}

// choices are the choices of a filter, the first of which is none.
func choices(selected, none string, values []string, words func(string) string) []view.Option {
	list := []view.Option{{Text: none, Selected: selected == ""}}
	for _, v := range values {
		list = append(list, view.Option{Value: v, Text: words(v), Selected: v == selected})
	}
	return list
}

// chosen is all values, those of the list selected; the first when it is empty.
func chosen(list []view.Option, values []string) []view.Option {
	out := make([]view.Option, len(values))
	for n, v := range values {
		out[n] = view.Option{Value: v, Text: NotificationWords(v), Selected: len(list) == 0 && n == 0 ||
			slices.ContainsFunc(list, func(o view.Option) bool { return o.Value == v })}
	}
	return out
}

func subscriptionRow(s engine.Subscription, last map[engine.SubscriptionRef]engine.Notification, c Clock) view.SubscriptionRow {
	r := view.SubscriptionRow{
		DOMID: "subscription-" + domID(s.ID), Key: s.Key, Type: NotificationWords(string(s.Type)), Code: string(s.Type), Active: s.Active,
		Checked: c.Ago(s.CheckedAt), Fault: s.LastError, Base: SubscriptionsHref + "/" + url.PathEscape(s.ID),
		Watched: s.Type == engine.SubTagUpdate || s.Type == engine.SubRepoUpdate,
		Confirm: "Remove the subscription to " + s.Key + " (" + NotificationWords(string(s.Type)) + ")?",
	}
	if s.Type == engine.SubRepoUpdate {
		r.Confirm = "Stop watching " + s.Key + "? Images that were added from it stay."
		r.Tags, r.New, r.Auto = repositoryTags(s.Value)
	}
	if !s.NextCheck.IsZero() {
		r.Next = c.Until(s.NextCheck)
	}
	if n, ok := last[engine.SubscriptionRef{Type: s.Type, Key: s.Key}]; ok {
		r.Last = &view.Delivered{Pill: deliveryPill(n), At: c.Ago(n.CreatedAt)}
		q := url.Values{"type": {string(s.Type)}, "key": {s.Key}}
		r.Last.Pill.Href = DeliveriesHref + "?" + q.Encode()
	}
	return r
}

// shownTags is how many tags of a repository a row names.
const shownTags = 4

// repositoryTags reads the value of a subscription to a repository, which
// clients may have written: how many tags are known, those that came last, and
// whether each is watched.
func repositoryTags(value *string) (count string, last []string, auto bool) {
	if value == nil {
		return "", nil, false
	}
	var v struct {
		Auto any      `json:"autosubscribe"`
		Tags []string `json:"repotags"`
	}
	if err := json.Unmarshal([]byte(*value), &v); err != nil {
		return "", nil, false
	}
	for n := len(v.Tags) - 1; n >= 0 && len(last) < shownTags; n-- {
		last = append(last, clipText(v.Tags[n], 60))
	}
	auto = v.Auto == true || v.Auto == "true" || v.Auto == "True"
	return Plural(len(v.Tags), "tag", "tags"), last, auto
}

// clipText cuts a text to at most n letters.
func clipText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// deliveryPill says where a notification stands.
func deliveryPill(n engine.Notification) view.Pill {
	switch n.State {
	case engine.DeliveryDelivered:
		return view.Pill{Tone: "ok", Text: "delivered", Title: "The webhook has taken it"}
	case engine.DeliveryFailed:
		return view.Pill{Tone: "bad", Text: "failed", Title: n.Error}
	}
	if n.Attempts > 0 && n.Error != "" {
		return view.Pill{Tone: "warn", Text: "retrying", Title: n.Error}
	}
	return view.Pill{Tone: "run", Text: "on its way", Title: "It waits for its first attempt"}
}
