package present

import (
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// GateHref is the address of a gate, or with a trigger of that, in the reference.
func GateHref(gate, trigger string) string {
	return PoliciesHref + "/gates#" + gateAnchor(gate, trigger)
}

func gateAnchor(gate, trigger string) string {
	a := DOMID("gate", strings.ToLower(gate))
	if trigger != "" {
		a += "-" + strings.TrimPrefix(DOMID("", strings.ToLower(trigger)), "-")
	}
	return a
}

// policyRule makes a sentence of a rule.
func policyRule(r rulePart, gates []engine.PolicyGate) view.PolicyRule {
	v := view.PolicyRule{ID: r.ID, Gate: r.Gate, Trigger: r.Trigger, Says: phrases(r.Params)}
	v.Tone, v.Action = actionTone(r.Action)
	g, t := findTrigger(gates, r.Gate, r.Trigger)
	switch {
	case g == nil || t == nil:
		v.Unknown = true
	case t.Ended:
		v.Ended = "has reached its end of life: the rule does not run"
		if g.Successor != "" {
			v.Ended += "; " + g.Successor + " came after it"
		}
	}
	if t != nil {
		v.About, v.Href = t.About, GateHref(g.Name, t.Name)
	}
	return v
}

func findTrigger(gates []engine.PolicyGate, gate, trigger string) (*engine.PolicyGate, *engine.PolicyTrigger) {
	for i := range gates {
		if !strings.EqualFold(gates[i].Name, gate) {
			continue
		}
		for n := range gates[i].Triggers {
			if strings.EqualFold(gates[i].Triggers[n].Name, trigger) {
				return &gates[i], &gates[i].Triggers[n]
			}
		}
		return &gates[i], nil
	}
	return nil, nil
}

// actionTone is an action of a rule or a verdict, for a pill.
func actionTone(action string) (tone, text string) {
	switch strings.ToLower(action) {
	case engine.ActionStop:
		return "bad", "Stop"
	case engine.ActionWarn:
		return "warn", "Warn"
	case engine.ActionGo:
		return "ok", "Go"
	}
	return "off", action
}

// phrases makes conditions of parameters. A parameter x_comparison is the
// operator of x; true and false are said by the name alone.
func phrases(params []paramPart) []view.PolicyPhrase {
	ops := map[string]string{}
	has := map[string]bool{}
	for _, p := range params {
		has[strings.ToLower(p.Name)] = true
	}
	for _, p := range params {
		if of, ok := strings.CutSuffix(strings.ToLower(p.Name), "_comparison"); ok && has[of] {
			ops[of] = operator(p.text())
		}
	}
	var list []view.PolicyPhrase
	for _, p := range params {
		name := strings.ToLower(p.Name)
		if of, ok := strings.CutSuffix(name, "_comparison"); ok && has[of] {
			continue
		}
		words, value := strings.ReplaceAll(name, "_", " "), p.text()
		switch {
		case ops[name] != "":
			list = append(list, view.PolicyPhrase{Name: words, Op: ops[name], Value: value})
		case strings.EqualFold(value, "true"):
			list = append(list, view.PolicyPhrase{Name: words})
		case strings.EqualFold(value, "false"):
			list = append(list, view.PolicyPhrase{Name: "not " + words})
		default:
			list = append(list, view.PolicyPhrase{Name: words, Op: ":", Value: value})
		}
	}
	return list
}

func operator(s string) string {
	switch s {
	case ">=":
		return "≥"
	case "<=":
		return "≤"
	case "!=":
		return "≠"
	}
	return s
}

// ruleText is a rule in one line.
func ruleText(r rulePart) string {
	_, action := actionTone(r.Action)
	s := action + " when " + r.Gate + ": " + r.Trigger
	for i, p := range phrases(r.Params) {
		if s += ", "; i == 0 {
			s = strings.TrimSuffix(s, ", ") + " — "
		}
		s += phraseText(p)
	}
	return s
}

func phraseText(p view.PolicyPhrase) string {
	switch p.Op {
	case "":
		return p.Name
	case ":":
		return p.Name + ": " + p.Value
	}
	return p.Name + " " + p.Op + " " + p.Value
}
