package catalog

import (
	"encoding/json"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// defaultLookupTag is what v1 writes where nothing else was asked for.
const defaultLookupTag = "latest"

// repoValue is the value of a subscription to a repository: JSON text that
// clients read and may write.
type repoValue struct {
	AutoSubscribe bool     // new tags are watched for updates
	LookupTag     string   // kept for clients
	Tags          []string // that need not be looked at any more
	rest          map[string]json.RawMessage
}

// parseRepoValue reads a value, with what v1 takes for what is missing. Old
// clients write the boolean as text.
func parseRepoValue(text *string) (repoValue, error) {
	v := repoValue{LookupTag: defaultLookupTag, rest: map[string]json.RawMessage{}}
	if text == nil || strings.TrimSpace(*text) == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(*text), &v.rest); err != nil || v.rest == nil {
		return v, engine.Invalidf("the value of the subscription is not a JSON object")
	}
	field := func(key string, to ...any) error {
		raw, given := v.rest[key]
		delete(v.rest, key)
		if !given || string(raw) == "null" {
			return nil
		}
		for _, p := range to {
			if json.Unmarshal(raw, p) == nil {
				return nil
			}
		}
		return engine.Invalidf("%s in the value of the subscription has the wrong type", key)
	}
	var auto string
	if err := field("autosubscribe", &v.AutoSubscribe, &auto); err != nil {
		return v, err
	}
	v.AutoSubscribe = v.AutoSubscribe || strings.EqualFold(auto, "true")
	if err := field("lookuptag", &v.LookupTag); err != nil {
		return v, err
	}
	if err := field("repotags", &v.Tags); err != nil {
		return v, err
	}
	delete(v.rest, "tagcount") // counted anew
	if len(v.Tags) > registry.MaxTags {
		v.Tags = v.Tags[:registry.MaxTags]
	}
	return v, nil
}

// text is the value as it is stored; what else a client has put there stays.
func (v repoValue) text() string {
	if v.Tags == nil {
		v.Tags = []string{}
	}
	m := make(map[string]any, len(v.rest)+4)
	for k, raw := range v.rest {
		m[k] = raw
	}
	m["autosubscribe"], m["lookuptag"], m["repotags"], m["tagcount"] = v.AutoSubscribe, v.LookupTag, v.Tags, len(v.Tags)
	b, _ := json.Marshal(m) // texts and numbers always marshal
	return string(b)
}

// missing lists the tags that are yet to be added: those found before, and
// those of the listing that the value does not have.
func (v repoValue) missing(listed, pending []string) []string {
	known := make(map[string]bool, len(v.Tags))
	for _, t := range v.Tags {
		known[t] = true
	}
	for _, t := range pending {
		known[t] = false
	}
	var todo []string
	for _, t := range listed {
		if !known[t] {
			todo = append(todo, t)
		}
	}
	return todo
}

// with adds tags, and forgets those that the repository no longer has if it
// was listed in full: should they come back they are new.
func (v repoValue) with(done []string, listed registry.Tags) repoValue {
	has := make(map[string]bool, len(listed.Names))
	for _, t := range listed.Names {
		has[t] = true
	}
	all := slices.Concat(v.Tags, done)
	seen := make(map[string]bool, len(all))
	v.Tags = slices.DeleteFunc(all, func(t string) bool {
		gone := seen[t] || !listed.More && !has[t]
		seen[t] = true
		return gone
	})
	if len(v.Tags) > registry.MaxTags {
		v.Tags = v.Tags[:registry.MaxTags]
	}
	return v
}
