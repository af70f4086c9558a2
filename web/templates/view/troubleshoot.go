package view

// Troubleshoot is the guide: every check with its answer.
type Troubleshoot struct {
	Pill     Pill
	Text     string // how many are how
	Problems []Problem
	Checks   []Check
	Report   string // as text, to copy
	Bundle   bool   // the support bundle is offered
	Same     SameBy
}

// Problem leads to a check that did not pass.
type Problem struct{ Title, Href, Tone string }

// Check is one question with its answer.
type Check struct {
	ID, Title, Summary string
	Tone, Word, Icon   string
	Open               bool // its evidence is shown at once
	Facts              []CheckFact
	Evidence           string // how many facts
	Steps              []CheckStep
	At                 Time
	Took               string
	Run                string // label of its button
}

// CheckFact is a piece of evidence.
type CheckFact struct {
	Name, Value, Href string
	Tone, Word        string
	At                Time
}

// CheckStep is a link (Href), a form (Action), or words alone.
type CheckStep struct {
	Text         string
	Href, Icon   string
	Action       string
	Field, Value string // of the form, beside the token
	Slow         string // what is said of how long it takes
	Main         bool
}
