package present

import (
	"bytes"
	"encoding/json"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// PolicyGates shapes the reference; text keeps the triggers that mention it.
func PolicyGates(gates []engine.PolicyGate, text string) view.PolicyGates {
	v := view.PolicyGates{Text: text, Same: view.SameBy{API: "GET /v1/system/policy_spec", CLI: "anchore-cli policy describe --all"}}
	find := strings.ToLower(strings.TrimSpace(text))
	triggers := 0
	for _, g := range gates {
		pg := view.PolicyGate{DOMID: gateAnchor(g.Name, ""), Name: g.Name, About: g.About}
		if g.Ended {
			if pg.Ended = "At its end of life: rules that name it do not run."; g.Successor != "" {
				pg.Ended += " " + g.Successor + " came after it."
			}
		}
		whole := find == "" || mentions(find, g.Name, g.About)
		for _, t := range g.Triggers {
			if pt := policyTrigger(g, t); whole || triggerMentions(find, t) {
				pg.Triggers = append(pg.Triggers, pt)
			}
		}
		if !whole && len(pg.Triggers) == 0 {
			continue
		}
		triggers += len(pg.Triggers)
		v.Gates = append(v.Gates, pg)
		v.Index = append(v.Index, view.Fact{Name: g.Name, Text: Count(len(pg.Triggers)), Href: "#" + pg.DOMID})
	}
	v.None = len(v.Gates) == 0
	v.Sub = Plural(len(v.Gates), "gate", "gates") + ", " + Plural(triggers, "trigger", "triggers")
	return v
}

func mentions(find string, texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), find) {
			return true
		}
	}
	return false
}

func triggerMentions(find string, t engine.PolicyTrigger) bool {
	if mentions(find, t.Name, t.About) {
		return true
	}
	for _, p := range t.Params {
		if mentions(find, p.Name, p.About) || mentions(find, p.Values...) {
			return true
		}
	}
	return false
}

func policyTrigger(g engine.PolicyGate, t engine.PolicyTrigger) view.PolicyTrigger {
	v := view.PolicyTrigger{DOMID: gateAnchor(g.Name, t.Name), Name: t.Name, About: t.About, Ended: t.Ended}
	for _, p := range t.Params {
		v.Params = append(v.Params, view.PolicyParam{
			Name: p.Name, About: p.About, Accepts: p.Accepts, Example: p.Example, Required: p.Required, Type: p.Type, Values: p.Values, Pattern: p.Pattern,
		})
	}
	if !t.Ended {
		v.Rule = PolicyRuleText(g, t)
	}
	return v
}

// PolicyRuleText is a rule that asks a trigger, to begin with: with those
// parameters that must be given, or that have an example.
func PolicyRuleText(g engine.PolicyGate, t engine.PolicyTrigger) string {
	type param struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	rule := struct {
		Action  string  `json:"action"`
		Gate    string  `json:"gate"`
		Trigger string  `json:"trigger"`
		Params  []param `json:"params"`
	}{Action: "WARN", Gate: g.Name, Trigger: t.Name, Params: []param{}}
	for _, p := range t.Params {
		value := p.Example
		if value == "" && len(p.Values) > 0 {
			value = p.Values[0]
		}
		if p.Required {
			rule.Params = append(rule.Params, param{p.Name, value})
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(rule); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// PolicyGateNames are the gates that rules can be written for.
func PolicyGateNames(gates []engine.PolicyGate) []view.PolicyGateName {
	var list []view.PolicyGateName
	for _, g := range gates {
		if g.Ended {
			continue
		}
		n := view.PolicyGateName{Name: g.Name}
		for _, t := range g.Triggers {
			if !t.Ended {
				n.Triggers = append(n.Triggers, view.PolicyTriggerName{Name: t.Name, Rule: PolicyRuleText(g, t)})
			}
		}
		list = append(list, n)
	}
	return list
}

// PolicyWord is a gate for the editor to complete: its triggers, their
// parameters, and the values these take where they are few.
type PolicyWord struct {
	Name     string              `json:"name"`
	About    string              `json:"about"`
	Triggers []PolicyTriggerWord `json:"triggers"`
}

// PolicyTriggerWord is a trigger to complete.
type PolicyTriggerWord struct {
	Name   string            `json:"name"`
	About  string            `json:"about"`
	Params []PolicyParamWord `json:"params"`
}

// PolicyParamWord is a parameter to complete.
type PolicyParamWord struct {
	Name   string   `json:"name"`
	About  string   `json:"about"`
	Values []string `json:"values,omitempty"`
}

// PolicyWords is what the editor may offer.
func PolicyWords(gates []engine.PolicyGate) []PolicyWord {
	list := []PolicyWord{}
	for _, g := range gates {
		if g.Ended {
			continue
		}
		w := PolicyWord{Name: g.Name, About: g.About, Triggers: []PolicyTriggerWord{}}
		for _, t := range g.Triggers {
			if t.Ended {
				continue
			}
			tw := PolicyTriggerWord{Name: t.Name, About: t.About, Params: []PolicyParamWord{}}
			for _, p := range t.Params {
				tw.Params = append(tw.Params, PolicyParamWord{Name: p.Name, About: p.About, Values: p.Values})
			}
			w.Triggers = append(w.Triggers, tw)
		}
		list = append(list, w)
	}
	return list
}
