package evaluation

import (
	"cmp"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// JudgementOf is an evaluation as people look at it. What the bundle's document
// adds to the stored result, names and the parameters of rules, is left out
// when the document is gone.
func JudgementOf(e engine.Evaluation) engine.Judgement {
	r := ResultOf(e)
	b, err := policy.Parse(e.Bundle)
	if err != nil {
		b = &policy.Bundle{}
	}
	v := engine.Judgement{
		Policy: e.Policy, PolicyName: b.Name, Digest: e.Digest, Tag: e.Tag, Active: e.Active, At: e.At,
		Action: string(r.Action), PolicyAction: string(r.PolicyAction), Reason: r.Reason,
		Whitelisted: ruleOf(r.Whitelisted), Blacklisted: ruleOf(r.Blacklisted),
	}
	var lists []string
	if m := r.Mapping; m != nil {
		v.Mapping, lists = ruleOf(&m.Selector), m.WhitelistIDs
		for _, id := range m.PolicyIDs {
			v.Policies = append(v.Policies, engine.NamedID{ID: id, Name: policyName(b, id)})
		}
		for _, id := range m.WhitelistIDs {
			v.Whitelists = append(v.Whitelists, engine.NamedID{ID: id, Name: whitelistName(b, id)})
		}
	}
	for _, p := range r.Problems {
		v.Problems = append(v.Problems, engine.JudgementProblem{Severity: p.Severity, Type: p.Type, Details: p.Details})
	}
	lapsed := b.Lapsed(lists, r.At)
	rules := paramsOf(b)
	v.Rows = make([]engine.JudgementRow, len(r.Rows))
	for n := range r.Rows {
		row := &r.Rows[n]
		out := plainRow(row)
		out.Policy.Name = policyName(b, row.PolicyID)
		out.Params = rules[ruleKey{row.PolicyID, row.Why.RuleID, row.Gate, row.Trigger}]
		if row.Exception == nil {
			out.Lapsed = exceptionOf(lapsed.Of(row.Gate, row.TriggerID))
		}
		v.Rows[n] = out
	}
	return v
}

func plainRow(r *policy.Row) engine.JudgementRow {
	w := r.Why
	return engine.JudgementRow{
		TriggerID: r.TriggerID, Gate: r.Gate, Trigger: r.Trigger, Message: r.Output, Action: string(r.Action),
		Policy: engine.NamedID{ID: r.PolicyID}, Rule: w.RuleID, Ruled: cmp.Or(string(w.Ruled), string(r.Action)), Exception: exceptionOf(r.Exception),
		Why: engine.JudgementWhy{
			Record: w.Record, Namespace: w.Namespace, Package: w.Package, Version: w.Version, Path: w.Path,
			Against: w.Against, Fix: w.Fix, Matcher: w.Matcher,
		},
	}
}

func exceptionOf(x *policy.Exception) *engine.JudgementException {
	if x == nil {
		return nil
	}
	return &engine.JudgementException{
		List: engine.NamedID{ID: x.WhitelistID, Name: x.WhitelistName}, Item: x.ItemID, Reason: x.Reason, Expires: x.ExpiresAt,
		VEX: x.WhitelistName == vexList,
	}
}

// vexList is what stands for a whitelist's name when a statement of a VEX
// document set a row aside.
const vexList = "VEX"

func ruleOf(s *policy.Selector) *engine.JudgementRule {
	if s == nil {
		return nil
	}
	images := s.Registry + "/" + s.Repository
	switch s.Type {
	case "digest":
		images += "@" + s.Value
	case "id":
		images += ", id " + s.Value
	default:
		images += ":" + s.Value
	}
	return &engine.JudgementRule{ID: s.ID, Name: s.Name, Images: images}
}

func policyName(b *policy.Bundle, id string) string {
	at := slices.IndexFunc(b.Policies, func(p policy.Policy) bool { return p.ID == id })
	if at < 0 {
		return ""
	}
	return b.Policies[at].Name
}

func whitelistName(b *policy.Bundle, id string) string {
	at := slices.IndexFunc(b.Whitelists, func(w policy.Whitelist) bool { return w.ID == id })
	if at < 0 {
		return ""
	}
	return b.Whitelists[at].Name
}

type ruleKey struct{ policy, id, gate, trigger string }

// paramsOf is the parameters of the rules. Rules need no id, and several may
// have the same: of those it cannot be told which one fired, and none is given.
func paramsOf(b *policy.Bundle) map[ruleKey][]engine.JudgementParam {
	params := map[ruleKey][]engine.JudgementParam{}
	seen := map[ruleKey]bool{}
	for _, p := range b.Policies {
		for _, r := range p.Rules {
			k := ruleKey{p.ID, r.ID, strings.ToLower(r.Gate), strings.ToLower(r.Name)}
			if seen[k] {
				params[k] = nil
				continue
			}
			seen[k] = true
			for _, param := range r.Params {
				params[k] = append(params[k], engine.JudgementParam{Name: param.Name, Value: param.Value})
			}
		}
	}
	return params
}
