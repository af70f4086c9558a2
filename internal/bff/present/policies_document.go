package present

import (
	"encoding/json"
	"strings"
)

// PolicyDocument is a bundle's document as far as pages show it. Reading it
// judges nothing: that is the engine's.
type PolicyDocument struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Comment     string          `json:"comment"`
	Description string          `json:"description"`
	Policies    []policyPart    `json:"policies"`
	Whitelists  []whitelistPart `json:"whitelists"`
	Mappings    []mappingPart   `json:"mappings"`
	Passing     []imagePart     `json:"whitelisted_images"`
	Failing     []imagePart     `json:"blacklisted_images"`
}

type policyPart struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Comment string     `json:"comment"`
	Rules   []rulePart `json:"rules"`
}

type rulePart struct {
	ID      string      `json:"id"`
	Gate    string      `json:"gate"`
	Trigger string      `json:"trigger"`
	Action  string      `json:"action"`
	Params  []paramPart `json:"params"`
}

type paramPart struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// text is the value for reading, whatever it is.
func (p paramPart) text() string {
	var s string
	if json.Unmarshal(p.Value, &s) == nil {
		return s
	}
	return string(p.Value)
}

type whitelistPart struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Comment string     `json:"comment"`
	Items   []itemPart `json:"items"`
}

type itemPart struct {
	ID        string `json:"id"`
	Gate      string `json:"gate"`
	TriggerID string `json:"trigger_id"`
	Reason    string `json:"reason"`
	ExpiresOn string `json:"expires_on"`
}

type imagePart struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Image      struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	} `json:"image"`
}

// pattern is the images that a rule is about, as one text.
func (i imagePart) pattern() string {
	sep := ":"
	switch i.Image.Type {
	case "digest":
		sep = "@"
	case "id":
		sep = " with id "
	}
	return i.Registry + "/" + i.Repository + sep + i.Image.Value
}

func (i imagePart) all() bool {
	return i.Registry == "*" && i.Repository == "*" && i.Image.Type == "tag" && i.Image.Value == "*"
}

type mappingPart struct {
	imagePart
	PolicyID     string   `json:"policy_id"`
	PolicyIDs    []string `json:"policy_ids"`
	WhitelistIDs []string `json:"whitelist_ids"`
}

func (m mappingPart) policies() []string {
	if m.PolicyID == "" {
		return m.PolicyIDs
	}
	return append([]string{m.PolicyID}, m.PolicyIDs...)
}

// ReadPolicy reads a bundle's document.
func ReadPolicy(document []byte) (PolicyDocument, error) {
	var d PolicyDocument
	err := json.Unmarshal(document, &d)
	return d, err
}

// sameAction compares actions, which documents write in any case.
func sameAction(a, b string) bool { return strings.EqualFold(a, b) }
