package present

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// DeliveriesPage is how many notifications stand on one page.
const DeliveriesPage = 50

// DeliveriesIn is what the history of deliveries is made of.
type DeliveriesIn struct {
	List   []engine.Notification // one more than fits, when there is
	Filter engine.NotificationFilter
	Query  url.Values
	Hooks  []engine.Webhook // that the user may know of
	May    func(action string) bool
	API    string
	User   string
}

// Deliveries shapes the history.
func Deliveries(in DeliveriesIn, c Clock) view.Deliveries {
	f := in.Filter
	v := view.Deliveries{
		Tabs: SubscriptionTabs(in.May), May: SubscriptionMay(in.May),
		Filter: view.DeliveryFilter{
			Key: f.Key, Any: f.Key != "" || f.State != "" || f.Type != "" || f.Webhook != "",
			States: choices(string(f.State), "Any state", deliveryStates(), func(s string) string {
				return map[string]string{"pending": "On their way", "delivered": "Delivered", "failed": "Failed"}[s]
			}),
			Types: choices(f.Type, "Any type", engine.WebhookTypes[1:], NotificationWords),
		},
	}
	ids, found := []string{}, f.Webhook == ""
	for _, w := range in.Hooks {
		ids, found = append(ids, w.ID), found || w.ID == f.Webhook
	}
	if !found {
		ids = append(ids, f.Webhook)
	}
	v.Filter.Webhooks = choices(f.Webhook, "Any webhook", ids, func(id string) string { return hookName(id, in.Hooks) })
	fits := f.Limit - 1
	more := len(in.List) > fits
	list := in.List[:min(len(in.List), fits)]
	for _, n := range list {
		v.Rows = append(v.Rows, deliveryRow(n, in.Hooks, c))
	}
	v.None = len(list) == 0 && !v.Filter.Any && f.After == 0
	v.Sub = "kept for 7 days"
	v.Pager.Text = Plural(len(list), "delivery", "deliveries")
	if more || f.After != 0 {
		v.Pager.Text += " on this page"
	}
	if f.After != 0 {
		v.Pager.First = address(DeliveriesHref, in.Query, "after", "")
	}
	if more {
		v.Pager.Next = address(DeliveriesHref, in.Query, "after", strconv.FormatInt(list[len(list)-1].Seq, 10))
	}
	path := "/console/notifications"
	q := url.Values{}
	for name, value := range map[string]string{"state": string(f.State), "type": f.Type, "key": f.Key, "webhook": f.Webhook} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	v.Same = view.SameBy{API: curl(in.User, in.API, path)}
	return v
}

func deliveryStates() []string {
	list := make([]string, len(engine.DeliveryStates))
	for n, s := range engine.DeliveryStates {
		list[n] = string(s)
	}
	return list
}

// Delivery shapes one notification with what it tells.
func Delivery(n engine.Notification, hooks []engine.Webhook, may func(string) bool, api, user string, c Clock) view.Delivery {
	v := view.Delivery{
		Row: deliveryRow(n, hooks, c), ID: n.ID, Ended: c.Exact(n.EndedAt), May: SubscriptionMay(may),
		Same: view.SameBy{API: curl(user, api, "/console/notifications/"+strconv.FormatInt(n.Seq, 10))},
	}
	v.Row.Made = c.Exact(n.CreatedAt)
	for i, t := range n.Tries {
		row := view.DeliveryTry{N: Count(i + 1), At: c.Exact(t.At), State: view.Pill{Tone: "ok", Text: "Taken"}, Answer: statusText(t.Status), Error: troubleText(t.Status, t.Error), Took: Span(t.Took)}
		if t.Error != "" {
			row.State = view.Pill{Tone: "bad", Text: "Not taken"}
		}
		v.Tries = append(v.Tries, row)
	}
	if n.EndedAt.IsZero() {
		v.Ended.Text = "not yet"
	}
	var told any = n.Payload
	if n.Event != nil {
		told = eventFacts(*n.Event)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(told) == nil {
		v.Body = strings.TrimSpace(out.String())
	}
	return v
}

// eventFacts is what a notification tells of an event.
func eventFacts(e engine.Event) map[string]any {
	return map[string]any{
		"type": e.Type, "level": e.Level, "message": e.Message, "details": e.Details, "timestamp": e.At.UTC(),
		"resource": map[string]string{"type": e.ResourceType, "id": e.ResourceID}, "source": map[string]string{"service": e.Service, "host": e.Host},
	}
}

func deliveryRow(n engine.Notification, hooks []engine.Webhook, c Clock) view.DeliveryRow {
	seq := strconv.FormatInt(n.Seq, 10)
	r := view.DeliveryRow{
		DOMID: "delivery-" + seq, Href: DeliveriesHref + "/" + seq, Type: NotificationWords(n.Type), Code: n.Type, Key: n.Key,
		Webhook: hookName(n.Webhook, hooks), HookHref: DeliveriesHref + "?webhook=" + url.QueryEscape(n.Webhook),
		State: deliveryPill(n), Attempts: Plural(n.Attempts, "attempt", "attempts"), Answer: answerText(n), Error: troubleText(n.Status, n.Error),
		Made: c.Ago(n.CreatedAt), Tried: c.Exact(n.TriedAt),
	}
	if n.State == engine.DeliveryPending {
		r.NextLabel, r.Next = "next", c.Until(n.NextTry)
	} else {
		r.Retry = r.Href + "/retry"
	}
	return r
}

// answerText is what the receiver said, by its status.
func answerText(n engine.Notification) string {
	switch {
	case n.Status != 0:
		return statusText(n.Status)
	case n.State == engine.DeliveryDelivered:
		return "taken"
	case n.Attempts == 0:
		return "not tried yet"
	}
	return "none"
}

// troubleText is what went wrong, beside the answer: nothing, when all that is
// known is the answer's own status.
func troubleText(status int, why string) string {
	if why == "it answers "+strconv.Itoa(status) || why == "it answers "+statusText(status) {
		return ""
	}
	return why
}

// statusText is a status of HTTP with its name.
func statusText(code int) string {
	if code == 0 {
		return "none"
	}
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

// hookName names a webhook for people: by its host, if they may know it.
func hookName(id string, hooks []engine.Webhook) string {
	if kind, ok := strings.CutPrefix(id, engine.WebhookSetting); ok {
		return "Settings: " + kind
	}
	for _, w := range hooks {
		if w.ID == id {
			if u, err := url.Parse(w.URL); err == nil && u.Host != "" {
				return u.Host
			}
		}
	}
	return "webhook " + id[:min(len(id), 8)]
}
