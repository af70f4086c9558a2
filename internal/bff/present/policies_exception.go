package present

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// ExceptionQuery is the part of the address of a new exception that names the
// finding.
func ExceptionQuery(gate, triggerID string) string {
	return url.Values{"gate": {gate}, "trigger_id": {triggerID}}.Encode()
}

// ExceptionHref is the address of the form that sets a finding of an image
// aside in a bundle, and leads back afterwards.
func ExceptionHref(policy, gate, triggerID string, image engine.Digest, tag, back string) string {
	q := url.Values{"gate": {gate}, "trigger_id": {triggerID}, "image": {string(image)}, "tag": {tag}, "back": {back}}
	for k, v := range q {
		if v[0] == "" {
			q.Del(k)
		}
	}
	return PolicyHref(policy) + "/exceptions/new?" + q.Encode()
}

// Exception is an item of a whitelist that is to be added.
type Exception struct {
	ID        string `json:"id"`
	Gate      string `json:"gate"`
	TriggerID string `json:"trigger_id"`
	Reason    string `json:"reason,omitempty"`
	ExpiresOn string `json:"expires_on,omitempty"`
}

// ExceptionEnd is the moment at which an exception that counts through a day
// ends; empty for an empty day.
func ExceptionEnd(day string, now time.Time) (string, error) {
	if day == "" {
		return "", nil
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", engine.Invalidf("The last day is a date, as 2026-12-31.")
	}
	end := t.AddDate(0, 0, 1)
	if !end.After(now) {
		return "", engine.Invalidf("The last day is over already.")
	}
	return end.UTC().Format(time.RFC3339), nil
}

// ExceptionLists are the whitelists that an exception can be added to: those
// that a mapping uses, since no other has an effect. Without any a new one is
// offered, which every mapping will use.
func ExceptionLists(d PolicyDocument, chosen string) []view.PolicyChoice {
	var list []view.PolicyChoice
	for _, w := range d.Whitelists {
		if slices.ContainsFunc(d.Mappings, func(m mappingPart) bool { return slices.Contains(m.WhitelistIDs, w.ID) }) {
			list = append(list, view.PolicyChoice{Value: w.ID, Text: nameOr(w.Name, w.ID), Chosen: w.ID == chosen})
		}
	}
	if len(list) == 0 {
		return []view.PolicyChoice{{Value: "", Text: "A new whitelist, for all mappings", Chosen: true}}
	}
	if !slices.ContainsFunc(list, func(c view.PolicyChoice) bool { return c.Chosen }) {
		list[0].Chosen = true
	}
	return list
}

// InForce finds an exception of a whitelist that sets the finding aside already.
func InForce(d PolicyDocument, list, gate, triggerID string, now time.Time) bool {
	for _, w := range d.Whitelists {
		for _, i := range w.Items {
			if w.ID != list || !strings.EqualFold(i.Gate, gate) || i.TriggerID != triggerID {
				continue
			}
			at, err := time.Parse(time.RFC3339, i.ExpiresOn)
			if i.ExpiresOn == "" || err == nil && at.After(now) {
				return true
			}
		}
	}
	return false
}

// AddException is a document with one more exception in the whitelist of an id,
// or, with none, in a new one that every mapping uses. All else is as it was.
func AddException(document []byte, list string, x Exception) ([]byte, error) {
	doc, err := readMembers(document)
	if err != nil {
		return nil, err
	}
	if list == "" {
		list = "exceptions"
		if err := doc.elements("whitelists", func(all []json.RawMessage) ([]json.RawMessage, error) {
			return append(all, json.RawMessage(`{"id":"exceptions","version":"1_0","name":"Exceptions","items":[]}`)), nil
		}); err != nil {
			return nil, err
		}
		if err := doc.each("mappings", func(m *members) error {
			return m.elements("whitelist_ids", func(ids []json.RawMessage) ([]json.RawMessage, error) {
				return append(ids, json.RawMessage(`"exceptions"`)), nil
			})
		}); err != nil {
			return nil, err
		}
	}
	item, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	found := false
	err = doc.each("whitelists", func(w *members) error {
		var id string
		if json.Unmarshal(w.fields["id"], &id) != nil || id != list || found {
			return nil
		}
		found = true
		return w.elements("items", func(items []json.RawMessage) ([]json.RawMessage, error) { return append(items, item), nil })
	})
	if err == nil && !found {
		err = engine.NotFoundf("The bundle has no whitelist %s any more.", list)
	}
	return doc.bytes(), err
}

// members is a JSON object that is written again as it was read but for what
// was set in it.
type members struct {
	fields map[string]json.RawMessage
	order  []string
}

func readMembers(raw []byte) (*members, error) {
	fields, order, err := topLevel(raw)
	if err != nil {
		return nil, engine.Invalidf("The bundle cannot be read: %v.", err)
	}
	return &members{fields, order}, nil
}

func (m *members) bytes() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range m.order {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(key)
		if err != nil {
			continue // a text always can be written
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(m.fields[key])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// elements alters the list of a key, which may be missing.
func (m *members) elements(key string, alter func([]json.RawMessage) ([]json.RawMessage, error)) error {
	var list []json.RawMessage
	if raw, ok := m.fields[key]; !ok {
		m.order = append(m.order, key)
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return engine.Invalidf("%s of the bundle is no list.", key)
	}
	list, err := alter(list)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteByte('[')
	for i, raw := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteByte(']')
	m.fields[key] = b.Bytes()
	return nil
}

// each alters every object of the list of a key.
func (m *members) each(key string, alter func(*members) error) error {
	return m.elements(key, func(list []json.RawMessage) ([]json.RawMessage, error) {
		for i, raw := range list {
			e, err := readMembers(raw)
			if err != nil {
				return nil, err
			}
			if err := alter(e); err != nil {
				return nil, err
			}
			list[i] = e.bytes()
		}
		return list, nil
	})
}
