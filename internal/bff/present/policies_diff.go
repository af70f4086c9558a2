package present

import (
	"fmt"
	"slices"
	"strings"

	"windlass/web/templates/view"
)

// PolicyStructure compares two documents part by part: what a person would say
// was changed, whatever the order of their keys.
func PolicyStructure(old, now PolicyDocument) []view.PolicyDiffGroup {
	var groups []view.PolicyDiffGroup
	add := func(title string, list []view.PolicyDiffItem) {
		if len(list) > 0 {
			groups = append(groups, view.PolicyDiffGroup{Title: title, List: list})
		}
	}
	var head []view.PolicyDiffItem
	for _, f := range []struct{ name, old, now string }{
		{"Name", old.Name, now.Name}, {"Comment", old.Comment, now.Comment}, {"Description", old.Description, now.Description}, {"Version", old.Version, now.Version},
	} {
		if f.old != f.now {
			head = append(head, diffItem("changed", f.name, was(f.old, f.now)))
		}
	}
	add("Bundle", head)
	add("Mappings", diffMappings(old, now))
	for _, p := range now.Policies {
		i := slices.IndexFunc(old.Policies, func(o policyPart) bool { return o.ID == p.ID })
		if i < 0 {
			add("Policy "+nameOr(p.Name, p.ID), append([]view.PolicyDiffItem{diffItem("added", "The policy is new")}, diffRules(nil, p.Rules)...))
			continue
		}
		var list []view.PolicyDiffItem
		if o := old.Policies[i]; o.Name != p.Name {
			list = append(list, diffItem("changed", "Name", was(o.Name, p.Name)))
		}
		add("Policy "+nameOr(p.Name, p.ID), append(list, diffRules(old.Policies[i].Rules, p.Rules)...))
	}
	for _, p := range old.Policies {
		if !slices.ContainsFunc(now.Policies, func(n policyPart) bool { return n.ID == p.ID }) {
			add("Policy "+nameOr(p.Name, p.ID), []view.PolicyDiffItem{diffItem("removed", "The policy is gone, with "+Plural(len(p.Rules), "rule", "rules"))})
		}
	}
	for _, w := range now.Whitelists {
		i := slices.IndexFunc(old.Whitelists, func(o whitelistPart) bool { return o.ID == w.ID })
		var before []itemPart
		var list []view.PolicyDiffItem
		if i >= 0 {
			before = old.Whitelists[i].Items
			if o := old.Whitelists[i]; o.Name != w.Name {
				list = append(list, diffItem("changed", "Name", was(o.Name, w.Name)))
			}
		} else {
			list = append(list, diffItem("added", "The whitelist is new"))
		}
		add("Whitelist "+nameOr(w.Name, w.ID), append(list, diffItems(before, w.Items)...))
	}
	for _, w := range old.Whitelists {
		if !slices.ContainsFunc(now.Whitelists, func(n whitelistPart) bool { return n.ID == w.ID }) {
			add("Whitelist "+nameOr(w.Name, w.ID), []view.PolicyDiffItem{diffItem("removed", "The whitelist is gone, with "+Plural(len(w.Items), "exception", "exceptions"))})
		}
	}
	add("Images that always pass", diffImages(old.Passing, now.Passing))
	add("Images that always fail", diffImages(old.Failing, now.Failing))
	return groups
}

func diffItem(kind, text string, details ...string) view.PolicyDiffItem {
	i := view.PolicyDiffItem{Kind: kind, Text: text, Details: details}
	switch kind {
	case "added":
		i.Mark, i.KindText = "+", "Added"
	case "removed":
		i.Mark, i.KindText = "-", "Removed"
	case "moved":
		i.Mark, i.KindText = "↕", "Moved"
	default:
		i.Mark, i.KindText = "~", "Changed"
	}
	return i
}

func was(old, now string) string { return orEmpty(old) + " → " + orEmpty(now) }

func orEmpty(s string) string {
	if s == "" {
		return "(empty)"
	}
	return s
}

// pair finds for each of now which of old it was: by its id first, then by its
// content; -1: it is new. gone are those of old that are none any more.
func pair[T any](old, now []T, id, content func(T) string) (of []int, gone []int) {
	of = make([]int, len(now))
	taken := make([]bool, len(old))
	claim := func(key func(T) string) {
		at := map[string][]int{}
		for i, o := range old {
			if k := key(o); k != "" && !taken[i] {
				at[k] = append(at[k], i)
			}
		}
		for n := range now {
			if of[n] >= 0 {
				continue
			}
			if k := key(now[n]); k != "" && len(at[k]) > 0 {
				of[n], at[k] = at[k][0], at[k][1:]
				taken[of[n]] = true
			}
		}
	}
	for n := range of {
		of[n] = -1
	}
	claim(id)
	claim(content)
	for i := range old {
		if !taken[i] {
			gone = append(gone, i)
		}
	}
	return of, gone
}

func diffRules(old, now []rulePart) []view.PolicyDiffItem {
	var list []view.PolicyDiffItem
	of, gone := pair(old, now, func(r rulePart) string { return r.ID }, ruleText)
	for n, r := range now {
		if of[n] < 0 {
			list = append(list, diffItem("added", ruleText(r)))
			continue
		}
		if o := old[of[n]]; ruleText(o) != ruleText(r) {
			list = append(list, diffItem("changed", ruleText(r), ruleChanges(o, r)...))
		}
	}
	for _, i := range gone {
		list = append(list, diffItem("removed", ruleText(old[i])))
	}
	return list
}

// ruleChanges says what is another in a rule.
func ruleChanges(o, r rulePart) []string {
	var list []string
	if !sameAction(o.Action, r.Action) {
		_, a := actionTone(o.Action)
		_, b := actionTone(r.Action)
		list = append(list, "action: "+a+" → "+b)
	}
	if o.Gate != r.Gate || o.Trigger != r.Trigger {
		return append(list, "asked "+o.Gate+": "+o.Trigger+" before")
	}
	of, gone := pair(o.Params, r.Params, func(p paramPart) string { return strings.ToLower(p.Name) }, func(paramPart) string { return "" })
	for n, p := range r.Params {
		switch {
		case of[n] < 0:
			list = append(list, p.Name+": "+orEmpty(p.text())+" is new")
		case o.Params[of[n]].text() != p.text():
			list = append(list, p.Name+": "+was(o.Params[of[n]].text(), p.text()))
		}
	}
	for _, i := range gone {
		list = append(list, o.Params[i].Name+": "+orEmpty(o.Params[i].text())+" is gone")
	}
	return list
}

func itemText(i itemPart) string { return i.Gate + ": " + i.TriggerID }

func diffItems(old, now []itemPart) []view.PolicyDiffItem {
	var list []view.PolicyDiffItem
	of, gone := pair(old, now, func(i itemPart) string { return i.ID }, itemText)
	for n, x := range now {
		if of[n] < 0 {
			list = append(list, diffItem("added", itemText(x), itemDetails(x)...))
			continue
		}
		o := old[of[n]]
		var details []string
		for _, f := range []struct{ name, old, now string }{
			{"exception", itemText(o), itemText(x)}, {"reason", o.Reason, x.Reason}, {"expires", o.ExpiresOn, x.ExpiresOn},
		} {
			if f.old != f.now {
				details = append(details, f.name+": "+was(f.old, f.now))
			}
		}
		if details != nil {
			list = append(list, diffItem("changed", itemText(x), details...))
		}
	}
	for _, i := range gone {
		list = append(list, diffItem("removed", itemText(old[i])))
	}
	return list
}

func itemDetails(x itemPart) []string {
	var list []string
	if x.Reason != "" {
		list = append(list, x.Reason)
	}
	if x.ExpiresOn != "" {
		list = append(list, "until "+x.ExpiresOn)
	}
	return list
}

func diffMappings(old, now PolicyDocument) []view.PolicyDiffItem {
	var list []view.PolicyDiffItem
	of, gone := pair(old.Mappings, now.Mappings, func(m mappingPart) string { return m.ID }, func(m mappingPart) string { return nameOr(m.Name, m.pattern()) })
	last := -1
	for n, m := range now.Mappings {
		text := fmt.Sprintf("%d. %s: %s", n+1, nameOr(m.Name, m.ID), m.pattern())
		if of[n] < 0 {
			list = append(list, diffItem("added", text))
			continue
		}
		o := old.Mappings[of[n]]
		var details []string
		for _, f := range []struct{ name, old, now string }{
			{"images", o.pattern(), m.pattern()}, {"name", o.Name, m.Name},
			{"policies", strings.Join(o.policies(), ", "), strings.Join(m.policies(), ", ")},
			{"whitelists", strings.Join(o.WhitelistIDs, ", "), strings.Join(m.WhitelistIDs, ", ")},
		} {
			if f.old != f.now {
				details = append(details, f.name+": "+was(f.old, f.now))
			}
		}
		switch {
		case details != nil:
			list = append(list, diffItem("changed", text, details...))
		case of[n] < last:
			// The first mapping that matches counts, so order is content.
			list = append(list, diffItem("moved", text, fmt.Sprintf("it stood at %d", of[n]+1)))
		}
		last = max(last, of[n])
	}
	for _, i := range gone {
		m := old.Mappings[i]
		list = append(list, diffItem("removed", fmt.Sprintf("%d. %s: %s", i+1, nameOr(m.Name, m.ID), m.pattern())))
	}
	return list
}

func diffImages(old, now []imagePart) []view.PolicyDiffItem {
	var list []view.PolicyDiffItem
	of, gone := pair(old, now, func(i imagePart) string { return i.ID }, func(i imagePart) string { return i.pattern() })
	text := func(i imagePart) string { return nameOr(i.Name, i.ID) + ": " + i.pattern() }
	for n, i := range now {
		switch {
		case of[n] < 0:
			list = append(list, diffItem("added", text(i)))
		case text(old[of[n]]) != text(i):
			list = append(list, diffItem("changed", text(i), "it was "+text(old[of[n]])))
		}
	}
	for _, i := range gone {
		list = append(list, diffItem("removed", text(old[i])))
	}
	return list
}
