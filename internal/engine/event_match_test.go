package engine

import (
	"strings"
	"testing"
)

func FuzzWildcard(f *testing.F) {
	f.Add("system.*", "system.feeds")
	f.Add("*.failed", "system.feeds.failed")
	f.Add("a*a", "a")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 20 || len(s) > 40 { // the definition takes exponential time
			return
		}
		if got := wildcard(pattern, s); got != slowWildcard(pattern, s) {
			t.Errorf("wildcard(%q, %q) = %v", pattern, s, got)
		}
	})
}

// slowWildcard is the definition, tried in full.
func slowWildcard(p, s string) bool {
	head, tail, star := strings.Cut(p, "*")
	if !star {
		return p == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	for i := len(head); i <= len(s); i++ {
		if slowWildcard(tail, s[i:]) {
			return true
		}
	}
	return false
}
