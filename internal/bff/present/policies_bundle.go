package present

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// maxShownItems bounds the exceptions of one whitelist that a page shows.
const maxShownItems = 500

// PolicyBundle shapes what every tab of a bundle's page has.
func PolicyBundle(b engine.PolicyBundle, tab, api, user string, now Clock) view.PolicyBundle {
	v := view.PolicyBundle{
		ID: b.ID, Name: policyName(b), Path: PolicyHref(b.ID), Description: b.Description, Active: b.Active, Tab: tab,
		Digest: b.Digest, Short: b.Digest[:min(12, len(b.Digest))], Updated: now.Ago(b.UpdatedAt),
		Crumbs: []view.Crumb{{Text: "Policies", Href: PoliciesHref}, {Text: policyName(b)}},
		Same: view.SameBy{
			API: "curl -u " + user + " " + api + "/v1" + PolicyHref(b.ID) + "?detail=true",
			CLI: "anchore-cli policy get " + b.ID + " --detail",
		},
	}
	for _, t := range []view.Tab{{Key: "overview", Text: "Overview"}, {Key: "edit", Text: "Edit"}, {Key: "try", Text: "Try"}, {Key: "diff", Text: "Diff"}} {
		t.Current, t.Href = t.Key == tab, PolicyTabHref(b.ID, t.Key)
		if t.Key == "overview" {
			t.Href = v.Path
		}
		v.Tabs = append(v.Tabs, t)
	}
	return v
}

// PolicyOverview makes a bundle readable.
func PolicyOverview(b engine.PolicyBundle, gates []engine.PolicyGate, now Clock) *view.PolicyOverview {
	v := &view.PolicyOverview{Facts: []view.Fact{
		{Name: "Id", Text: b.ID, Mono: true, Copy: b.ID},
		{Name: "Digest", Text: b.Digest[:min(12, len(b.Digest))], Mono: true, Copy: b.Digest},
		{Name: "Source", Text: b.Source},
		{Name: "Size", Text: Bytes(int64(len(b.Document)))},
		{Name: "Added", Time: exact(now, b.CreatedAt)},
		{Name: "Changed", Time: exact(now, b.UpdatedAt)},
	}}
	d, err := ReadPolicy(b.Document)
	if err != nil {
		v.Broken = err.Error()
		return v
	}
	if d.Comment != "" && d.Comment != b.Description {
		v.Facts = append(v.Facts, view.Fact{Name: "Comment", Text: d.Comment})
	}
	for i, m := range d.Mappings {
		v.Mappings = append(v.Mappings, view.PolicyMapping{
			N: fmt.Sprint(i + 1), Name: m.Name, Images: m.pattern(), All: m.all(),
			Policies:   references(m.policies(), "policy", func(id string) (string, bool) { return d.policyName(id) }),
			Whitelists: references(m.WhitelistIDs, "whitelist", func(id string) (string, bool) { return d.whitelistName(id) }),
		})
	}
	for _, p := range d.Policies {
		pr := view.PolicyRules{DOMID: DOMID("policy", p.ID), ID: p.ID, Name: nameOr(p.Name, p.ID), Comment: p.Comment, Count: Plural(len(p.Rules), "rule", "rules")}
		pr.Used, pr.Unused = used(d.Mappings, func(m mappingPart) bool { return slices.Contains(m.policies(), p.ID) })
		for i, r := range p.Rules {
			rule := policyRule(r, gates)
			rule.DOMID = fmt.Sprintf("%s-rule-%d", pr.DOMID, i+1)
			pr.Rules = append(pr.Rules, rule)
		}
		v.Policies = append(v.Policies, pr)
	}
	for _, w := range d.Whitelists {
		v.Whitelists = append(v.Whitelists, policyExceptions(w, d, now))
	}
	v.Passing, v.Failing = policyImages(d.Passing), policyImages(d.Failing)
	return v
}

func exact(now Clock, t time.Time) *view.Time {
	v := now.Exact(t)
	return &v
}

func (d *PolicyDocument) policyName(id string) (string, bool) {
	for _, p := range d.Policies {
		if p.ID == id {
			return nameOr(p.Name, p.ID), true
		}
	}
	return id, false
}

func (d *PolicyDocument) whitelistName(id string) (string, bool) {
	for _, w := range d.Whitelists {
		if w.ID == id {
			return nameOr(w.Name, w.ID), true
		}
	}
	return id, false
}

func nameOr(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

func references(ids []string, kind string, name func(id string) (string, bool)) []view.Fact {
	var list []view.Fact
	for _, id := range ids {
		text, ok := name(id)
		f := view.Fact{Name: kind, Text: text, Href: "#" + DOMID(kind, id)}
		if !ok {
			f.Text, f.Href = id+" (missing)", ""
		}
		list = append(list, f)
	}
	return list
}

// used says by which mappings a part is used.
func used(mappings []mappingPart, uses func(mappingPart) bool) (text string, unused bool) {
	var names []string
	for _, m := range mappings {
		if uses(m) {
			names = append(names, nameOr(m.Name, m.ID))
		}
	}
	switch n := len(names); {
	case n == 0:
		return "No mapping uses it: nothing is judged by it.", true
	case n > 3:
		return fmt.Sprintf("Used by %s and %d more mappings", strings.Join(names[:2], ", "), n-2), false
	}
	return "Used by " + strings.Join(names, ", "), false
}

func policyExceptions(w whitelistPart, d PolicyDocument, now Clock) view.PolicyExceptions {
	v := view.PolicyExceptions{DOMID: DOMID("whitelist", w.ID), ID: w.ID, Name: nameOr(w.Name, w.ID), Comment: w.Comment, Count: Plural(len(w.Items), "exception", "exceptions")}
	v.Used, v.Unused = used(d.Mappings, func(m mappingPart) bool { return slices.Contains(m.WhitelistIDs, w.ID) })
	expired := 0
	for i, item := range w.Items {
		x := policyException(item, now)
		if x.Expired {
			expired++
		}
		if i < maxShownItems {
			v.Items = append(v.Items, x)
		}
	}
	if expired > 0 {
		v.Count += ", " + Count(expired) + " expired"
	}
	if more := len(w.Items) - maxShownItems; more > 0 {
		v.More = Plural(more, "more exception is", "more exceptions are") + " in the document; the Edit tab shows it whole."
	}
	return v
}

// soon is when an exception that is about to end says so.
const soon = 14 * 24 * time.Hour

func policyException(item itemPart, now Clock) view.BundleException {
	x := view.BundleException{ID: item.ID, Gate: item.Gate, Trigger: item.TriggerID, Reason: item.Reason, Expiry: view.Pill{Tone: "off", Text: "never expires"}}
	if item.ExpiresOn == "" {
		return x
	}
	at, err := time.Parse(time.RFC3339, item.ExpiresOn)
	if err != nil {
		x.Expiry = view.Pill{Tone: "bad", Text: "no valid date: " + item.ExpiresOn}
		return x
	}
	x.Expires = now.Exact(at)
	switch left := at.Sub(now.Now); {
	case left <= 0:
		x.Expired, x.Expiry = true, view.Pill{Tone: "bad", Text: "expired " + Ago(-left)}
	case left < soon:
		x.Expiry = view.Pill{Tone: "warn", Text: "expires " + Until(left)}
	default:
		x.Expiry = view.Pill{Tone: "ok", Text: "expires " + Until(left)}
	}
	return x
}

func policyImages(list []imagePart) []view.PolicyImages {
	var out []view.PolicyImages
	for _, i := range list {
		out = append(out, view.PolicyImages{Name: nameOr(i.Name, i.ID), Images: i.pattern()})
	}
	return out
}
