package store

import (
	"strings"
	"testing"
	"time"
)

func FuzzDecodeCursor(f *testing.F) {
	f.Add(encodeCursor(time.Unix(1577934245, 123456000), 42))
	f.Add("zzzzzzzzzzzz.1")
	f.Add(".")
	f.Add("-1.-1")
	f.Fuzz(func(t *testing.T, c string) {
		at, seq, err := decodeCursor(c)
		if err != nil {
			return
		}
		again, n, err := decodeCursor(encodeCursor(at, seq))
		if err != nil || !again.Equal(at) || n != seq {
			t.Errorf("%q became %v %d, then %v %d, %v", c, at, seq, again, n, err)
		}
	})
}

func FuzzWildcard(f *testing.F) {
	f.Add("system.*", "system.feeds")
	f.Add("*.failed", "system.feeds.failed")
	f.Add("a*a", "a")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		got := wildcard(pattern, s)
		if got != slowWildcard(pattern, s) && len(pattern) < 20 && len(s) < 40 {
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
