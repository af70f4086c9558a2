package engine

import (
	"encoding/json"
	"slices"
	"strings"
)

// Matches reports whether an event of the filter's account passes it, as the
// store would decide. Only a text that spans the punctuation of the details
// may be seen differently, since the database writes JSON in its own way.
func (f EventFilter) Matches(e Event) bool {
	switch {
	case f.Service != "" && f.Service != e.Service,
		f.Host != "" && f.Host != e.Host,
		f.Type != "" && !EventTypeMatches(f.Type, e.Type),
		f.Level != "" && !strings.EqualFold(f.Level, e.Level),
		f.ResourceType != "" && f.ResourceType != e.ResourceType,
		f.ResourceID != "" && f.ResourceID != e.ResourceID,
		!f.Since.IsZero() && !e.At.After(f.Since),
		!f.Before.IsZero() && !e.At.Before(f.Before),
		len(f.IDs)+len(f.Runs) > 0 && !slices.Contains(f.IDs, e.ID) &&
			!slices.ContainsFunc(f.Runs, func(r EventRun) bool { return r.Holds(e) }),
		slices.Contains(f.Except, e.ID):
		return false
	}
	return f.Text == "" || e.contains(strings.ToLower(f.Text))
}

func (e Event) contains(lower string) bool {
	for _, s := range []string{e.Message, e.Type, ShortEventName(e.Type), e.ResourceID, e.ID} {
		if strings.Contains(strings.ToLower(s), lower) {
			return true
		}
	}
	details, err := json.Marshal(e.Details)
	return err == nil && strings.Contains(strings.ToLower(string(details)), lower)
}

// EventTypeMatches reports whether a dotted type is the one that pattern
// names: dotted or short, with * for any characters.
func EventTypeMatches(pattern, dotted string) bool {
	if t, ok := EventTypeOf(pattern); ok {
		pattern = t.Type
	}
	return wildcard(pattern, dotted) || strings.Contains(pattern, "*") && wildcard(pattern, ShortEventName(dotted))
}

// wildcard reports whether s matches pattern, in which * stands for any
// characters. It takes time linear in s for each star.
func wildcard(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
