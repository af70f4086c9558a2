package view

// PolicyGates is the reference of gates.
type PolicyGates struct {
	Sub   string
	Text  string // what was searched for
	Gates []PolicyGate
	None  bool
	Index []Fact
	Same  SameBy
}

// PolicyGateName is a gate with its triggers, for lists to choose from.
type PolicyGateName struct {
	Name     string
	Triggers []PolicyTriggerName
}

// PolicyTriggerName is a trigger and a rule that asks it, as JSON.
type PolicyTriggerName struct{ Name, Rule string }

// PolicyGate is one gate.
type PolicyGate struct {
	DOMID, Name, About string
	Ended              string // past its life, and what came after it
	Triggers           []PolicyTrigger
}

// PolicyTrigger is one trigger of a gate.
type PolicyTrigger struct {
	DOMID, Name, About string
	Ended              bool
	Params             []PolicyParam
	Rule               string // an example rule, as JSON
}

// PolicyParam is one parameter of a trigger.
type PolicyParam struct {
	Name, About, Accepts, Example string
	Required                      bool
	Type                          string
	Values                        []string
	Pattern                       string
}
