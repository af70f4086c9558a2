package policy

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"time"

	"windlass/internal/engine/pattern"
)

// matchingTime is what the patterns and regular expressions of one evaluation
// may take together. Honest ones take milliseconds over the largest image.
const matchingTime = 10 * time.Second

// maxRows keeps rules that fire on every file from filling the memory. An
// evaluation that has more fails: a verdict that leaves rows out would lie.
const maxRows = 200_000

// Evaluate judges an image under one of its tags (registry/repository:tag).
// Problems that v1 reports with the result are in the verdict; an error means
// that there is no result at all, as when a rule's regular expression is bad.
func Evaluate(b *Bundle, tag string, img *Image, now time.Time) (Verdict, error) {
	budget := pattern.NewBudget(matchingTime)
	v := Verdict{Action: Go, PolicyAction: Go, Reason: ReasonPolicy}
	if len(b.problems) > 0 {
		return v.broken(b.problems), nil
	}
	p, err := b.plan(budget, tag, img.Digest, img.ID)
	if err != nil {
		return Verdict{}, err
	}
	v.Mapping, v.Whitelisted, v.Blacklisted = p.mapping, p.whitelisted, p.blacklisted
	if p.mapping != nil {
		for _, problem := range p.problems {
			if problem.Type != ProblemEndOfLife {
				return v.broken(p.problems), nil
			}
		}
		v.Problems = p.problems
		e := evaluation{context: context{image: img, now: now, budget: budget}, lists: p.whitelists, verdict: &v}
		for _, policy := range p.policies {
			e.texts = append(e.texts, policy.texts...)
		}
		for _, policy := range p.policies {
			if err := e.run(policy); err != nil {
				return Verdict{}, fmt.Errorf("evaluate policy %q: %w", policy.ID, err)
			}
		}
	}
	v.Action = v.PolicyAction
	switch {
	case v.Blacklisted != nil:
		v.Action, v.Reason = Stop, ReasonBlacklisted
	case v.Whitelisted != nil:
		v.Action, v.Reason = Go, ReasonWhitelisted
	}
	return v, nil
}

// broken is the verdict by a bundle that cannot be used.
func (v Verdict) broken(problems []Problem) Verdict {
	v.Action, v.PolicyAction, v.Problems = Stop, Stop, problems
	return v
}

// evaluation is one run of a mapping's policies over one image.
type evaluation struct {
	context
	lists   []*Whitelist
	verdict *Verdict
}

// run runs a policy's rules, gate by gate.
func (e *evaluation) run(p *Policy) error {
	for _, group := range p.groups {
		for _, i := range group {
			r := &p.Rules[i]
			if r.err != nil {
				return fmt.Errorf("rule %q: %w", r.ID, r.err)
			}
			var failed error
			err := r.run(&e.context, func(h hit) {
				if failed == nil {
					failed = e.add(p, r, h)
				}
			})
			if failed != nil {
				err = failed
			}
			if err != nil {
				return fmt.Errorf("rule %q, %s %s: %w", r.ID, r.gate.name, r.trigger.name, err)
			}
		}
	}
	return nil
}

// add makes a row of a hit and sets it aside when an exception applies.
func (e *evaluation) add(p *Policy, r *Rule, h hit) error {
	if len(e.verdict.Rows) >= maxRows {
		return fmt.Errorf("more than %d rows", maxRows)
	}
	row := Row{
		TriggerID: h.id, Gate: r.gate.name, Trigger: r.trigger.name, Output: h.message,
		Action: r.Action, PolicyID: p.ID, Why: h.why,
	}
	switch {
	case h.ruled != "":
		row.TriggerID = r.ID + "+" + h.ruled
	case h.id == "":
		sum := md5.Sum([]byte(row.Gate + row.Trigger + row.Output))
		row.TriggerID = hex.EncodeToString(sum[:])
	}
	row.Why.RuleID, row.Why.Ruled = r.ID, r.Action
	var err error
	if row.Exception, err = exceptionOf(e.budget, e.lists, &row, e.now); err != nil {
		return err
	}
	if row.Exception == nil && h.vex.clears() {
		row.Exception = &Exception{WhitelistID: h.vex.Document, WhitelistName: "VEX", ItemID: h.vex.Statement, Reason: h.vex.Justification}
	}
	if row.Exception != nil {
		row.Action = Go
	}
	e.verdict.PolicyAction = worse(e.verdict.PolicyAction, row.Action)
	e.verdict.Rows = append(e.verdict.Rows, row)
	return nil
}

// clears reports whether a statement sets a match aside.
func (v *VEX) clears() bool {
	return v != nil && (v.Status == "not_affected" || v.Status == "fixed")
}
