package policy

import (
	"strings"

	"windlass/internal/engine/pattern"
)

// plan is what a bundle does with one image under one tag.
type plan struct {
	mapping                  *Mapping // nil: none matches
	policies                 []*Policy
	whitelists               []*Whitelist
	whitelisted, blacklisted *Selector
	problems                 []Problem
}

// plan chooses the mapping, the first that matches, and the rules of the image
// lists.
func (b *Bundle) plan(budget *pattern.Budget, tag, digest, id string) (plan, error) {
	var p plan
	of := origin(tag)
	of.digest, of.id = digest, id
	var err error
	if p.whitelisted, err = firstOf(budget, b.WhiteImages, of); err != nil {
		return p, err
	}
	if p.blacklisted, err = firstOf(budget, b.BlackImages, of); err != nil {
		return p, err
	}
	for i := range b.Mappings {
		m := &b.Mappings[i]
		ok, err := m.matches(budget, of)
		if err != nil {
			return p, err
		}
		if !ok {
			continue
		}
		p.mapping = m
		for _, id := range m.PolicyIDs {
			policy, problems := b.policy(id)
			p.policies = append(p.policies, policy)
			p.problems = append(p.problems, problems...)
		}
		for _, id := range m.WhitelistIDs {
			list, problems := b.whitelist(id)
			p.whitelists = append(p.whitelists, list)
			p.problems = append(p.problems, problems...)
		}
		break
	}
	return p, nil
}

// Needs says which facts an evaluation of an image will look at: those of the
// rules it will run.
func (b *Bundle) Needs(tag, digest, id string) Facts {
	if len(b.problems) > 0 {
		return 0
	}
	p, err := b.plan(pattern.NewBudget(matchingTime), tag, digest, id)
	if err != nil {
		return 0 // the evaluation fails the same way
	}
	var all Facts
	for _, policy := range p.policies {
		if policy == nil {
			continue
		}
		for _, r := range policy.Rules {
			if r.run != nil {
				all |= r.trigger.needs
			}
		}
	}
	return all
}

// place is where an image comes from and what it is.
type place struct{ registry, repository, tag, digest, id string }

// origin splits registry/repository:tag.
func origin(tag string) place {
	if rest, ok := strings.CutPrefix(tag, "dockerhub/"); ok {
		tag = "docker.io/" + rest
	}
	var p place
	rest := tag
	if host, after, ok := strings.Cut(tag, "/"); ok {
		p.registry, rest = host, after
	}
	p.repository = rest
	// The last part alone may hold a tag: a colon before a slash is a port.
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		p.repository, p.tag = rest[:i], rest[i+1:]
	}
	return p
}

func firstOf(b *pattern.Budget, list []Selector, of place) (*Selector, error) {
	for i := range list {
		if ok, err := list[i].matches(b, of); err != nil || ok {
			return &list[i], err
		}
	}
	return nil, nil
}

func (s *Selector) matches(b *pattern.Budget, of place) (bool, error) {
	if ok, err := s.registry.Match(b, of.registry); err != nil || !ok {
		return false, err
	}
	if ok, err := s.repository.Match(b, of.repository); err != nil || !ok {
		return false, err
	}
	switch s.Type {
	case "digest":
		return s.Value == of.digest, nil
	case "id":
		return s.Value == of.id, nil
	}
	return s.tag.Match(b, of.tag)
}
