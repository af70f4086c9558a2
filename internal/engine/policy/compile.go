package policy

import (
	"fmt"
	"strings"
	"time"

	"windlass/internal/engine/pattern"
)

// version is the only one there is of bundles, policies and whitelists.
const version = "1_0"

func problem(path, kind, format string, args ...any) Problem {
	return Problem{Severity: "error", Type: kind, Details: fmt.Sprintf(format, args...), Path: path}
}

// compile makes the bundle ready to evaluate and notes what is wrong with each
// of its parts.
func (b *Bundle) compile() {
	note := func(path, kind, format string, args ...any) {
		b.problems = append(b.problems, problem(path, kind, format, args...))
	}
	if b.ID == "" {
		note("/id", ProblemValidation, "the bundle has no id")
	}
	if b.Version != version {
		note("/version", ProblemVersion, "bundle %q has version %q, want %q", b.ID, b.Version, version)
	}
	for i := range b.Policies {
		b.Policies[i].compile(fmt.Sprintf("/policies/%d", i))
	}
	for i := range b.Whitelists {
		b.Whitelists[i].compile(fmt.Sprintf("/whitelists/%d", i))
	}
	for i := range b.Mappings {
		m := &b.Mappings[i]
		what := fmt.Sprintf("mapping %d (%s)", i+1, m.Name)
		path := fmt.Sprintf("/mappings/%d", i)
		m.compile(path, what, note)
		if m.one == m.many {
			note(path, ProblemValidation, "%s needs one of policy_id and policy_ids", what)
		}
	}
	for i := range b.WhiteImages {
		b.WhiteImages[i].compile(fmt.Sprintf("/whitelisted_images/%d", i), fmt.Sprintf("whitelisted image %d (%s)", i+1, b.WhiteImages[i].Name), note)
	}
	for i := range b.BlackImages {
		b.BlackImages[i].compile(fmt.Sprintf("/blacklisted_images/%d", i), fmt.Sprintf("blacklisted image %d (%s)", i+1, b.BlackImages[i].Name), note)
	}
}

func (s *Selector) compile(path, what string, note func(path, kind, format string, args ...any)) {
	glob := func(key, field, text string) *pattern.Glob {
		if text == "" {
			note(path+key, ProblemValidation, "%s has no %s", what, field)
		}
		g, err := pattern.CompileGlob(text)
		if err != nil {
			note(path+key, ProblemValidation, "%s: %s: %v", what, field, err)
			g, _ = pattern.CompileGlob("")
		}
		return g
	}
	s.registry, s.repository = glob("/registry", "registry", s.Registry), glob("/repository", "repository", s.Repository)
	switch s.Type {
	case "tag":
		s.tag = glob("/image/value", "image value", s.Value)
	case "digest", "id":
		if s.Value == "" {
			note(path+"/image/value", ProblemValidation, "%s has no image value", what)
		}
	default:
		note(path+"/image/type", ProblemValidation, "%s has image type %q, want tag, digest or id", what, s.Type)
	}
}

func (p *Policy) compile(path string) {
	if p.Version != version {
		p.problems = append(p.problems, problem(path+"/version", ProblemVersion, "policy %q has version %q, want %q", p.ID, p.Version, version))
	}
	group := map[*gate]int{}
	for i := range p.Rules {
		r := &p.Rules[i]
		p.problems = append(p.problems, r.compile(fmt.Sprintf("%s/rules/%d", path, i), fmt.Sprintf("policy %q rule %d", p.ID, i+1))...)
		if r.run == nil && r.err == nil {
			continue
		}
		if r.text != "" {
			p.texts = append(p.texts, r.text)
		}
		at, ok := group[r.gate]
		if !ok {
			at = len(p.groups)
			group[r.gate] = at
			p.groups = append(p.groups, nil)
		}
		p.groups[at] = append(p.groups[at], i)
	}
}

func (r *Rule) compile(path, what string) (found []Problem) {
	if r.ID != "" {
		what += " (" + r.ID + ")"
	}
	note := func(key, kind, format string, args ...any) {
		found = append(found, problem(path+key, kind, what+": "+format, args...))
	}
	if r.Action.severity() == 0 && r.Action != Go {
		note("/action", ProblemValidation, "action %q, want GO, WARN or STOP", string(r.Action))
	}
	g := gateNamed(r.Gate)
	if g == nil {
		note("/gate", ProblemGate, "there is no gate %q", r.Gate)
		return found
	}
	t := g.triggerNamed(r.Name)
	if t == nil {
		note("/trigger", ProblemTrigger, "gate %s has no trigger %q", g.name, r.Name)
		return found
	}
	r.gate, r.trigger = g, t
	if g.eol || t.eol {
		note("/gate", ProblemEndOfLife, "trigger %s of gate %s has reached its end of life", t.name, g.name)
		r.eol = &found[len(found)-1]
		return found
	}
	values := r.values(note)
	if len(found) > 0 {
		return found
	}
	r.run, r.err = t.compile(values)
	if t.text != nil {
		r.text = t.text(values)
	}
	return found
}

// values gathers the parameters by name and holds them against their
// validators.
func (r *Rule) values(note func(key, kind, format string, args ...any)) args {
	values := args{}
	at := map[string]string{} // where each value stands
	for i, p := range r.Params {
		is := r.trigger.paramNamed(p.Name)
		key := fmt.Sprintf("/params/%d", i)
		switch {
		case is == nil:
			note(key+"/name", ProblemParameter, "trigger %s has no parameter %q", r.trigger.name, p.Name)
		case !p.text:
			note(key+"/value", ProblemValue, "parameter %s: the value must be a text", is.name)
		default:
			values[is.name], at[is.name] = p.Value, key+"/value"
		}
	}
	for i := range r.trigger.params {
		is := &r.trigger.params[i]
		v, set := values[is.name]
		if !set {
			if is.required && !r.given(is) {
				note("/params", ProblemValue, "parameter %s is required", is.name)
			}
			continue
		}
		if err := is.is.check(v, values); err != nil {
			note(at[is.name], ProblemValue, "parameter %s: %v", is.name, err)
		}
	}
	return values
}

// given reports whether the rule has a parameter at all, be it a wrong one.
func (r *Rule) given(is *param) bool {
	for _, p := range r.Params {
		if r.trigger.paramNamed(p.Name) == is {
			return true
		}
	}
	return false
}

func (w *Whitelist) compile(path string) {
	note := func(key, kind, format string, args ...any) {
		w.problems = append(w.problems, problem(path+key, kind, format, args...))
	}
	if w.Version != version {
		note("/version", ProblemVersion, "whitelist %q has version %q, want %q", w.ID, w.Version, version)
	}
	w.index = map[string]*exceptions{}
	for i := range w.Items {
		item := &w.Items[i]
		what, key := fmt.Sprintf("whitelist %q item %d", w.ID, i+1), fmt.Sprintf("/items/%d", i)
		if item.Gate == "" || item.TriggerID == "" {
			note(key, ProblemValidation, "%s needs gate and trigger_id", what)
			continue
		}
		if item.ExpiresOn != "" {
			at, err := time.Parse(time.RFC3339, item.ExpiresOn)
			if err != nil {
				note(key+"/expires_on", ProblemValidation, "%s: expires_on %q is no RFC 3339 time", what, item.ExpiresOn)
				continue
			}
			item.expires = at
		}
		glob, err := pattern.CompileGlob(item.TriggerID)
		if err != nil {
			note(key+"/trigger_id", ProblemValidation, "%s: trigger_id: %v", what, err)
			continue
		}
		gate := strings.ToLower(item.Gate)
		if w.index[gate] == nil {
			w.index[gate] = &exceptions{}
		}
		w.index[gate].add(i, item, glob)
	}
}
