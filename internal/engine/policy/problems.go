package policy

// Problems validates the bundle as a whole: the document itself, and of its
// policies and whitelists those that a mapping refers to. A bundle that is
// posted is refused when there are any.
func (b *Bundle) Problems() []Problem {
	found := append([]Problem(nil), b.problems...)
	seen := map[string]bool{}
	for i := range b.Mappings {
		m := &b.Mappings[i]
		for _, id := range m.PolicyIDs {
			if !seen["p"+id] {
				seen["p"+id] = true
				_, more := b.policy(id)
				found = append(found, more...)
			}
		}
		for _, id := range m.WhitelistIDs {
			if !seen["w"+id] {
				seen["w"+id] = true
				_, more := b.whitelist(id)
				found = append(found, more...)
			}
		}
	}
	return found
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
		return []Problem{problem(ProblemReference, "a mapping refers to the %s %q, which the bundle does not have", kind, id)}
	case 1:
		return nil
	}
	return []Problem{problem(ProblemDuplicate, "the bundle has %d objects of kind %s with the id %q", n, kind, id)}
}
