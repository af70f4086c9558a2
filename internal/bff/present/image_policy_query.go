package present

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// PolicyQuery is what the policy tab, or an export of it, shows.
type PolicyQuery struct {
	Tag    string
	Policy string    // id of the bundle; empty: the active one
	At     time.Time // of a stored evaluation; zero: what the bundle says now
	Action string    // stop, warn or go: of rows, as they count
	Gate   string
	Aside  string // hide or only: rows that an exception set aside
	Text   string
	Page   int // from 1
}

// policyPage is how many rows stand on one page.
const policyPage = 50

// ParsePolicyQuery reads the page's query; what it does not know it leaves out.
func ParsePolicyQuery(q url.Values) PolicyQuery {
	p := PolicyQuery{
		Tag: strings.TrimSpace(q.Get("tag")), Policy: q.Get("policy"), Action: q.Get("action"), Gate: q.Get("gate"), Aside: q.Get("aside"),
		Text: strings.TrimSpace(q.Get("q")), Page: 1,
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		p.Page = n
	}
	if at, err := time.Parse(time.RFC3339Nano, q.Get("at")); err == nil {
		p.At = at
	}
	if !slices.Contains([]string{engine.ActionStop, engine.ActionWarn, engine.ActionGo}, p.Action) {
		p.Action = ""
	}
	if p.Aside != "hide" && p.Aside != "only" {
		p.Aside = ""
	}
	return p
}

// Values is the query again, without the page.
func (p PolicyQuery) Values() url.Values {
	q := url.Values{}
	set := func(k, s string) {
		if s != "" {
			q.Set(k, s)
		}
	}
	set("tag", p.Tag)
	set("policy", p.Policy)
	if !p.At.IsZero() {
		q.Set("at", stamp(p.At))
	}
	set("action", p.Action)
	set("gate", p.Gate)
	set("aside", p.Aside)
	set("q", p.Text)
	return q
}

// Href is the address of the tab with this query.
func (p PolicyQuery) Href(digest engine.Digest) string {
	q := p.Values()
	q.Set("tab", "policy")
	if p.Page > 1 {
		q.Set("page", strconv.Itoa(p.Page))
	}
	return ImageHref(digest) + "?" + q.Encode()
}

// with is the query with something altered, from its first page.
func (p PolicyQuery) with(alter func(*PolicyQuery)) PolicyQuery {
	p.Page = 1
	alter(&p)
	return p
}

// bare is the query without what selects rows.
func (p PolicyQuery) bare() PolicyQuery {
	return PolicyQuery{Tag: p.Tag, Policy: p.Policy, At: p.At, Page: 1}
}

func (p PolicyQuery) filtered() bool {
	return p.Action != "" || p.Gate != "" || p.Aside != "" || p.Text != ""
}

// Select gives the rows that the query asks for; the list is not altered.
func (p PolicyQuery) Select(rows []engine.JudgementRow) []engine.JudgementRow {
	text := strings.ToLower(p.Text)
	return slices.DeleteFunc(slices.Clone(rows), func(r engine.JudgementRow) bool {
		aside := r.Exception != nil
		return p.Action != "" && (r.Action != p.Action || aside) || p.Gate != "" && r.Gate != p.Gate ||
			p.Aside == "hide" && aside || p.Aside == "only" && !aside || text != "" && !rowHas(r, text)
	})
}

func rowHas(r engine.JudgementRow, text string) bool {
	return slices.ContainsFunc([]string{r.Message, r.TriggerID, r.Gate, r.Trigger, r.Rule, r.Policy.Name, r.Why.Record, r.Why.Package, r.Why.Path},
		func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}
