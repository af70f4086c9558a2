package policy

import "fmt"

// Problems validates the bundle as a whole: the document itself, and of its
// policies and whitelists those that a mapping refers to. A bundle that is
// posted is refused when there are any.
func (b *Bundle) Problems() []Problem {
	found := append([]Problem(nil), b.problems...)
	seen := map[string]bool{}
	for i := range b.Mappings {
		m := &b.Mappings[i]
		for n, id := range m.PolicyIDs {
			if !seen["p"+id] {
				seen["p"+id] = true
				_, more := b.policy(id)
				found = append(found, located(more, m.policyPath(i, n))...)
			}
		}
		for n, id := range m.WhitelistIDs {
			if !seen["w"+id] {
				seen["w"+id] = true
				_, more := b.whitelist(id)
				found = append(found, located(more, fmt.Sprintf("/mappings/%d/whitelist_ids/%d", i, n))...)
			}
		}
	}
	return found
}

// Unused is what is wrong with policies and whitelists that no mapping refers
// to: a bundle is not refused for it, and nothing is judged by them.
func (b *Bundle) Unused() []Problem {
	used := map[string]bool{}
	for i := range b.Mappings {
		for _, id := range b.Mappings[i].PolicyIDs {
			used["p"+id] = true
		}
		for _, id := range b.Mappings[i].WhitelistIDs {
			used["w"+id] = true
		}
	}
	var found []Problem
	for i := range b.Policies {
		if p := &b.Policies[i]; !used["p"+p.ID] {
			found = append(found, p.problems...)
		}
	}
	for i := range b.Whitelists {
		if w := &b.Whitelists[i]; !used["w"+w.ID] {
			found = append(found, w.problems...)
		}
	}
	return found
}

// policyPath is where mapping i names its nth policy.
func (m *Mapping) policyPath(i, n int) string {
	switch {
	case m.one && n == 0:
		return fmt.Sprintf("/mappings/%d/policy_id", i)
	case m.one:
		n--
	}
	return fmt.Sprintf("/mappings/%d/policy_ids/%d", i, n)
}

// located gives a place to those problems that have none.
func located(list []Problem, path string) []Problem {
	out := append([]Problem(nil), list...)
	for i := range out {
		if out[i].Path == "" {
			out[i].Path = path
		}
	}
	return out
}

// policy finds the policy of an id with all that is wrong with it.
func (b *Bundle) policy(id string) (found *Policy, problems []Problem) {
	n := 0
	for i := range b.Policies {
		if p := &b.Policies[i]; p.ID == id {
			found, problems = p, p.problems
			n++
		}
	}
	return found, append(references("policy", id, n), problems...)
}

// whitelist finds the whitelist of an id with all that is wrong with it.
func (b *Bundle) whitelist(id string) (found *Whitelist, problems []Problem) {
	n := 0
	for i := range b.Whitelists {
		if w := &b.Whitelists[i]; w.ID == id {
			found, problems = w, w.problems
			n++
		}
	}
	return found, append(references("whitelist", id, n), problems...)
}

func references(kind, id string, n int) []Problem {
	switch n {
	case 0:
		return []Problem{problem("", ProblemReference, "a mapping refers to the %s %q, which the bundle does not have", kind, id)}
	case 1:
		return nil
	}
	return []Problem{problem("", ProblemDuplicate, "the bundle has %d objects of kind %s with the id %q", n, kind, id)}
}
