package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// PolicyFaults shapes what is wrong with a text, with the lines around it.
func PolicyFaults(list []engine.BundleFault, text string) (faults []view.PolicyFault, refused bool) {
	lines := strings.Split(text, "\n")
	for n, f := range list {
		v := view.PolicyFault{Line: f.Line, Column: f.Column, Where: fmt.Sprintf("Line %d, column %d", f.Line, f.Column), Type: f.Type, Text: f.Details, Warning: f.Warning}
		if n < 50 { // beyond, nobody reads on before mending
			v.Excerpt = excerpt(lines, f)
		}
		refused = refused || !f.Warning
		faults = append(faults, v)
	}
	return faults, refused
}

// excerpt is a faulty line and its neighbours.
func excerpt(lines []string, f engine.BundleFault) []view.PolicyLine {
	var out []view.PolicyLine
	for n := max(1, f.Line-1); n <= min(len(lines), f.Line+1); n++ {
		l := view.PolicyLine{N: fmt.Sprint(n), Text: printable([]byte(strings.TrimSuffix(lines[n-1], "\r")), 300)}
		if n == f.Line {
			l.Fault, l.Warn = f.Details, f.Warning
		}
		out = append(out, l)
	}
	return out
}

// EmptyPolicy is a bundle to begin with that judges nothing yet.
func EmptyPolicy(id string) string {
	return `{
  "id": "` + id + `",
  "version": "1_0",
  "name": "New bundle",
  "comment": "",
  "policies": [
    {
      "id": "policy-1",
      "version": "1_0",
      "name": "Policy",
      "comment": "",
      "rules": []
    }
  ],
  "whitelists": [
    {
      "id": "whitelist-1",
      "version": "1_0",
      "name": "Exceptions",
      "comment": "",
      "items": []
    }
  ],
  "mappings": [
    {
      "id": "mapping-1",
      "name": "All images",
      "registry": "*",
      "repository": "*",
      "image": { "type": "tag", "value": "*" },
      "policy_ids": ["policy-1"],
      "whitelist_ids": ["whitelist-1"]
    }
  ],
  "whitelisted_images": [],
  "blacklisted_images": []
}
`
}

// CopyPolicy is the text of a bundle under another id and name; all else, and
// its order, stays.
func CopyPolicy(document []byte, id, name string) string {
	doc, err := readMembers(document)
	if err != nil {
		return PolicyText(document)
	}
	for _, f := range []struct{ key, value string }{{"name", name}, {"id", id}} {
		raw, err := json.Marshal(f.value)
		if err != nil {
			return PolicyText(document)
		}
		if _, ok := doc.fields[f.key]; !ok {
			doc.order = append([]string{f.key}, doc.order...)
		}
		doc.fields[f.key] = raw
	}
	return PolicyText(doc.bytes())
}

// topLevel reads an object's members and the order of their names.
func topLevel(document []byte) (map[string]json.RawMessage, []string, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	fields := map[string]json.RawMessage{}
	var order []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, nil, fmt.Errorf("not an object")
		}
		if _, twice := fields[name]; !twice {
			order = append(order, name)
		}
		fields[name] = raw
	}
	return fields, order, nil
}
