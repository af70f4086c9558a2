package policy

import "strings"

// gate is a subject that rules may ask about.
type gate struct {
	name      string
	about     string
	eol       bool   // past its end of life: rules that name it do not run
	successor string // of one past its life; empty: none
	triggers  []*trigger
}

// trigger is one question of a gate.
type trigger struct {
	name   string
	about  string
	eol    bool
	params []param
	needs  Facts
	// text is what every file path that a rule fires on contains: all such texts
	// are looked for together. Optional.
	text func(args) string
	// compile reads the parameters once a rule; its error ends every evaluation
	// that reaches the rule.
	compile func(args) (firing, error)
}

// param is one parameter of a trigger, in the order of the specification.
type param struct {
	name     string
	alias    string // an older name that is accepted too
	about    string
	example  any // a text, or nil
	required bool
	is       validator
}

// firing looks at an image and reports each hit.
type firing func(c *context, emit func(hit)) error

// hit is one firing of a trigger.
type hit struct {
	id      string // trigger id; empty: the hash of the message
	ruled   string // a trigger id that the id of the rule stands before
	message string
	why     Why
	vex     *VEX
}

// fires is the compile of a trigger that cannot be given wrong parameters.
func fires(f func(args) firing) func(args) (firing, error) {
	return func(a args) (firing, error) { return f(a), nil }
}

// plain is the compile of a trigger without parameters.
func plain(f firing) func(args) (firing, error) {
	return func(args) (firing, error) { return f, nil }
}

// gates is the table of all gates: the active ones in the order of the
// specification, then those past their life.
var gates = append([]*gate{
	alwaysGate(),
	dockerfileGate(),
	filesGate(),
	rubyGemsGate(),
	metadataGate(),
	licensesGate(),
	malwareGate(),
	npmsGate(),
	packagesGate(),
	passwdGate(),
	retrievedGate(),
	secretsGate(),
	vulnerabilitiesGate(),
}, endedGates()...)

var gateIndex = func() map[string]*gate {
	m := make(map[string]*gate, len(gates))
	for _, g := range gates {
		m[g.name] = g
	}
	return m
}()

// gateNamed finds a gate whatever the case of its name.
func gateNamed(name string) *gate { return gateIndex[strings.ToLower(name)] }

func (g *gate) triggerNamed(name string) *trigger {
	for _, t := range g.triggers {
		if strings.EqualFold(t.name, name) {
			return t
		}
	}
	return nil
}

func (t *trigger) paramNamed(name string) *param {
	for i := range t.params {
		if p := &t.params[i]; p.name == name || p.alias != "" && p.alias == name {
			return p
		}
	}
	return nil
}
