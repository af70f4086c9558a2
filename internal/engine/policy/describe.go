package policy

import (
	"slices"

	"windlass/internal/engine"
)

// Gates describes every gate in the engine's vocabulary, for those who help
// somebody write rules; Spec does so for clients.
func Gates() []engine.PolicyGate {
	list := make([]engine.PolicyGate, 0, len(gates))
	for _, g := range gates {
		pg := engine.PolicyGate{Name: g.name, About: g.about, Ended: g.eol, Successor: g.successor}
		for _, t := range g.triggers {
			pt := engine.PolicyTrigger{Name: t.name, About: t.about, Ended: g.eol || t.eol}
			for _, p := range t.params {
				pp := engine.PolicyParam{Name: p.name, About: p.about, Required: p.required, Type: p.is.kind, Accepts: p.is.about}
				pp.Example, _ = p.example.(string)
				if s, ok := p.is.criteria.(schema); ok {
					pp.Values, pp.Pattern = slices.Clone(s.Enum), s.Pattern
				}
				pt.Params = append(pt.Params, pp)
			}
			pg.Triggers = append(pg.Triggers, pt)
		}
		list = append(list, pg)
	}
	return list
}
