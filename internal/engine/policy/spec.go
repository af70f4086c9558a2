package policy

// GateSpec describes a gate to clients, in v1's words.
type GateSpec struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	State       string        `json:"state"`
	Successor   *string       `json:"superceded_by"` // sic
	Triggers    []TriggerSpec `json:"triggers"`
}

// TriggerSpec describes a trigger.
type TriggerSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	State       string      `json:"state"`
	Successor   *string     `json:"superceded_by"`
	Parameters  []ParamSpec `json:"parameters"`
}

// ParamSpec describes a parameter.
type ParamSpec struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Example     any           `json:"example"`
	State       string        `json:"state"`
	Successor   *string       `json:"superceded_by"`
	Required    bool          `json:"required"`
	Validator   ValidatorSpec `json:"validator"`
}

// ValidatorSpec says what a parameter accepts; Criteria is a JSON schema.
type ValidatorSpec struct {
	Description string `json:"description"`
	Criteria    any    `json:"criteria"`
	Type        string `json:"type"`
}

func state(eol bool) string {
	if eol {
		return "eol"
	}
	return "active"
}

// Spec describes every gate, as GET /system/policy_spec answers.
func Spec() []GateSpec {
	list := make([]GateSpec, 0, len(gates))
	for _, g := range gates {
		gs := GateSpec{Name: g.name, Description: g.about, State: state(g.eol), Triggers: []TriggerSpec{}}
		if g.successor != "" {
			gs.Successor = &g.successor
		}
		for _, t := range g.triggers {
			ts := TriggerSpec{Name: t.name, Description: t.about, State: state(t.eol), Parameters: []ParamSpec{}}
			for _, p := range t.params {
				ts.Parameters = append(ts.Parameters, ParamSpec{
					Name: p.name, Description: p.about, Example: p.example, State: state(false), Required: p.required,
					Validator: ValidatorSpec{Description: p.is.about, Criteria: p.is.criteria, Type: p.is.kind},
				})
			}
			gs.Triggers = append(gs.Triggers, ts)
		}
		list = append(list, gs)
	}
	return list
}
