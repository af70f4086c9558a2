package policy

import (
	"encoding/json"
	"time"

	"windlass/internal/engine/pattern"
)

// Bundle is a policy bundle, ready to evaluate. It is not changed after Parse,
// so goroutines may share it.
type Bundle struct {
	ID          string
	Name        string
	Version     string
	Description string
	Policies    []Policy
	Whitelists  []Whitelist
	Mappings    []Mapping
	WhiteImages []Selector // whitelisted_images
	BlackImages []Selector // blacklisted_images

	problems []Problem // of the document as a whole
}

// Policy is a list of rules.
type Policy struct {
	ID, Name, Version string
	Rules             []Rule

	groups   [][]int  // rules by gate, in the order in which gates first appear
	texts    []string // that the rules look for in file paths
	problems []Problem
}

// Rule runs one trigger and asks for an action when it fires.
type Rule struct {
	ID     string
	Gate   string // as written
	Action Action
	Name   string // of the trigger, as written
	Params []Param

	gate    *gate    // nil: unknown, or past its life
	trigger *trigger // likewise
	run     firing   // nil: not to be run
	text    string   // that it looks for in file paths; empty: none
	err     error    // what keeps it from running: the evaluation fails when it is reached
	eol     *Problem // the gate or the trigger has reached its end of life
}

// Param is a parameter of a rule, its name in lower case.
type Param struct {
	Name  string
	Value string

	text bool // false: the document has something else than a text
}

// Whitelist is a list of exceptions.
type Whitelist struct {
	ID, Name, Version string
	Items             []Item

	index    map[string]*exceptions // by gate in lower case
	problems []Problem
}

// Item excepts what it names. Expiry is enforced; the reason is shown.
type Item struct {
	ID        string
	Gate      string
	TriggerID string
	ExpiresOn string
	Reason    string

	expires time.Time
}

// Mapping says which policies and whitelists an image is judged by.
type Mapping struct {
	Selector
	PolicyIDs    []string
	WhitelistIDs []string

	one, many bool // policy_id, policy_ids were given
}

// Selector chooses images by where they come from and what they are.
type Selector struct {
	ID         string
	Name       string
	Registry   string
	Repository string
	Type       string          // tag, digest or id
	Value      string          // a pattern when Type is tag
	Raw        json.RawMessage // as written in the bundle

	registry, repository, tag *pattern.Glob
}
