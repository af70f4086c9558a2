package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"windlass/internal/engine"
)

// What a bundle may hold. The largest in the field have some thousands of
// exceptions; these bounds only keep one document from holding up the engine.
const (
	maxBytes    = 16 << 20
	maxDepth    = 64
	maxPolicies = 1_000
	maxRules    = 20_000 // of one policy
	maxParams   = 100    // of one rule
	maxItems    = 100_000
	maxMappings = 10_000
	maxRefs     = 1_000 // policies or whitelists of one mapping
)

// Parse reads a bundle. Its error (engine.ErrInvalid) names the place in the
// document that has not the shape of a bundle. What has the shape but is wrong,
// as an unknown gate, is not an error but one of the bundle's Problems.
func Parse(doc []byte) (*Bundle, error) {
	if len(doc) > maxBytes {
		return nil, engine.Invalidf("bundle: %d bytes, at most %d are read", len(doc), maxBytes)
	}
	if err := shallow(doc); err != nil {
		return nil, err
	}
	r := &reader{}
	root := r.object(doc, "bundle")
	b := &Bundle{ID: root.text("id"), Name: root.text("name"), Version: root.text("version"), Description: root.text("description")}
	root.each("policies", maxPolicies, func(o object) { b.Policies = append(b.Policies, readPolicy(o)) })
	root.each("whitelists", maxPolicies, func(o object) { b.Whitelists = append(b.Whitelists, readWhitelist(o)) })
	root.each("mappings", maxMappings, func(o object) { b.Mappings = append(b.Mappings, readMapping(o)) })
	root.each("whitelisted_images", maxMappings, func(o object) { b.WhiteImages = append(b.WhiteImages, readSelector(o)) })
	root.each("blacklisted_images", maxMappings, func(o object) { b.BlackImages = append(b.BlackImages, readSelector(o)) })
	if r.err != nil {
		return nil, r.err
	}
	b.compile()
	return b, nil
}

func readPolicy(o object) Policy {
	p := Policy{ID: o.text("id"), Name: o.text("name"), Version: o.text("version")}
	o.each("rules", maxRules, func(o object) {
		rule := Rule{ID: o.text("id"), Gate: o.text("gate"), Name: o.text("trigger"), Action: Action(strings.ToLower(o.text("action")))}
		o.each("params", maxParams, func(o object) {
			param := Param{Name: strings.ToLower(o.text("name"))}
			// A value that is no text is a fault of the parameter, which
			// validation reports beside the others.
			param.Value, param.text = text(o.fields["value"])
			if !param.text {
				param.Value = string(o.fields["value"])
			}
			rule.Params = append(rule.Params, param)
		})
		p.Rules = append(p.Rules, rule)
	})
	return p
}

func readWhitelist(o object) Whitelist {
	w := Whitelist{ID: o.text("id"), Name: o.text("name"), Version: o.text("version")}
	o.each("items", maxItems, func(o object) {
		w.Items = append(w.Items, Item{
			ID: o.text("id"), Gate: o.text("gate"), TriggerID: o.text("trigger_id"),
			ExpiresOn: o.text("expires_on"), Reason: o.text("reason"),
		})
	})
	return w
}

func readMapping(o object) Mapping {
	m := Mapping{Selector: readSelector(o)}
	if id := o.text("policy_id"); id != "" {
		m.one, m.PolicyIDs = true, []string{id}
	}
	if o.has("policy_ids") {
		m.many, m.PolicyIDs = true, append(m.PolicyIDs, o.texts("policy_ids", maxRefs)...)
	}
	m.WhitelistIDs = o.texts("whitelist_ids", maxRefs)
	return m
}

func readSelector(o object) Selector {
	s := Selector{ID: o.text("id"), Name: o.text("name"), Registry: o.text("registry"), Repository: o.text("repository"), Raw: bytes.Clone(o.raw)}
	if o.has("image") {
		image := o.reader.object(o.fields["image"], o.path+".image")
		s.Type, s.Value = image.text("type"), image.text("value")
	}
	return s
}

// reader keeps the first error, so that reading needs no check at each step.
type reader struct{ err error }

// object is one JSON object and where it stands.
type object struct {
	reader *reader
	path   string
	raw    json.RawMessage
	fields map[string]json.RawMessage
}

func (r *reader) fail(path, want string, raw json.RawMessage) {
	if r.err == nil {
		if len(raw) > 40 {
			raw = append(bytes.Clone(raw[:40]), "..."...)
		}
		r.err = misshapen(path, "%s: want %s, got %s", path, want, strings.ToValidUTF8(string(raw), "?"))
	}
}

// DetailPath is the detail of Parse's error that holds the place it names, as a
// JSON pointer.
const DetailPath = "path"

// misshapen names a place as people write it, bundle.policies[0].id; the keys of
// such places are ours, so that they need no escaping as a pointer.
func misshapen(path, format string, args ...any) error {
	pointer := strings.NewReplacer("[", "/", "]", "", ".", "/").Replace(strings.TrimPrefix(path, "bundle"))
	return &engine.Fault{Kind: engine.ErrInvalid, Message: fmt.Sprintf(format, args...), Detail: map[string]any{DetailPath: pointer}}
}

func (r *reader) object(raw json.RawMessage, path string) object {
	o := object{reader: r, path: path, raw: raw}
	if r.err != nil {
		return o
	}
	if err := json.Unmarshal(raw, &o.fields); err != nil || o.fields == nil {
		r.fail(path, "an object", bytes.TrimSpace(raw))
	}
	return o
}

// has reports whether a key is there with a value: null is as good as absent.
func (o object) has(key string) bool {
	raw := o.fields[key]
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

func (o object) text(key string) string {
	if !o.has(key) {
		return ""
	}
	s, ok := text(o.fields[key])
	if !ok {
		o.reader.fail(o.path+"."+key, "a text", o.fields[key])
	}
	return s
}

func (o object) list(key string, most int) []json.RawMessage {
	if !o.has(key) || o.reader.err != nil {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(o.fields[key], &list); err != nil {
		o.reader.fail(o.path+"."+key, "a list", o.fields[key])
		return nil
	}
	if len(list) > most {
		path := o.path + "." + key
		o.reader.err = misshapen(path, "%s: %d entries, at most %d are read", path, len(list), most)
		return nil
	}
	return list
}

func (o object) each(key string, most int, do func(object)) {
	for i, raw := range o.list(key, most) {
		do(o.reader.object(raw, fmt.Sprintf("%s.%s[%d]", o.path, key, i)))
		if o.reader.err != nil {
			return
		}
	}
}

func (o object) texts(key string, most int) []string {
	var out []string
	for i, raw := range o.list(key, most) {
		s, ok := text(raw)
		if !ok {
			o.reader.fail(fmt.Sprintf("%s.%s[%d]", o.path, key, i), "a text", raw)
		}
		out = append(out, s)
	}
	return out
}

// shallow refuses a document that is no JSON, or nested too deep to be read
// level by level.
func shallow(doc []byte) error {
	if !json.Valid(doc) {
		var v any
		return engine.Invalidf("bundle: not JSON: %v", json.Unmarshal(doc, &v))
	}
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return engine.Invalidf("bundle: nested more than %d deep at byte %d", maxDepth, i)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
