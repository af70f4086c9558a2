package engine

// PolicyEdit is a change to one bundle by somebody who has seen a version of
// it: what was changed meanwhile is not overwritten.
type PolicyEdit struct {
	Account string
	// ID is the record's; empty: that of the document, which must be new.
	ID string
	// Seen is the digest of the version that was seen; empty: there must be no
	// bundle of that id.
	Seen string
	// Document replaces what is stored; nil: it stays.
	Document []byte
	// Activate makes the bundle the active one; without, it stays what it is.
	Activate bool
}

// BundleFault is one thing that is wrong with the text of a bundle.
type BundleFault struct {
	Type    string // as v1 names it, ValidationError and so on
	Details string
	Path    string // JSON pointer into the document; empty: the whole of it
	Line    int    // from 1
	Column  int    // from 1, in characters
	Warning bool   // the bundle is not refused for it
}

// PolicyGate describes a gate that rules may ask.
type PolicyGate struct {
	Name, About string
	Ended       bool   // past its end of life: its rules do not run
	Successor   string // of an ended one; may be empty
	Triggers    []PolicyTrigger
}

// PolicyTrigger is one question of a gate.
type PolicyTrigger struct {
	Name, About string
	Ended       bool
	Params      []PolicyParam
}

// PolicyParam is one parameter of a trigger.
type PolicyParam struct {
	Name, About string
	Example     string
	Required    bool
	Type        string   // of its validator, EnumString and so on
	Accepts     string   // in words
	Values      []string // all there are; nil: any that Accepts describes
	Pattern     string   // an expression that a value matches; may be empty
}
